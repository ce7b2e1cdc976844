"""How those who post a lead do it: networks, an auction, forms inside ads, partners, files."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

from rooftree.flow import moment
from rooftree.leads.models import Source
from rooftree_demo.company import LEGAL_NAME, WORDING
from rooftree_demo.street import Street
from rooftree_simulators.posters import (
    google_lead_form,
    mismo_ilad,
    networks,
    rate_site,
    referral_partner,
    tiktok_lead_gen,
)
from rooftree_simulators.posters.delivery import Delivery
from rooftree_simulators.posters.people import Borrower
from rooftree_simulators.posters.ping_post import Seller

type Send = Callable[[Street, Source, Borrower], None]
UNTOLD = 0.1  # of Meta's and LinkedIn's leads: the notice is lost, and only a list has them
_THEIRS = "Harbor Light Lending"  # the lender in the simulators' wordings


def network(*makers: Callable[..., Delivery], is_witnessed: bool = False) -> Send:
    """A network that sells leads, in one of its own formats, with the key we gave it."""

    def send(street: Street, source: Source, who: Borrower) -> None:
        maker = street.rng.choice(makers)
        witnessed = {"certificate": street.certificate(who)} if is_witnessed else {}
        made = maker(who, street.rng, at=moment.now(), **witnessed)
        street.post(source, _for_us(made, source))

    return send


def _for_us(made: Delivery, source: Source) -> Delivery:
    """The same post as it is made for Lindenfield."""
    body = made.body.replace(_THEIRS.encode(), LEGAL_NAME.encode())
    body = body.replace(quote_plus(_THEIRS).encode(), quote_plus(LEGAL_NAME).encode())
    headers = made.headers | {"X-Api-Key": source.secret}
    return Delivery(vendor_id=made.vendor_id, body=body, headers=headers)


def auction(street: Street, source: Source, who: Borrower) -> None:
    """A seller asks what we pay, and posts the person if it is enough."""
    buyer = street.address(source).removesuffix("/ping")
    seller = Seller(to=buyer, secret=source.secret, wording=WORDING)
    seller.auction(who, street.rng, at=moment.now())


def own_words(street: Street, source: Source, who: Borrower) -> None:
    """A site that posts in words of its own, read by the map the company published."""
    street.post(source, rate_site.delivery(who, street.rng, at=moment.now()))


def partner(street: Street, source: Source, who: Borrower) -> None:
    """A real estate agency's program introduces a client."""
    street.post(source, referral_partner.delivery(who, street.rng, at=moment.now()))


def application(street: Street, source: Source, who: Borrower) -> None:
    """A point-of-sale system hands over a file of an application."""
    street.post(source, mismo_ilad.delivery(who, street.rng, at=moment.now()))


def google(street: Street, source: Source, who: Borrower) -> None:
    """Somebody fills in the form below a search ad."""
    street.post(source, google_lead_form.delivery(who, street.rng, at=moment.now()))


def tiktok(street: Street, source: Source, who: Borrower) -> None:
    """Somebody fills in the form behind a video."""
    street.post(source, tiktok_lead_gen.delivery(who, street.rng, at=moment.now()))


def meta(street: Street, source: Source, who: Borrower) -> None:
    """Somebody fills in a form inside Facebook: we hear an id, or nothing at all."""
    is_told = street.rng.random() > UNTOLD
    boxes = {"tcpa_sms_calls": street.rng.random() < 0.8}
    said = {"answers": _answers(who), "boxes": boxes, "notify": is_told}
    street.control.say("meta/lead", said)


def linkedin(street: Street, source: Source, who: Borrower) -> None:
    """A member submits a form: we hear an id, or nothing at all."""
    is_told = street.rng.random() > UNTOLD
    answers = {"1": who.first_name, "2": who.last_name, "3": who.email, "4": who.phone}
    choice = 1 if who.purpose == "purchase" else 2
    said = {"answers": answers, "choice": choice, "notify": is_told}
    street.control.say("linkedin/lead", said)


def _answers(who: Borrower) -> dict[str, Any]:
    buying = who.purpose == "purchase"
    return {
        "full_name": f"{who.first_name} {who.last_name}",
        "email": who.email,
        "phone_number": f"+1{who.phone}",
        "zip_code": who.zip,
        "are_you_buying_or_refinancing?": "buying" if buying else "refinancing",
        "which_state_is_the_property_in?": who.state,
        "estimated_home_value": f"${who.price:,}",
        "are_you_a_veteran?": "yes" if who.military else "no",
    }


bankrate = network(networks.bankrate)
freerateupdate = network(networks.freerateupdate, networks.freerateupdate_xml)
leadpoint = network(networks.leadpoint)
leadconduit = network(networks.leadconduit, is_witnessed=True)
numeric = network(networks.numeric, is_witnessed=True)

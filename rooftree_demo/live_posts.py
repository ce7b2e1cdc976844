"""How those who post a lead do it: networks, an auction, forms inside ads, partners, files."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

from rooftree.flow import clock
from rooftree.leads.models import Source
from rooftree_demo.arrivals import VendorContext
from rooftree_demo.demo_company import CONSENT_WORDING, LEGAL_NAME
from rooftree_simulators.posters import (
    google_lead_form,
    mismo_ilad,
    networks,
    rate_site,
    referral_partner,
    tiktok_lead_gen,
)
from rooftree_simulators.posters.lead_delivery import Delivery
from rooftree_simulators.posters.ping_post import LeadSeller
from rooftree_simulators.posters.simulated_borrowers import Borrower

type Send = Callable[[VendorContext, Source, Borrower], None]
LOST_NOTICE_SHARE = (
    0.1  # of Meta's and LinkedIn's leads: the notice is lost, and only a list has them
)
_SIMULATED_LENDER = "Harbor Light Lending"  # the lender in the simulators' wordings


def network_sender(*makers: Callable[..., Delivery], is_witnessed: bool = False) -> Send:
    """A network that sells leads, in one of its own formats, with the key we gave it."""

    def send(street: VendorContext, source: Source, who: Borrower) -> None:
        maker = street.rng.choice(makers)
        witnessed = {"certificate": street.certificate(who)} if is_witnessed else {}
        made = maker(who, street.rng, at=clock.now(), **witnessed)
        street.post(source, _rebrand_post(made, source))

    return send


def _rebrand_post(made: Delivery, source: Source) -> Delivery:
    """The same post as it is made for Lindenfield."""
    body = made.body.replace(_SIMULATED_LENDER.encode(), LEGAL_NAME.encode())
    body = body.replace(quote_plus(_SIMULATED_LENDER).encode(), quote_plus(LEGAL_NAME).encode())
    headers = made.headers | {"X-Api-Key": source.secret}
    return Delivery(vendor_id=made.vendor_id, body=body, headers=headers)


def run_auction(street: VendorContext, source: Source, who: Borrower) -> None:
    """A seller asks what we pay, and posts the person if it is enough."""
    buyer = street.address(source).removesuffix("/ping")
    seller = LeadSeller(to=buyer, secret=source.secret, wording=CONSENT_WORDING)
    seller.run_auction(who, street.rng, at=clock.now())


def post_mapped_lead(street: VendorContext, source: Source, who: Borrower) -> None:
    """A site that posts in words of its own, read by the map the company published."""
    street.post(source, rate_site.reader_delivery(who, street.rng, at=clock.now()))


def post_referral(street: VendorContext, source: Source, who: Borrower) -> None:
    """A real estate agency's program introduces a client."""
    street.post(source, referral_partner.referral_delivery(who, street.rng, at=clock.now()))


def post_application(street: VendorContext, source: Source, who: Borrower) -> None:
    """A point-of-sale system hands over a file of an application."""
    street.post(source, mismo_ilad.application_delivery(who, street.rng, at=clock.now()))


def post_google_lead(street: VendorContext, source: Source, who: Borrower) -> None:
    """Somebody fills in the form below a search ad."""
    street.post(source, google_lead_form.lead_delivery(who, street.rng, at=clock.now()))


def post_tiktok_lead(street: VendorContext, source: Source, who: Borrower) -> None:
    """Somebody fills in the form behind a video."""
    street.post(source, tiktok_lead_gen.lead_delivery(who, street.rng, at=clock.now()))


def submit_meta_lead(street: VendorContext, source: Source, who: Borrower) -> None:
    """Somebody fills in a form inside Facebook: we hear an id, or nothing at all."""
    is_told = street.rng.random() > LOST_NOTICE_SHARE
    boxes = {"tcpa_sms_calls": street.rng.random() < 0.8}
    said = {"answers": _meta_answers(who), "boxes": boxes, "notify": is_told}
    street.control.call("meta/lead", said)


def submit_linkedin_lead(street: VendorContext, source: Source, who: Borrower) -> None:
    """A member submits a form: we hear an id, or nothing at all."""
    is_told = street.rng.random() > LOST_NOTICE_SHARE
    answers = {"1": who.first_name, "2": who.last_name, "3": who.email, "4": who.phone}
    choice = 1 if who.purpose == "purchase" else 2
    said = {"answers": answers, "choice": choice, "notify": is_told}
    street.control.call("linkedin/lead", said)


def _meta_answers(who: Borrower) -> dict[str, Any]:
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


post_bankrate_lead = network_sender(networks.bankrate_delivery)
post_freerateupdate_lead = network_sender(
    networks.freerateupdate_delivery, networks.freerateupdate_xml_delivery
)
post_leadpoint_lead = network_sender(networks.leadpoint_delivery)
post_leadconduit_lead = network_sender(networks.leadconduit_delivery, is_witnessed=True)
post_numeric_lead = network_sender(networks.numeric_delivery, is_witnessed=True)

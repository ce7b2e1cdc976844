"""Inquiries that vendors post: networks, an auction, lead forms in ads, partners, files."""

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
LOST_NOTICE_SHARE = 0.1  # share of Meta and LinkedIn leads whose notice is lost; a list has them
_SIMULATED_LENDER = "Harbor Light Lending"  # the lender named in the simulators' wordings


def build_network_sender(*builders: Callable[..., Delivery], is_certified: bool = False) -> Send:
    """Build a function that posts a network's lead in one of its formats, with the source's key."""

    def send(context: VendorContext, source: Source, borrower: Borrower) -> None:
        build = context.rng.choice(builders)
        options = {"certificate": context.certificate(borrower)} if is_certified else {}
        delivery = build(borrower, context.rng, at=clock.now(), **options)
        context.post(source, _rebrand_post(delivery, source))

    return send


def _rebrand_post(delivery: Delivery, source: Source) -> Delivery:
    """Replace the simulators' lender with Lindenfield, and add the source's key."""
    body = delivery.body.replace(_SIMULATED_LENDER.encode(), LEGAL_NAME.encode())
    body = body.replace(quote_plus(_SIMULATED_LENDER).encode(), quote_plus(LEGAL_NAME).encode())
    headers = delivery.headers | {"X-Api-Key": source.secret}
    return Delivery(vendor_id=delivery.vendor_id, body=body, headers=headers)


def run_auction(context: VendorContext, source: Source, borrower: Borrower) -> None:
    """Ping for a bid, and post the lead if the bid is high enough."""
    buyer = context.address(source).removesuffix("/ping")
    seller = LeadSeller(to=buyer, secret=source.secret, wording=CONSENT_WORDING)
    seller.run_auction(borrower, context.rng, at=clock.now())


def post_mapped_lead(context: VendorContext, source: Source, borrower: Borrower) -> None:
    """Post in a site's own field names, which the published field map reads."""
    context.post(source, rate_site.reader_delivery(borrower, context.rng, at=clock.now()))


def post_referral(context: VendorContext, source: Source, borrower: Borrower) -> None:
    """Post a client that a real estate agency refers."""
    context.post(source, referral_partner.referral_delivery(borrower, context.rng, at=clock.now()))


def post_application(context: VendorContext, source: Source, borrower: Borrower) -> None:
    """Post a point-of-sale system's application file."""
    context.post(source, mismo_ilad.application_delivery(borrower, context.rng, at=clock.now()))


def post_google_lead(context: VendorContext, source: Source, borrower: Borrower) -> None:
    """Post a lead from the form below a search ad."""
    context.post(source, google_lead_form.lead_delivery(borrower, context.rng, at=clock.now()))


def post_tiktok_lead(context: VendorContext, source: Source, borrower: Borrower) -> None:
    """Post a lead from the form behind a video."""
    context.post(source, tiktok_lead_gen.lead_delivery(borrower, context.rng, at=clock.now()))


def submit_meta_lead(context: VendorContext, source: Source, borrower: Borrower) -> None:
    """Submit a form inside Facebook; the notice carries only an id, and sometimes gets lost."""
    has_notice = context.rng.random() > LOST_NOTICE_SHARE
    boxes = {"tcpa_sms_calls": context.rng.random() < 0.8}
    lead = {"answers": _meta_answers(borrower), "boxes": boxes, "notify": has_notice}
    context.control.call("meta/lead", lead)


def submit_linkedin_lead(context: VendorContext, source: Source, borrower: Borrower) -> None:
    """Submit a form as a LinkedIn member; the notice carries only an id, or gets lost."""
    has_notice = context.rng.random() > LOST_NOTICE_SHARE
    answers = {
        "1": borrower.first_name,
        "2": borrower.last_name,
        "3": borrower.email,
        "4": borrower.phone,
    }
    choice = 1 if borrower.purpose == "purchase" else 2
    lead = {"answers": answers, "choice": choice, "notify": has_notice}
    context.control.call("linkedin/lead", lead)


def _meta_answers(borrower: Borrower) -> dict[str, Any]:
    buying = borrower.purpose == "purchase"
    return {
        "full_name": f"{borrower.first_name} {borrower.last_name}",
        "email": borrower.email,
        "phone_number": f"+1{borrower.phone}",
        "zip_code": borrower.zip,
        "are_you_buying_or_refinancing?": "buying" if buying else "refinancing",
        "which_state_is_the_property_in?": borrower.state,
        "estimated_home_value": f"${borrower.price:,}",
        "are_you_a_veteran?": "yes" if borrower.military else "no",
    }


post_bankrate_lead = build_network_sender(networks.bankrate_delivery)
post_freerateupdate_lead = build_network_sender(
    networks.freerateupdate_delivery, networks.freerateupdate_xml_delivery
)
post_leadpoint_lead = build_network_sender(networks.leadpoint_delivery)
post_leadconduit_lead = build_network_sender(networks.leadconduit_delivery, is_certified=True)
post_numeric_lead = build_network_sender(networks.numeric_delivery, is_certified=True)

"""LeadConduit (ActiveProspect): its standard fields, in a form, JSON or XML.

Wire format: docs/sources/leadconduit.md. A 201 means we judged the lead; `outcome` holds the
result.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any
from xml.sax.saxutils import escape

from rooftree.capture.parsing.envelope import (
    LEAD_ID_PLACEHOLDER,
    Answer,
    Envelope,
    IncomingDelivery,
    Outcome,
    rejected_envelope,
)
from rooftree.capture.parsing.field_map import parse_map_table
from rooftree.capture.parsing.sender_proof import Proof
from rooftree.capture.parsing.single_lead_posts import PostFormat, read_post
from rooftree.leads.vocabulary import Channel, Source

LABEL = "LeadConduit"
PATHS = ["leadconduit/<token>"]
CHANNEL = Channel.AGGREGATOR
PROOF = Proof.HEADER
METHODS = ("POST", "GET")
CONTENT_TYPES = (
    *("application/x-www-form-urlencoded", "application/json"),
    *("application/xml", "text/xml"),
)
REJECTED_UNREAD = (Outcome.REJECTED_AUTH, Outcome.REJECTED_TOO_LARGE)
_PARSE_ERROR_TEXT = {
    "invalid_json": "Body does not contain JSON or JSON is unparseable",
    "invalid_xml": "Body does not contain XML or XML is unparseable",
    "xml_dtd_forbidden": "Body does not contain XML or XML is unparseable",
    "invalid_form": "Unable to parse body",
}

LINES = parse_map_table("""
vendor_lead_id | reference lead.id
submitted_at | source_timestamp
campaign | campaign_name campaign_id
cost | price
first_name | first_name
last_name | last_name
phone | phone_1
phone_2 | phone_2
phone_3 | phone_3
email | email
email_2 | email_2
address | address_1
address2 | address_2
city | city
county | county
state | state
zip | postal_code
co_first_name | mortgage.coborrower.first_name
co_last_name | mortgage.coborrower.last_name
language | language
message | comments
loan_purpose | mortgage.loan.purpose
refinance_purpose | mortgage.refi.purpose
loan_type | mortgage.loan.is_va | true=va yes=va 1=va false= no= 0=
loan_type | mortgage.loan.is_fha | true=fha yes=fha 1=fha false= no= 0=
loan_type | mortgage.loan.is_jumbo | true=jumbo yes=jumbo 1=jumbo false= no= 0=
loan_type | mortgage.loan.type
loan_amount | mortgage.loan.amount
amortization | mortgage.loan.amortization
term_years | mortgage.loan.term
term_years | mortgage.loan.term_in_months | months
ltv | mortgage.loan.ltv
down_payment | mortgage.loan.down_payment
cash_out | mortgage.loan.cash_out
current_balance | mortgage.refi.loan_balance mortgage.first_mortgage_balance
second_balance | mortgage.second_mortgage_balance
current_rate | mortgage.refi.interest_rate mortgage.first_mortgage_interest_rate
current_payment | mortgage.first_mortgage_payment
timeline | mortgage.application.timeframe_days
property_address | mortgage.property.address
property_city | mortgage.property.city
property_county | mortgage.property.county
property_state | mortgage.property.state
property_zip | mortgage.property.postal_code
property_type | mortgage.property.type
property_use | mortgage.property.use
property_value | mortgage.refi.property_value mortgage.property.price
purchase_price | mortgage.property.price
found_home | mortgage.application.found_home
working_with_agent | mortgage.application.is_working_with_realtor
agent_name | agent.name
agent_phone | agent.phone_1
credit | mortgage.application.credit_rating credit_rating
credit_score | credit_score
bankruptcy | mortgage.application.bankruptcy
annual_income | mortgage.annual_income annual_salary
military | mortgage.application.is_military
consent_ip | ip_address
ip_address | ip_address
user_agent | user_agent
landing_page | landing_page_url
referrer | referring_url
utm_source | utm_source campaign_source
utm_medium | utm_medium campaign_medium
utm_campaign | utm_campaign
utm_term | utm_term
utm_content | utm_content campaign_content
gclid | gclid
fbclid | fbclid
msclkid | msclkid
certificate_url | trustedform_cert_url xxTrustedFormCertUrl
leadid_token | universal_leadid
""")


def read(incoming: IncomingDelivery) -> Envelope:
    """Read one lead. Never raises: an unusable delivery gets its own outcome."""
    envelope = read_post(incoming, VENDOR)
    if incoming.is_verified or envelope.outcome in REJECTED_UNREAD:
        return envelope
    problem = _find_request_problem(incoming)
    return rejected_envelope(Outcome.REJECTED_MALFORMED, *problem) if problem else envelope


def _find_request_problem(incoming: IncomingDelivery) -> tuple[str, Answer] | None:
    """Check method and headers as LeadConduit's contract requires, before reading the body."""
    if incoming.method not in METHODS:
        text = f"The {incoming.method[:20]} method is not allowed"
        return "method_not_allowed", _plain_answer(405, text)
    if _answer_type(incoming) is None:
        text = "Not capable of generating content according to the Accept header"
        return "not_acceptable", _plain_answer(406, text)
    if not incoming.body:
        return None
    content_type = (incoming.header("content-type") or "").split(";")[0].strip().lower()
    if not content_type:
        return "missing_content_type", _plain_answer(415, "Content-Type header is required")
    if content_type not in CONTENT_TYPES:
        text = "MIME type in Content-Type header is not supported."
        return "unsupported_content_type", _plain_answer(
            406, f"{text} Use only {', '.join(CONTENT_TYPES)}."
        )
    return None


def _answer_type(incoming: IncomingDelivery) -> str | None:
    """Return the content type of the answer: the first in `Accept` that we support, JSON first."""
    accept = (incoming.header("accept") or "*/*").lower()
    if any(
        content_type in accept for content_type in ("*/*", "json", "application/*", "urlencoded")
    ):
        return "application/json"
    return next(
        (
            content_type
            for content_type in ("text/xml", "application/xml")
            if content_type in accept
        ),
        None,
    )


def rejection_answer(why: str, incoming: IncomingDelivery) -> Answer:
    """Build LeadConduit's answer for a lead outside our limits."""
    return _verdict_answer(incoming, outcome="failure", reason=why)


def _plain_answer(status: int, text: str) -> Answer:
    return Answer(status=status, content_type="text/plain", body=text)


def _error_answer(status: int, error: str) -> Answer:
    if error == "unauthorized":
        return Answer(status=status, content_type="application/json", body={"error": error})
    return _plain_answer(status, _PARSE_ERROR_TEXT.get(error, error))


def _verdict_answer(incoming: IncomingDelivery, **verdict: str) -> Answer:
    """Build a 201 with the outcome, in the format that `Accept` asks for."""
    result: dict[str, Any] = {**verdict, "lead": {"id": LEAD_ID_PLACEHOLDER}, "price": 0}
    content_type = _answer_type(incoming) or "application/json"
    if content_type == "application/json":
        return Answer(status=201, content_type=content_type, body=result)
    body = f'<?xml version="1.0"?>\n<result>{_to_xml_elements(result)}</result>'
    return Answer(status=201, content_type=content_type, body=body)


def _to_xml_elements(values: Mapping[str, Any]) -> str:
    elements = []
    for name, value in values.items():
        if isinstance(value, dict):
            inner = _to_xml_elements(value)
        else:
            inner = value if value == LEAD_ID_PLACEHOLDER else escape(str(value))
        elements.append(f"<{name}>{inner}</{name}>")
    return "".join(elements)


VENDOR = PostFormat(
    source=Source.LEADCONDUIT,
    channel=CHANNEL,
    lines=LINES,
    default_proof=PROOF,
    success_answer=lambda tree, incoming: _verdict_answer(incoming, outcome="success"),
    rejection_answer=_error_answer,
    repeat_answer=partial(_verdict_answer, outcome="failure", reason="duplicate"),
)

"""Aggregator form posts: numeric codes answered in XML, short names answered by a number.

Wire format: docs/sources/aggregator-post.md.
"""

import html
from dataclasses import replace

from rooftree.capture.parsing.envelope import Answer, Envelope, IncomingDelivery, json_answer
from rooftree.capture.parsing.field_map import parse_map_table
from rooftree.capture.parsing.payload_tree import build_payload_tree
from rooftree.capture.parsing.reading_notes import ReadingNotes, as_text
from rooftree.capture.parsing.sender_proof import Proof
from rooftree.capture.parsing.single_lead_posts import PostFormat, Tree, read_post
from rooftree.capture.parsing.value_paths import find_value
from rooftree.capture.source_setup.acceptance_limits import REFUSAL_REASONS
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.vocabulary import Channel, Purpose, Source

LABEL = "Aggregator posts"
PATHS = ["aggregator_post/<token>"]
CHANNEL = Channel.AGGREGATOR
PROOF = Proof.HEADER
EQUITY_PURPOSES = {"1": Purpose.HOME_EQUITY_LOAN, "2": Purpose.HELOC}  # 3: not sure
TRUNCATED_LENGTH = 200  # characters of consent wording in the numeric posts

# Where a row has two names, the first is from numeric posts, the second from short-name posts.
LINES = parse_map_table("""
is_test | lead_mode | 0=yes 1=no
vendor_lead_id | vendor_lead_id
submitted_at | datetime_stamp
campaign | promo_code
sub_source | sub_id ls
first_name | first_name fname
last_name | last_name lname
phone | phone ph
phone_2 | phone2
email | email em
address | address
city | city
state | state
zip | zip
loan_purpose | mortgage_lead_type mortgageType | 1=purchase 2=refinance 3=home_equity 4=reverse
loan_type | loan_type | 1=va 2=fha 3=conventional 4=other
loan_type | va_loan | 1=va 0=
loan_amount | loan_amount loanAmount
amortization | rate_type | 1=fixed 2=arm 3=other
ltv | ltv_percentage
down_payment | down_payment | percent
down_payment | downPayment
cash_out | additional_cash cashOut
current_balance | first_balance
second_balance | second_balance
current_rate | first_interest_rate
timeline | buy_timeframe | 1=asap 2=0_30_days 3=31_60_days 4=61_90_days 5=no_timeframe
timeline | movingTimeline
property_state | property_state
property_zip | property_zip
property_type | property_desc | 1=single_family 2=multi_2_4 3=townhouse 4=condo 5=manufactured
property_use | property_use | 1=primary 2=second_home 3=investment
property_value | property_value estimate_value
new_construction | spec_home
credit | credit_rating creditRating | 1=excellent 2=good 3=fair 4=poor
bankruptcy | bankruptcy
annual_income | income | monthly
military | va_loan veteran
working_with_agent | agent_found hasAgent
message | comments
consent_checked | tcpa_optin
consent_text | tcpa_text
consent_ip | ipaddress
ip_address | ipaddress
user_agent | user_agent
landing_page | url
referrer | referral
certificate_url | trustedformcerturl xxTrustedFormCertUrl
leadid_token | universal_leadid
""")


def read(incoming: IncomingDelivery) -> Envelope:
    """Read one lead. Never raises: an unusable delivery gets its own outcome."""
    return read_post(incoming, VENDOR)


def _success_answer(tree: Tree, incoming: IncomingDelivery) -> Answer:
    """Answer short-name posts with a number, all others with XML."""
    if _has_short_names(tree):
        return _number_answer("1")
    return _xml_answer(200, "<Response>ACCEPTED</Response>")


def _error_answer(status: int, error: str) -> Answer:
    """Answer a wrong key in JSON, all other errors in XML."""
    if status == 401:
        return json_answer(401, error=error)
    errors_xml = f"<Errors><Error>{html.escape(error)}</Error></Errors>"
    return _xml_answer(status, f"<Response>REJECTED</Response>{errors_xml}")


def rejection_answer(why: str, incoming: IncomingDelivery) -> Answer:
    """Answer REJECTED with its reason; for short-name posts 10 for a duplicate, 11 otherwise."""
    if _has_short_names(build_payload_tree(incoming, ReadingNotes())):
        return _number_answer("10" if why == REFUSAL_REASONS["duplicate"] else "11")
    result_xml = f"<Response>REJECTED</Response><Reason>{html.escape(why)}</Reason>"
    return _xml_answer(200, result_xml)


def _has_short_names(tree: Tree) -> bool:
    """Tell whether a post uses the short names, which are answered by a number."""
    return not {"em", "ph"}.isdisjoint(name.lower() for name in tree)


def _number_answer(code: str) -> Answer:
    return Answer(status=200, content_type="text/plain", body=code)


def _xml_answer(status: int, inner_xml: str) -> Answer:
    body = f'<?xml version="1.0"?><PostResponse>{inner_xml}</PostResponse>'
    return Answer(status=status, content_type="text/xml", body=body)


def _finish_lead(lead: CanonicalLead, tree: Tree, notes: ReadingNotes) -> CanonicalLead:
    """Set the kind of home equity, and warn when the consent wording was truncated.

    Wording of exactly `TRUNCATED_LENGTH` was cut off; the certificate has the full text.
    """
    kind = EQUITY_PURPOSES.get(as_text(find_value(tree, "home_equity_type")[1]).strip())
    if kind and lead.loan and lead.loan.purpose is Purpose.HOME_EQUITY:
        lead = replace(lead, loan=replace(lead.loan, purpose=kind))
    if len(lead.consent.text or "") == TRUNCATED_LENGTH:
        notes.warn(f"consent_text_truncated_{TRUNCATED_LENGTH}")
    return lead


VENDOR = PostFormat(
    source=Source.AGGREGATOR_POST,
    channel=CHANNEL,
    lines=LINES,
    default_proof=PROOF,
    success_answer=_success_answer,
    rejection_answer=_error_answer,
    counts_bare_yes=True,
    finish_lead=_finish_lead,
)

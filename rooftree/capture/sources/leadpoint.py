"""Leadpoint: short upper-case keys. Wire format: docs/sources/leadpoint.md."""

from rooftree.capture.parsing.envelope import Envelope, IncomingDelivery
from rooftree.capture.parsing.field_map import parse_map_table
from rooftree.capture.parsing.sender_proof import Proof
from rooftree.capture.parsing.single_lead_posts import PostFormat, read_post
from rooftree.leads.vocabulary import Channel, Source

LABEL = "Leadpoint"
PATHS = ["leadpoint/<token>"]
CHANNEL = Channel.AGGREGATOR
PROOF = Proof.HEADER

# FHA_BANK_FORECLOSUREl is a typo of Leadpoint's; both spellings are sent.
LINES = parse_map_table("""
vendor_lead_id | LEAD_ID
first_name | FNAME first_name
last_name | LNAME last_name
phone | PRI_PHON
phone_2 | SEC_PHON
email | EMAIL
address | ADDRESS
city | CITY
state | STATE
zip | ZIP
language | LANGUAGE
contact_time | PREF_CALLTIME
loan_purpose | LOAN_PURP PRODUCT
loan_type | LOAN_TYPE
loan_amount | LOAN_VAL
down_payment | DOWN_PMT
timeline | BUY_TIMEFRAME
property_state | PROP_ST
property_zip | PROP_ZIP
property_type | PROP_DESC
property_use | PROP_PURP
property_value | EST_VAL
purchase_price | PURCHASE_PRICE
found_home | SPEC_HOME
signed_contract | PURCHASE_CONTRACT
first_time_buyer | FIRST_BUYER
credit | CRED_GRADE
bankruptcy | BKCY
foreclosure | FHA_BANK_FORECLOSURE FHA_BANK_FORECLOSUREl
annual_income | INCOME ANNUAL_VERIFIABLE_INCOME
military | VA_STATUS
working_with_agent | AGENT_FOUND
agent_name | AGENT_NAME
agent_email | AGENT_EMAIL
agent_phone | AGENT_PHONE
agent_company | AGENT_COMPANY
message | CONSUMER_COMMENTS
certificate_url | xxTrustedFormCertUrl trustedform_cert_url
leadid_token | universal_leadid
""")

VENDOR = PostFormat(source=Source.LEADPOINT, channel=CHANNEL, lines=LINES, default_proof=PROOF)


def read(incoming: IncomingDelivery) -> Envelope:
    """Read one lead. Never raises: an unusable delivery gets its own outcome."""
    return read_post(incoming, VENDOR)

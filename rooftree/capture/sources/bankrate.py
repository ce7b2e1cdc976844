"""Bankrate, and networks with the same post format. Wire format: docs/sources/bankrate.md.

Bankrate's own specification is not public. These are the names a receiving CRM documents;
a client's own agreements go into the field map.
"""

from rooftree.capture.parsing.envelope import Envelope, IncomingDelivery
from rooftree.capture.parsing.field_map import parse_map_table
from rooftree.capture.parsing.sender_proof import Proof
from rooftree.capture.parsing.single_lead_posts import PostFormat, read_post
from rooftree.leads.vocabulary import Channel, Source

LABEL = "Bankrate-format posts"
PATHS = ["bankrate/<token>"]
CHANNEL = Channel.MARKETPLACE
PROOF = Proof.HEADER

LINES = parse_map_table("""
vendor_lead_id | lead_id id
submitted_at | submitted_at created_at timestamp
first_name | first_name
last_name | last_name
name | full_name name
phone | phone phone_number
mobile | mobile cell_phone
email | email
address | address
city | city
state | state
zip | zip zip_code
loan_purpose | loan_purpose purpose
loan_type | loan_type
loan_amount | loan_amount
product | product loan_product
down_payment | down_payment
cash_out | cash_out
ltv | ltv
current_balance | current_balance mortgage_balance
current_rate | current_rate
current_payment | current_payment
timeline | timeline purchase_timeline
property_address | property_address
property_city | property_city
property_county | property_county
property_state | property_state
property_zip | property_zip
property_type | property_type
property_use | dwelling_use property_use
property_value | property_value
purchase_price | purchase_price
found_home | found_home
credit | credit_rating
credit_score | credit_score
annual_income | annual_income income
bankruptcy | bankruptcy
foreclosure | foreclosure
working_with_agent | working_with_agent
military | veteran military
first_time_buyer | first_time_buyer
message | notes comments
campaign | campaign campaign_id
certificate_url | trustedform_cert_url xxTrustedFormCertUrl
leadid_token | universal_leadid leadid_token
""")

VENDOR = PostFormat(source=Source.BANKRATE, channel=CHANNEL, lines=LINES, default_proof=PROOF)


def read(incoming: IncomingDelivery) -> Envelope:
    """Read one lead. Never raises: an unusable delivery gets its own outcome."""
    return read_post(incoming, VENDOR)

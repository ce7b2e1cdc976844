"""FreeRateUpdate: a form, or the same in XML. Wire format: docs/sources/freerateupdate.md."""

from rooftree.capture.parsing.envelope import Envelope, IncomingDelivery
from rooftree.capture.parsing.field_map import parse_map_table
from rooftree.capture.parsing.sender_proof import Proof
from rooftree.capture.parsing.single_lead_posts import PostFormat, read_post
from rooftree.leads.vocabulary import Channel, Source

LABEL = "FreeRateUpdate"
PATHS = ["freerateupdate/<token>"]
CHANNEL = Channel.AGGREGATOR
PROOF = Proof.HEADER

# Where a row has two names, the second is from the XML format or an older version.
LINES = parse_map_table("""
vendor_lead_id | RequestId rid
first_name | FirstName
last_name | LastName
mobile | CellPhone
home_phone | HomePhone
email | Email
loan_purpose | HomeEquity | yes=home_equity no=
loan_purpose | LoanPurpose
refinance_purpose | CashOutReason
loan_amount | DesiredLoanAmount Desired_Loan_Amount leads_property_value
product | DesiredRateType RateType1
ltv | ltv
cash_out | CashOut
down_payment | EstimatedDownPayment | percent
current_balance | FirstMortgageBalance MortgageBalance
current_rate | FirstMortgageRate
current_loan_type | CurrentFHALoan | yes=fha no=
current_loan_type | CurrentVALoan | yes=va no=
timeline | DaysFromBuying | no=
property_address | StreetAddress Street_Address
property_city | PropertyCity
property_state | PropertyState State
property_zip | Zip
property_type | PropertyType
property_use | PropertyUse
property_value | PropertyValue
purchase_price | NewHomeValue
found_home | FoundHome
signed_contract | PurchaseAgreement signed_contract
first_time_buyer | FirstTimeBuyer
credit | CreditRating
military | VeteranMilitary
campaign | campaign_id
cost | Price
certificate_url | TCPA xxTrustedFormCertUrl
leadid_token | UniversalLeadid
""")

VENDOR = PostFormat(source=Source.FREERATEUPDATE, channel=CHANNEL, lines=LINES, default_proof=PROOF)


def read(incoming: IncomingDelivery) -> Envelope:
    """Read one lead. Never raises: an unusable delivery gets its own outcome."""
    return read_post(incoming, VENDOR)

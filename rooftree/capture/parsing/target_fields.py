"""The fields a field map can fill: keys, labels, kinds, and the names vendors use for them.

Fields are guessed by name, except consent: what a consumer agreed to is never guessed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from rooftree.capture.parsing.normalize_values import squash_word
from rooftree.capture.parsing.value_paths import Steps


class FieldKind(StrEnum):
    """The kind of value a field holds; it decides which conversions are offered."""

    TEXT = "text"
    NAME = "name"  # a full name
    PHONE = "phone"
    EMAIL = "email"
    MONEY = "money"
    PERCENT = "percent"
    NUMBER = "number"
    MOMENT = "moment"
    CHOICE = "choice"  # one of our words
    YES = "yes"  # yes, no, or no answer
    STATE = "state"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetField:
    """One field a map can fill."""

    key: str
    label: str
    kind: FieldKind
    group: str
    names: tuple[str, ...]  # vendors' names for it, squashed
    is_evidence: bool = False  # consent evidence: never guessed


_TABLE = """
Borrower
first_name | First name | text | firstname fname given givenname vorname nombre prenom
last_name | Last name | text | lastname lname surname familyname nachname apellido apellidos
name | Full name | name | fullname contactname borrowername leadname customername name
phone | Phone | phone | phonenumber primaryphone telephone telefon telefono tel phone1 contactphone dayphone
mobile | Mobile phone | phone | mobilephone cell cellphone cellular mobilenumber celular handy
phone_2 | Second phone | phone | secondaryphone secondphone alternatephone otherphone
phone_3 | Third phone | phone | thirdphone
home_phone | Home phone | phone | homephonenumber eveningphone
work_phone | Work phone | phone | workphonenumber businessphone officephone
email | Email | email | emailaddress mail correo correoelectronico email1 personalemail
email_2 | Second email | email | secondaryemail email2 workemail
address | Street | text | street streetaddress mailingaddress address1 addressline1 mailingstreet
address2 | Street, line 2 | text | addressline2 apt unit suite
city | City | text | mailingcity town ciudad
county | County | text | mailingcounty
state | State | state | mailingstate statecode region province estado
zip | ZIP | text | zipcode postalcode postcode mailingzip mailingpostalcode plz
language | Language | choice | preferredlanguage lang idioma
contact_method | Preferred contact method | choice | preferredcontactmethod
contact_time | Best time to contact | choice | timetocontact besttimetocall besttime
co_first_name | Co-borrower first name | text | coborrowerfirstname coapplicantfirstname
co_last_name | Co-borrower last name | text | coborrowerlastname coapplicantlastname
Loan
loan_purpose | Purpose | choice | purpose loanpurposetype leadtype loantypeneeded loanrequested transactiontype
refinance_purpose | Refinance goal | choice | refinancepurpose refipurpose cashoutreason
loan_type | Loan type | choice | loanprogram program mortgagetype
loan_amount | Loan amount | money | amount requestedloanamount desiredloanamount requestedamount baseloanamount
amortization | Fixed or adjustable | choice | ratetype
product | Product, such as 30-Yr Fixed | text | desiredratetype desiredproduct
term_years | Term in years | number | term loanterm mortgageterm
ltv | Loan-to-value (LTV) | percent | loantovalue ltvpercentage ltvpercent
down_payment | Down payment | money | downpaymentamount estimateddownpayment
cash_out | Cash out | money | cashoutamount addlcashout
current_balance | Current balance | money | firstmortgagebalance mortgagebalance loanbalance currentloanbalance
second_balance | Second mortgage balance | money | secondmortgagebalance
current_payment | Current payment | money | monthlypayment currentmonthlypayment
current_rate | Current rate | percent | currentloanrate currentinterestrate firstmortgagerate existingrate
current_loan_type | Current loan type | choice | existingloantype
closed_with_us | Closed with us on | moment |
timeline | Timeline | choice | timeframe buytimeframe closingtimeline
Property
property_address | Street | text | propertystreet subjectpropertyaddress
property_city | City | text | subjectpropertycity
property_county | County | text | subjectpropertycounty
property_state | State | state | subjectpropertystate stateofproperty
property_zip | ZIP | text | propertyzipcode propertypostalcode subjectpropertyzip
property_type | Type | choice | hometype propertydesc dwellingtype
property_use | Use | choice | occupancy propertyusage occupancytype dwellinguse residencetype
property_value | Value | money | homevalue estimatedvalue estvalue homeprice estimatedpropertyvalue estimatedhomevalue
purchase_price | Price | money | propertypurchaseprice propertyprice newhomevalue
new_construction | New construction | yes | newhomeconstruction
found_home | Found a home | yes | foundhouse homefound
signed_contract | Signed a contract | yes | purchaseagreement undercontract
working_with_agent | Working with an agent | yes | hasagent workingwithrealtor hasrealtor
agent_name | Agent name | text | realtorname realestateagent
agent_phone | Agent phone | phone | realtorphone
agent_email | Agent email | email | realtoremail
agent_company | Agent company | text | realtorcompany agentbrokerage
Finances and background
credit | Credit rating | choice | creditrating creditgrade creditprofile selfcreditrating creditband
credit_score | Credit score | number | fico ficoscore score
annual_income | Annual income | money | income annualsalary yearlyincome householdincome
monthly_debts | Monthly debts | money | monthlyobligations monthlydebt
assets | Assets | money | totalassets
employment | Employment | choice | employmentstatus
bankruptcy | Bankruptcy | yes | hasbankruptcy
foreclosure | Foreclosure | yes | hasforeclosure
military | Military service | yes | veteran ismilitary isveteran veteranmilitary
military_status | Military status | choice | veterantype
first_time_buyer | First-time buyer | yes | firsttimehomebuyer firsttime
Lead details
addressed_officer | Loan officer: name, email or NMLS ID | text |
vendor_lead_id | Vendor lead ID | text | leadid id recordid externalid referenceid trackingnumber requestid leadexternalid
submitted_at | Submitted at | moment | created createdat createddate createdate createdtime datecreated submitted submitdate timestamp leaddate date applicationdate entrydate
campaign | Campaign | text | campaignname
sub_source | Sub-source | text | leadsource subsource publisher affiliate affiliateid
message | Borrower message | text | comments comment notes note question questions remarks
vendor_status | Vendor status | text | leadstatus status stage
cost | Lead cost | money | leadcost costperlead
is_test | Test lead | yes | istestlead testlead
Attribution
utm_source | utm_source | text |
utm_medium | utm_medium | text |
utm_campaign | utm_campaign | text |
utm_term | utm_term | text |
utm_content | utm_content | text |
gclid | gclid | text |
fbclid | fbclid | text |
msclkid | msclkid | text |
landing_page | Landing page | text | landingpageurl landingurl
referrer | Referrer | text | referrerurl referer
ip_address | IP address | text | ip ipaddr clientip
user_agent | Browser | text | browser
Opt-outs
do_not_call | Do not call | yes | donotcall dnc dncflag
do_not_text | Do not text | yes | donottext smsoptout textoptout optoutsms hasoptedoutofsms
do_not_email | Do not email | yes | donotemail emailoptout unsubscribed hasoptedoutofemail optoutemail
opt_out_reason | Opt-out reason | text | optoutreason
Consent
consent_checked | Consent given | yes | !
consent_text | Consent wording | text | !
consent_at | Consent time | moment | !
consent_method | Consent method: checkbox, button, written, verbal | choice | !
consent_ip | Consent IP address | text | !
consent_page | Consent page | text | !
consent_seller | Seller named | text | !
certificate_url | TrustedForm certificate | text | ! xxtrustedformcerturl trustedformcerturl trustedformurl
leadid_token | Jornaya LeadiD | text | ! leadidtoken universalleadid jornaya jornayaleadid jornayatoken
"""  # noqa: E501 (one field per line)


def _parse_table() -> dict[str, TargetField]:
    fields: dict[str, TargetField] = {}
    group = ""
    for line in filter(None, _TABLE.splitlines()):
        parts = [part.strip() for part in line.split("|")]
        if len(parts) == 1:
            group = parts[0]
            continue
        key, label, kind, vendor_names = parts
        names = tuple(name for name in vendor_names.split() if name != "!")
        fields[key] = TargetField(
            key=key,
            label=label,
            kind=FieldKind(kind),
            group=group,
            names=(squash_word(key), *names),
            is_evidence="!" in vendor_names.split(),
        )
    return fields


TARGET_FIELDS = _parse_table()
# A certificate proves itself, so it can be guessed; a claimed yes can't.
GUESSABLE_EVIDENCE = frozenset({"certificate_url", "leadid_token"})
_FIELD_BY_NAME = {
    name: target.key
    for target in TARGET_FIELDS.values()
    if not target.is_evidence or target.key in GUESSABLE_EVIDENCE
    for name in target.names
}


def guess_field(steps: Steps) -> str | None:
    """Return the likely field of a place by its last two names joined, else by its last name."""
    words = [squash_word(step) for step in steps if isinstance(step, str) and step != "#text"]
    for name in ("".join(words[-2:]), *words[-1:]):
        if name in _FIELD_BY_NAME:
            return _FIELD_BY_NAME[name]
    return None


def guess_fields(places: Iterable[Steps]) -> dict[Steps, str]:
    """Match each place to its likely field; a field is used once, for the first place that fits.

    Where a first name has its own place and a last name has none, `name` is the last name.
    """
    guesses: dict[Steps, str] = {}
    for steps in places:
        key = guess_field(steps)
        if key and key not in guesses.values():
            guesses[steps] = key
    keys = set(guesses.values())
    if "first_name" in keys and "last_name" not in keys:
        guesses = {steps: "last_name" if key == "name" else key for steps, key in guesses.items()}
    return guesses

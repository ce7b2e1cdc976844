"""Our fields, as a field map fills them: their names, what they hold, and what others call them.

A guess by name is offered for everything but consent: what a consumer agreed to is
never guessed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from rooftree.capture.parsing.normalize_values import squash_word
from rooftree.capture.parsing.value_paths import Steps


class FieldKind(StrEnum):
    """What a field holds, which says how it may be converted."""

    TEXT = "text"
    NAME = "name"  # a full name
    PHONE = "phone"
    EMAIL = "email"
    MONEY = "money"
    PERCENT = "percent"
    NUMBER = "number"
    MOMENT = "moment"
    CHOICE = "choice"  # one of our words
    YES = "yes"  # yes, no, or nothing said
    STATE = "state"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetField:
    """One field a map may fill."""

    key: str
    label: str
    kind: FieldKind
    group: str
    names: tuple[str, ...]  # what others call it, squashed
    is_evidence: bool = False  # of consent: never guessed


_TABLE = """
Who asks
first_name | First name | text | firstname fname given givenname vorname nombre prenom
last_name | Last name | text | lastname lname surname familyname nachname apellido apellidos
name | Full name | name | fullname contactname borrowername leadname customername name
phone | Phone | phone | phonenumber primaryphone telephone telefon telefono tel phone1 contactphone dayphone
mobile | Mobile phone | phone | mobilephone cell cellphone cellular mobilenumber celular handy
phone_2 | Second phone | phone | secondaryphone secondphone alternatephone otherphone
phone_3 | Third phone | phone | thirdphone
home_phone | Home phone | phone | homephonenumber eveningphone
work_phone | Work phone | phone | workphonenumber businessphone officephone
email | E-mail | email | emailaddress mail correo correoelectronico email1 personalemail
email_2 | Second e-mail | email | secondaryemail email2 workemail
address | Street | text | street streetaddress mailingaddress address1 addressline1 mailingstreet
address2 | Street, second line | text | addressline2 apt unit suite
city | City | text | mailingcity town ciudad
county | County | text | mailingcounty
state | State | state | mailingstate statecode region province estado
zip | ZIP | text | zipcode postalcode postcode mailingzip mailingpostalcode plz
language | Language | choice | preferredlanguage lang idioma
contact_method | How to be reached | choice | preferredcontactmethod
contact_time | When to be reached | choice | timetocontact besttimetocall besttime
co_first_name | Co-borrower, first name | text | coborrowerfirstname coapplicantfirstname
co_last_name | Co-borrower, last name | text | coborrowerlastname coapplicantlastname
The loan
loan_purpose | Purpose | choice | purpose loanpurposetype leadtype loantypeneeded loanrequested transactiontype
refinance_purpose | What a refinance is for | choice | refinancepurpose refipurpose cashoutreason
loan_type | Loan type | choice | loanprogram program mortgagetype
loan_amount | Loan amount | money | amount requestedloanamount desiredloanamount requestedamount baseloanamount
amortization | Fixed or adjustable | choice | ratetype
product | Product, as 30-Yr Fixed | text | desiredratetype desiredproduct
term_years | Term, years | number | term loanterm mortgageterm
ltv | Loan to value | percent | loantovalue ltvpercentage ltvpercent
down_payment | Down payment | money | downpaymentamount estimateddownpayment
cash_out | Cash out | money | cashoutamount addlcashout
current_balance | Balance owed | money | firstmortgagebalance mortgagebalance loanbalance currentloanbalance
second_balance | Second balance owed | money | secondmortgagebalance
current_payment | Payment now | money | monthlypayment currentmonthlypayment
current_rate | Rate now | percent | currentloanrate currentinterestrate firstmortgagerate existingrate
current_loan_type | Loan type now | choice | existingloantype
timeline | When | choice | timeframe buytimeframe closingtimeline
The home
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
found_home | Has found a home | yes | foundhouse homefound
signed_contract | Has signed a contract | yes | purchaseagreement undercontract
working_with_agent | Works with an agent | yes | hasagent workingwithrealtor hasrealtor
agent_name | Agent, name | text | realtorname realestateagent
agent_phone | Agent, phone | phone | realtorphone
agent_email | Agent, e-mail | email | realtoremail
agent_company | Agent, company | text | realtorcompany agentbrokerage
Money and situation
credit | Credit, in a word | choice | creditrating creditgrade creditprofile selfcreditrating creditband
credit_score | Credit score | number | fico ficoscore score
annual_income | Income a year | money | income annualsalary yearlyincome householdincome
monthly_debts | Debts a month | money | monthlyobligations monthlydebt
assets | Assets | money | totalassets
employment | Employment | choice | employmentstatus
bankruptcy | Bankruptcy | yes | hasbankruptcy
foreclosure | Foreclosure | yes | hasforeclosure
military | Served | yes | veteran ismilitary isveteran veteranmilitary
military_status | How they served | choice | veterantype
first_time_buyer | First-time buyer | yes | firsttimehomebuyer firsttime
The lead itself
vendor_lead_id | Their id of the lead | text | leadid id recordid externalid referenceid trackingnumber requestid leadexternalid
submitted_at | When it was submitted | moment | created createdat createddate createdate createdtime datecreated submitted submitdate timestamp leaddate date applicationdate entrydate
campaign | Campaign | text | campaignname
sub_source | Their own source | text | leadsource subsource publisher affiliate affiliateid
message | Their words | text | comments comment notes note question questions remarks
vendor_status | Status in the other system | text | leadstatus status stage
cost | Cost of the lead | money | leadcost costperlead
is_test | It is a test | yes | istestlead testlead
Where they came from
utm_source | utm_source | text |
utm_medium | utm_medium | text |
utm_campaign | utm_campaign | text |
utm_term | utm_term | text |
utm_content | utm_content | text |
gclid | gclid | text |
fbclid | fbclid | text |
msclkid | msclkid | text |
landing_page | Page they came to | text | landingpageurl landingurl
referrer | Page they came from | text | referrerurl referer
ip_address | Their IP address | text | ip ipaddr clientip
user_agent | Their browser | text | browser
What they refused
do_not_call | Do not call | yes | donotcall dnc dncflag
do_not_text | Do not text | yes | donottext smsoptout textoptout optoutsms hasoptedoutofsms
do_not_email | Do not e-mail | yes | donotemail emailoptout unsubscribed hasoptedoutofemail optoutemail
opt_out_reason | Why | text | optoutreason
What they agreed to
consent_checked | They said yes | yes | !
consent_text | The exact words shown | text | !
consent_at | When they said it | moment | !
consent_method | How: checkbox, button, written, verbal | choice | !
consent_ip | From which IP address | text | !
consent_page | On which page | text | !
consent_seller | The seller named | text | !
certificate_url | TrustedForm certificate | text | ! xxtrustedformcerturl trustedformcerturl trustedformurl
leadid_token | Jornaya LeadiD | text | ! leadidtoken universalleadid jornaya jornayaleadid jornayatoken
"""  # noqa: E501 (one field a line)


def _parse_table() -> dict[str, TargetField]:
    found: dict[str, TargetField] = {}
    group = ""
    for line in filter(None, _TABLE.splitlines()):
        parts = [part.strip() for part in line.split("|")]
        if len(parts) == 1:
            group = parts[0]
            continue
        key, label, kind, also = parts
        names = tuple(one for one in also.split() if one != "!")
        found[key] = TargetField(
            key=key,
            label=label,
            kind=FieldKind(kind),
            group=group,
            names=(squash_word(key), *names),
            is_evidence="!" in also.split(),
        )
    return found


TARGET_FIELDS = _parse_table()
# A certificate proves itself: it may be guessed, the claim of a yes may not.
GUESSABLE_EVIDENCE = frozenset({"certificate_url", "leadid_token"})
_FIELD_BY_NAME = {
    name: target.key
    for target in TARGET_FIELDS.values()
    if not target.is_evidence or target.key in GUESSABLE_EVIDENCE
    for name in target.names
}


def guess_field(steps: Steps) -> str | None:
    """The field a place in a delivery names: by its last two words together, else by the last."""
    words = [squash_word(step) for step in steps if isinstance(step, str) and step != "#text"]
    for name in ("".join(words[-2:]), *words[-1:]):
        if name in _FIELD_BY_NAME:
            return _FIELD_BY_NAME[name]
    return None


def guess_fields(places: Iterable[Steps]) -> dict[Steps, str]:
    """A field for each place that names one; each field once, the first place has it.

    Where a first name stands apart, `name` is the last name.
    """
    found: dict[Steps, str] = {}
    for steps in places:
        key = guess_field(steps)
        if key and key not in found.values():
            found[steps] = key
    taken = set(found.values())
    if "first_name" in taken and "last_name" not in taken:
        found = {steps: "last_name" if key == "name" else key for steps, key in found.items()}
    return found

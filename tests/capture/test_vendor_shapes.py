"""Shapes that vendors really send, beyond their example deliveries: one table for each class."""

import base64
import hmac
import json
from email.message import EmailMessage
from html import escape
from typing import Any
from urllib.parse import urlencode

import pytest

from rooftree.capture.parsing.envelope import Endpoint, IncomingDelivery
from rooftree.capture.parsing.phone_fields import split_phone_field
from rooftree.capture.parsing.vendor_api import VendorAnswer
from rooftree.capture.sources import SOURCES
from rooftree.leads.vocabulary import PhoneType
from tests import make

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def read(source: str, body: Any, **changes: Any) -> dict[str, Any]:
    """Read a body, a JSON object or the bytes themselves, that already proved its sender."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    delivery = {"headers": JSON, "received_at": make.NOON, "is_verified": True, **changes}
    return SOURCES[source].read(IncomingDelivery(body=raw, **delivery)).to_json()


def lead_of(envelope: dict[str, Any]) -> dict[str, Any]:
    return envelope["leads"][0]


def value_at(record: Any, path: str) -> Any:
    """Return the value at a path such as `phones.0.e164`; None where there is none."""
    for step in path.split("."):
        if isinstance(record, list):
            record = record[int(step)] if int(step) < len(record) else None
        else:
            record = (record or {}).get(step)
    return record


def check(lead: dict[str, Any], expected: dict[str, Any]) -> None:
    assert {path: value_at(lead, path) for path in expected} == expected


@pytest.mark.parametrize(
    ("written", "numbers"),
    [
        ("(650) 253-0000 (cell)", [("mobile", "+16502530000")]),
        ("650-253-0000 / 813-253-1111", [("home", "+16502530000"), ("home", "+18132531111")]),
        ("650-253-0000 home, 813-253-1111 work", [("home", "+16502530000"), ("work", "+18132531111")]),  # noqa: E501
        ("C 650-253-0000 W 813-253-1111", [("mobile", "+16502530000"), ("work", "+18132531111")]),
        ("650-253-0000 (cell) / work 813-253-1111", [("mobile", "+16502530000"), ("work", "+18132531111")]),  # noqa: E501
        ("6502530000.0; 8132531111.0", [("home", "+16502530000"), ("home", "+18132531111")]),
        ("650-253-0000\n+52 55 5555 1234", [("home", "+16502530000"), ("home", "+525555551234")]),
        ("650-253-0000, fax 813-253-1111", [("home", "+16502530000")]),
        ("621-253-0000 (cell)", [("mobile", "+16212530000")]),  # a new area code
        ("5125550121m", [("mobile", "+15125550121")]),
        ("6.50253E9", [("home", "+16502530000")]),
        ("6.50253E+09", [("home", None)]),  # rounded by a spreadsheet
        ("650-253-0000 (wife)", [("home", None)]),  # perhaps someone else's
        ("do not call 650-253-0000", [("home", None)]),
        ("650-253-0000 fax", [("home", None)]),
        ("65025300008132531111", [("home", None)]),
    ],
)  # fmt: skip
def test_phone_field_gives_the_numbers_that_are_surely_the_borrowers(written, numbers):
    found, _ = split_phone_field(written, PhoneType.HOME)

    assert [(kind, number.e164) for kind, number, _ in found] == numbers


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"LoanType": "REFI"}, {"loan.purpose": "refinance", "loan.type": None}),
        ({"loan_type": "VA Purchase"}, {"loan.purpose": "purchase", "loan.type": "va"}),
        ({"loan_purpose": "Refinance - FHA"}, {"loan.purpose": "refinance", "loan.type": "fha"}),
        ({"loan_type": "FHA", "loan_purpose": "refi"}, {"loan.purpose": "refinance", "loan.type": "fha"}),  # noqa: E501
        ({"loan_purpose": "swap"}, {"loan.purpose": None, "extras.loan_purpose": "swap"}),
        ({"loan_purpose": "purchase", "down_payment": "10"},
         {"loan.down_payment_pct": 10, "loan.down_payment_cents": None}),
        ({"loan_purpose": "purchase", "down_payment": 3.5, "purchase_price": "400k"},
         {"loan.down_payment_pct": 3.5, "loan.down_payment_cents": 1_400_000}),
        ({"loan_purpose": "purchase", "down_payment": "0.2"}, {"loan.down_payment_pct": 20}),
        ({"loan_purpose": "purchase", "down_payment": "0"}, {"loan.down_payment_cents": 0}),
        ({"loan_purpose": "purchase", "down_payment": "20000"},
         {"loan.down_payment_cents": 2_000_000, "loan.down_payment_pct": None}),
        ({"loan_amount": "about 350 thousand"}, {"loan.amount_cents": 35_000_000}),
        ({"loan_amount": "3.5E5"}, {"loan.amount_cents": 35_000_000}),
    ],
)  # fmt: skip
def test_loan_words_and_amounts_are_read_in_whichever_field_they_come(fields, expected):
    check(
        lead_of(read("generic", {"first_name": "Ana", "phone": "8135550142", **fields})), expected
    )


MULTIPART = (
    b"--xYz\r\nContent-Disposition: form-data; name=\"first_name\"\r\n\r\nAna\r\n"
    b"--xYz\r\nContent-Disposition: form-data; name=\"phone\"\r\n\r\n813-555-0142\r\n"
    b"--xYz\r\nContent-Disposition: form-data; name=\"ssn\"\r\n\r\n900456789\r\n"
    b"--xYz\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\ntwo\r\n--lines\r\n"
    b"--xYz\r\nContent-Disposition: form-data; name=\"doc\"; filename=\"a.pdf\"\r\n"
    b"Content-Type: application/pdf\r\n\r\n%PDF\r\n--xYz--\r\n"
)  # fmt: skip
MULTIPART_TYPE = {"Content-Type": 'multipart/form-data; boundary="xYz"'}


@pytest.mark.parametrize("source", ["generic", "bankrate", "website_form"])
def test_multipart_form_is_read_and_its_files_are_only_named(source):
    envelope = read(source, MULTIPART, headers=MULTIPART_TYPE)

    check(lead_of(envelope), {"borrower.first_name": "Ana", "phones.0.e164": "+18135550142"})
    assert {"file_not_kept", "ssn_discarded"} <= set(envelope["warnings"])
    assert "900456789" not in json.dumps(envelope)
    for broken in (b"", b"--xYz--", b"--xYz\r\n\r\n", b"no boundary"):
        assert read(source, broken or b" ", headers=MULTIPART_TYPE)["leads"] == [] or broken == b""


def test_form_field_with_a_whole_object_is_opened_and_masked():
    data = {"first_name": ["Ana"], "phone_number": ["8135550142"], "ssn": ["900456789"]}
    body = urlencode({"page_name": "Rates", "data.json": json.dumps(data)}).encode()

    envelope = read("generic", body, headers=FORM)

    check(lead_of(envelope), {"borrower.first_name": "Ana", "phones.0.e164": "+18135550142"})
    assert "ssn_discarded" in envelope["warnings"]
    assert b"900456789" not in IncomingDelivery(body=body, received_at=make.NOON).masked.body


def test_ping_without_an_id_gets_ours_and_its_post_is_tied_by_it():
    ping = {"state": "FL", "loan_purpose": "purchase"}
    endpoint = Endpoint(setup={"bids": {"prices": [{"cents": 4600}]}})

    answers = [
        read("ping_post", ping, path="/in/pingpost/t/ping", endpoint=endpoint, received_at=at)
        for at in (make.NOON, make.NOON + make.MINUTE)
    ]
    other = read(
        "ping_post", {**ping, "bid_id": "b-1"}, path="/in/pingpost/t/ping", endpoint=endpoint
    )

    own_ids = [answer["http"]["body"]["ping_id"] for answer in answers]
    assert all(own_id.startswith("rt-") for own_id in own_ids)
    assert own_ids[0] != own_ids[1]  # two people can ask for the same thing
    assert other["http"]["body"]["ping_id"] == "b-1"
    assert read("ping_post", ping, path="/in/pingpost/t/post")["reason"] == "ping_id_missing"


@pytest.mark.parametrize(
    ("boxes", "status", "channels"),
    [
        ({"tcpa_sms_calls": "1"}, "granted", ["call", "text"]),
        ({"newsletter": "1"}, "not_provided", []),
        ({"i_agree_to_the_privacy_policy": "1"}, "not_provided", []),
        ({"": "1"}, "not_provided", []),
        ({"do_not_text_me": "1"}, "denied", []),
        ({"sms_updates": "1", "no_calls": "1"}, "denied", []),
        ({"sms_updates": ""}, "denied", []),
    ],
)
def test_optional_box_counts_only_where_its_key_names_a_channel(boxes, status, channels):
    change = {"field": "leadgen", "value": {"leadgen_id": "77", "created_time": 1795446268}}
    notice = {"object": "page", "entry": [{"changes": [change]}]}
    answer = {
        "id": "77", "field_data": [{"name": "full_name", "values": ["Ana Bell"]},
                                   {"name": "phone_number", "values": ["8135550142"]}],
        "custom_disclaimer_responses": [
            {"checkbox_key": key, "is_checked": value} for key, value in boxes.items()],
    }  # fmt: skip
    answers = {"/v25.0/77": VendorAnswer(status=200, body=json.dumps(answer).encode())}

    consent = lead_of(read("meta_lead_ads", notice, vendor_answers=answers))["consent"]

    assert (consent["status"], sorted(consent.get("channels", []))) == (status, channels)


CONTACT = {"firstName": "Ana", "lastName": "Diaz", "primaryPhone": "8135550142", "city": "Tampa"}
CONSUMER = {"contact": CONTACT, "profile": {"credit": {"selfCreditRating": "GOOD"}}}
PRODUCT = {
    "loanAmount": 300_000, "propertyPurchasePrice": 360_000, "foundHome": True, "tone": "blue",
    "property": {"zip": "80211", "state": "CO", "type": "CONDO", "downPayment": 60_000},
    "agent": {"name": "Rob Ray", "phone": "7205550177"},
}  # fmt: skip
LEAD = {"leadExternalId": "E1", "vertical": "MORTGAGE.PURCHASE", "consumer": CONSUMER}
LTXML = b"""<OB_Lead><LT><LTXML><TrackingNumber>E1</TrackingNumber><Borrower>
<BorrowerPersonalInformation><Name><FirstName>Ana</FirstName><LastName>Diaz</LastName></Name>
</BorrowerPersonalInformation><ContactInformation><HomePhone>8135550142</HomePhone>
</ContactInformation><BorrowerResidence><Address><City>Tampa</City><State>FL</State></Address>
</BorrowerResidence></Borrower><Application><DownPayment>60000</DownPayment>
<BorrowerRequestedLoanAmount>300000</BorrowerRequestedLoanAmount>
<PurchasePriceAmount>360000</PurchasePriceAmount></Application><TransactionType><Mortgage>
<PropertyLocation><Address><State>CO</State><PostalCode>80211</PostalCode></Address>
</PropertyLocation><NewHomeType>CONDO</NewHomeType><FoundNewHome>yes</FoundNewHome>
<Realtor><RealEstateAgentName>Rob Ray</RealEstateAgentName></Realtor></Mortgage>
</TransactionType></LTXML></LT></OB_Lead>"""


@pytest.mark.parametrize(
    "payload",
    [
        {"lead": {**LEAD, "mortgagePurchase": PRODUCT}},
        {"lead": LEAD, "mortgagePurchase": PRODUCT},
        {"lead": {**LEAD, "mortgageRefinance": None, "mortgagePurchase": PRODUCT}},
        {"lead": {**LEAD, "consumer": {**CONSUMER, "mortgagePurchase": PRODUCT}}},
        {"lead": {"leadExternalId": "E1", "consumer": CONSUMER, "mortgagePurchase": [PRODUCT]}},
        {**LEAD, "product": PRODUCT, "lender": {"phone": "7205550188"}},
        [{"lead": {**LEAD, "mortgagePurchase": PRODUCT}}],
        LTXML,
    ],
)  # fmt: skip
def test_lendingtree_product_is_read_wherever_it_stands(payload):
    lead = lead_of(read("lendingtree", payload))

    check(lead, {
        "vendor_lead_id": "E1", "borrower.first_name": "Ana", "phones.0.e164": "+18135550142",
        "phones.1": None, "mailing_address.city": "Tampa", "loan.purpose": "purchase",
        "loan.amount_cents": 30_000_000, "loan.down_payment_cents": 6_000_000,
        "property.purchase_price_cents": 36_000_000, "property.zip": "80211",
        "property.state": "CO", "property.type": "condo", "found_home": True, "has_agent": True,
        "agent.name": "Rob Ray",
    })  # fmt: skip
    if not isinstance(payload, bytes):
        assert "blue" in lead["extras"].values()  # nothing is lost for want of a known name


def test_zillow_kinds_of_inquiry_keep_price_purpose_and_home():
    sender = {"firstName": "Ana", "phoneNumber": "8135550142", "contactId": "c9"}
    details = {"propertyValue": 400_000, "loanAmount": 350_000, "stateAbbreviation": "FL"}
    asked = {
        "propertyPreapproval": {"loan.purpose": "purchase", "found_home": True,
                                "property.purchase_price_cents": 40_000_000},
        "simple": {"loan.purpose": None, "found_home": None, "property.purchase_price_cents": None},
    }  # fmt: skip
    for kind, expected in asked.items():
        contact = {
            "id": "LC-1", "type": kind, "price": "$40.00", "sender": sender,
            "details": {**details, "propertyAddress": "1 Main St", "loanPurpose": None,
                        "currentBacker": {"FannieMae": False, "FHA": True}},
            "quote": {"rate": 6.1, "maxAllowedLTV": 95}, "conciergeStatus": "EmailRequested",
        }  # fmt: skip
        check(lead_of(read("zillow", contact)), {
            **expected, "cost.amount_cents": 4_000, "loan.current_type": "fha",
            "contact_pref.method": "email", "extras.quote.maxAllowedLTV": None,
        })  # fmt: skip
        extras = lead_of(read("zillow", contact))["extras"]
        assert (extras["quote.maxAllowedLTV"], extras["sender.contactId"]) == ("95", "c9")


@pytest.mark.parametrize(
    ("hours", "is_replay", "outcome"),
    [(0, False, "accepted"), (23, False, "accepted"), (25, False, "quarantined"),
     (25, True, "accepted")],
)  # fmt: skip
def test_callrail_post_from_another_day_waits_for_staff(hours, is_replay, outcome):
    sent_at = make.NOON - hours * make.HOUR
    body = json.dumps({
        "resource_id": "CAL1", "answered": True, "duration": 30, "timestamp": sent_at.isoformat(),
        "customer_phone_number": "+18135550142",
    }).encode()  # fmt: skip
    endpoint = Endpoint(secret="s")
    signature = base64.b64encode(hmac.digest(b"s", body, "sha1")).decode()

    envelope = read(
        "phone_callrail", body, headers={"Signature": signature}, endpoint=endpoint,
        is_verified=is_replay,
    )  # fmt: skip

    assert envelope["outcome"] == outcome
    assert envelope["idempotency_key"] == "phone_callrail:CAL1"


VISITOR = {"type": "lead", "id": "v-1", "name": "Ana Bell", "email": "ana@example.com"}
STAFF = {"type": "admin", "id": "9", "name": "Dana Lee", "email": "dana@lindenfield.example"}
WORDS = "<p>Can I refinance? 813-555-0142</p>"


@pytest.mark.parametrize(
    "conversation",
    [
        {"user": VISITOR, "conversation_message":
            {"body": WORDS, "author": {"type": "user", "id": "v-1"}}},
        {"source": {"body": WORDS, "author": {"type": "user", "id": "v-1"}},
         "conversation_parts": {"conversation_parts": [{"body": "Hello?", "author": VISITOR}]}},
        {"source": {"body": "<p>How can we help?</p>", "author": STAFF},
         "conversation_parts": {"conversation_parts": [{"body": WORDS, "author": VISITOR}]}},
        {"source": {"body": WORDS, "author": {"type": "user", "id": None}}, "user": VISITOR},
        {"source": {"body": WORDS}, "contacts": {"contacts": [VISITOR]}},
    ],
)  # fmt: skip
def test_intercom_visitor_and_words_are_found_in_older_and_newer_shapes(conversation):
    item = {"id": "77", "created_at": 1795446280, **conversation}
    notice = {"topic": "conversation.user.created", "id": "n1", "data": {"item": item}}

    lead = lead_of(read("chat_intercom", notice))

    check(lead, {
        "borrower.first_name": "Ana", "emails.0.address": "ana@example.com", "emails.1": None,
        "phones.0.e164": "+18135550142", "vendor_ids.contact_id": "v-1",
    })  # fmt: skip
    assert ("consumer", "Can I refinance? 813-555-0142") in [
        (part["role"], part["text"]) for part in lead["interaction"]["transcript"]
    ]


XML = {"Content-Type": "text/xml"}
MISMO_3 = """<MESSAGE><DEAL_SETS><DEAL_SET><DEALS><DEAL>
<LOANS><LOAN><TERMS_OF_LOAN><LoanPurposeType>Purchase</LoanPurposeType>
<BaseLoanAmount>300000</BaseLoanAmount></TERMS_OF_LOAN></LOAN></LOANS><PARTIES>{}</PARTIES>
</DEAL></DEALS></DEAL_SET></DEAL_SETS></MESSAGE>"""
PARTY = """<PARTY><INDIVIDUAL><NAME><FirstName>{}</FirstName><LastName>Bell</LastName></NAME>
<CONTACT_POINTS><CONTACT_POINT><CONTACT_POINT_TELEPHONE><ContactPointTelephoneValue>{}
</ContactPointTelephoneValue></CONTACT_POINT_TELEPHONE></CONTACT_POINT></CONTACT_POINTS>
</INDIVIDUAL>{}</PARTY>"""
ORIGINATOR = "<ROLES><ROLE><ROLE_DETAIL><PartyRoleType>LoanOriginator</PartyRoleType></ROLE_DETAIL></ROLE></ROLES>"  # noqa: E501
MISMO_2 = """<?xml version="1.0"?>{}<LOAN_APPLICATION MISMOVersionID="2.3.1">
<MORTGAGE_TERMS BaseLoanAmount="300000" MortgageType="VA" LenderLoanIdentifier="L-7"
 LoanAmortizationTermMonths="360" LoanAmortizationType="Fixed"/>
<PROPERTY _StreetAddress="9 Oak" _City="Denver" _State="CO" _PostalCode="80211"/>
<LOAN_PURPOSE _Type="Refinance" PropertyUsageType="PrimaryResidence">
<CONSTRUCTION_REFINANCE_DATA GSERefinancePurposeType="CashOutOther"/></LOAN_PURPOSE>
<BORROWER _FirstName="Ben" _LastName="Bell" _PrintPositionType="CoBorrower"/>
<BORROWER _FirstName="Ana" _LastName="Bell" _NameSuffix="Jr" _BirthDate="1980-01-01"
 _SSN="900456789" _HomeTelephoneNumber="8135550142" _PrintPositionType="Borrower">
<CONTACT_POINT _Type="Email" _Value="ana@example.com"/>
<_RESIDENCE _StreetAddress="1 Elm" _City="Tampa" _State="FL" _PostalCode="33602"/></BORROWER>
</LOAN_APPLICATION>"""
DTD = '<!DOCTYPE LOAN_APPLICATION SYSTEM "LOAN_APPLICATION_v2_3_1.dtd">'


def test_mismo_borrowers_without_roles_are_found_and_nobody_elses_name_is_taken():
    parties = (
        PARTY.format("Olga", "7205550177", ORIGINATOR)
        + PARTY.format("Ana", "8135550142", "")
        + PARTY.format("Ben", "8135550143", "")
    )
    lead = lead_of(read("mismo_ilad", MISMO_3.format(parties).encode(), headers=XML))

    check(lead, {"borrower.first_name": "Ana", "co_borrower.first_name": "Ben",
                 "phones.0.e164": "+18135550142", "phones.1": None})  # fmt: skip


def test_mismo_2_is_read_below_its_doctype_and_declares_nothing_itself():
    envelope = read("mismo_ilad", MISMO_2.format(DTD).encode(), headers=XML)

    check(lead_of(envelope), {
        "borrower.first_name": "Ana", "borrower.suffix": "JR", "co_borrower.first_name": "Ben",
        "phones.0.e164": "+18135550142", "emails.0.address": "ana@example.com",
        "mailing_address.city": "Tampa", "property.state": "CO", "property.use": "primary",
        "loan.purpose": "refinance_cash_out", "loan.type": "va", "loan.term_months": 360,
        "loan.amount_cents": 30_000_000, "vendor_lead_id": "L-7",
    })  # fmt: skip
    assert {"dob_discarded", "ssn_discarded"} <= set(envelope["warnings"])
    bomb = '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY f SYSTEM "file:///etc/hostname">]>'
    for doctype in (bomb, bomb.replace(" [", ' SYSTEM "a.dtd" [')):
        body = MISMO_2.format(doctype).replace("Ana", "&x;&f;").encode()
        assert read("mismo_ilad", body, headers=XML)["reason"] == "xml_dtd_forbidden"
    unresolved = MISMO_2.format(DTD).replace('"Oak"', '"&oak;"').replace("Denver", "&city;")
    assert "hostname" not in json.dumps(read("mismo_ilad", unresolved.encode(), headers=XML))
    assert read("lendingtree", MISMO_2.format(DTD).encode())["reason"] == "xml_dtd_forbidden"


ADF = (
    '<?xml version="1.0"?><adf><prospect><id>A-1</id><customer><contact>'
    '<name part="full">Ana Bell</name><phone>8135550142</phone></contact>'
    "<comments>Smith &amp; Sons</comments></customer></prospect></adf>"
)


def email(*parts: tuple[str, str], **headers: str) -> bytes:
    """Build an email of a proven vendor; each part is a subtype and its text."""
    letter = EmailMessage()
    letter["Authentication-Results"] = "mx.l.example; dkim=pass header.d=vendor.example"
    letter["From"], letter["Message-ID"] = "Leads, Inc. <a@vendor.example>", "<m1@vendor.example>"
    for name, value in headers.items():
        letter[name] = value
    for nth, (subtype, text) in enumerate(parts):
        add = letter.add_alternative if nth else letter.set_content
        add(text, subtype=subtype)
    return letter.as_bytes().replace(b'"Leads, Inc."', b"Leads, Inc.")


@pytest.mark.parametrize(
    "parts",
    [
        [("html", f"<!DOCTYPE html><html><body><pre>{escape(ADF)}</pre></body></html>")],
        [("html", f"<p>{escape(ADF)}</p>")],
        [("html", f"<html><body>{ADF}</body></html>")],
        [("plain", "A new lead."), ("html", f"<div>{escape(ADF)}</div>")],
        [("plain", escape(ADF))],
        [("plain", ADF)],
    ],
)
def test_adf_is_found_as_entities_and_inside_html(parts):
    envelope = read("email_adf", email(*parts), method="SMTP")

    check(lead_of(envelope), {"borrower.last_name": "Bell", "phones.0.e164": "+18135550142",
                              "vendor_lead_id": "A-1", "message": "Smith & Sons"})  # fmt: skip


BLOCK = """A new lead for you

Contact:
Ana Bell
(cell) 813-555-0142
ana@example.com

Property:
9 Oak Ave
Tampa, FL 33602

Loan amount: 350k
"""
SAYS = """Ana Bell says:
Hi, I would like to refinance.
Call me at 813-555-0142 after five.

--
Questions? Call us at 650-253-0000 or write to help@vendor.example
"""


@pytest.mark.parametrize(
    ("text", "headers", "expected"),
    [
        (BLOCK, {}, {"phones.0.type": "mobile", "emails.0.address": "ana@example.com",
                     "property.line1": "9 Oak Ave", "property.state": "FL", "property.zip": "33602",
                     "loan.amount_cents": 35_000_000}),
        ("Name:\nAna Bell\n813-555-0142\nAddress: 1 Elm St, Tampa, FL 33602\n", {},
         {"mailing_address.city": "Tampa", "mailing_address.zip": "33602", "emails": None}),
        ("Property address: 9 Oak Ave, Tampa, FL 33602\nFirst name: Ana\nLast name: Bell\n"
         "Phone: 813-555-0142", {}, {"property.city": "Tampa", "property.line1": "9 Oak Ave"}),
        ("Open the portal to see more.", {"Subject": "Fwd: New inquiry: Ana Bell 813-555-0142"},
         {}),
        ("See the portal.", {"Subject": "New Mortgage Lead from Ana Bell - (813) 555-0142, Tampa"},
         {}),
        ("See the portal.", {"Subject": "Web Lead | Ana Bell | ana@example.com | 8135550142"},
         {"emails.0.address": "ana@example.com"}),
        (SAYS, {"Reply-To": "ana@example.com"}, {
            "emails.0.address": "ana@example.com", "phones.1": None,
            "message": "Hi, I would like to refinance.\nCall me at 813-555-0142 after five."}),
    ],
)  # fmt: skip
def test_letter_without_labels_gives_its_borrower(text, headers, expected):
    for kind, words in (("plain", text), ("html", escape(text).replace("\n", "<br>\n"))):
        lead = lead_of(read("email_text", email((kind, words), **headers), method="SMTP"))

        check(lead, {"borrower.first_name": "Ana", "borrower.last_name": "Bell",
                     "phones.0.e164": "+18135550142", **expected})  # fmt: skip


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("Your weekly report is ready.", "Your invoice 813-555-0142"),
        ("Nothing here", "New lead"),
        ("Our support says:\nall is well", "Status"),
    ],
)
def test_letter_without_a_borrower_waits_for_staff(text, subject):
    envelope = read("email_text", email(("plain", text), Subject=subject), method="SMTP")

    assert envelope["outcome"] == "quarantined"

"""MISMO 3.4 files: what we write is read back, and what others write is read safely."""

import copy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from rooftree.core.vendor_errors import Misconfigured
from rooftree.los.go_live_files import iter_leaves
from rooftree.los.json_paths import read_path
from rooftree.los.los_payload import build_payload
from rooftree.los.mismo_document import find_misplaced
from rooftree.los.mismo_parser import (
    UnreadableMismo,
    find_schema_errors,
    load_schema,
    parse_mismo,
)
from rooftree.los.mismo_reader import read_loan_file
from tests.los import make

SAMPLES = Path(__file__).parent / "samples"

cents = st.integers(1, 10**10)
names = st.text("ABCdeñ'-", min_size=1, max_size=12)
addresses = st.fixed_dictionaries(
    {"line1": names, "city": names, "state": st.just("TX"), "zip": st.just("78701")}
)
KINDS = [
    ("single_family", 1, {}), ("townhouse", 1, {}), ("condo", 1, {}), ("coop", 1, {}),
    ("manufactured", 1, {}), ("modular", 1, {"attachment": "detached"}),
    ("multi_2_4", 3, {"attachment": "attached"}), ("multi_2_4", 2, {"attachment": "detached"}),
    ("single_family", 1, {"project_structure": "pud"}), ("condo", 1, {"attachment": "detached"}),
]  # fmt: skip
PURPOSES = [
    ("purchase", None), ("refinance", None), ("refinance_rate_term", None),
    ("refinance_cash_out", None), ("heloc", "refinance_cash_out"), ("construction", "purchase"),
    ("renovation", "purchase"), ("reverse", "refinance_rate_term"),
]  # fmt: skip


@st.composite
def handoffs(draw):
    """Return a hand-off that uses every part of the mapping."""
    data = make.handoff_json("mismo", draw(st.sampled_from(["purchase", "refi_cashout"])))
    kind, units, answers = draw(st.sampled_from(KINDS))
    purpose, los_purpose = draw(st.sampled_from(PURPOSES))
    lead = data["canonical"]
    lead["borrower"] = {"first_name": draw(names), "last_name": draw(names)}
    lead["phones"] = [
        {"type": place, "e164": f"+1512555{number:04d}"}
        for number, place in enumerate(draw(st.permutations(["mobile", "home", "work"])))
    ][: draw(st.integers(0, 3))]
    lead["preferred_language"] = draw(st.sampled_from(["en", "es", "zh", "vi"]))
    lead["property"] = draw(addresses) | {
        "type": kind, "units": units, "use": draw(st.sampled_from(["primary", "investment"])),
        "estimated_value_cents": draw(cents), "purchase_price_cents": draw(cents),
    }  # fmt: skip
    lead["mailing_address"] = draw(addresses)
    lead["loan"] = {
        "purpose": purpose, "amount_cents": draw(cents),
        "type": draw(st.sampled_from(["conventional", "fha", "va", "usda"])),
        "amortization": draw(st.sampled_from(["fixed", "arm"])),
    }  # fmt: skip
    data["answers"] = {
        "joint_intent": draw(st.booleans()), "marital_status": "married",
        "own_or_rent": draw(st.sampled_from(["own", "rent", "rent_free"])),
        "lien_position": draw(st.sampled_from(["first", "second"])),
        "application_taken_method": "internet", "armed_forces_service": draw(st.booleans()),
        "refinance_primary_purpose": "cash", "los_purpose": los_purpose, **answers,
    }  # fmt: skip
    lead["co_borrower"] = {
        "first_name": draw(names), "last_name": draw(names),
        "emails": [{"is_primary": True, "address": "co@example.com"}],
    }  # fmt: skip
    return data


def write(data):
    return build_payload(make.parse_handoff(data), "mismo").body


@given(handoffs())
def test_what_is_written_is_read_back_and_written_again(data):
    text = write(data)
    read = read_loan_file(text.encode())

    leaves = [
        element.text for element in etree.fromstring(text.encode()).iter(etree.Element)
        if len(element) == 0
    ]  # fmt: skip
    assert sorted(read.values.values()) == sorted(leaves)  # no mapped field is lost
    assert not list(find_misplaced(etree.fromstring(text.encode())))
    for path, value in iter_leaves(read.handoff):
        if path.startswith(("canonical.emails", "canonical.phones", "answers.attachment")):
            continue  # lists, compared below, and what the type alone says
        if path == "answers.language_refused":
            assert value == "False"  # the default, which is written beside a language
            continue
        assert str(read_path(data, path)) == value, path
    assert {row["e164"] for row in read.handoff["canonical"].get("phones", [])} == {
        row["e164"] for row in data["canonical"]["phones"]
    }
    again = copy.deepcopy(data)
    again["canonical"], again["answers"] = read.handoff["canonical"], read.handoff["answers"]
    again["answers"]["joint_intent"] = data["answers"]["joint_intent"]
    assert write(again) == text


# The shape of files of Desktop Underwriter: free order of contacts, several loans, parties and
# roles, valuations instead of estimates, extensions, and numbers that nobody here may keep.
FOREIGN = """<MESSAGE xmlns="http://www.mismo.org/residential/2009/schemas"
 xmlns:DU="http://www.datamodelextension.org/Schema/DU"><DEAL_SETS><DEAL_SET><DEALS><DEAL>
<ASSETS><ASSET><ASSET_DETAIL><AssetAccountIdentifier>4000123412341234</AssetAccountIdentifier>
</ASSET_DETAIL></ASSET></ASSETS><COLLATERALS><COLLATERAL><SUBJECT_PROPERTY><ADDRESS>
<AddressLineText>9 Elm St</AddressLineText><CityName>Reno</CityName>
<PostalCode>895011234</PostalCode><StateCode>NV</StateCode></ADDRESS><PROPERTY_DETAIL>
<AttachmentType>Attached</AttachmentType><ConstructionMethodType>SiteBuilt</ConstructionMethodType>
<FinancedUnitCount>4</FinancedUnitCount><PropertyUsageType>Investment</PropertyUsageType>
<PUDIndicator>false</PUDIndicator></PROPERTY_DETAIL><PROPERTY_VALUATIONS><PROPERTY_VALUATION>
<PROPERTY_VALUATION_DETAIL><PropertyValuationAmount>340000.00</PropertyValuationAmount>
</PROPERTY_VALUATION_DETAIL></PROPERTY_VALUATION></PROPERTY_VALUATIONS></SUBJECT_PROPERTY>
</COLLATERAL></COLLATERALS><LOANS><LOAN LoanRoleType="RelatedLoan"><TERMS_OF_LOAN>
<BaseLoanAmount>1.00</BaseLoanAmount></TERMS_OF_LOAN></LOAN><LOAN LoanRoleType="SubjectLoan">
<AMORTIZATION><AMORTIZATION_RULE><AmortizationType>AdjustableRate</AmortizationType>
</AMORTIZATION_RULE></AMORTIZATION><LOAN_DETAIL>
<ApplicationReceivedDate>2026-11-02</ApplicationReceivedDate>
<ConstructionLoanIndicator>false</ConstructionLoanIndicator></LOAN_DETAIL><LOAN_IDENTIFIERS>
<LOAN_IDENTIFIER><LoanIdentifier>L-77</LoanIdentifier>
<LoanIdentifierType>LenderLoan</LoanIdentifierType></LOAN_IDENTIFIER></LOAN_IDENTIFIERS>
<LOAN_STATUSES><LOAN_STATUS><LoanStatusDate>2026-11-20</LoanStatusDate>
<LoanStatusIdentifier>Underwriting</LoanStatusIdentifier></LOAN_STATUS></LOAN_STATUSES>
<REFINANCE><RefinanceCashOutDeterminationType>LimitedCashOut</RefinanceCashOutDeterminationType>
</REFINANCE><TERMS_OF_LOAN><BaseLoanAmount>300000.00</BaseLoanAmount>
<LoanPurposeType>Refinance</LoanPurposeType><MortgageType>Conventional</MortgageType>
</TERMS_OF_LOAN></LOAN></LOANS><PARTIES><PARTY><INDIVIDUAL><NAME><FirstName>Co</FirstName>
<LastName>Sample</LastName></NAME></INDIVIDUAL><ROLES><ROLE><BORROWER><BORROWER_DETAIL>
<BorrowerBirthDate>1980-01-31</BorrowerBirthDate>
<BorrowerClassificationType>Secondary</BorrowerClassificationType></BORROWER_DETAIL></BORROWER>
<ROLE_DETAIL><PartyRoleType>Borrower</PartyRoleType></ROLE_DETAIL></ROLE></ROLES></PARTY>
<PARTY><INDIVIDUAL><CONTACT_POINTS><CONTACT_POINT><CONTACT_POINT_TELEPHONE>
<ContactPointTelephoneValue>(775) 555-0102</ContactPointTelephoneValue></CONTACT_POINT_TELEPHONE>
<CONTACT_POINT_DETAIL><ContactPointRoleType>Home</ContactPointRoleType></CONTACT_POINT_DETAIL>
</CONTACT_POINT><CONTACT_POINT><CONTACT_POINT_EMAIL>
<ContactPointEmailValue>ada@example.com</ContactPointEmailValue></CONTACT_POINT_EMAIL>
</CONTACT_POINT></CONTACT_POINTS><NAME><FirstName>Ada</FirstName><LastName>Sample</LastName>
<SuffixName>JR</SuffixName></NAME></INDIVIDUAL><ROLES><ROLE><ROLE_DETAIL>
<PartyRoleType>Borrower</PartyRoleType></ROLE_DETAIL><BORROWER><RESIDENCES><RESIDENCE><ADDRESS>
<CityName>Elsewhere</CityName></ADDRESS><RESIDENCE_DETAIL>
<BorrowerResidencyType>Prior</BorrowerResidencyType></RESIDENCE_DETAIL></RESIDENCE><RESIDENCE>
<ADDRESS><CityName>Sparks</CityName></ADDRESS><RESIDENCE_DETAIL>
<BorrowerResidencyType>Current</BorrowerResidencyType></RESIDENCE_DETAIL></RESIDENCE></RESIDENCES>
</BORROWER></ROLE></ROLES><TAXPAYER_IDENTIFIERS><TAXPAYER_IDENTIFIER>
<TaxpayerIdentifierValue>900-12-3456</TaxpayerIdentifierValue></TAXPAYER_IDENTIFIER>
</TAXPAYER_IDENTIFIERS></PARTY><PARTY><ROLES><ROLE><ROLE_DETAIL>
<PartyRoleType>LoanOriginationCompany</PartyRoleType></ROLE_DETAIL><LICENSES><LICENSE>
<LICENSE_DETAIL><LicenseAuthorityLevelType>PublicState</LicenseAuthorityLevelType>
<LicenseIdentifier>NV-1</LicenseIdentifier></LICENSE_DETAIL></LICENSE><LICENSE><LICENSE_DETAIL>
<LicenseAuthorityLevelType>Private</LicenseAuthorityLevelType>
<LicenseIdentifier>123456</LicenseIdentifier></LICENSE_DETAIL></LICENSE></LICENSES></ROLE></ROLES>
</PARTY></PARTIES></DEAL></DEALS></DEAL_SET></DEAL_SETS></MESSAGE>"""


def test_file_of_another_system_is_read_without_loss_and_without_private_numbers():
    read = read_loan_file(FOREIGN.encode())

    assert read.handoff["canonical"] == {
        "borrower": {"first_name": "Ada", "last_name": "Sample", "suffix": "JR"},
        "co_borrower": {"first_name": "Co", "last_name": "Sample"},
        "emails": [{"is_primary": True, "address": "ada@example.com"}],
        "phones": [{"type": "home", "e164": "+17755550102"}],
        "loan": {
            "amount_cents": 300_000_00, "purpose": "refinance_rate_term",
            "type": "conventional", "amortization": "arm",
        },
        "mailing_address": {"city": "Sparks"},
        "property": {
            "line1": "9 Elm St", "city": "Reno", "state": "NV", "zip": "895011234", "units": 4,
            "type": "multi_2_4", "use": "investment", "estimated_value_cents": 340_000_00,
        },
    }  # fmt: skip
    assert read.handoff["company"] == {"nmls_id": "123456"}
    assert (read.loan_number, read.lead_id) == ("L-77", "")
    assert [(name, day.isoformat()) for name, day in read.statuses] == [
        ("Underwriting", "2026-11-20")
    ]
    assert read.dates["application"].isoformat() == "2026-11-02"
    kept = etree.tostring(parse_mismo(FOREIGN.encode())).decode() + repr(read)
    for private in ("900-12-3456", "1980-01-31", "4000123412341234"):
        assert private not in kept


def test_traps_are_refused_before_an_entity_is_read():
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "aaaa"}">' for n in range(12))
    traps = {
        f"<!DOCTYPE MESSAGE [{entities}]><MESSAGE>&a11;</MESSAGE>": "document type",
        '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hosts">]><MESSAGE>&x;</MESSAGE>': "document",
        "<!DOCTYPE MESSAGE><MESSAGE/>": "document type",
        "<MESSAGE>&x;</MESSAGE>": "well-formed",
        "<MESSAGE>" + "<A>" * 1000: "nested",
        "<OTHER/>": "no MISMO file",
        "": "well-formed",
    }
    for text, reason in traps.items():
        with pytest.raises(UnreadableMismo, match=reason):
            parse_mismo(text.encode())
    with pytest.raises(UnreadableMismo, match="document type"):
        parse_mismo("<!DOCTYPE MESSAGE><MESSAGE/>".encode("utf-16"))
    with pytest.raises(UnreadableMismo, match="larger"):
        parse_mismo(b"<MESSAGE>" + b" " * 10_000_001)


def test_lenders_own_schema_checks_what_is_written(tmp_path):
    with pytest.raises(Misconfigured, match="no MISMO schema"):
        load_schema(tmp_path)
    (tmp_path / "MISMO_own.xsd").write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified"'
        ' targetNamespace="http://www.mismo.org/residential/2009/schemas">'
        '<xs:element name="MESSAGE"><xs:complexType><xs:sequence>'
        '<xs:element name="ABOUT_VERSIONS"/><xs:element name="DEAL_SETS"/></xs:sequence>'
        '<xs:attribute name="MISMOReferenceModelIdentifier"/></xs:complexType></xs:element>'
        "</xs:schema>"
    )
    schema = load_schema(tmp_path)
    text = write(make.handoff_json("mismo"))
    assert list(find_schema_errors(text, schema)) == []
    wrong = text.replace("ABOUT_VERSIONS>", "ABOUT>")
    (problem,) = find_schema_errors(wrong, schema)
    assert "line 3" in problem
    (tmp_path / "DU_Wrapper.xsd").write_text("<broken")
    with pytest.raises(Misconfigured, match="can't be loaded"):
        load_schema(tmp_path)

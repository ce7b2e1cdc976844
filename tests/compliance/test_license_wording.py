"""State license wording is required in every message, and a missing one is found."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from rooftree.compliance.evidence import verdict_checker
from rooftree.compliance.gate import license_wording
from rooftree.compliance.gate.facts import Facts, Medium, Purpose, StateLicense
from rooftree.compliance.gate.facts_json import facts_hash, facts_to_json
from rooftree.compliance.gate.license_wording import (
    WORDING_BY_STATE_DATA,
    CompanyDetails,
    required_wording,
)
from rooftree.compliance.gate.message_gate import decide
from rooftree.compliance.gate.required_disclosures import check_license_wording
from rooftree.compliance.gate.rulebook import STATES
from rooftree.compliance.wording_rules import wording_check
from rooftree.core.sms_segments import measure_text
from tests.compliance.usual import NOON, WORDS, company, email, facts, license_in, officer

TODAY = NOON.date()
US = CompanyDetails(
    nmls_id="111111",
    website="https://www.acme.example/",
    phone="+18135550100",
    address="1 Main St, Tampa FL 33601",
    number="ML-20417",
)
IN_FORCE = [
    (state, kind)
    for state in WORDING_BY_STATE_DATA["states"]
    for kind in (license_wording.license_kinds(state, on=TODAY) or ("",))
    if required_wording(state, Medium.EMAIL, US, on=TODAY)
]
SAID = {  # (an e-mail's, a text's) as a person would write them out from the law cited
    ("AZ", ""): ("Arizona mortgage license ML-20417", "AZ mortgage license ML-20417"),
    ("CA", "crmla"): (
        "Licensed by the Department of Financial Protection and Innovation under the California "
        "Residential Mortgage Lending Act, license ML-20417",
        "Licensed by the CA DFPI under the CRMLA, ML-20417",
    ),
    ("CA", "cfl"): (
        "Loans made or arranged pursuant to a California Financing Law license, number ML-20417",
        "California Financing Law license ML-20417",
    ),
    ("CA", "dre"): (
        "Real estate broker, California Department of Real Estate license ML-20417",
        "CA DRE license ML-20417",
    ),
    ("CO", ""): ("(813) 555-0100", "(813) 555-0100"),
    ("IL", ""): (
        "For licensing information, go to: www.nmlsconsumeraccess.org",
        "For licensing information, go to: www.nmlsconsumeraccess.org",
    ),
    ("KS", ""): (
        "Kansas Licensed Mortgage Company, license ML-20417",
        "KS mortgage license ML-20417",
    ),
    ("MA", "lender"): (
        "Massachusetts Mortgage Lender License ML-20417",
        "MA Mortgage Lender License ML-20417",
    ),
    ("MA", "broker"): (
        "Massachusetts Mortgage Broker License ML-20417",
        "MA Mortgage Broker License ML-20417",
    ),
    ("NJ", ""): (
        "Licensed by the N.J. Department of Banking and Insurance",
        "Licensed by the N.J. Department of Banking and Insurance",
    ),
    ("NV", ""): ("(813) 555-0100", "1 Main St, Tampa FL 33601, (813) 555-0100"),
    ("NY", "banker"): (
        "Licensed Mortgage Banker - NYS Department of Financial Services",
        "Licensed Mortgage Banker - NYS DFS",
    ),
    ("NY", "broker"): (
        "Registered Mortgage Broker - NYS Department of Financial Services",
        "Registered Mortgage Broker - NYS DFS",
    ),
    ("TX", ""): ("www.acme.example", "www.acme.example"),
    ("VA", ""): (
        "NMLS ID #111111, www.nmlsconsumeraccess.org",
        "NMLS ID #111111, www.nmlsconsumeraccess.org",
    ),
}


CALLED = [  # by NMLS, now or before, or by lenders who list their licenses
    ("CA", "crmla", "Residential Mortgage Lending Act License"),
    ("CA", "crmla", "California - DFPI - California Residential Mortgage Lending Act License"),
    ("CA", "crmla", "California-DBO Residential Mortgage Lending Act (CRMLA) license"),
    ("CA", "crmla", "CRMLA License"),
    ("CA", "cfl", "California - DFPI - California Financing Law License"),
    ("CA", "cfl", "Financing Law License - Other Trade Name #1"),
    ("CA", "cfl", "California - DBO Finance Lenders Law License"),
    ("CA", "cfl", "Finance  Lenders Law (CFLL) license"),
    ("CA", "cfl", "CFLL"),
    ("CA", "cfl", "DFPI CFL-License"),
    ("CA", "dre", "California - DRE Real Estate Corporation License Endorsement"),
    ("CA", "dre", "REAL ESTATE BROKER LICENSE ENDORSEMENT"),
    ("CA", "", "Debt Collection License"),
    ("CA", "", "Exempt Company Registration"),
    ("CA", "", "Mortgage Loan Originator License"),
    ("CA", "", "CFL and CRMLA"),
    ("CA", "", "Mortgage Lender License"),
    ("CA", "", ""),
    ("MA", "lender", "Massachusetts - Mortgage Lender License"),
    ("MA", "broker", "Mortgage Broker License"),
    ("MA", "", "Mortgage Lender/Broker License"),
    ("MA", "", "Third Party Loan Servicer Registration"),
    ("NY", "banker", "New York - Mortgage Banker License"),
    ("NY", "broker", "Mortgage Broker Registration"),
    ("NY", "", "Mortgage Banker Exempt"),
    ("NY", "", "Mortgage Loan Servicer Registration"),
    ("FL", "", "Mortgage Lender License"),
]


def words(state: str, kind: str, medium: Medium = Medium.EMAIL) -> str:
    us = CompanyDetails(**{name: getattr(US, name) for name in US.__slots__} | {"license": kind})
    demand = required_wording(state, medium, us, on=TODAY)
    assert demand is not None
    return demand.words


def message_in(state: str, kind: str = "", *, number: str = "ML-20417", **changes: Any) -> Facts:
    """Return a message about a property in `state`, where company and officer are licensed."""
    about: dict[str, Any] = {
        "property_state": state,
        "officer": officer(licenses=(license_in(state),)),
        "company": company(
            licensed_states=(state,),
            license_there=StateLicense(number=number, license=kind),
            website=US.website,
            phone=US.phone,
        ),
    }
    make = email if changes.pop("medium", Medium.TEXT) is Medium.EMAIL else facts
    return make(**about | changes)


def checker_problems(message: Facts, **changes: Any) -> list[str]:
    verdict = decide(message)
    stored = {
        "facts": facts_to_json(message),
        "facts_sha256": facts_hash(message),
        "decision": verdict.decision.value,
        "reason": verdict.reason,
        "next_allowed_at": None,
    }
    return verdict_checker.find_problems(stored | changes)


def test_state_wording_matches_the_law() -> None:
    wordings = {
        (state, kind): (words(state, kind), words(state, kind, Medium.TEXT))
        for state, kind in IN_FORCE
    }
    assert wordings == SAID


@pytest.mark.parametrize(("state", "kind", "name"), CALLED)
def test_license_kind_is_matched_by_its_nmls_name(state: str, kind: str, name: str) -> None:
    assert license_wording.match_license_kind(state, name, on=TODAY) == kind


def test_license_kind_is_unknown_before_the_wording_was_required() -> None:
    name = "Residential Mortgage Lending Act License"
    assert license_wording.match_license_kind("CA", name, on=date(2020, 9, 28)) == ""
    assert license_wording.match_license_kind("CA", name, on=date(2020, 9, 29)) == "crmla"


@pytest.mark.parametrize("medium", [Medium.EMAIL, Medium.TEXT])
@pytest.mark.parametrize(("state", "kind"), IN_FORCE)
def test_message_needs_the_license_wording(state: str, kind: str, medium: Medium) -> None:
    wanted = words(state, kind, medium)

    without = check_license_wording(message_in(state, kind, medium=medium))
    ruling = check_license_wording(
        message_in(state, kind, medium=medium, text=f"{WORDS}\n{wanted.upper()}")
    )

    assert without is not None
    assert (without.decision.value, without.reason) == ("require", "add_license_words")
    assert STATES[state] and wanted in without.detail
    assert ruling is not None
    assert (ruling.decision.value, ruling.cite) == (
        "allow",
        WORDING_BY_STATE_DATA["states"][state][-1]["cite"],
    )


@pytest.mark.parametrize("medium", [Medium.EMAIL, Medium.TEXT])
@pytest.mark.parametrize(("state", "kind"), IN_FORCE)
def test_checker_finds_missing_license_wording(state: str, kind: str, medium: Medium) -> None:
    with_it = message_in(state, kind, medium=medium, text=f"{WORDS}\n{words(state, kind, medium)}")
    without = message_in(state, kind, medium=medium)
    mistaken = {"decision": "allow", "reason": "licensed"}

    assert not any("wording" in message for message in checker_problems(with_it, **mistaken))
    assert any(
        "the state's license wording is missing" in message
        for message in checker_problems(without, **mistaken)
    )


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"kind": ""}, "aren’t on file: the kind of license."),
        ({"kind": "of another state"}, "aren’t on file: the kind of license."),
        ({"kind": "cfl", "number": ""}, "aren’t on file: the license number."),
    ],
)
def test_missing_detail_is_named_with_its_page(changes: dict[str, str], missing: str) -> None:
    ruling = check_license_wording(message_in("CA", **changes))

    assert ruling is not None
    assert ruling.reason == "license_words_not_on_file"
    assert missing in ruling.detail
    assert ruling.detail.endswith("Add it under Setup, Licenses.")


def test_missing_website_is_added_on_the_company_page() -> None:
    bare = company(
        licensed_states=("TX",), license_there=StateLicense(number="1", license=""), website=""
    )
    ruling = check_license_wording(message_in("TX", company=bare))

    assert ruling is not None
    assert ruling.detail.endswith(
        "aren’t on file: the company’s website. Add it under Setup, Company."
    )


def test_state_without_wording_and_bank_need_none() -> None:
    bank = company(is_depository=True)
    assert check_license_wording(message_in("FL")) is None
    assert check_license_wording(message_in("CA", company=bank)) is None
    assert check_license_wording(message_in("CA", purpose=Purpose.REPLY)) is None
    assert check_license_wording(message_in("CA", purpose=Purpose.CONFIRMATION)) is None
    assert not checker_problems(message_in("CA", company=bank, text=WORDS))


@pytest.mark.parametrize(
    ("state", "first"),
    [
        ("AZ", date(1991, 1, 1)),
        ("CA", date(2020, 9, 29)),
        ("CO", date(2019, 1, 1)),
        ("GA", date(2002, 7, 1)),
        ("IL", date(2019, 5, 10)),
        ("KS", date(2009, 7, 1)),
        ("MA", date(1997, 1, 1)),
        ("NJ", date(1997, 1, 1)),
        ("NV", date(2012, 1, 1)),
        ("NY", date(2011, 10, 3)),
        ("TX", date(2024, 11, 23)),
        ("VA", date(2017, 4, 1)),
    ],
)
def test_wording_is_required_from_its_first_day(state: str, first: date) -> None:
    assert required_wording(state, Medium.EMAIL, US, on=first - timedelta(days=1)) is None
    assert required_wording(state, Medium.EMAIL, US, on=first) is not None


def test_georgia_wording_ended_with_2021() -> None:
    last = required_wording("GA", Medium.TEXT, US, on=date(2020, 12, 31))

    assert last is not None
    assert last.words == "Georgia Residential Mortgage Licensee"
    assert required_wording("GA", Medium.TEXT, US, on=date(2021, 1, 1)) is None
    late, early = datetime(2021, 1, 1, 4, 59, tzinfo=UTC), datetime(2021, 1, 1, 5, tzinfo=UTC)
    assert check_license_wording(message_in("GA", at=late)) is not None  # 23:59 in Atlanta
    assert check_license_wording(message_in("GA", at=early)) is None
    mistaken = {"decision": "allow", "reason": "licensed"}
    assert any(
        "wording" in message for message in checker_problems(message_in("GA", at=late), **mistaken)
    )
    assert not any(
        "wording" in message for message in checker_problems(message_in("GA", at=early), **mistaken)
    )


@pytest.mark.parametrize(("state", "kind"), IN_FORCE)
def test_license_wording_passes_the_wording_rules_and_adds_at_most_one_text_segment(
    state: str, kind: str
) -> None:
    text = words(state, kind, Medium.TEXT)
    full = "x" * 290  # the longest of the first editions comes to about as much

    for channel, body in (("sms", text), ("email", words(state, kind))):
        draft = wording_check.Draft(body=body, subject="", channel=channel, facts=frozenset())
        assert not wording_check.find_wording_issues(draft)
    assert measure_text(f"{full}\n{text}").segments <= measure_text(full).segments + 1
    assert measure_text(text).encoding == "GSM-7"

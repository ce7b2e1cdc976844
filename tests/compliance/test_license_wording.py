"""Each state's own wording of our license is asked of every message there, and found missing."""

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


def there(state: str, kind: str = "", *, number: str = "ML-20417", **changes: Any) -> Facts:
    """A message about a property in `state`, where company and officer are licensed."""
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


def opinion(one: Facts, **changes: Any) -> list[str]:
    verdict = decide(one)
    stored = {
        "facts": facts_to_json(one),
        "facts_sha256": facts_hash(one),
        "decision": verdict.decision.value,
        "reason": verdict.reason,
        "next_allowed_at": None,
    }
    return verdict_checker.find_problems(stored | changes)


def test_what_each_state_wants_said_is_what_its_law_says() -> None:
    found = {
        (state, kind): (words(state, kind), words(state, kind, Medium.TEXT))
        for state, kind in IN_FORCE
    }
    assert found == SAID


@pytest.mark.parametrize(("state", "kind", "name"), CALLED)
def test_which_license_it_is_is_known_by_nmlss_name_of_it(state: str, kind: str, name: str) -> None:
    assert license_wording.match_license_kind(state, name, on=TODAY) == kind


def test_no_license_is_known_before_its_wording_was_asked() -> None:
    name = "Residential Mortgage Lending Act License"
    assert license_wording.match_license_kind("CA", name, on=date(2020, 9, 28)) == ""
    assert license_wording.match_license_kind("CA", name, on=date(2020, 9, 29)) == "crmla"


@pytest.mark.parametrize("medium", [Medium.EMAIL, Medium.TEXT])
@pytest.mark.parametrize(("state", "kind"), IN_FORCE)
def test_a_message_without_it_needs_a_person_and_with_it_goes(
    state: str, kind: str, medium: Medium
) -> None:
    wanted = words(state, kind, medium)

    without = check_license_wording(there(state, kind, medium=medium))
    said = check_license_wording(
        there(state, kind, medium=medium, text=f"{WORDS}\n{wanted.upper()}")
    )

    assert without is not None
    assert (without.decision.value, without.reason) == ("require", "add_license_words")
    assert STATES[state] and wanted in without.detail
    assert said is not None
    assert (said.decision.value, said.cite) == (
        "allow",
        WORDING_BY_STATE_DATA["states"][state][-1]["cite"],
    )


@pytest.mark.parametrize("medium", [Medium.EMAIL, Medium.TEXT])
@pytest.mark.parametrize(("state", "kind"), IN_FORCE)
def test_the_second_opinion_finds_it_missing_by_itself(
    state: str, kind: str, medium: Medium
) -> None:
    with_it = there(state, kind, medium=medium, text=f"{WORDS}\n{words(state, kind, medium)}")
    without = there(state, kind, medium=medium)
    mistaken = {"decision": "allow", "reason": "licensed"}

    assert not any("wording" in one for one in opinion(with_it, **mistaken))
    assert any("the state's license wording is missing" in one for one in opinion(without, **mistaken))


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"kind": ""}, "aren’t on file: the kind of license."),
        ({"kind": "of another state"}, "aren’t on file: the kind of license."),
        ({"kind": "cfl", "number": ""}, "aren’t on file: the license number."),
    ],
)
def test_what_is_not_on_file_is_named_with_the_page_to_enter_it(
    changes: dict[str, str], missing: str
) -> None:
    ruling = check_license_wording(there("CA", **changes))

    assert ruling is not None
    assert ruling.reason == "license_words_not_on_file"
    assert missing in ruling.detail
    assert ruling.detail.endswith("Add it under Setup, Licenses.")


def test_a_website_that_is_not_on_file_is_entered_with_the_company() -> None:
    bare = company(
        licensed_states=("TX",), license_there=StateLicense(number="1", license=""), website=""
    )
    ruling = check_license_wording(there("TX", company=bare))

    assert ruling is not None
    assert ruling.detail.endswith(
        "aren’t on file: the company’s website. Add it under Setup, Company."
    )


def test_a_state_that_asks_nothing_and_a_bank_are_left_alone() -> None:
    bank = company(is_depository=True)
    assert check_license_wording(there("FL")) is None
    assert check_license_wording(there("CA", company=bank)) is None
    assert check_license_wording(there("CA", purpose=Purpose.REPLY)) is None
    assert check_license_wording(there("CA", purpose=Purpose.CONFIRMATION)) is None
    assert not opinion(there("CA", company=bank, text=WORDS))


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
def test_it_is_asked_from_its_first_day(state: str, first: date) -> None:
    assert required_wording(state, Medium.EMAIL, US, on=first - timedelta(days=1)) is None
    assert required_wording(state, Medium.EMAIL, US, on=first) is not None


def test_georgia_stopped_asking_for_its_words_with_2021() -> None:
    last = required_wording("GA", Medium.TEXT, US, on=date(2020, 12, 31))

    assert last is not None
    assert last.words == "Georgia Residential Mortgage Licensee"
    assert required_wording("GA", Medium.TEXT, US, on=date(2021, 1, 1)) is None
    late, early = datetime(2021, 1, 1, 4, 59, tzinfo=UTC), datetime(2021, 1, 1, 5, tzinfo=UTC)
    assert check_license_wording(there("GA", at=late)) is not None  # 23:59 in Atlanta
    assert check_license_wording(there("GA", at=early)) is None
    mistaken = {"decision": "allow", "reason": "licensed"}
    assert any("wording" in one for one in opinion(there("GA", at=late), **mistaken))
    assert not any("wording" in one for one in opinion(there("GA", at=early), **mistaken))


@pytest.mark.parametrize(("state", "kind"), IN_FORCE)
def test_the_words_pass_the_rules_of_wording_and_cost_a_text_one_segment_at_most(
    state: str, kind: str
) -> None:
    text = words(state, kind, Medium.TEXT)
    full = "x" * 290  # the longest of the first editions comes to about as much

    for channel, body in (("sms", text), ("email", words(state, kind))):
        draft = wording_check.Draft(body=body, subject="", channel=channel, facts=frozenset())
        assert not wording_check.find_wording_issues(draft)
    assert measure_text(f"{full}\n{text}").segments <= measure_text(full).segments + 1
    assert measure_text(text).encoding == "GSM-7"

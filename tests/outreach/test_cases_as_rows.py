"""Worked cases of the rulebook as database rows, decided by the real gate.

`rooftree decide` reads a case directly. Here each case becomes a borrower, a property, consent,
lists and earlier contacts, then a call or text; the stored verdict is compared.
"""

import io
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rooftree.compliance.consent import store_revocation
from rooftree.compliance.do_not_call.load_list import ListUpload, load_file
from rooftree.compliance.gate import person_places
from rooftree.compliance.gate.rulebook import STATES, STATES_WITH_OWN_DNC_LIST
from rooftree.compliance.models import Verdict
from rooftree.compliance.numbers.models import NumberQuestion
from rooftree.core.area_codes_and_zones import AREA_CODES, zones_of_zip
from rooftree.flow import call_outcomes
from rooftree.leads.models import ContactAttempt, Lead, Loan, Milestone
from rooftree.org.models import LoanOfficer
from rooftree.outreach.calls import dial_borrower
from rooftree.outreach.facts import message_facts
from rooftree.outreach.messages import automatic_messages, send
from rooftree.outreach.wording import typed_messages
from tests import make
from tests.flow import journey

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("carriers")]
CASES = Path(__file__).parents[1] / "compliance" / "cases.jsonl"
TOLL_FREE = "+18885550142"  # does not show where the borrower is
KEY = "not_reached_1"
ANYWHERE = {"property_state": "FL", "property_use": "investment", "purpose": "refinance"}
WRITTEN = {
    "type": "written",
    "signature": "checkbox_unticked_by_default",
    "seller": "Acme Mortgage LLC",
    "channels": ["call", "text"],
    "condition_of_purchase": False,
    "autodial_disclosure": True,
    "captured_at": "2025-01-01T10:00:00-05:00",
    "evidence": ["text_hash", "page_url", "ip", "user_agent", "session_cert"],
    "signer_is_subscriber": True,
}
FAMILIES = ("HRS", "ZON", "DST", "HOL", "CAP", "CON", "DNC", "RND", "EMG", "REG", "REQ")
NO_ROWS = {
    "CON-015": "no voicemail is dropped",
    "HOL-023": "what answers them is tried in test_replies.py",
}


def cases() -> list[dict[str, Any]]:
    every = map(json.loads, CASES.read_text(encoding="utf-8").splitlines())
    return [case for case in every if case["rule"][:3] in FAMILIES and case["id"] not in NO_ROWS]


@pytest.mark.parametrize("case", cases(), ids=lambda row: row["id"])
def test_casebook_case_gets_its_verdict_from_stored_rows(
    case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    facts, expected = case["given"], case["expect"]
    # No case includes our own safety margin.
    monkeypatch.setattr(message_facts, "GUARD_MINUTES", {})
    at = datetime.fromisoformat(facts["now"]) if "now" in facts else make.NOON

    verdict = contact_borrower(borrower(facts, at), facts, at)

    results = [(result["decision"], result["reason"]) for result in verdict.results]
    assert (expected["decision"], expected["reason"]) in results
    assert verdict.decision == expected["decision"]
    if "next_allowed_at" in expected:
        assert verdict.next_allowed_at == datetime.fromisoformat(expected["next_allowed_at"])


def contact_borrower(lead: Lead, facts: Mapping[str, Any], at: datetime) -> Verdict:
    """Call or text the borrower as the case says; return the last verdict."""
    by = LoanOfficer.objects.get().user
    if facts["channel"] == "call":
        dial_borrower.begin_call(lead_id=lead.pk, by=by, at=at)
        return Verdict.objects.get()
    if facts.get("automated", True):
        if "promo" in facts.get("content_flags", ()):
            make.edition(KEY, at=at, body="Your papers are here. Rates as low as 5 %.")
        (message,) = automatic_messages.queue_template(
            lead=lead, key=KEY, cause="case", media=["text"], purpose=facts["purpose"], at=at
        )
        send.deliver_messages([message.pk], at=at)
    else:
        with suppress(typed_messages.CannotSend):
            typed_messages.send_typed_message(
                lead_id=lead.pk, medium="text", body="Hello", by=by, at=at
            )
    return Verdict.objects.get(messages__direction="out")


def borrower(facts: Mapping[str, Any], at: datetime) -> Lead:
    """Create the lead of a case; its officer can do everything the case does not forbid."""
    journey.set_up_company(
        states=("FL",), legal_name="Acme Mortgage LLC", brand="Acme Mortgage",
        telemarketer_states=[] if "telemarketer_registration" in facts else [*STATES],
        emergencies=facts.get("declared_emergencies", []), emergencies_checked_at=at,
    )  # fmt: skip
    where = facts.get("locations", [{"kind": "residence", "state": facts.get("state")}])
    since = day_of(facts.get("last_confirmed_contact"), at, or_days_ago=100)
    human = make.person(phone=number(facts, where), at=since)
    lead = make.lead(at=since, officer=make.officer(licensed=("FL",)), person=human, **ANYWHERE)
    for place in where:
        live_at(lead, **place)
    store_consent(lead, facts, at)
    load_registries(lead, facts, at)
    store_relationships(lead, facts)
    store_number_check(lead, facts, at)
    request_call(lead, facts, at)
    store_attempts(lead, facts)
    return Lead.objects.select_related("person", "officer__user").get(pk=lead.pk)


def number(facts: Mapping[str, Any], where: list[Mapping[str, Any]]) -> str:
    """Return a number with the case's area code; one of no place if the case has none."""
    places = [place for place in where if place["kind"] == "area_code"]
    if "phone" in facts:
        return str(facts["phone"])
    if "area_code_state" in facts or "state" in facts:
        state = facts.get("area_code_state") or facts["state"]
        places = [{"state": state, "zone": zone} for zone in STATES[state].zones]
    if not places:
        return TOLL_FREE
    zones = {place["zone"] for place in places}
    codes = [code for code, row in AREA_CODES.items() if row.state == places[0]["state"]]
    there = [code for code in codes if zones_of(code) <= zones]
    return f"+1{max(there, key=lambda code: len(zones_of(code)))}5550142"


def zones_of(code: str) -> set[str]:
    return {place.zone for place in person_places.area_code_places(f"+1{code}5550142")}


def live_at(lead: Lead, *, kind: str, state: str, zone: str = "", **of_the_house: Any) -> None:
    """Return a home or property there, with a ZIP code if only that determines the time zone."""
    if kind == "residence":
        lead.person.state, lead.person.zip = state, zip_in(state, zone)
        lead.person.save()
    if kind == "property":
        if state != "FL":
            make.company_license(state)
            make.license_of(LoanOfficer.objects.get(), state)
        lead.property_state, lead.property_zip = state, zip_in(state, zone)
        lead.property_use = "primary"
        lead.save()


def zip_in(state: str, zone: str) -> str:
    """Return a ZIP code of the zone; "" if none determines it and all zones of the state count."""
    if not zone or len(STATES[state].zones) == 1:
        return ""
    codes = (f"{prefix:03}01" for prefix in range(1000))
    return next((code for code in codes if zones_of_zip(state, code) == (zone,)), "")


def store_consent(lead: Lead, facts: Mapping[str, Any], at: datetime) -> None:
    """Store the case's consent; a valid written one if the case names none."""
    number = lead.person.phones.get().e164
    is_usual = {"locations", "rnd", "written_permission"} & facts.keys()
    record = facts.get("consent", WRITTEN if is_usual else None)
    if isinstance(record, str):
        record = WRITTEN
    if record:
        stored = {"phone": number, "signer_is_subscriber": True, **record}
        make.consent(lead.person, at=at - timedelta(days=1), record=stored)


def load_registries(lead: Lead, facts: Mapping[str, Any], at: datetime) -> None:
    """Load the case's registries: their date, and whether the number is listed."""
    number = lead.person.phones.get().e164[2:]
    copies = {"US": (facts.get("registry_version_date"), facts.get("on_national", False))}
    for state in STATES_WITH_OWN_DNC_LIST & {facts.get("state")}:
        dated = facts.get("state_list_version_date")
        copies[state] = (dated, facts.get("on_state_list", False))
    if number.startswith("888"):
        return  # no registry lists such numbers
    for registry, (dated, is_listed) in copies.items():
        copied_at = day_of(dated, at, or_days_ago=0)
        other = f"{number[:-1]}{(int(number[-1]) + 1) % 10}"
        lines = f"{other}\n{number}\n" if is_listed else f"{other}\n"
        upload = ListUpload(
            registry=registry, name="list.txt", dated=copied_at.date(),
            file=io.BytesIO(lines.encode()),
        )  # fmt: skip
        load_file(upload, by=None, at=copied_at)
    if since := facts.get("internal_dnc_since"):
        store_revocation.store_revocation(
            person_id=lead.person_id, address="", kind="do_not_contact", media=["call", "text"],
            origin="staff", idempotency_key="case", at=day_of(since, at, or_days_ago=0),
        )  # fmt: skip


def store_number_check(lead: Lead, facts: Mapping[str, Any], at: datetime) -> None:
    """Store the vendor's answer; by default, that the number was not reassigned."""
    if (answer := facts.get("rnd", {"response": "no"})) is None:
        return
    asked_at = day_of(answer.get("checked"), at, or_days_ago=0)
    NumberQuestion.objects.create(
        kind="reassigned", number=lead.person.phones.get().e164, since=lead.last_inquiry_at.date(),
        asked_at=asked_at, answered_at=asked_at, response=answer["response"], answer={},
    )  # fmt: skip


def day_of(day: str | None, at: datetime, *, or_days_ago: int) -> datetime:
    """Return the moment on that day at the case's hour."""
    if day is None:
        return at - timedelta(days=or_days_ago)
    return datetime.combine(date.fromisoformat(day), at.timetz())


def request_call(lead: Lead, facts: Mapping[str, Any], at: datetime) -> None:
    """Store the borrower's request for a call at this time."""
    asks = facts.get("consent") == "express_request" or "call me" in facts.get("inbound", "")
    if requested := facts.get("consumer_requested_time") or (asks and at.isoformat()):
        call_outcomes.record_outcome(
            lead_id=lead.pk, result="call_back", by=LoanOfficer.objects.get().user,
            at=at - timedelta(days=3), call_back_at=datetime.fromisoformat(requested),
        )  # fmt: skip


def store_relationships(lead: Lead, facts: Mapping[str, Any]) -> None:
    """Store the relationship that exempts a listed number."""
    if not (ebr := facts.get("ebr")):
        return
    on = date.fromisoformat(ebr["date"])
    noon = datetime(on.year, on.month, on.day, 12, tzinfo=ZoneInfo("America/New_York"))
    if ebr["kind"] == "inquiry":
        site = journey.create_website()
        Lead.objects.filter(pk=lead.pk).update(source=site)
        lead.source = site
        make.touch(lead, at=noon)
    else:
        loan = Loan.objects.create(lead=lead, los_loan_id="L1", los="encompass", created_at=noon)
        Milestone.objects.create(
            loan=loan, code="funded", on_date=on, reached_at=noon, recorded_at=noon
        )


def store_attempts(lead: Lead, facts: Mapping[str, Any]) -> None:
    """Store the company's earlier contact attempts."""
    for nth, attempt in enumerate(facts.get("prior_contacts", ())):
        attempt_facts = attempt if isinstance(attempt, dict) else {"at": attempt, "channel": "call"}
        ContactAttempt.objects.create(
            lead=lead, person_id=lead.person_id, medium=attempt_facts["channel"],
            address=lead.person.phones.get().e164, by=LoanOfficer.objects.get().user,
            at=datetime.fromisoformat(attempt_facts["at"]), idempotency_key=f"before:{nth}",
        )  # fmt: skip

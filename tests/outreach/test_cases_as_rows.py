"""Worked cases of the rulebook as rows in the database, and what the one door then answers.

`rooftree decide` reads a case itself. Here each is a borrower, a house, a permission, lists and
earlier contacts, and somebody who calls or texts: the verdict is the one that is stored.
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
from rooftree.core.area_codes_and_zones import STATE_BY_AREA_CODE, zone_of_zip
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
TOLL_FREE = "+18885550142"  # says nothing of where they are
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
    return [one for one in every if one["rule"][:3] in FAMILIES and one["id"] not in NO_ROWS]


@pytest.mark.parametrize("case", cases(), ids=lambda one: one["id"])
def test_a_worked_case_gets_its_verdict_through_the_door(
    case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    given, expected = case["given"], case["expect"]
    monkeypatch.setattr(
        message_facts, "GUARD_MINUTES", {}
    )  # our own margin, of which no case knows
    at = datetime.fromisoformat(given["now"]) if "now" in given else make.NOON

    verdict = done(borrower(given, at), given, at)

    said = [(result["decision"], result["reason"]) for result in verdict.results]
    assert (expected["decision"], expected["reason"]) in said
    assert verdict.decision == expected["decision"]
    if "next_allowed_at" in expected:
        assert verdict.next_allowed_at == datetime.fromisoformat(expected["next_allowed_at"])


def done(lead: Lead, given: Mapping[str, Any], at: datetime) -> Verdict:
    """Call or text them as the case says; the last verdict about it."""
    by = LoanOfficer.objects.get().user
    if given["channel"] == "call":
        dial_borrower.begin_call(lead_id=lead.pk, by=by, at=at)
        return Verdict.objects.get()
    if given.get("automated", True):
        if "promo" in given.get("content_flags", ()):
            make.edition(KEY, at=at, body="Your papers are here. Rates as low as 5 %.")
        (one,) = automatic_messages.queue_template(
            lead=lead, key=KEY, cause="case", media=["text"], purpose=given["purpose"], at=at
        )
        send.deliver_messages([one.pk], at=at)
    else:
        with suppress(typed_messages.CannotSend):
            typed_messages.send_typed_message(
                lead_id=lead.pk, medium="text", body="Hello", by=by, at=at
            )
    return Verdict.objects.get(messages__direction="out")


def borrower(given: Mapping[str, Any], at: datetime) -> Lead:
    """The lead of a case, with an officer, who may do all that the case does not forbid."""
    journey.ready(
        states=("FL",), legal_name="Acme Mortgage LLC", brand="Acme Mortgage",
        telemarketer_states=[] if "telemarketer_registration" in given else [*STATES],
        emergencies=given.get("declared_emergencies", []), emergencies_checked_at=at,
    )  # fmt: skip
    where = given.get("locations", [{"kind": "residence", "state": given.get("state")}])
    since = day_of(given.get("last_confirmed_contact"), at, or_days_ago=100)
    human = make.person(phone=number(given, where), at=since)
    lead = make.lead(at=since, officer=make.officer(licensed=("FL",)), person=human, **ANYWHERE)
    for one in where:
        live_at(lead, **one)
    permit(lead, given, at)
    list_them(lead, given, at)
    deal_with(lead, given)
    check(lead, given, at)
    agree(lead, given, at)
    contact(lead, given)
    return Lead.objects.select_related("person", "officer__user").get(pk=lead.pk)


def number(given: Mapping[str, Any], where: list[Mapping[str, Any]]) -> str:
    """A number that stands for the area codes of the case, and for no place where it has none."""
    wanted = [one for one in where if one["kind"] == "area_code"]
    if "phone" in given:
        return str(given["phone"])
    if "area_code_state" in given or "state" in given:
        state = given.get("area_code_state") or given["state"]
        wanted = [{"state": state, "zone": zone} for zone in STATES[state].zones]
    if not wanted:
        return TOLL_FREE
    zones = {one["zone"] for one in wanted}
    codes = [code for code, state in STATE_BY_AREA_CODE.items() if state == wanted[0]["state"]]
    there = [code for code in codes if zones_of(code) <= zones]
    return f"+1{max(there, key=lambda code: len(zones_of(code)))}5550142"


def zones_of(code: str) -> set[str]:
    return {place.zone for place in person_places.area_code_places(f"+1{code}5550142")}


def live_at(lead: Lead, *, kind: str, state: str, zone: str = "", **of_the_house: Any) -> None:
    """A home or a house there, with a ZIP code where only that tells the zone."""
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
    """A ZIP code of the zone; "" where none settles it, so that every zone of the state counts."""
    if not zone or len(STATES[state].zones) == 1:
        return ""
    codes = (f"{prefix:03}01" for prefix in range(1000))
    return next((code for code in codes if zone_of_zip(state, code) == zone), "")


def permit(lead: Lead, given: Mapping[str, Any], at: datetime) -> None:
    """The permission of the case; where it says nothing of one, a good one in writing."""
    number = lead.person.phones.get().e164
    is_usual = {"locations", "rnd", "written_permission"} & given.keys()
    record = given.get("consent", WRITTEN if is_usual else None)
    if isinstance(record, str):
        record = WRITTEN
    if record:
        stored = {"phone": number, "signer_is_subscriber": True, **record}
        make.consent(lead.person, at=at - timedelta(days=1), record=stored)


def list_them(lead: Lead, given: Mapping[str, Any], at: datetime) -> None:
    """The registries as the case has them: their day, and whether the number is on them."""
    number = lead.person.phones.get().e164[2:]
    copies = {"US": (given.get("registry_version_date"), given.get("on_national", False))}
    for state in STATES_WITH_OWN_DNC_LIST & {given.get("state")}:
        dated = given.get("state_list_version_date")
        copies[state] = (dated, given.get("on_state_list", False))
    if number.startswith("888"):
        return  # no registry has such numbers
    for registry, (dated, is_listed) in copies.items():
        copied_at = day_of(dated, at, or_days_ago=0)
        other = f"{number[:-1]}{(int(number[-1]) + 1) % 10}"
        lines = f"{other}\n{number}\n" if is_listed else f"{other}\n"
        upload = ListUpload(
            registry=registry, name="list.txt", dated=copied_at.date(),
            file=io.BytesIO(lines.encode()),
        )  # fmt: skip
        load_file(upload, by=None, at=copied_at)
    if since := given.get("internal_dnc_since"):
        store_revocation.store_revocation(
            person_id=lead.person_id, address="", kind="do_not_contact", media=["call", "text"],
            origin="staff", idempotency_key="case", at=day_of(since, at, or_days_ago=0),
        )  # fmt: skip


def check(lead: Lead, given: Mapping[str, Any], at: datetime) -> None:
    """What the vendor answered; as a rule, that the number did not change hands."""
    if (answer := given.get("rnd", {"response": "no"})) is None:
        return
    asked_at = day_of(answer.get("checked"), at, or_days_ago=0)
    NumberQuestion.objects.create(
        kind="reassigned", number=lead.person.phones.get().e164, since=lead.warmed_at.date(),
        asked_at=asked_at, answered_at=asked_at, response=answer["response"], said={},
    )  # fmt: skip


def day_of(day: str | None, at: datetime, *, or_days_ago: int) -> datetime:
    """That day at the hour of the case."""
    if day is None:
        return at - timedelta(days=or_days_ago)
    return datetime.combine(date.fromisoformat(day), at.timetz())


def agree(lead: Lead, given: Mapping[str, Any], at: datetime) -> None:
    """That they asked to be called, and when."""
    asks = given.get("consent") == "express_request" or "call me" in given.get("inbound", "")
    if wanted := given.get("consumer_requested_time") or (asks and at.isoformat()):
        call_outcomes.record_outcome(
            lead_id=lead.pk, result="call_back", by=LoanOfficer.objects.get().user,
            at=at - timedelta(days=3), call_back_at=datetime.fromisoformat(wanted),
        )  # fmt: skip


def deal_with(lead: Lead, given: Mapping[str, Any]) -> None:
    """The dealings with us that answer a registry."""
    if not (ebr := given.get("ebr")):
        return
    on = date.fromisoformat(ebr["date"])
    noon = datetime(on.year, on.month, on.day, 12, tzinfo=ZoneInfo("America/New_York"))
    if ebr["kind"] == "inquiry":
        site = journey.website()
        Lead.objects.filter(pk=lead.pk).update(source=site)
        lead.source = site
        make.touch(lead, at=noon)
    else:
        loan = Loan.objects.create(lead=lead, los_loan_id="L1", los="encompass", created_at=noon)
        Milestone.objects.create(
            loan=loan, code="funded", on_date=on, reached_at=noon, recorded_at=noon
        )


def contact(lead: Lead, given: Mapping[str, Any]) -> None:
    """What the house did before to reach them."""
    for nth, one in enumerate(given.get("prior_contacts", ())):
        known = one if isinstance(one, dict) else {"at": one, "channel": "call"}
        ContactAttempt.objects.create(
            lead=lead, person_id=lead.person_id, medium=known["channel"],
            address=lead.person.phones.get().e164, by=LoanOfficer.objects.get().user,
            at=datetime.fromisoformat(known["at"]), cause=f"before:{nth}",
        )  # fmt: skip

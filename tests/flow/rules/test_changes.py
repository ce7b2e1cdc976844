"""A change of a rule: tried on what is in line, approved by a second person, in force by itself."""

import json
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, ProgrammingError, connection
from django.db.transaction import atomic
from django.test.utils import CaptureQueriesContext

from rooftree.compliance.do_not_call import loaded_lists
from rooftree.compliance.evidence import verdict_checker
from rooftree.compliance.gate import facts_json, message_gate
from rooftree.compliance.models import Verdict
from rooftree.compliance.rule_changes import approved_changes, change_approval
from rooftree.compliance.rule_changes.change_approval import BadChange, ChangeGrounds
from rooftree.compliance.rule_changes.models import RuleChange
from rooftree.flow import clock, message_dispatch, rule_change_process
from rooftree.ledger.models import Event
from rooftree.org.models import LoanOfficer, StaffNotice
from rooftree.outreach.messages import contact_permissions
from rooftree.outreach.models import Message
from rooftree.reporting import deep_checks
from rooftree.reporting.evidence import chronology_document, evidence_data
from rooftree.routing import response_deadline, work_queue
from tests import make
from tests.flow.in_line import asked, florida, waiting

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[3]
TUESDAY = date(2026, 12, 1)
LATE_SHIFT = {"mon_fri": ["13:00", "20:00"], "sat": ["13:00", "20:00"], "sun": None}
EARLY_SHIFT = {"mon_fri": ["08:00", "11:00"], "sat": ["08:00", "11:00"], "sun": None}


def grounds(from_date=TUESDAY, **changes):
    usual = {"cite": "Fla. HB 761", "why": "The amended statute begins", "counsel": ""}
    return ChangeGrounds(from_date=from_date, **usual | changes)


def proposed(by, item="live", value=LATE_SHIFT, place="FL", **changes):
    return rule_change_process.propose_change(
        place=place, item=item, value=value, grounds=grounds(**changes), by=by, at=make.NOON
    )


def approved(omar, lena, **changes):
    one = proposed(omar, **changes)
    return rule_change_process.approve_change(change_id=one.pk, by=lena, at=make.NOON)


def turn(at):
    """The worker's turn at a moment, and a second later: what is due together leaves apart."""
    for when in (at, at + make.SECOND):
        with clock.freeze(when):
            message_dispatch.send_due_messages(at=when)


@pytest.fixture
def in_line():
    """On that Tuesday at 9, the day before, on the Sunday after; one in California, one e-mail."""
    return {
        "tuesday": waiting(asked("Ann"), florida("2026-12-01T09:00")),
        "monday": waiting(asked("Bea"), florida("2026-11-30T09:00")),
        "sunday": waiting(asked("Cal"), florida("2026-12-06T14:00")),
        "california": waiting(asked("Dee", "213", "CA"), florida("2026-12-01T13:30")),
        "mail": waiting(asked("Eve"), florida("2026-12-01T09:00"), "email"),
    }


def test_the_dry_run_names_what_then_really_moves(in_line, omar, lena):
    one = proposed(omar)
    rule_change_process.run_dry_run(change_id=one.pk, at=make.NOON)
    one.refresh_from_db()
    moved = {line["message"]: line for line in one.dry_run["first"]}

    assert (one.dry_run["messages"], one.dry_run["later"]) == (5, 2)
    assert set(moved) == {str(in_line["tuesday"].pk), str(in_line["sunday"].pk)}
    rule_change_process.approve_change(change_id=one.pk, by=lena, at=make.NOON)
    for message in sorted(in_line.values(), key=lambda each: each.due_at):
        due_at = message.due_at
        turn(due_at)
        message.refresh_from_db()
        told = moved.get(str(message.pk))
        assert message.state == ("held" if told else "sent"), message.problem
        if told:
            assert datetime.fromisoformat(told["now"]) == due_at
            assert datetime.fromisoformat(told["then"]) == message.due_at
            assert f"(rule change {one.number})" in json.dumps(message.verdict.results)


def test_what_is_held_goes_earlier_when_a_change_opens_the_day(in_line, omar, lena):
    """All of Florida's are in hand on a Sunday that was closed, until counsel says otherwise."""
    sunday = in_line["sunday"]
    approved(omar, lena)
    turn(sunday.due_at)
    sunday.refresh_from_db()
    assert sunday.state == "held"
    monday, at = sunday.due_at, florida("2026-12-06T14:30")
    one = change_approval.propose_change(
        place="FL", item="live", value="federal",
        grounds=grounds(at.date(), counsel="Memo 4 of Baker & Lowe"), by=omar, at=at,
    )  # fmt: skip
    rule_change_process.run_dry_run(change_id=one.pk, at=at)
    one.refresh_from_db()
    assert one.is_looser
    assert one.dry_run["earlier"] == 3

    rule_change_process.approve_change(change_id=one.pk, by=lena, at=at)
    turn(at)

    sunday.refresh_from_db()
    assert monday > at
    assert sunday.state == "sent"
    assert sunday.sent_at - at <= make.SECOND


def test_a_dry_run_writes_no_verdict_and_moves_nothing(in_line, omar):
    verdicts, due = Verdict.objects.count(), sorted(one.due_at for one in in_line.values())

    rule_change_process.run_dry_run(change_id=proposed(omar).pk, at=make.NOON)

    assert Verdict.objects.count() == verdicts
    assert sorted(Message.objects.filter(state="waiting").values_list("due_at", flat=True)) == due


def test_a_proposal_decides_nothing_until_a_second_person_approves(omar, lena):
    lead = asked("Ann")
    one = proposed(omar, from_date=make.NOON.date())
    assert (
        contact_permissions.permissions_of_lead(lead.pk, at=make.NOON)["call"].decision == "allow"
    )

    with pytest.raises(BadChange, match="Somebody else"):
        rule_change_process.approve_change(change_id=one.pk, by=omar, at=make.NOON)
    rule_change_process.approve_change(change_id=one.pk, by=lena, at=make.NOON)

    badge = contact_permissions.permissions_of_lead(lead.pk, at=make.NOON)["call"]
    assert badge.decision == "defer"
    assert "before 1:00 PM" in badge.sentence
    said = {
        event.kind.split(".")[-1]: event
        for event in Event.objects.filter(kind__startswith="compliance.rule_change.")
    }
    assert {kind: one.actor for kind, one in said.items()} == {
        "written": f"user:{omar.pk}", "approved": f"user:{lena.pk}",
    }  # fmt: skip
    assert said["written"].data["why"] == "The amended statute begins"
    assert StaffNotice.objects.filter(user=lena, kind="rule_change").count() == 1
    assert StaffNotice.objects.filter(user=omar, kind="rule_change").count() == 1


def test_the_database_itself_asks_for_a_second_person_of_compliance(omar, lena):
    one = proposed(omar)
    rows = RuleChange.objects.filter(pk=one.pk)
    tampa = make.user("compliance", branch=make.branch("Tampa"))
    for by in (omar, make.user("administrator"), make.user("operations"), tampa):
        with pytest.raises((IntegrityError, ProgrammingError)), atomic():
            rows.update(approved_by=by, approved_at=make.NOON)
    for changes in ({"value": "[]"}, {"from_date": TUESDAY + make.DAY}, {"cite": "Other"}):
        with pytest.raises(ProgrammingError, match="cannot be changed"), atomic():
            rows.update(**changes)
    rule_change_process.approve_change(change_id=one.pk, by=lena, at=make.NOON)
    for changes in ({"approved_by": None, "approved_at": None}, {"dry_run": {}}):
        with pytest.raises((IntegrityError, ProgrammingError)), atomic():
            rows.update(**changes)
    with pytest.raises(ProgrammingError, match="permission denied"), atomic():
        rows.delete()


def test_a_change_that_lets_more_through_needs_counsels_document(omar):
    wide = {day: ["08:00", "21:00"] for day in ("mon_fri", "sat", "sun")}
    with pytest.raises(BadChange, match="Name the document") as refused:
        proposed(omar, value=wide)
    assert refused.value.field == "counsel"

    assert proposed(omar, value=wide, counsel="Memo 4 of Baker & Lowe").is_looser
    with pytest.raises(IntegrityError, match="rule_change_looser_has_counsel"), atomic():
        RuleChange.objects.create(
            number=99, place="GA", item="caps", value="[]", from_date=TUESDAY, cite="a", why="b",
            is_looser=True, written_by=omar, written_at=make.NOON,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"from_date": make.NOON.date() - make.DAY}, "from_date", "from today on"),
        ({"from_date": date(2036, 12, 1)}, "from_date", "two years"),
        ({"cite": " "}, "cite", "Name the law"),
        ({"why": ""}, "why", "Say why"),
        ({"item": "caps", "value": [{"n": 3, "days": 1}]}, "", "already"),
    ],
)  # fmt: skip
def test_a_change_that_cannot_be_so_is_refused(changes, field, said, omar):
    with pytest.raises(BadChange, match=said) as refused:
        proposed(omar, **changes)
    assert refused.value.field == field
    assert not RuleChange.objects.exists()


def test_a_change_whose_day_has_passed_is_not_approved(omar, lena):
    one = proposed(omar)
    with pytest.raises(BadChange, match="Its day is over"):
        rule_change_process.approve_change(
            change_id=one.pk, by=lena, at=make.NOON + timedelta(days=9)
        )


def test_of_one_value_one_change_waits_at_a_time_and_a_dropped_one_never_counts(omar, lena):
    one = proposed(omar, from_date=make.NOON.date())
    with pytest.raises(BadChange, match="waits; decide it first"):
        proposed(lena, value=EARLY_SHIFT)

    change_approval.drop_change(
        change_id=one.pk, reason="The bill was vetoed", by=lena, at=make.NOON
    )

    assert approved_changes.load_approved_changes() == ()
    with pytest.raises(BadChange, match="decided about it already"):
        rule_change_process.approve_change(change_id=one.pk, by=lena, at=make.NOON)
    proposed(lena, value=EARLY_SHIFT)


def test_a_withdrawn_change_ends_on_its_day_and_what_was_decided_stays_derivable(omar, lena):
    lead = asked("Ann")
    one = approved(omar, lena, from_date=make.NOON.date())
    held = contact_permissions.decide_call(lead_id=lead.pk, cause="test:1", at=make.NOON)
    ends = grounds(make.NOON.date() + make.DAY, why="A court stayed it")
    end = rule_change_process.propose_withdrawal(change=one, grounds=ends, by=omar, at=make.NOON)
    tomorrow = make.NOON + make.DAY
    make.Company.objects.update(emergencies_checked_at=tomorrow)
    assert contact_permissions.permissions_of_lead(lead.pk, at=tomorrow)["call"].decision == "defer"

    rule_change_process.approve_change(change_id=end.pk, by=lena, at=make.NOON)

    assert (
        contact_permissions.permissions_of_lead(lead.pk, at=make.NOON)["call"].decision == "defer"
    )
    assert contact_permissions.permissions_of_lead(lead.pk, at=tomorrow)["call"].decision == "allow"
    assert deep_checks.is_same_verdict(held)
    with pytest.raises(BadChange, match="withdrawn already"):
        rule_change_process.propose_withdrawal(change=one, grounds=ends, by=omar, at=make.NOON)


def test_the_deep_check_derives_a_verdict_under_a_change_and_finds_an_altered_one(omar, lena):
    lead = asked("Ann")
    before = contact_permissions.decide_call(lead_id=lead.pk, cause="test:1", at=make.NOON)
    approved(omar, lena, from_date=make.NOON.date())
    after = contact_permissions.decide_call(lead_id=lead.pk, cause="test:2", at=make.NOON)
    assert (before.decision, after.decision) == ("allow", "defer")
    assert [one["number"] for one in after.facts["amendments"]] == [1]
    for check in deep_checks.DEEP_CHECKS[:3]:
        assert check(make.NOON).holds, check.__name__

    with connection.cursor() as cursor:
        cursor.execute("set local session authorization default")  # the owner: nobody else can
        cursor.execute(
            "update verdict set facts = jsonb_set(facts, '{amendments}', '[]') where id = %s",
            [after.pk],
        )

    assert [check(make.NOON).holds for check in deep_checks.DEEP_CHECKS[:3]] == [
        False,
        False,
        False,
    ]


def test_the_evidence_file_names_the_change_that_counted_and_its_two_people(omar, lena):
    lead = asked("Ann")
    approved(omar, lena, from_date=make.NOON.date())
    contact_permissions.decide_call(lead_id=lead.pk, cause="test:1", at=make.NOON)

    found = evidence_data.collect_evidence(lead.person.phones.get().e164, at=make.NOON)

    (change,) = found["rule_changes"]
    assert (change["number"], change["written_by"], change["approved_by"]) == (
        1, "Omar Haddad", "Lena Park",
    )  # fmt: skip
    lines = chronology_document.build_chronology(found)["lines"]
    said = "\n".join(rule for line in lines for it in line["decided"] for rule in it["rules"])
    assert (
        "Rule change 1, Florida, hours for calls and texts: Mon–Sat 1 PM–8 PM, Sun closed" in said
    )
    assert "(Fla. HB 761). Without it: " in said


def test_old_verdicts_without_the_fact_of_changes_are_derived_as_before(omar, lena):
    verdict = contact_permissions.decide_call(lead_id=asked("Ann").pk, cause="test:1", at=make.NOON)
    older = {name: value for name, value in verdict.facts.items() if name != "amendments"}

    assert message_gate.decide(facts_json.facts_from_json(older)).decision.value == verdict.decision
    assert not verdict_checker.find_objections(older)


def test_the_queue_and_the_promise_of_a_call_go_by_the_changed_hours(omar, lena):
    dana = LoanOfficer.objects.get()
    lead = make.lead(officer=dana, property_zip="33602")

    def opens():
        (row,) = work_queue.list_rows(dana.user, at=make.NOON)
        return row.opens_at

    soon = make.NOON + make.MINUTE
    assert opens() is None
    assert response_deadline.callable_deadline_of_lead(lead, by=soon, at=make.NOON) == soon

    approved(omar, lena, from_date=make.NOON.date())

    one = florida("2026-11-23T13:00")
    assert opens() == one
    assert (
        response_deadline.callable_deadline_of_lead(lead, by=soon, at=make.NOON)
        == one + make.MINUTE
    )


def test_a_changed_age_of_lists_is_the_one_that_pages_and_loading_go_by(omar, lena):
    today = make.NOON.date()
    approved(omar, lena, item="dnc_scrub_days", value=20, place="US", from_date=today)

    assert loaded_lists.max_copy_age_days(today) == 20
    assert loaded_lists.max_copy_age_days(today - make.DAY) == 31


def test_a_decision_asks_the_database_no_more_often_than_without_changes(omar, lena):
    lead = asked("Ann")

    def statements():
        with CaptureQueriesContext(connection) as spent:
            contact_permissions.permissions_of_lead(lead.pk, at=make.NOON)
        return len(spent)

    before = statements()
    approved(omar, lena)

    assert statements() == before


def test_another_process_decides_by_a_change_from_the_moment_it_is_approved(committed, omar, lena):
    held = connection.settings_dict
    order = {
        "database": {"NAME": held["NAME"], "HOST": held["HOST"]},
        "lead": str(asked("Ann").pk), "at": make.NOON.isoformat(),
    }  # fmt: skip
    other = subprocess.Popen(
        [sys.executable, "-m", "tests.flow.rules.deciding"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    assert other.stdin
    assert other.stdout
    said = []
    try:
        other.stdin.write(f"{json.dumps(order)}\n")
        for step in (None, approved):
            if step:
                step(omar, lena, from_date=make.NOON.date())
            other.stdin.write("again\n")
            other.stdin.flush()
            said.append(other.stdout.readline().strip())
        other.stdin.close()
        other.wait(timeout=30)
    finally:
        other.kill()

    assert said == ["allow", "defer"]

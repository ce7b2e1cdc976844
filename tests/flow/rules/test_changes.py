"""Rule changes: dry run on queued messages, approval by a second person, effect on its day."""

import json
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
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
from tests.flow.in_line import create_consented_lead, florida_time, queue_message

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[3]
TUESDAY = date(2026, 12, 1)
LATE_SHIFT = {"mon_fri": ["13:00", "20:00"], "sat": ["13:00", "20:00"], "sun": None}
EARLY_SHIFT = {"mon_fri": ["08:00", "11:00"], "sat": ["08:00", "11:00"], "sun": None}


def grounds(from_date=TUESDAY, **changes):
    defaults = {"cite": "Fla. HB 761", "why": "The amended statute begins", "counsel": ""}
    return ChangeGrounds(from_date=from_date, **defaults | changes)


def propose_change(by, item="live", value=LATE_SHIFT, place="FL", **changes):
    return rule_change_process.propose_change(
        place=place, item=item, value=value, grounds=grounds(**changes), by=by, at=make.NOON
    )


def approve_change(omar, lena, **changes):
    change = propose_change(omar, **changes)
    return rule_change_process.approve_change(change_id=change.pk, by=lena, at=make.NOON)


def send_due_at(at):
    """Send due messages at a moment and a second later, as messages due together are spread."""
    for when in (at, at + make.SECOND):
        with clock.freeze(when):
            message_dispatch.send_due_messages(at=when)


@pytest.fixture
def queued_messages():
    """Queue messages for that Tuesday, the day before, the Sunday after; California; e-mail."""
    return {
        "tuesday": queue_message(create_consented_lead("Ann"), florida_time("2026-12-01T09:00")),
        "monday": queue_message(create_consented_lead("Bea"), florida_time("2026-11-30T09:00")),
        "sunday": queue_message(create_consented_lead("Cal"), florida_time("2026-12-06T14:00")),
        "california": queue_message(
            create_consented_lead("Dee", "213", "CA"), florida_time("2026-12-01T13:30")
        ),
        "mail": queue_message(
            create_consented_lead("Eve"), florida_time("2026-12-01T09:00"), "email"
        ),
    }


def test_dry_run_names_messages_that_then_move(queued_messages, omar, lena):
    change = propose_change(omar)
    rule_change_process.run_dry_run(change_id=change.pk, at=make.NOON)
    change.refresh_from_db()
    predicted = {line["message"]: line for line in change.dry_run["first"]}

    assert (change.dry_run["messages"], change.dry_run["later"]) == (5, 2)
    assert set(predicted) == {str(queued_messages["tuesday"].pk), str(queued_messages["sunday"].pk)}
    rule_change_process.approve_change(change_id=change.pk, by=lena, at=make.NOON)
    for message in sorted(queued_messages.values(), key=lambda queued: queued.due_at):
        due_at = message.due_at
        send_due_at(due_at)
        message.refresh_from_db()
        prediction = predicted.get(str(message.pk))
        assert message.state == ("held" if prediction else "sent"), message.problem
        if prediction:
            assert datetime.fromisoformat(prediction["now"]) == due_at
            assert datetime.fromisoformat(prediction["then"]) == message.due_at
            assert f"(rule change {change.number})" in json.dumps(message.verdict.results)


def test_looser_rule_change_sends_held_message_earlier(queued_messages, omar, lena):
    """Open a closed Sunday in Florida with counsel's document."""
    sunday = queued_messages["sunday"]
    approve_change(omar, lena)
    send_due_at(sunday.due_at)
    sunday.refresh_from_db()
    assert sunday.state == "held"
    monday, at = sunday.due_at, florida_time("2026-12-06T14:30")
    change = change_approval.propose_change(
        place="FL", item="live", value="federal",
        grounds=grounds(at.date(), counsel="Memo 4 of Baker & Lowe"), by=omar, at=at,
    )  # fmt: skip
    rule_change_process.run_dry_run(change_id=change.pk, at=at)
    change.refresh_from_db()
    assert change.is_looser
    assert change.dry_run["earlier"] == 3

    rule_change_process.approve_change(change_id=change.pk, by=lena, at=at)
    send_due_at(at)

    sunday.refresh_from_db()
    assert monday > at
    assert sunday.state == "sent"
    assert sunday.sent_at - at <= make.SECOND


def test_dry_run_writes_no_verdict_and_moves_no_message(queued_messages, omar):
    verdicts, due_times = (
        Verdict.objects.count(),
        sorted(message.due_at for message in queued_messages.values()),
    )

    rule_change_process.run_dry_run(change_id=propose_change(omar).pk, at=make.NOON)

    assert Verdict.objects.count() == verdicts
    assert (
        sorted(Message.objects.filter(state="waiting").values_list("due_at", flat=True))
        == due_times
    )


def test_rule_change_has_no_effect_until_second_person_approves(omar, lena):
    lead = create_consented_lead("Ann")
    change = propose_change(omar, from_date=make.NOON.date())
    assert (
        contact_permissions.permissions_of_lead(lead.pk, at=make.NOON)["call"].decision == "allow"
    )

    with pytest.raises(BadChange, match="your own change"):
        rule_change_process.approve_change(change_id=change.pk, by=omar, at=make.NOON)
    rule_change_process.approve_change(change_id=change.pk, by=lena, at=make.NOON)

    badge = contact_permissions.permissions_of_lead(lead.pk, at=make.NOON)["call"]
    assert badge.decision == "defer"
    assert "before 1:00 PM" in badge.sentence
    events = {
        event.kind.split(".")[-1]: event
        for event in Event.objects.filter(kind__startswith="compliance.rule_change.")
    }
    assert {kind: event.actor for kind, event in events.items()} == {
        "written": f"user:{omar.pk}", "approved": f"user:{lena.pk}",
    }  # fmt: skip
    assert events["written"].data["why"] == "The amended statute begins"
    assert StaffNotice.objects.filter(user=lena, kind="rule_change").count() == 1
    assert StaffNotice.objects.filter(user=omar, kind="rule_change").count() == 1


def test_database_requires_second_compliance_approver(omar, lena):
    change = propose_change(omar)
    rows = RuleChange.objects.filter(pk=change.pk)
    tampa = make.user("compliance", branch=make.branch("Tampa"))
    for by in (omar, make.user("administrator"), make.user("operations"), tampa):
        with pytest.raises((IntegrityError, ProgrammingError)), atomic():
            rows.update(approved_by=by, approved_at=make.NOON)
    for changes in ({"value": "[]"}, {"from_date": TUESDAY + make.DAY}, {"cite": "Other"}):
        with pytest.raises(ProgrammingError, match="cannot be changed"), atomic():
            rows.update(**changes)
    rule_change_process.approve_change(change_id=change.pk, by=lena, at=make.NOON)
    for changes in ({"approved_by": None, "approved_at": None}, {"dry_run": {}}):
        with pytest.raises((IntegrityError, ProgrammingError)), atomic():
            rows.update(**changes)
    with pytest.raises(ProgrammingError, match="permission denied"), atomic():
        rows.delete()


def test_looser_rule_change_requires_counsel_document(omar):
    wide = {day: ["08:00", "21:00"] for day in ("mon_fri", "sat", "sun")}
    with pytest.raises(BadChange, match="Name the document") as refused:
        propose_change(omar, value=wide)
    assert refused.value.field == "counsel"

    assert propose_change(omar, value=wide, counsel="Memo 4 of Baker & Lowe").is_looser
    with pytest.raises(IntegrityError, match="rule_change_looser_has_counsel"), atomic():
        RuleChange.objects.create(
            number=99, place="GA", item="caps", value="[]", from_date=TUESDAY, cite="a", reason="b",
            is_looser=True, written_by=omar, written_at=make.NOON,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"from_date": make.NOON.date() - make.DAY}, "from_date", "today or a later day"),
        ({"from_date": date(2036, 12, 1)}, "from_date", "two years"),
        ({"cite": " "}, "cite", "Name the law"),
        ({"why": ""}, "why", "Enter a reason"),
        ({"item": "caps", "value": [{"n": 3, "days": 1}]}, "", "already"),
    ],
)  # fmt: skip
def test_invalid_rule_change_is_refused(changes, field, reason, omar):
    with pytest.raises(BadChange, match=reason) as refused:
        propose_change(omar, **changes)
    assert refused.value.field == field
    assert not RuleChange.objects.exists()


def test_rule_change_with_past_date_cannot_be_approved(omar, lena):
    change = propose_change(omar)
    with pytest.raises(BadChange, match="start date has passed"):
        rule_change_process.approve_change(
            change_id=change.pk, by=lena, at=make.NOON + timedelta(days=9)
        )


def test_value_has_one_waiting_change_and_dropped_change_never_counts(omar, lena):
    change = propose_change(omar, from_date=make.NOON.date())
    with pytest.raises(BadChange, match="Decide change 1 of this value first"):
        propose_change(lena, value=EARLY_SHIFT)

    change_approval.drop_change(
        change_id=change.pk, reason="The bill was vetoed", by=lena, at=make.NOON
    )

    assert approved_changes.load_approved_changes() == ()
    with pytest.raises(BadChange, match="already decided"):
        rule_change_process.approve_change(change_id=change.pk, by=lena, at=make.NOON)
    propose_change(lena, value=EARLY_SHIFT)


def test_withdrawn_rule_change_ends_on_its_day_and_verdicts_stay_derivable(omar, lena):
    lead = create_consented_lead("Ann")
    change = approve_change(omar, lena, from_date=make.NOON.date())
    verdict = contact_permissions.decide_call(lead_id=lead.pk, cause="test:1", at=make.NOON)
    end_grounds = grounds(make.NOON.date() + make.DAY, why="A court stayed it")
    withdrawal = rule_change_process.propose_withdrawal(
        change=change, grounds=end_grounds, by=omar, at=make.NOON
    )
    tomorrow = make.NOON + make.DAY
    make.Company.objects.update(emergencies_checked_at=tomorrow)
    assert contact_permissions.permissions_of_lead(lead.pk, at=tomorrow)["call"].decision == "defer"

    rule_change_process.approve_change(change_id=withdrawal.pk, by=lena, at=make.NOON)

    assert (
        contact_permissions.permissions_of_lead(lead.pk, at=make.NOON)["call"].decision == "defer"
    )
    assert contact_permissions.permissions_of_lead(lead.pk, at=tomorrow)["call"].decision == "allow"
    assert deep_checks.is_same_verdict(verdict)
    with pytest.raises(BadChange, match="already withdrawn"):
        rule_change_process.propose_withdrawal(
            change=change, grounds=end_grounds, by=omar, at=make.NOON
        )


def test_deep_check_derives_verdict_under_change_and_detects_alteration(omar, lena):
    lead = create_consented_lead("Ann")
    before = contact_permissions.decide_call(lead_id=lead.pk, cause="test:1", at=make.NOON)
    approve_change(omar, lena, from_date=make.NOON.date())
    after = contact_permissions.decide_call(lead_id=lead.pk, cause="test:2", at=make.NOON)
    assert (before.decision, after.decision) == ("allow", "defer")
    assert [amendment["number"] for amendment in after.facts["amendments"]] == [1]
    for check in deep_checks.DEEP_CHECKS[:3]:
        assert check(make.NOON).holds, check.__name__

    with connection.cursor() as cursor:
        cursor.execute("set local session authorization default")  # only the owner can do this
        cursor.execute(
            "update verdict set facts = jsonb_set(facts, '{amendments}', '[]') where id = %s",
            [after.pk],
        )

    assert [check(make.NOON).holds for check in deep_checks.DEEP_CHECKS[:3]] == [
        False,
        False,
        False,
    ]


def test_evidence_file_names_rule_change_and_both_approvers(omar, lena):
    lead = create_consented_lead("Ann")
    approve_change(omar, lena, from_date=make.NOON.date())
    contact_permissions.decide_call(lead_id=lead.pk, cause="test:1", at=make.NOON)

    evidence = evidence_data.collect_evidence(lead.person.phones.get().e164, at=make.NOON)

    (change,) = evidence["rule_changes"]
    assert (change["number"], change["written_by"], change["approved_by"]) == (
        1, "Omar Haddad", "Lena Park",
    )  # fmt: skip
    lines = chronology_document.build_chronology(evidence)["lines"]
    rule_text = "\n".join(
        rule for line in lines for decision in line["decided"] for rule in decision["rules"]
    )
    assert (
        "Rule change 1, Florida, hours for calls and texts: Mon–Sat 1 PM–8 PM, Sun closed"
        in rule_text
    )
    assert "(Fla. HB 761). Without it: " in rule_text


def test_old_verdicts_without_rule_changes_are_derived_as_before(omar, lena):
    verdict = contact_permissions.decide_call(
        lead_id=create_consented_lead("Ann").pk, cause="test:1", at=make.NOON
    )
    older = {name: value for name, value in verdict.facts.items() if name != "amendments"}

    assert message_gate.decide(facts_json.facts_from_json(older)).decision.value == verdict.decision
    assert not verdict_checker.find_objections(older)


def test_queue_and_response_deadline_use_changed_hours(omar, lena):
    dana = LoanOfficer.objects.get()
    lead = make.lead(officer=dana, property_zip="33602")

    def opens():
        (row,) = work_queue.list_rows(dana.user, at=make.NOON)
        return row.opens_at

    soon = make.NOON + make.MINUTE
    assert opens() is None
    assert response_deadline.callable_deadline_of_lead(lead, by=soon, at=make.NOON) == soon

    approve_change(omar, lena, from_date=make.NOON.date())

    opening = florida_time("2026-11-23T13:00")
    assert opens() == opening
    assert (
        response_deadline.callable_deadline_of_lead(lead, by=soon, at=make.NOON)
        == opening + make.MINUTE
    )


def test_changed_dnc_list_age_applies_to_pages_and_loading(omar, lena):
    today = make.NOON.date()
    approve_change(omar, lena, item="dnc_scrub_days", value=20, place="US", from_date=today)

    assert loaded_lists.max_copy_age_days(today) == 20
    assert loaded_lists.max_copy_age_days(today - make.DAY) == 31


def test_rule_changes_add_no_queries_to_a_decision(omar, lena):
    lead = create_consented_lead("Ann")

    def statements():
        with CaptureQueriesContext(connection) as queries:
            contact_permissions.permissions_of_lead(lead.pk, at=make.NOON)
        return len(queries)

    before = statements()
    approve_change(omar, lena)

    assert statements() == before


def test_approved_rule_change_applies_in_other_process_at_once(committed, omar, lena):
    database = connection.settings_dict
    instructions = {
        "database": {"NAME": database["NAME"], "HOST": database["HOST"]},
        "keys": settings.FIELD_KEYS,
        "lead": str(create_consented_lead("Ann").pk), "at": make.NOON.isoformat(),
    }  # fmt: skip
    other = subprocess.Popen(
        [sys.executable, "-m", "tests.flow.rules.deciding"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    assert other.stdin
    assert other.stdout
    answers = []
    try:
        other.stdin.write(f"{json.dumps(instructions)}\n")
        for step in (None, approve_change):
            if step:
                step(omar, lena, from_date=make.NOON.date())
            other.stdin.write("again\n")
            other.stdin.flush()
            answers.append(other.stdout.readline().strip())
        other.stdin.close()
        other.wait(timeout=30)
    finally:
        other.kill()

    assert answers == ["allow", "defer"]

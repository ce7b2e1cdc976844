"""Invariants: each is broken by hand with SQL and must fail."""

import io
import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from rooftree.compliance.gate import facts_json, message_gate
from rooftree.compliance.gate.facts import Facts, Medium, Purpose
from rooftree.leads.models import ContactAttempt, Loan
from rooftree.ledger.seal import seal_events
from rooftree.ledger.write_events import write_event
from rooftree.outreach.messages import message_verdicts
from rooftree.outreach.models import Message
from rooftree.reporting import deep_checks, invariants
from rooftree.reporting.invariants import INVARIANTS
from rooftree.reporting.rollups import rollup_deltas
from rooftree.retention.removal_check import check_removals
from rooftree.routing import assign_leads
from rooftree.routing.models import Ownership
from tests import make
from tests.ledger import unguarded


def run_sql(statement):
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")  # otherwise no table can be altered
        cursor.execute(statement)


def make_verdict(lead, *, idempotency_key, decision="allow"):
    """Store a verdict row as the gate would, with a given decision."""
    facts = Facts(medium=Medium.TEXT, purpose=Purpose.MARKETING)
    row = message_verdicts.store_verdict(
        message_gate.decide(facts),
        facts,
        lead=lead,
        subject_key=idempotency_key,
        stage="handoff",
        at=make.NOON,
    )
    type(row).objects.filter(pk=row.pk).update(decision=decision)
    row.refresh_from_db()
    return row


def sent_text(lead, **changes):
    message = Message.objects.create(
        **{
            "lead": lead,
            "person": lead.person,
            "medium": "text",
            "purpose": "marketing",
            "idempotency_key": f"test:{make.number()}",
            "to_address": lead.person.phones.get().e164,
            "body": "Hello",
            "state": "sent",
            "created_at": make.NOON,
            "sent_at": make.NOON,
            **changes,
        }
    )
    if "verdict" not in changes:
        message.verdict = make_verdict(lead, idempotency_key=f"message:{message.pk}")
        message.save()
    ContactAttempt.objects.create(
        lead=lead,
        person=lead.person,
        medium="text",
        at=make.NOON,
        idempotency_key=f"message:{message.pk}",
    )
    return message


@pytest.fixture
def funded_lead(db):
    """Make a lead that was texted, owned and funded; all counted and sealed."""
    officer = make.officer(licensed=("FL",))
    lead = make.lead()
    make.touch(lead)
    rollup_deltas.count_lead(lead)
    sent_text(lead)
    Ownership.objects.create(lead=lead, officer=officer, from_at=make.NOON)
    loan = Loan.objects.create(
        lead=lead,
        los="encompass",
        instance="main",
        los_loan_id="1",
        funded_date=make.NOON.date(),
        created_at=make.NOON,
    )
    rollup_deltas.append_missing_deltas(lead.pk)
    assert loan.funded_date
    write_event("test.thing.happened", at=make.NOON)
    seal_events(at=make.NOON)
    return lead


def test_all_invariants_hold_on_normal_data(funded_lead):
    for check in (*INVARIANTS, check_removals):
        finding = check(make.NOON)
        assert finding.holds, finding


BREAKS = {  # SQL that breaks an invariant, and the check that must fail
    "a delivery loses its due time": (
        "update delivery set state = 'received', due_at = null",
        invariants.check_deliveries_accounted_for,
    ),
    "a delivery is closed without a reason": (
        "update delivery set state = 'closed', reason = '', outcome = ''",
        invariants.check_deliveries_accounted_for,
    ),
    "a worked delivery lost its touch": (
        "delete from touch",
        invariants.check_deliveries_accounted_for,
    ),
    "a sent message loses its verdict": (
        "update message set verdict_id = null",
        invariants.check_messages_had_verdict,
    ),
    "a message was sent on a blocking verdict": (
        "update verdict set decision = 'block'",
        invariants.check_messages_had_verdict,
    ),
    "a message was sent on another message's verdict": (
        "update verdict set idempotency_key = 'message:another'",
        invariants.check_messages_had_verdict,
    ),
    "the verdict came after the message": (
        "update verdict set at = at + interval '1 hour'",
        invariants.check_messages_had_verdict,
    ),
    "a message of unknown fate has no verdict": (
        "update message set state = 'uncertain', sent_at = null, verdict_id = null",
        invariants.check_messages_had_verdict,
    ),
    "the same message twice": (
        "alter table message drop constraint one_message_a_cause; "
        "create temp table twin as select * from message; "
        "update twin set id = gen_random_uuid(); insert into message select * from twin",
        invariants.check_no_duplicates,
    ),
    "a sent message is not counted as an attempt": (
        "delete from contact_attempt",
        invariants.check_no_duplicates,
    ),
    "a license ends behind the triggers": (
        "alter table license disable trigger user; delete from license",
        invariants.check_officers_entitled,
    ),
    "the officer is gone behind the triggers": (
        "alter table loan_officer disable trigger user; "
        "update loan_officer set terminated_at = '2026-01-01'",
        invariants.check_officers_entitled,
    ),
    "a funded loan's lead has no first touch": (
        "update touch set is_first = false",
        invariants.check_attribution,
    ),
    "the lead's source is not its first touch's": (
        "update lead set source_id = (select id from source where slug = 'other')",
        invariants.check_attribution,
    ),
    "a sum is changed": (
        "update rollup_delta set amount = amount + 1",
        invariants.check_money_sums,
    ),
    "a sum is lost": ("delete from rollup_delta", invariants.check_money_sums),
    "a loan funds uncounted": (
        "update loan set funded_date = null",
        invariants.check_money_sums,
    ),
    "an event is changed": ("update event set actor = 'nobody'", invariants.check_ledger_chain),
    "an event is removed": (
        "delete from event where sequence = 1",
        invariants.check_ledger_chain,
    ),
    "a lead shows an officer who does not own it": (
        "alter table ownership disable trigger user; delete from ownership",
        invariants.check_owner_mirrored,
    ),
    "a lead does not show its owner": (
        "alter table lead disable trigger user; update lead set officer_id = null",
        invariants.check_owner_mirrored,
    ),
}


@pytest.mark.parametrize("breakage", BREAKS)
def test_broken_invariant_is_detected(funded_lead, breakage):
    make.source(slug="other")
    write_event("test.thing.happened", at=make.NOON)
    seal_events(at=make.NOON)
    statement, check = BREAKS[breakage]
    assert check(make.NOON).holds

    with unguarded.ledger():
        run_sql(statement)

    finding = check(make.NOON)
    assert not finding.holds
    assert finding.offenders


def test_overdue_delivery_is_reported_but_does_not_fail(funded_lead):
    make.delivery(state="received", due_at=make.NOON - 2 * make.HOUR)

    finding = invariants.check_deliveries_accounted_for(make.NOON)

    assert finding.holds
    assert finding.figures["waiting_over_an_hour"] == 1
    total = sum(finding.figures[state] for state in ("received", "worked"))
    assert total > 1
    assert finding.sentence.startswith(f"{total} deliveries = ")
    assert "1 waiting with a due time" in finding.sentence


def test_unsealed_events_are_reported_but_do_not_fail(funded_lead):
    write_event("test.thing.happened", at=make.NOON)

    finding = invariants.check_ledger_chain(make.NOON)

    assert finding.holds
    assert finding.figures["unsealed"] == 1


@pytest.mark.django_db
def test_deep_check_rederives_every_verdict():
    lead = make.lead()
    facts = Facts(medium=Medium.TEXT, purpose=Purpose.MARKETING)
    for _ in range(3):
        message_verdicts.store_verdict(
            message_gate.decide(facts),
            facts,
            lead=lead,
            subject_key="test",
            stage="planned",
            at=make.NOON,
        )
    assert deep_checks.check_verdicts_rederive(make.NOON).holds
    assert deep_checks.check_facts_unchanged(make.NOON).holds
    assert deep_checks.check_verdicts_rederive(make.NOON).figures["derived"] == 3

    run_sql(
        "update verdict set decision = 'allow' where id = (select min(id::text)::uuid from verdict)"
    )

    finding = deep_checks.check_verdicts_rederive(make.NOON)
    assert not finding.holds
    assert len(finding.offenders) == 1
    assert deep_checks.check_facts_unchanged(make.NOON).holds


@pytest.mark.django_db
def test_deep_check_finds_changed_facts():
    facts = Facts(medium=Medium.TEXT, purpose=Purpose.MARKETING)
    message_verdicts.store_verdict(
        message_gate.decide(facts),
        facts,
        lead=make.lead(),
        subject_key="test",
        stage="planned",
        at=make.NOON,
    )
    assert facts_json.facts_hash(facts)

    run_sql("""update verdict set facts = facts || '{"medium": "email"}'""")

    assert not deep_checks.check_facts_unchanged(make.NOON).holds


@pytest.mark.django_db
def test_verdict_of_earlier_rules_version_is_counted_and_skipped():
    facts = Facts(medium=Medium.TEXT, purpose=Purpose.MARKETING)
    message_verdicts.store_verdict(
        message_gate.decide(facts),
        facts,
        lead=make.lead(),
        subject_key="test",
        stage="planned",
        at=make.NOON,
    )
    run_sql("update verdict set rules_version = 'before', decision = 'allow'")

    finding = deep_checks.check_verdicts_rederive(make.NOON)

    assert finding.holds
    assert finding.figures == {"derived": 0, "older": 1}


def run_check(*options):
    out = io.StringIO()
    try:
        call_command("check", *options, stdout=out)
    except CommandError as error:
        return error.returncode, out.getvalue()
    return 0, out.getvalue()


def test_check_command_prints_each_invariant_and_exits_0(funded_lead):
    code, output = run_check()

    assert code == 0, output
    assert output.count("holds ") == len(INVARIANTS) + 2
    assert "1 deliveries = 1 worked" in output


def test_check_command_exits_1_and_names_the_offender(funded_lead):
    run_sql("update message set verdict_id = null")

    code, output = run_check()

    assert code == 1
    assert f"message:{Message.objects.get().pk}" in output


def test_check_command_prints_json(funded_lead):
    code, output = run_check("--json", "--deep")

    report = json.loads(output)
    names = [finding["name"] for finding in report["findings"]]
    assert names[:3] == ["set-up", "conservation", "one door"]
    assert {"verdicts", "facts", "routing"} <= set(names)
    assert report["holds"] is (code == 0)


def test_deep_check_rederives_routing_decisions(cast):
    assign_leads.assign_to_best_officer(lead_id=cast.ben.pk, at=make.NOON)
    assert deep_checks.check_routing_rederives(make.NOON).figures["decisions"] == 1
    assert deep_checks.check_routing_rederives(make.NOON).holds

    run_sql(f"update routing_decision set officer_id = '{cast.sam.pk}'")

    assert not deep_checks.check_routing_rederives(make.NOON).holds


def test_deep_check_finds_changed_routing_inputs(cast):
    assign_leads.assign_to_best_officer(lead_id=cast.ben.pk, at=make.NOON)

    run_sql("update routing_decision set inputs = jsonb_set(inputs, '{lead,state}', '\"ZZ\"')")

    assert not deep_checks.check_routing_rederives(make.NOON).holds

"""A verdict is stored with everything it rests on, so that it can be derived again."""

from dataclasses import replace

import pytest

from rooftree.compliance.gate import facts_json, message_gate
from rooftree.compliance.gate.facts import UNKNOWN
from rooftree.compliance.models import Verdict
from rooftree.outreach.messages import message_verdicts
from rooftree.reporting import deep_checks
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db


@pytest.fixture
def verdicts() -> list[Verdict]:
    journey.set_up_company()
    make.officer("Dana Whitfield", licensed=("FL",))
    journey.deliver(journey.create_website(), journey.form_post())
    journey.deliver(journey.create_zillow(), journey.zillow_contact(), at=journey.later(5))
    return list(Verdict.objects.all())


def test_verdict_follows_again_from_its_stored_facts(verdicts):
    assert {verdict.decision for verdict in verdicts} >= {"allow"}
    for verdict in verdicts:
        again = message_gate.decide(facts_json.facts_from_json(verdict.facts))
        assert (again.decision.value, again.reason) == (verdict.decision, verdict.reason)
        assert [ruling.as_json() for ruling in again.rulings] == verdict.results
    for prove in deep_checks.DEEP_CHECKS:
        assert prove(make.NOON).holds


def test_message_text_is_among_the_facts(verdicts):
    for verdict in verdicts:
        assert "1204417" in verdict.facts["text"]
        assert verdict.rules_version == verdict.facts["rules_version"]


def test_deep_check_finds_changed_facts(verdicts):
    Verdict.objects.filter(pk=verdicts[0].pk).update(
        facts=verdicts[0].facts | {"text": "Something else"}
    )

    assert not deep_checks.check_facts_unchanged(make.NOON).holds


def test_verdict_on_missing_facts_is_stored_as_a_block(verdicts):
    lead = verdicts[0].lead
    facts = facts_json.facts_from_json(verdicts[0].facts)
    poorer = replace(facts, consents=UNKNOWN)

    row = message_verdicts.store_verdict(
        message_gate.decide(poorer),
        poorer,
        lead=lead,
        subject_key="test:1",
        stage="shown",
        at=make.NOON,
    )

    row.refresh_from_db()
    assert (row.decision, row.reason) == ("block", "gate_failed_closed")
    assert message_gate.decide(facts_json.facts_from_json(row.facts)).reason == row.reason

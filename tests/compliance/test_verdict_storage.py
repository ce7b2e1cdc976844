"""A verdict is kept with everything it rests on, so that it can be derived again."""

from dataclasses import replace

import pytest

from rooftree.compliance.gate import facts_json, message_gate, verdict_storage
from rooftree.compliance.gate.facts import UNKNOWN
from rooftree.compliance.models import Verdict
from rooftree.reporting import deep_checks
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db


@pytest.fixture
def kept() -> list[Verdict]:
    journey.ready()
    make.officer("Dana Whitfield", licensed=("FL",))
    journey.deliver(journey.website(), journey.form_post())
    journey.deliver(journey.zillow(), journey.zillow_contact(), at=journey.later(5))
    return list(Verdict.objects.all())


def test_every_verdict_follows_again_from_its_stored_facts(kept):
    assert {one.decision for one in kept} >= {"allow"}
    for one in kept:
        again = message_gate.decide(facts_json.facts_from_json(one.facts))
        assert (again.decision.value, again.reason) == (one.decision, one.reason)
        assert [ruling.as_json() for ruling in again.rulings] == one.results
    for prove in deep_checks.DEEP_CHECKS:
        assert prove(make.NOON).holds


def test_the_words_that_were_judged_are_among_the_facts(kept):
    for one in kept:
        assert "1204417" in one.facts["text"]
        assert one.rules_version == one.facts["rules_version"]


def test_facts_changed_afterwards_are_seen(kept):
    Verdict.objects.filter(pk=kept[0].pk).update(facts=kept[0].facts | {"text": "Something else"})

    assert not deep_checks.check_facts_unchanged(make.NOON).holds


def test_a_verdict_on_too_few_facts_is_kept_as_the_block_it_is(kept):
    lead = kept[0].lead
    facts = facts_json.facts_from_json(kept[0].facts)
    poorer = replace(facts, consents=UNKNOWN)

    row = verdict_storage.store_verdict(
        message_gate.decide(poorer), poorer, lead=lead, subject_key="test:1", stage="shown", at=make.NOON
    )

    row.refresh_from_db()
    assert (row.decision, row.reason) == ("block", "gate_failed_closed")
    assert message_gate.decide(facts_json.facts_from_json(row.facts)).reason == row.reason

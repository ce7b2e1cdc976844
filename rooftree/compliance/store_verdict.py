"""Keeping each verdict with the facts it rests on, so that it can be derived again."""

from datetime import datetime

from rooftree.compliance.facts import Facts
from rooftree.compliance.facts_json import json_hash, to_json
from rooftree.compliance.models import Verdict as VerdictRow
from rooftree.compliance.verdict import Verdict
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Lead
from rooftree.org.insert import insert


def store(
    verdict: Verdict, facts: Facts, *, lead: Lead, cause: str, stage: str, at: datetime
) -> VerdictRow:
    """Write the verdict down. The rendered text is among the facts; `stage` is where we asked."""
    return insert(row(verdict, facts, lead=lead, cause=cause, stage=stage, at=at))


def row(
    verdict: Verdict, facts: Facts, *, lead: Lead, cause: str, stage: str, at: datetime
) -> VerdictRow:
    """As `store` writes it, to be inserted with others."""
    plain = to_json(facts)
    return VerdictRow(
        id=uuid7_at(at),
        lead=lead,
        person_id=lead.person_id,
        cause=cause,
        medium=str(facts.medium),
        purpose=str(facts.purpose),
        stage=stage,
        decision=verdict.decision.value,
        reason=verdict.reason,
        sentence=verdict.sentence[:500],
        next_allowed_at=verdict.next_allowed_at,
        results=[ruling.as_json() for ruling in verdict.rulings],
        facts=plain,
        facts_sha256=json_hash(plain),
        rules_version=verdict.rules_version,
        at=at,
    )


def again(was: VerdictRow, *, stage: str) -> VerdictRow:
    """The same facts asked about at another stage, to be inserted with others."""
    said = {one.attname: getattr(was, one.attname) for one in VerdictRow._meta.concrete_fields}
    return VerdictRow(**said | {"id": uuid7_at(was.at), "stage": stage})

"""Stored verdicts, each with the facts it rests on, so that it can be derived again."""

from datetime import datetime

from rooftree.compliance.gate.facts import Facts
from rooftree.compliance.gate.facts_json import facts_to_json, json_hash
from rooftree.compliance.gate.verdict import Verdict
from rooftree.compliance.models import Verdict as VerdictRow
from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_row
from rooftree.leads.models import Lead


def store_verdict(
    verdict: Verdict, facts: Facts, *, lead: Lead, subject_key: str, stage: str, at: datetime
) -> VerdictRow:
    """Store a verdict and return its row.

    The rendered text is among the facts. `stage` says when the gate was asked.
    """
    return insert_row(
        build_verdict_row(verdict, facts, lead=lead, subject_key=subject_key, stage=stage, at=at)
    )


def build_verdict_row(
    verdict: Verdict, facts: Facts, *, lead: Lead, subject_key: str, stage: str, at: datetime
) -> VerdictRow:
    """Return the row that `store_verdict` inserts, for a bulk insert."""
    facts_json = facts_to_json(facts)
    return VerdictRow(
        id=uuid7_at(at),
        lead=lead,
        person_id=lead.person_id,
        idempotency_key=subject_key,
        medium=str(facts.medium),
        purpose=str(facts.purpose),
        stage=stage,
        decision=verdict.decision.value,
        reason=verdict.reason,
        sentence=verdict.sentence[:500],
        next_allowed_at=verdict.next_allowed_at,
        results=[ruling.as_json() for ruling in verdict.rulings],
        facts=facts_json,
        facts_sha256=json_hash(facts_json),
        rules_version=verdict.rules_version,
        at=at,
    )


def copy_verdict_row(row: VerdictRow, *, stage: str) -> VerdictRow:
    """Return an unsaved copy of a verdict for another stage, for a bulk insert."""
    values = {
        field.attname: getattr(row, field.attname) for field in VerdictRow._meta.concrete_fields
    }
    return VerdictRow(**values | {"id": uuid7_at(row.at), "stage": stage})

"""Keeping each verdict with the facts it rests on, so that it can be derived again."""

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
    """Write the verdict down. The rendered text is among the facts; `stage` is where we asked."""
    return insert_row(build_verdict_row(verdict, facts, lead=lead, subject_key=subject_key, stage=stage, at=at))


def build_verdict_row(
    verdict: Verdict, facts: Facts, *, lead: Lead, subject_key: str, stage: str, at: datetime
) -> VerdictRow:
    """As `store` writes it, to be inserted with others."""
    plain = facts_to_json(facts)
    return VerdictRow(
        id=uuid7_at(at),
        lead=lead,
        person_id=lead.person_id,
        cause=subject_key,
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


def copy_verdict_row(was: VerdictRow, *, stage: str) -> VerdictRow:
    """The same facts asked about at another stage, to be inserted with others."""
    said = {
        concrete_field.attname: getattr(was, concrete_field.attname)
        for concrete_field in VerdictRow._meta.concrete_fields
    }
    return VerdictRow(**said | {"id": uuid7_at(was.at), "stage": stage})

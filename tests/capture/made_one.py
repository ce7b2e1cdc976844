"""Helpers for merging and splitting people, and a dump of every row to compare before and after."""

from typing import Any

from django.apps import apps

from rooftree.compliance.consent import store_revocation
from rooftree.compliance.models import Revocation
from rooftree.flow import person_merges
from rooftree.leads.models import Person, PersonMerge
from tests import make

LATER = make.NOON + make.HOUR
OF_THE_ACT = {"person_merge", "event"}


def rows() -> dict[str, dict[Any, Any]]:
    """Return every row of every table, except those that record the merge itself."""
    return {
        table._meta.db_table: {row["id"]: row for row in table._default_manager.values()}
        for table in apps.get_app_config("rooftree").get_models()
        if table._meta.db_table not in OF_THE_ACT and table._meta.pk.name == "id"
    }


def merge(kept: Person, duplicate: Person, **changes: Any) -> PersonMerge:
    arguments = {
        "survivor_id": kept.pk,
        "duplicate_id": duplicate.pk,
        "reason": "said",
        "by": None,
        "at": LATER,
    }
    return person_merges.merge_people(**{**arguments, **changes})


def split(made: PersonMerge, **changes: Any) -> PersonMerge:
    return person_merges.split_people(
        **{"merge_id": made.pk, "reason": "slip", "by": None, "at": LATER + make.HOUR, **changes}
    )


def stop(number: str, person: Person) -> Revocation:
    return store_revocation.store_revocation(
        person_id=person.pk,
        address=number,
        kind="stop",
        media=["text", "call"],
        origin="message:1",
        idempotency_key=f"text:{make.number()}",
        at=make.NOON + make.MINUTE,
    )

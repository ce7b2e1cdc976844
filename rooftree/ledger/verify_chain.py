"""Proving that nobody changed, removed or slipped in an event."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from rooftree.ledger.chain import HASHED_FIELDS, ChainReport, check_chain
from rooftree.ledger.models import Event

_BATCH = 5000


def verify_ledger() -> ChainReport:
    """Walk the whole chain; the events not sealed yet are counted, not judged."""
    report = check_chain(sealed_rows())
    return replace(report, unsealed=Event.objects.filter(sequence=None).count())


def sealed_rows() -> Iterator[dict[str, Any]]:
    """Every sealed event in order, as `chain.walk` reads it."""
    rows = Event.objects.exclude(sequence=None).order_by("sequence")
    yield from rows.values(*HASHED_FIELDS, "person_place", "sequence", "chain_hash").iterator(
        chunk_size=_BATCH
    )

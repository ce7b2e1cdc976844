"""The controls as a file for an examiner: to read, to compute with, and signed."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rooftree.core.spreadsheet import text_of
from rooftree.ledger.write import write
from rooftree.org.models import Company, User
from rooftree.reporting.controls import Asked, Control, every
from rooftree.reporting.signed_archive import as_json, packed, pdf

FORMAT = "rooftree-controls-1"
LAYOUT = Path(__file__).parent / "controls.typ"
STATES = {True: "works", False: "needs attention", None: "for the record"}


def make(asked: Asked, *, by: User) -> bytes:
    """It is the archive of one period; that it was made is on the ledger, with its digest."""
    controls = every(asked)
    company = Company.objects.get()
    told = {
        "format": FORMAT,
        "company": f"{company.legal_name} · NMLS {company.nmls_id}",
        "since": asked.since.isoformat(),
        "made_at": asked.at.isoformat(),
        "made_by": by.name,
        "controls": [_told(one) for one in controls],
    }
    parts = {"controls.json": as_json(told), "controls.pdf": pdf(LAYOUT, told)}
    for number, one in enumerate(controls, 1):
        if one.rows:
            parts[f"rows/{number:02} {one.title}.csv"] = _csv(one.rows)
    archive = packed(parts, at=asked.at)
    write(
        "reporting.controls.exported",
        at=asked.at,
        actor=f"user:{by.pk}",
        since=asked.since,
        sha256=hashlib.sha256(archive).hexdigest(),
    )
    return archive


def _told(one: Control) -> dict[str, Any]:
    return {
        "title": one.title,
        "cite": one.cite,
        "criteria": one.criteria,
        "state": STATES[one.works],
        "sentence": one.sentence,
        "rows": len(one.rows),
    }


def _csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return text_of([*rows[0]], [[*row.values()] for row in rows])[0].encode()

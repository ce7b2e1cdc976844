"""The controls as a file for an examiner: to read, to compute with, and signed."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rooftree.core.spreadsheet_csv import render_csv
from rooftree.ledger.write_events import write_event
from rooftree.org.models import Company, User
from rooftree.reporting.controls.security_controls import Control, ControlScope, check_controls
from rooftree.reporting.evidence.signed_archive import pack_signed_zip, render_pdf, to_json_bytes

FORMAT = "rooftree-controls-1"
LAYOUT = Path(__file__).parent / "controls.typ"
STATE_LABELS = {True: "works", False: "needs attention", None: "for the record"}


def build_archive(asked: ControlScope, *, by: User) -> bytes:
    """It is the archive of one period; that it was made is on the ledger, with its digest."""
    controls = check_controls(asked)
    company = Company.objects.get()
    told = {
        "format": FORMAT,
        "company": f"{company.legal_name} · NMLS {company.nmls_id}",
        "since": asked.since.isoformat(),
        "made_at": asked.at.isoformat(),
        "made_by": by.name,
        "controls": [_control_json(control) for control in controls],
    }
    parts = {"controls.json": to_json_bytes(told), "controls.pdf": render_pdf(LAYOUT, told)}
    for number, one in enumerate(controls, 1):
        if one.rows:
            parts[f"rows/{number:02} {one.title}.csv"] = _rows_csv(one.rows)
    archive = pack_signed_zip(parts, at=asked.at)
    write_event(
        "reporting.controls.exported",
        at=asked.at,
        actor=f"user:{by.pk}",
        since=asked.since,
        sha256=hashlib.sha256(archive).hexdigest(),
    )
    return archive


def _control_json(one: Control) -> dict[str, Any]:
    return {
        "title": one.title,
        "cite": one.cite,
        "criteria": one.criteria,
        "state": STATE_LABELS[one.is_effective],
        "sentence": one.sentence,
        "rows": len(one.rows),
    }


def _rows_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return render_csv([*rows[0]], [[*row.values()] for row in rows])[0].encode()

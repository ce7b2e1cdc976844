"""The signed archive of security controls for an examiner: a PDF, JSON, and CSV rows."""

import hashlib
from pathlib import Path
from typing import Any

from rooftree.core.spreadsheet_csv import render_csv
from rooftree.ledger.write_events import write_event
from rooftree.org.models import Company, User
from rooftree.reporting.controls.security_controls import Control, ControlScope, check_controls
from rooftree.reporting.evidence.signed_archive import pack_signed_zip, render_pdf, to_json_bytes

FORMAT = "rooftree-controls-1"
LAYOUT = Path(__file__).parent / "controls.typ"
STATE_LABELS = {True: "effective", False: "needs attention", None: "for information"}


def build_archive(scope: ControlScope, *, by: User) -> bytes:
    """Build the archive of one period; the ledger records that it was made, and its SHA-256."""
    controls = check_controls(scope)
    company = Company.objects.get()
    report = {
        "format": FORMAT,
        "company": f"{company.legal_name} · NMLS {company.nmls_id}",
        "since": scope.since.isoformat(),
        "made_at": scope.at.isoformat(),
        "made_by": by.name,
        "controls": [_control_json(control) for control in controls],
    }
    parts = {"controls.json": to_json_bytes(report), "controls.pdf": render_pdf(LAYOUT, report)}
    for number, control in enumerate(controls, 1):
        if rows := control.rows:
            text, _ = render_csv([*rows[0]], [[*row.values()] for row in rows])
            parts[f"rows/{number:02} {control.title}.csv"] = text.encode()
    archive = pack_signed_zip(parts, at=scope.at)
    write_event(
        "reporting.controls.exported",
        at=scope.at,
        actor=f"user:{by.pk}",
        since=scope.since,
        sha256=hashlib.sha256(archive).hexdigest(),
    )
    return archive


def _control_json(control: Control) -> dict[str, Any]:
    return {
        "title": control.title,
        "cite": control.cite,
        "criteria": control.criteria,
        "state": STATE_LABELS[control.is_effective],
        "sentence": control.sentence,
        "rows": len(control.rows),
    }

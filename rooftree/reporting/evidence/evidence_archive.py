"""The signed evidence archive: evidence.json, a printed chronology, and form pages."""

import hashlib
from datetime import datetime
from pathlib import Path

from rooftree.compliance.evidence.evidence_file_check import EVIDENCE
from rooftree.ledger.write_events import write_event
from rooftree.reporting.evidence import ledger_checkpoints
from rooftree.reporting.evidence.chronology_document import build_chronology, form_page_filename
from rooftree.reporting.evidence.evidence_data import collect_evidence
from rooftree.reporting.evidence.signed_archive import pack_signed_zip, render_pdf, to_json_bytes

CHRONOLOGY = "chronology.pdf"
LAYOUT = Path(__file__).parent / "evidence.typ"


def build_archive(address: str, *, actor: str, at: datetime) -> bytes:
    """Build the archive for a number (E.164) or email key, and record it on the ledger.

    The ledger entry holds its SHA-256, so a copy can be compared with it later.
    """
    ledger_checkpoints.publish_head(at=at)
    evidence = collect_evidence(address, at=at)
    parts = {
        EVIDENCE: to_json_bytes(evidence),
        CHRONOLOGY: render_pdf(LAYOUT, build_chronology(evidence)),
    }
    parts |= {
        form_page_filename(number): page["html"].encode()
        for number, page in enumerate(evidence["form_pages"], start=1)
    }
    archive = pack_signed_zip(parts, at=at)
    write_event(
        "compliance.evidence.made",
        at=at,
        actor=actor,
        person_id=evidence["people"][0]["id"] if evidence["people"] else None,
        sha256=hashlib.sha256(archive).hexdigest(),
        entries=evidence["ledger"]["entries"],
        head=evidence["ledger"]["head_hash"],
    )
    return archive

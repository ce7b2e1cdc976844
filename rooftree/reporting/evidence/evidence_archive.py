"""Writing an evidence file: the machine form, a chronology to read, and what proves both whole."""

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
    """It is the archive about one number (E.164) or e-mail key; that it was made is on the ledger.

    Its SHA-256 stands in the ledger's entry, so a copy can be told from another later.
    """
    ledger_checkpoints.publish_head(at=at)
    evidence = collect_evidence(address, at=at)
    parts = {
        EVIDENCE: to_json_bytes(evidence),
        CHRONOLOGY: render_pdf(LAYOUT, build_chronology(evidence)),
    }
    parts |= {
        form_page_filename(nth): one["html"].encode()
        for nth, one in enumerate(evidence["form_pages"], start=1)
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

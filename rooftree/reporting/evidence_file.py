"""Writing an evidence file: the machine form, a chronology to read, and what proves both whole."""

import hashlib
from datetime import datetime
from pathlib import Path

from rooftree.compliance.evidence_check import MACHINE
from rooftree.ledger.write import write
from rooftree.reporting import heads
from rooftree.reporting.evidence import gather
from rooftree.reporting.evidence_words import chronology, page_file
from rooftree.reporting.signed_archive import as_json, packed, pdf

CHRONOLOGY = "chronology.pdf"
LAYOUT = Path(__file__).parent / "evidence.typ"


def make(address: str, *, actor: str, at: datetime) -> bytes:
    """It is the archive about one number (E.164) or e-mail key; that it was made is on the ledger.

    Its SHA-256 stands in the ledger's entry, so a copy can be told from another later.
    """
    heads.publish(at=at)
    evidence = gather(address, at=at)
    parts = {MACHINE: as_json(evidence), CHRONOLOGY: pdf(LAYOUT, chronology(evidence))}
    parts |= {
        page_file(nth): one["html"].encode()
        for nth, one in enumerate(evidence["form_pages"], start=1)
    }
    archive = packed(parts, at=at)
    write(
        "compliance.evidence.made",
        at=at,
        actor=actor,
        person_id=evidence["people"][0]["id"] if evidence["people"] else None,
        sha256=hashlib.sha256(archive).hexdigest(),
        entries=evidence["ledger"]["entries"],
        head=evidence["ledger"]["head_hash"],
    )
    return archive

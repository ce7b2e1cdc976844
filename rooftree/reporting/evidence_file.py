"""Writing an evidence file: the machine form, a chronology to read, and what proves both whole."""

import hashlib
import io
import json
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import typst

from rooftree.compliance.evidence_check import MACHINE, MANIFEST, SIGNATURE
from rooftree.ledger.write import write
from rooftree.reporting import heads, signing
from rooftree.reporting.evidence import gather
from rooftree.reporting.evidence_words import chronology

CHRONOLOGY = "chronology.pdf"
LAYOUT = Path(__file__).parent / "evidence.typ"


def make(address: str, *, actor: str, at: datetime) -> bytes:
    """It is the archive about one number (E.164) or e-mail key; that it was made is on the ledger.

    Its SHA-256 stands in the ledger's entry, so a copy can be told from another later.
    """
    heads.publish(at=at)
    evidence = gather(address, at=at)
    parts = {
        MACHINE: json.dumps(evidence, ensure_ascii=False, indent=1, sort_keys=True).encode(),
        CHRONOLOGY: _pdf(chronology(evidence)),
    }
    archive = _packed(parts, at=at)
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


def _packed(parts: dict[str, bytes], *, at: datetime) -> bytes:
    """The parts with a list of their digests, and the company's signature under that list."""
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()}
    manifest = json.dumps({"sha256": digests}, indent=1, sort_keys=True).encode()
    signature = json.dumps(signing.sign(manifest, at=at), indent=1, sort_keys=True).encode()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**parts, MANIFEST: manifest, SIGNATURE: signature}.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def _pdf(told: dict[str, Any]) -> bytes:
    """The words go in as data, never as source, so no borrower's text is run as layout."""
    return typst.compile(
        LAYOUT, sys_inputs={"data": json.dumps(told)}, ignore_system_fonts=True,
        pdf_standards="a-2b",
    )  # fmt: skip

"""Files that leave us as proof: parts, a list of their digests, and our signature under it."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import typst

from rooftree.compliance.evidence_check import MANIFEST, SIGNATURE
from rooftree.reporting import signing


def packed(parts: Mapping[str, bytes], *, at: datetime) -> bytes:
    """A ZIP file of the parts by name; `evidence_check` tells whether it is whole."""
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()}
    manifest = as_json({"sha256": digests})
    signature = as_json(signing.sign(manifest, at=at))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**parts, MANIFEST: manifest, SIGNATURE: signature}.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def as_json(said: Any) -> bytes:
    """The machine form of something."""
    return json.dumps(said, ensure_ascii=False, indent=1, sort_keys=True).encode()


def pdf(layout: Path, told: Mapping[str, Any]) -> bytes:
    """The words go in as data, never as source, so no borrower's text is run as layout."""
    return typst.compile(
        layout, sys_inputs={"data": json.dumps(told)}, ignore_system_fonts=True,
        pdf_standards="a-2b",
    )  # fmt: skip

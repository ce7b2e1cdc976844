"""Files that leave us as proof: parts, a list of their digests, and our signature under it."""

import hashlib
import io
import json
import unicodedata
import zipfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import typst

from rooftree.compliance.evidence.evidence_file_check import MANIFEST_NAME, SIGNATURE_NAME
from rooftree.reporting.evidence import signing_keys

# Of the fonts that come with the typesetter: Latin, Greek, Cyrillic, and their signs.
FONT_RANGES = (
    *((0x20, 0x24F), (0x370, 0x45F), (0x1E00, 0x1EFF), (0x2010, 0x2040), (0x20A0, 0x20BF)),
    *((0x2116, 0x2116), (0x2120, 0x2120), (0x2122, 0x2122), (0x2190, 0x21FF), (0x2200, 0x227F)),
)


def pack_signed_zip(parts: Mapping[str, bytes], *, at: datetime) -> bytes:
    """A ZIP file of the parts by name; `evidence_check` tells whether it is whole."""
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()}
    manifest = to_json_bytes({"sha256": digests})
    signature = to_json_bytes(signing_keys.sign(manifest, at=at))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**parts, MANIFEST_NAME: manifest, SIGNATURE_NAME: signature}.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def to_json_bytes(value: Any) -> bytes:
    """The machine form of something."""
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True).encode()


def render_pdf(layout: Path, told: Mapping[str, Any]) -> bytes:
    """The words go in as data, never as source, so no borrower's text is run as layout.

    Our letters are the same on every machine, and a sign they lack would end the document: it
    is named in brackets instead.
    """
    return typst.compile(
        layout, sys_inputs={"data": json.dumps(_make_printable(told))}, ignore_system_fonts=True,
        pdf_standards="a-2b",
    )  # fmt: skip


def to_printable(text: str) -> str:
    """A text in signs that our letters have; of the others the name, as `[thumbs up sign]`."""
    return "".join(map(_printable_character, unicodedata.normalize("NFC", text)))


def _printable_character(one: str) -> str:
    if one == "\n" or (any(a <= ord(one) <= b for a, b in FONT_RANGES) and one.isprintable()):
        return one
    if unicodedata.category(one)[0] in "CMZ":  # what is not seen: joiners, selectors, spaces
        return " " if one.isspace() else ""
    name = unicodedata.name(one, "")
    is_named = bool(name) and not name.startswith("CJK")
    return f"[{name.lower()}]" if is_named else f"[U+{ord(one):04X}]"


def _make_printable(told: Any) -> Any:
    if isinstance(told, str):
        return to_printable(told)
    if isinstance(told, Mapping):
        return {key: _make_printable(value) for key, value in told.items()}
    return [_make_printable(one) for one in told] if isinstance(told, list | tuple) else told

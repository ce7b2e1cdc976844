"""Signed ZIP archives: the parts, a manifest of their SHA-256 digests, and a signature."""

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

# Characters in the fonts that ship with typst: Latin, Greek, Cyrillic and their symbols.
FONT_RANGES = (
    *((0x20, 0x24F), (0x370, 0x45F), (0x1E00, 0x1EFF), (0x2010, 0x2040), (0x20A0, 0x20BF)),
    *((0x2116, 0x2116), (0x2120, 0x2120), (0x2122, 0x2122), (0x2190, 0x21FF), (0x2200, 0x227F)),
)


def pack_signed_zip(parts: Mapping[str, bytes], *, at: datetime) -> bytes:
    """Pack parts by name into a signed ZIP; `evidence_file_check` verifies it."""
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()}
    manifest = to_json_bytes({"sha256": digests})
    signature = to_json_bytes(signing_keys.sign(manifest, at=at))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**parts, MANIFEST_NAME: manifest, SIGNATURE_NAME: signature}.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def to_json_bytes(value: Any) -> bytes:
    """Encode a value as readable JSON in UTF-8, with sorted keys."""
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True).encode()


def render_pdf(layout: Path, value: Mapping[str, Any]) -> bytes:
    """Render a PDF/A from a typst layout and data.

    Text goes in as data, never as source, so no borrower's text runs as layout. The fonts are the
    same on every machine. A character they lack would abort the rendering, so its name in brackets
    replaces it.
    """
    return typst.compile(
        layout, sys_inputs={"data": json.dumps(_make_printable(value))}, ignore_system_fonts=True,
        pdf_standards="a-2b",
    )  # fmt: skip


def to_printable(text: str) -> str:
    """Replace each character missing in our fonts by its name, as `[thumbs up sign]`."""
    return "".join(map(_printable_character, unicodedata.normalize("NFC", text)))


def _printable_character(char: str) -> str:
    is_in_font = any(first <= ord(char) <= last for first, last in FONT_RANGES)
    if char == "\n" or (is_in_font and char.isprintable()):
        return char
    if unicodedata.category(char)[0] in "CMZ":  # invisible: joiners, selectors, spaces
        return " " if char.isspace() else ""
    name = unicodedata.name(char, "")
    is_named = bool(name) and not name.startswith("CJK")
    return f"[{name.lower()}]" if is_named else f"[U+{ord(char):04X}]"


def _make_printable(value: Any) -> Any:
    if isinstance(value, str):
        return to_printable(value)
    if isinstance(value, Mapping):
        return {key: _make_printable(item) for key, item in value.items()}
    return [_make_printable(item) for item in value] if isinstance(value, list | tuple) else value

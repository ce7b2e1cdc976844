"""Parser of `multipart/form-data`, as browsers and form builders post it, to one flat object."""

import re
from typing import Any

from rooftree.capture.parsing.reading_notes import ReadingNotes
from rooftree.capture.parsing.wire_formats import UnreadableBody, decode_body, merge_pairs

MAX_PARTS = 2_000
_MAX_HEADER_BYTES = 2_000  # read of one part's headers
_BOUNDARY = re.compile(r"boundary=(?:\"([^\"]{1,70})\"|([^\s;,\"]{1,70}))", re.IGNORECASE)
_NAME = re.compile(r'(?:^|[\s;])name=(?:"([^"]*)"|([^\s;"]+))', re.IGNORECASE)
_FILE_NAME = re.compile(r"(?:^|[\s;])filename\*?=", re.IGNORECASE)


def is_multipart_form(content_type: str | None) -> bool:
    return (content_type or "").strip().lower().startswith("multipart/form-data")


def parse_multipart(body: bytes, content_type: str | None, notes: ReadingNotes) -> dict[str, Any]:
    """Parse the fields; a file is not kept, only named in a warning.

    Raises `UnreadableBody("invalid_form")`.
    """
    boundary = _BOUNDARY.search(content_type or "")
    if boundary is None:
        raise UnreadableBody("invalid_form")
    mark = b"--" + (boundary[1] or boundary[2]).encode()
    parts = body.split(mark, MAX_PARTS + 2)[1:]
    if not parts or len(parts) > MAX_PARTS + 1:
        raise UnreadableBody("invalid_form")
    pairs: list[tuple[str, Any]] = []
    for part in parts:
        if part.startswith(b"--"):
            break  # the end of the form
        line_end = b"\r\n" if part.startswith(b"\r\n") else b"\n"
        head, blank, content = part.removeprefix(line_end).partition(line_end * 2)
        headers = decode_body(head[:_MAX_HEADER_BYTES], notes)
        name = _NAME.search(headers)
        if not blank or name is None:
            continue
        if _FILE_NAME.search(headers):
            notes.warn("file_not_kept")
            continue
        value = decode_body(content.removesuffix(line_end), notes)
        pairs.append((name[1] or name[2] or "", value))
    if not pairs:
        raise UnreadableBody("invalid_form")
    return merge_pairs(pairs, notes)

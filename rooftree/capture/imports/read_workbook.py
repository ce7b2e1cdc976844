"""The first sheet of a workbook (.xlsx, .xlsb, .xls or .ods) as rows of text.

A hostile workbook of 2 KB can ask its reader for 550 GB. So `workbook_process.py` reads it in
a process with little memory, little time and an empty environment (decision 0023).
"""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from rooftree.capture.parsing.wire_formats import UnreadableBody
from rooftree.core.damaged_archives import DAMAGED_ARCHIVE_ERRORS

ZIP_SIGNATURE = b"PK\x03\x04"  # .xlsx, .xlsb, .ods
OLE_SIGNATURE = b"\xd0\xcf\x11\xe0"  # .xls, and a workbook with a password
MAX_UNPACKED_SIZE = 48 * 1024 * 1024  # bytes of one part, unpacked; bytes of all rows
MAX_PARTS = 1_000
MAX_MEMORY_BYTES = 512 * 1024 * 1024  # of the reading process
MAX_CPU_SECONDS = 30  # of the reading process
NOT_A_WORKBOOK = "not_csv_zip_signature"
WORKBOOK_PARTS = frozenset({"xl/workbook.xml", "xl/workbook.bin", "content.xml"})
COMPRESSION = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})  # of the formats' standards
OUT_OF_MEMORY = 3  # exit code of the reading process
_ENCRYPTED_PART = "EncryptedPackage".encode("utf-16-le")  # an .xlsx with a password
_PROGRAM = Path(__file__).with_name("workbook_process.py")
_PROLOG_BYTES = 4_096  # of an XML part, where a document type would stand

type RowCheck = Callable[[list[str], int], None]


def read_first_sheet(body: bytes, check: RowCheck) -> list[tuple[int, list[str]]]:
    """Return the rows that are not blank, with their row numbers. Raises `UnreadableBody`.

    Args:
        check: called with each row as it is read and the number of rows before it; can raise.
    """
    if body.startswith(ZIP_SIGNATURE):
        _check_archive(body)
    elif _ENCRYPTED_PART in body:
        raise UnreadableBody("workbook_locked")
    limits = (str(MAX_MEMORY_BYTES), str(MAX_CPU_SECONDS))
    with subprocess.Popen(
        [sys.executable, "-I", str(_PROGRAM), *limits],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            with suppress(BrokenPipeError):
                process.stdin.write(body)
            with suppress(BrokenPipeError):
                process.stdin.close()
            rows = _collect_rows(process.stdout, check)
        except BaseException:
            process.kill()
            raise
    if process.returncode < 0 or process.returncode == OUT_OF_MEMORY:  # below 0: by a signal
        raise UnreadableBody("workbook_too_large")
    if process.returncode:
        raise UnreadableBody("workbook_broken")
    return rows


def _check_archive(body: bytes) -> None:
    """Refuse other archives, a declared zip bomb and document types; raises `UnreadableBody`."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            parts = archive.infolist()
            if not WORKBOOK_PARTS.intersection(part.filename for part in parts):
                raise UnreadableBody(NOT_A_WORKBOOK)
            if len(parts) > MAX_PARTS or max(part.file_size for part in parts) > MAX_UNPACKED_SIZE:
                raise UnreadableBody("workbook_too_large")
            if not COMPRESSION.issuperset(part.compress_type for part in parts):
                raise UnreadableBody(NOT_A_WORKBOOK)
            for part in parts:
                if part.filename.endswith(".xml"):
                    with archive.open(part) as file:
                        if b"<!DOCTYPE" in file.read(_PROLOG_BYTES):
                            raise UnreadableBody("xml_dtd_forbidden")
    except DAMAGED_ARCHIVE_ERRORS as error:
        raise UnreadableBody(NOT_A_WORKBOOK) from error


def _collect_rows(stream: IO[bytes], check: RowCheck) -> list[tuple[int, list[str]]]:
    """Parse the reading process's output, one row per line, until it ends."""
    rows: list[tuple[int, list[str]]] = []
    total_size = 0
    while line := stream.readline(MAX_UNPACKED_SIZE + 1):
        total_size += len(line)
        if total_size > MAX_UNPACKED_SIZE:
            raise UnreadableBody("workbook_too_large")
        if not line.endswith(b"\n"):
            break  # the process died; its exit code says why
        number, cells = json.loads(line)
        check(cells, len(rows))
        rows.append((number, cells))
    return rows

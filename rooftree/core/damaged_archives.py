"""What `zipfile` raises for damaged or hostile bytes, found by changing bytes at random."""

import struct
import zipfile
import zlib

DAMAGED_ARCHIVE_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,  # a password, or a compression that Python doesn't know
    ValueError,  # an offset below zero, a name that isn't text
)

"""A backup on disk: a folder with the dump, its manifest, perhaps sealed secrets, and checksums.

It is written under another name and renamed when it is whole, so a folder with a backup's
name is a whole backup.
"""

import base64
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

FORMAT = 1
DUMP_FILE, MANIFEST_FILE, SECRETS_FILE, CHECKSUMS_FILE = (
    "database.dump",
    "manifest.json",
    "secrets.sealed",
    "checksums",
)
ERASED_FILE = "erased.json"  # what was removed for good until then: ids by kind of record
FOLDER_NAME_FORMAT = "rooftree-%Y%m%dT%H%M%SZ"
SCRYPT = {"n": 2**15, "r": 8, "p": 1, "maxmem": 2**26}


class InvalidBackup(Exception):
    """The folder is no whole, unchanged backup of ours. The text is fit to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup says of itself."""

    format: int
    made_at: str  # ISO 8601, UTC: the moment of the snapshot
    rooftree: str  # the release that wrote it
    environment: str  # demo or production
    database: str
    postgres: str
    migration: str  # the newest one of ours
    rows: dict[str, int]  # by table
    ledger: dict[str, object]  # sequence and hash of the last sealed event
    field_keys: list[str]  # fingerprints of the keys that open the sealed columns
    secrets: str  # "left out" or "sealed"

    @property
    def at(self) -> datetime:
        return datetime.fromisoformat(self.made_at)


@contextmanager
def draft_folder(folder: Path, at: datetime) -> Iterator[Path]:
    """A folder to write a backup into; it gets its name when nothing was raised, else it goes."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    final = folder / at.astimezone(UTC).strftime(FOLDER_NAME_FORMAT)
    if final.exists():
        raise FileExistsError(f"{final} is there already; try again in a second.")
    work = folder / f".draft-{final.name}-{secrets.token_hex(4)}"
    work.mkdir(mode=0o700)
    try:
        yield work
        for file in work.iterdir():
            _fsync(file)
        _fsync(work)
        work.rename(final)
        _fsync(folder)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


def write_manifest(work: Path, manifest: Manifest) -> None:
    """Write the manifest, then the checksums of all files, in the form `sha256sum -c` reads."""
    (work / MANIFEST_FILE).write_text(json.dumps(asdict(manifest), indent=2) + "\n")
    files = sorted(file for file in work.iterdir() if file.name != CHECKSUMS_FILE)
    (work / CHECKSUMS_FILE).write_text("".join(f"{_sha256(file)}  {file.name}\n" for file in files))


def verify_backup(folder: Path) -> Manifest:
    """The manifest of a backup whose every byte is as it was written; raises `NotABackup`."""
    try:
        lines = (folder / CHECKSUMS_FILE).read_text().splitlines()
        known = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    except (OSError, ValueError) as problem:
        raise InvalidBackup(f"{folder} is not a backup: its list of checksums is missing.") from (
            problem
        )
    for name in sorted({DUMP_FILE, MANIFEST_FILE} | set(known)):
        if Path(name).name != name or not (folder / name).is_file():
            raise InvalidBackup(f"{folder} is not a whole backup: {name} is missing.")
        if _sha256(folder / name) != known.get(name):
            raise InvalidBackup(f"{folder / name} is not what was written: its checksum differs.")
    return read_manifest(folder)


def read_manifest(folder: Path) -> Manifest:
    """The manifest alone; raises `NotABackup`."""
    try:
        found = Manifest(**json.loads((folder / MANIFEST_FILE).read_text()))
    except (OSError, ValueError, TypeError) as problem:
        raise InvalidBackup(f"{folder / MANIFEST_FILE} cannot be read.") from problem
    if found.format != FORMAT:
        raise InvalidBackup(
            f"{folder} has format {found.format} and this release reads {FORMAT}; "
            "restore it with the release that wrote it."
        )
    return found


def list_backups(folder: Path) -> list[Path]:
    """The whole backups of a folder, oldest first."""
    return sorted(
        path
        for path in folder.glob("rooftree-[0-9]*T[0-9]*Z")
        if (path / CHECKSUMS_FILE).is_file() and (path / MANIFEST_FILE).is_file()
    )


def list_erasure_files(folder: Path) -> list[Path]:
    """The lists of erasures of all whole backups of a folder."""
    return [
        backup / ERASED_FILE for backup in list_backups(folder) if (backup / ERASED_FILE).is_file()
    ]


def delete_older_backups(folder: Path, number: int) -> list[Path]:
    """Remove all whole backups of a folder but the newest `number`; those removed."""
    gone = list_backups(folder)[:-number]
    for list_backup in gone:
        # The name goes first: a removal that is cut short leaves no half a backup.
        away = list_backup.with_name(f".gone-{list_backup.name}")
        list_backup.rename(away)
        shutil.rmtree(away, ignore_errors=True)
    return gone


def seal_secrets(work: Path, values: Mapping[str, str], passphrase: str) -> None:
    """Keep secrets beside the dump, closed with a passphrase (scrypt, then Fernet)."""
    salt = secrets.token_bytes(16)
    sealed = Fernet(_derive_key(passphrase, salt)).encrypt(json.dumps(dict(values)).encode())
    whole = {"kdf": "scrypt n=32768 r=8 p=1", "salt": salt.hex(), "sealed": sealed.decode()}
    (work / SECRETS_FILE).write_text(json.dumps(whole) + "\n")


def unseal_secrets(folder: Path, passphrase: str) -> dict[str, str]:
    """The secrets of a backup; raises `NotABackup` when there are none or the words are wrong."""
    if not (folder / SECRETS_FILE).is_file():
        raise InvalidBackup(f"{folder} holds no secrets: they were left out.")
    whole = json.loads((folder / SECRETS_FILE).read_text())
    try:
        plain = Fernet(_derive_key(passphrase, bytes.fromhex(whole["salt"]))).decrypt(
            whole["sealed"]
        )
    except InvalidToken as problem:
        raise InvalidBackup("The passphrase does not open these secrets.") from problem
    return dict(json.loads(plain))


def field_key_fingerprint(key: str) -> str:
    """What tells one random key from another and gives nothing away."""
    return hashlib.sha256(b"rooftree field key " + key.encode()).hexdigest()[:16]


def _derive_key(passphrase: str, salt: bytes) -> bytes:
    derived = hashlib.scrypt(passphrase.encode(), salt=salt, dklen=32, **SCRYPT)
    return base64.urlsafe_b64encode(derived)


def _sha256(file: Path) -> str:
    with file.open("rb") as opened_file:
        return hashlib.file_digest(opened_file, "sha256").hexdigest()


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

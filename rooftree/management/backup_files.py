"""Backups on disk: folders with the dump, its manifest, optional sealed secrets and checksums.

A backup is written under a temporary name and renamed when it is complete, so a folder with a
backup's name is a complete backup.
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
ERASED_FILE = "erased.json"  # permanently deleted records until then: ids by kind of record
FOLDER_NAME_FORMAT = "rooftree-%Y%m%dT%H%M%SZ"
SCRYPT = {"n": 2**15, "r": 8, "p": 1, "maxmem": 2**26}


class InvalidBackup(Exception):
    """The folder is not a complete, unchanged backup. The text is fit to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The facts about one backup, stored in it."""

    format: int
    made_at: str  # ISO 8601, UTC: the time of the snapshot
    rooftree: str  # the release that wrote it
    environment: str  # demo or production
    database: str
    postgres: str
    migration: str  # the newest one of Rooftree
    rows: dict[str, int]  # by table
    ledger: dict[str, object]  # sequence and hash of the last sealed event
    field_keys: list[str]  # fingerprints of the keys that open the sealed columns
    secrets: str  # "left out" or "sealed"

    @property
    def at(self) -> datetime:
        return datetime.fromisoformat(self.made_at)


@contextmanager
def draft_folder(folder: Path, at: datetime) -> Iterator[Path]:
    """Yield a draft folder for a backup; name it on success, delete it on an exception.

    Raises `FileExistsError` when a backup of the same second exists.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    final = folder / at.astimezone(UTC).strftime(FOLDER_NAME_FORMAT)
    if final.exists():
        raise FileExistsError(f"{final} already exists; try again in a second.")
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
    """Write the manifest, then the checksums of all files, in the format of `sha256sum -c`."""
    (work / MANIFEST_FILE).write_text(json.dumps(asdict(manifest), indent=2) + "\n")
    files = sorted(file for file in work.iterdir() if file.name != CHECKSUMS_FILE)
    (work / CHECKSUMS_FILE).write_text("".join(f"{_sha256(file)}  {file.name}\n" for file in files))


def verify_backup(folder: Path) -> Manifest:
    """Check every byte of a backup against its checksums; return its manifest.

    Raises `InvalidBackup`.
    """
    try:
        lines = (folder / CHECKSUMS_FILE).read_text().splitlines()
        checksums = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    except (OSError, ValueError) as problem:
        raise InvalidBackup(f"{folder} isn't a backup: its checksums are missing.") from problem
    for name in sorted({DUMP_FILE, MANIFEST_FILE} | set(checksums)):
        if Path(name).name != name or not (folder / name).is_file():
            raise InvalidBackup(f"{folder} isn't a complete backup: {name} is missing.")
        if _sha256(folder / name) != checksums.get(name):
            raise InvalidBackup(f"{folder / name} has changed: its checksum differs.")
    return read_manifest(folder)


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest without checking the other files. Raises `InvalidBackup`."""
    try:
        manifest = Manifest(**json.loads((folder / MANIFEST_FILE).read_text()))
    except (OSError, ValueError, TypeError) as problem:
        raise InvalidBackup(f"{folder / MANIFEST_FILE} can't be read.") from problem
    if manifest.format != FORMAT:
        raise InvalidBackup(
            f"{folder} has format {manifest.format}, but this release reads {FORMAT}. "
            "Restore it with the release that wrote it."
        )
    return manifest


def list_backups(folder: Path) -> list[Path]:
    """Return the complete backups in a folder, oldest first."""
    return sorted(
        path
        for path in folder.glob("rooftree-[0-9]*T[0-9]*Z")
        if (path / CHECKSUMS_FILE).is_file() and (path / MANIFEST_FILE).is_file()
    )


def list_erasure_files(folder: Path) -> list[Path]:
    """Return the files of erased ids of all complete backups in a folder."""
    return [
        backup / ERASED_FILE for backup in list_backups(folder) if (backup / ERASED_FILE).is_file()
    ]


def delete_older_backups(folder: Path, number: int) -> list[Path]:
    """Delete all complete backups in a folder but the newest `number`; return the deleted."""
    deleted = list_backups(folder)[:-number]
    for backup in deleted:
        # Renamed first, so that an interrupted deletion leaves no partial backup.
        doomed = backup.with_name(f".gone-{backup.name}")
        backup.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)
    return deleted


def seal_secrets(work: Path, values: Mapping[str, str], passphrase: str) -> None:
    """Store secrets beside the dump, encrypted with a passphrase (scrypt, then Fernet)."""
    salt = secrets.token_bytes(16)
    sealed = Fernet(_derive_key(passphrase, salt)).encrypt(json.dumps(dict(values)).encode())
    content = {"kdf": "scrypt n=32768 r=8 p=1", "salt": salt.hex(), "sealed": sealed.decode()}
    (work / SECRETS_FILE).write_text(json.dumps(content) + "\n")


def unseal_secrets(folder: Path, passphrase: str) -> dict[str, str]:
    """Decrypt the secrets of a backup; raises `InvalidBackup` without them or the passphrase."""
    if not (folder / SECRETS_FILE).is_file():
        raise InvalidBackup(f"{folder} has no secrets: they were left out.")
    content = json.loads((folder / SECRETS_FILE).read_text())
    try:
        plain = Fernet(_derive_key(passphrase, bytes.fromhex(content["salt"]))).decrypt(
            content["sealed"]
        )
    except InvalidToken as problem:
        raise InvalidBackup("That passphrase is wrong for this backup.") from problem
    return dict(json.loads(plain))


def field_key_fingerprint(key: str) -> str:
    """Return a fingerprint that identifies a key without revealing anything about it."""
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

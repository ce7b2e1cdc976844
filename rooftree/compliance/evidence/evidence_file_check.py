"""Checking a file we signed with nothing but the file: no database, no settings, no network."""

import hashlib
import json
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rooftree.compliance.evidence import form_certificate_check
from rooftree.compliance.evidence.verdict_checker import find_problems as of_verdict
from rooftree.core.ed25519_signatures import is_signature_valid, key_fingerprint
from rooftree.ledger.chain import link_hash
from rooftree.ledger.merkle_tree import leaf_hash, root_from_path

MANIFEST_NAME, EVIDENCE, SIGNATURE_NAME = "manifest.json", "evidence.json", "signature.json"
SIGNED_HEAD_KEYS = ("format", "first", "sequence", "chain_hash", "root", "at")
MAX_UNPACKED_BYTES = 1 << 28  # bytes unpacked; what is about one number is far smaller
DAMAGED_ARCHIVE_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    RuntimeError,
)  # also: needs a password
BAD_CONTENT_ERRORS = (KeyError, ValueError, TypeError, AttributeError)  # it holds something else


class BadEvidenceFile(Exception):
    """It is no evidence file; the text says why."""


def find_problems(path: Path) -> list[str]:
    """They are all the ways in which a file is not what was written; none for a whole one.

    Of a file about somebody, every consent, verdict and ledger entry is looked at as well.

    Raises `NoEvidence` when it cannot be read at all.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(one.file_size for one in archive.infolist()) > MAX_UNPACKED_BYTES:
                raise BadEvidenceFile(f"{path.name} is no evidence file: it is too large")
            found = [*_altered_file_problems(archive), *_signature_problems(archive)]
            if EVIDENCE in archive.namelist():
                evidence = json.loads(archive.read(EVIDENCE))
                found += (said for part in PROBLEM_FINDERS for said in part(evidence))
        return found
    except (*DAMAGED_ARCHIVE_ERRORS, *BAD_CONTENT_ERRORS) as bad:
        raise BadEvidenceFile(f"{path.name} is no evidence file: {bad}") from bad


def _altered_file_problems(archive: zipfile.ZipFile) -> Iterator[str]:
    manifest: dict[str, str] = json.loads(archive.read(MANIFEST_NAME))["sha256"]
    inside = Counter(archive.namelist())
    for name, times in sorted(inside.items()):
        if times > 1:
            yield f"{name} is in it {times} times"
        if name not in manifest and name not in (MANIFEST_NAME, SIGNATURE_NAME):
            yield f"{name} was put in afterwards"
    for name, digest in sorted(manifest.items()):
        if name not in inside:
            yield f"{name} is missing"
        elif hashlib.sha256(archive.read(name)).hexdigest() != digest:
            yield f"{name} was changed"


def signing_key_fingerprint(path: Path) -> str:
    """The name of the key that signed a file: the SHA-256 (hex) of its 32 bytes.

    Raises `NoEvidence` when the file has no signature.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return key_fingerprint(json.loads(archive.read(SIGNATURE_NAME))["public_key"])
    except (*DAMAGED_ARCHIVE_ERRORS, *BAD_CONTENT_ERRORS) as bad:
        raise BadEvidenceFile(f"{path.name} has no signature: {bad}") from bad


def _signature_problems(archive: zipfile.ZipFile) -> Iterator[str]:
    """The list of digests is under a signature, and so is everything it lists."""
    if SIGNATURE_NAME not in archive.namelist():
        yield "nobody signed it"
        return
    signed = json.loads(archive.read(SIGNATURE_NAME))
    if not is_signature_valid(
        archive.read(MANIFEST_NAME), public=signed["public_key"], signature=signed["signature"]
    ):
        yield "it is not what was signed"


def _consent_problems(evidence: Mapping[str, Any]) -> Iterator[str]:
    for one in evidence["consents"]:
        said = hashlib.sha256(one["wording"].encode()).hexdigest()
        if one["wording_sha256"] and said != one["wording_sha256"]:
            yield f"consent {one['id']}: the wording is not what was recorded"


def _wording_problems(evidence: Mapping[str, Any]) -> Iterator[str]:
    """Each message's edition is there, and says what was hashed."""
    editions = {one["id"]: one for one in evidence["editions"]}
    for edition in editions.values():
        said = hashlib.sha256(f"{edition['subject']}\n{edition['body']}".encode()).hexdigest()
        if said != edition["sha256"]:
            yield f"edition {edition['id']}: the wording is not what was approved"
    for message in evidence["messages"]:
        if (message["template_id"] or "") not in {"", *editions}:
            yield f"message {message['id']}: the wording it was made from is missing"


def _verdict_problems(evidence: Mapping[str, Any]) -> Iterator[str]:
    for one in evidence["verdicts"]:
        for what in of_verdict(one):
            yield f"verdict {one['id']}: {what}"


def _event_problems(evidence: Mapping[str, Any]) -> Iterator[str]:
    """Each entry is what was sealed, and neighbors follow one another up to the head."""
    events = [one for one in evidence["events"] if one["sequence"] is not None]
    held = {event["sequence"]: event["chain_hash"] for event in events}
    for event in events:
        place, previous = event["sequence"], event["previous"] or ""
        if link_hash(event, sequence=place, previous=previous) != event["chain_hash"]:
            yield f"ledger entry {place} is not what was sealed"
        if held.get(place - 1, previous) != previous:
            yield f"ledger entry {place} does not follow entry {place - 1}"
    yield from _person_sequence_problems(events, evidence["ledger"])
    ledger = evidence["ledger"]
    if len(evidence["events"]) != ledger["entries"]:
        yield f"it states {ledger['entries']} ledger entries and holds {len(evidence['events'])}"
    if held.get(ledger["head_sequence"], ledger["head_hash"]) != ledger["head_hash"]:
        yield "the stated head is not the hash of its own entry"


def _person_sequence_problems(
    events: list[Mapping[str, Any]], ledger: Mapping[str, Any]
) -> Iterator[str]:
    """The entries about one person are numbered, and none is left out."""
    for person, last in ledger["of_each"].items():
        places = {event["person_place"] for event in events if event["person_id"] == person}
        for place in sorted(set(range(1, last + 1)) - places):
            yield f"entry {place} of {last} about person {person} is missing"


def head_statement(head: Mapping[str, Any]) -> bytes:
    """The bytes of a head of the ledger that are signed, made from what it says."""
    said = {name: head[name] for name in SIGNED_HEAD_KEYS}
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def is_head_signed(head: Mapping[str, Any]) -> bool:
    """Whether a head is what the key that it names signed."""
    public = head["public_key"]
    return head["key"] == key_fingerprint(public) and is_signature_valid(
        head_statement(head), public=public, signature=head["signature"]
    )


def _head_problems(evidence: Mapping[str, Any]) -> Iterator[str]:
    """Each head is what was signed, and each entry that names one is under it."""
    heads = {one["sequence"]: one for one in evidence["heads"]}
    for place, head in heads.items():
        if not is_head_signed(head):
            yield f"head {place} is not what was signed"
    for one in evidence["events"]:
        if "head" in one and (
            one["head"] not in heads
            or root_from_path(leaf_hash(one["chain_hash"]), one["path"])
            != heads[one["head"]]["root"]
        ):
            yield f"ledger entry {one['sequence']} is not under head {one['head']}"


PROBLEM_FINDERS = (
    _consent_problems,
    form_certificate_check.find_problems,
    _wording_problems,
    _verdict_problems,
    _event_problems,
    _head_problems,
)

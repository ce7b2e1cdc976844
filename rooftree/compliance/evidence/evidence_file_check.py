"""Check of a signed evidence file from the file alone: no database, settings or network."""

import hashlib
import json
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rooftree.compliance.evidence import form_certificate_check
from rooftree.compliance.evidence.verdict_checker import find_problems as verdict_problems
from rooftree.core.damaged_archives import DAMAGED_ARCHIVE_ERRORS
from rooftree.core.ed25519_signatures import is_signature_valid, key_fingerprint
from rooftree.ledger.chain import link_hash
from rooftree.ledger.merkle_tree import leaf_hash, root_from_path

MANIFEST_NAME, EVIDENCE, SIGNATURE_NAME = "manifest.json", "evidence.json", "signature.json"
SIGNED_HEAD_KEYS = ("format", "first", "sequence", "chain_hash", "root", "at")
MAX_UNPACKED_BYTES = 1 << 28  # a file about one number is far smaller
BAD_CONTENT_ERRORS = (KeyError, ValueError, TypeError, AttributeError)  # unexpected JSON


class BadEvidenceFile(Exception):
    """The file isn't an evidence file; the message says why."""


def find_problems(path: Path) -> list[str]:
    """Return all problems of an evidence file, as text; empty for an intact file.

    In a file about a person, every consent, verdict and ledger entry is checked too.

    Raises `BadEvidenceFile` when the file can't be read at all.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_UNPACKED_BYTES:
                raise BadEvidenceFile(f"{path.name} is not an evidence file: it is too large")
            problems = [*_altered_file_problems(archive), *_signature_problems(archive)]
            if EVIDENCE in archive.namelist():
                evidence = json.loads(archive.read(EVIDENCE))
                for find_part_problems in PROBLEM_FINDERS:
                    problems += find_part_problems(evidence)
        return problems
    except (*DAMAGED_ARCHIVE_ERRORS, *BAD_CONTENT_ERRORS) as problem:
        raise BadEvidenceFile(f"{path.name} is not an evidence file: {problem}") from problem


def _altered_file_problems(archive: zipfile.ZipFile) -> Iterator[str]:
    manifest: dict[str, str] = json.loads(archive.read(MANIFEST_NAME))["sha256"]
    members = Counter(archive.namelist())
    for name, times in sorted(members.items()):
        if times > 1:
            yield f"{name} is in the file {times} times"
        if name not in manifest and name not in (MANIFEST_NAME, SIGNATURE_NAME):
            yield f"{name} was added later"
    for name, digest in sorted(manifest.items()):
        if name not in members:
            yield f"{name} is missing"
        elif hashlib.sha256(archive.read(name)).hexdigest() != digest:
            yield f"{name} was changed"


def signing_key_fingerprint(path: Path) -> str:
    """Return the fingerprint of the key that signed a file: SHA-256 (hex) of its 32 bytes.

    Raises `BadEvidenceFile` when the file has no signature.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return key_fingerprint(json.loads(archive.read(SIGNATURE_NAME))["public_key"])
    except (*DAMAGED_ARCHIVE_ERRORS, *BAD_CONTENT_ERRORS) as problem:
        raise BadEvidenceFile(f"{path.name} has no signature: {problem}") from problem


def _signature_problems(archive: zipfile.ZipFile) -> Iterator[str]:
    """Check the signature over the list of digests, which covers everything listed."""
    if SIGNATURE_NAME not in archive.namelist():
        yield "the file is not signed"
        return
    signature = json.loads(archive.read(SIGNATURE_NAME))
    if not is_signature_valid(
        archive.read(MANIFEST_NAME),
        public=signature["public_key"],
        signature=signature["signature"],
    ):
        yield "the content is not what was signed"


def _consent_problems(evidence: Mapping[str, Any]) -> Iterator[str]:
    for consent in evidence["consents"]:
        digest = hashlib.sha256(consent["wording"].encode()).hexdigest()
        if consent["wording_sha256"] and digest != consent["wording_sha256"]:
            yield f"consent {consent['id']}: the wording is not what was recorded"


def _wording_problems(evidence: Mapping[str, Any]) -> Iterator[str]:
    """Check that each message's template version is included and has the hashed wording."""
    editions = {edition["id"]: edition for edition in evidence["editions"]}
    for edition in editions.values():
        text = f"{edition['subject']}\n{edition['body']}"
        if hashlib.sha256(text.encode()).hexdigest() != edition["sha256"]:
            yield f"template version {edition['id']}: the wording is not what was approved"
    for message in evidence["messages"]:
        if (message["template_id"] or "") not in {"", *editions}:
            yield f"message {message['id']}: its template version is missing"


def _verdict_problems(evidence: Mapping[str, Any]) -> Iterator[str]:
    for verdict in evidence["verdicts"]:
        for problem in verdict_problems(verdict):
            yield f"verdict {verdict['id']}: {problem}"


def _event_problems(evidence: Mapping[str, Any]) -> Iterator[str]:
    """Check that each entry is what was sealed, and that the chain leads up to the head."""
    events = [event for event in evidence["events"] if event["sequence"] is not None]
    hashes = {event["sequence"]: event["chain_hash"] for event in events}
    for event in events:
        place, previous = event["sequence"], event["previous"] or ""
        if link_hash(event, sequence=place, previous=previous) != event["chain_hash"]:
            yield f"ledger entry {place} is not what was sealed"
        if hashes.get(place - 1, previous) != previous:
            yield f"ledger entry {place} does not follow entry {place - 1}"
    yield from _person_sequence_problems(events, evidence["ledger"])
    ledger = evidence["ledger"]
    if len(evidence["events"]) != ledger["entries"]:
        yield f"it states {ledger['entries']} ledger entries and has {len(evidence['events'])}"
    if hashes.get(ledger["head_sequence"], ledger["head_hash"]) != ledger["head_hash"]:
        yield "the stated head is not the hash of its own entry"


def _person_sequence_problems(
    events: list[Mapping[str, Any]], ledger: Mapping[str, Any]
) -> Iterator[str]:
    """Check that the numbered entries about each person have no gap."""
    for person, last in ledger["of_each"].items():
        places = {event["person_place"] for event in events if event["person_id"] == person}
        for place in sorted(set(range(1, last + 1)) - places):
            yield f"entry {place} of {last} about person {person} is missing"


def head_statement(head: Mapping[str, Any]) -> bytes:
    """Return the signed bytes of a ledger head, built from its fields."""
    fields = {name: head[name] for name in SIGNED_HEAD_KEYS}
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


def is_head_signed(head: Mapping[str, Any]) -> bool:
    """Return whether the key that a head names signed it."""
    public = head["public_key"]
    return head["key"] == key_fingerprint(public) and is_signature_valid(
        head_statement(head), public=public, signature=head["signature"]
    )


def _head_problems(evidence: Mapping[str, Any]) -> Iterator[str]:
    """Check that each head is what was signed and covers each entry that names it."""
    heads = {head["sequence"]: head for head in evidence["heads"]}
    for place, head in heads.items():
        if not is_head_signed(head):
            yield f"head {place} is not what was signed"
    for event in evidence["events"]:
        if "head" in event and (
            event["head"] not in heads
            or root_from_path(leaf_hash(event["chain_hash"]), event["path"])
            != heads[event["head"]]["root"]
        ):
            yield f"ledger entry {event['sequence']} is not under head {event['head']}"


PROBLEM_FINDERS = (
    _consent_problems,
    form_certificate_check.find_problems,
    _wording_problems,
    _verdict_problems,
    _event_problems,
    _head_problems,
)

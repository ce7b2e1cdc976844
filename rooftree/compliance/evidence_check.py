"""Checking a file we signed with nothing but the file: no database, no settings, no network."""

import hashlib
import json
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rooftree.compliance import form_proof
from rooftree.compliance.checker import problems as of_verdict
from rooftree.core.signatures import fingerprint, holds
from rooftree.ledger.chain import link
from rooftree.ledger.tree import climb, leaf

MANIFEST, MACHINE, SIGNATURE = "manifest.json", "evidence.json", "signature.json"
HEAD_FACTS = ("format", "first", "sequence", "chain_hash", "root", "at")
LARGEST = 1 << 28  # bytes unpacked; what is about one number is far smaller
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)  # also: needs a password
OTHERWISE = (KeyError, ValueError, TypeError, AttributeError)  # it holds something else


class NoEvidence(Exception):
    """It is no evidence file; the text says why."""


def problems(path: Path) -> list[str]:
    """They are all the ways in which a file is not what was written; none for a whole one.

    Of a file about somebody, every consent, verdict and ledger entry is looked at as well.

    Raises `NoEvidence` when it cannot be read at all.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(one.file_size for one in archive.infolist()) > LARGEST:
                raise NoEvidence(f"{path.name} is no evidence file: it is too large")
            found = [*_altered(archive), *_unsigned(archive)]
            if MACHINE in archive.namelist():
                evidence = json.loads(archive.read(MACHINE))
                found += (said for part in PARTS for said in part(evidence))
        return found
    except (*DAMAGED, *OTHERWISE) as bad:
        raise NoEvidence(f"{path.name} is no evidence file: {bad}") from bad


def _altered(archive: zipfile.ZipFile) -> Iterator[str]:
    manifest: dict[str, str] = json.loads(archive.read(MANIFEST))["sha256"]
    inside = Counter(archive.namelist())
    for name, times in sorted(inside.items()):
        if times > 1:
            yield f"{name} is in it {times} times"
        if name not in manifest and name not in (MANIFEST, SIGNATURE):
            yield f"{name} was put in afterwards"
    for name, digest in sorted(manifest.items()):
        if name not in inside:
            yield f"{name} is missing"
        elif hashlib.sha256(archive.read(name)).hexdigest() != digest:
            yield f"{name} was changed"


def signed_by(path: Path) -> str:
    """The name of the key that signed a file: the SHA-256 (hex) of its 32 bytes.

    Raises `NoEvidence` when the file has no signature.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return fingerprint(json.loads(archive.read(SIGNATURE))["public_key"])
    except (*DAMAGED, *OTHERWISE) as bad:
        raise NoEvidence(f"{path.name} has no signature: {bad}") from bad


def _unsigned(archive: zipfile.ZipFile) -> Iterator[str]:
    """The list of digests is under a signature, and so is everything it lists."""
    if SIGNATURE not in archive.namelist():
        yield "nobody signed it"
        return
    signed = json.loads(archive.read(SIGNATURE))
    if not holds(
        archive.read(MANIFEST), public=signed["public_key"], signature=signed["signature"]
    ):
        yield "it is not what was signed"


def _of_consents(evidence: Mapping[str, Any]) -> Iterator[str]:
    for one in evidence["consents"]:
        said = hashlib.sha256(one["wording"].encode()).hexdigest()
        if one["wording_sha256"] and said != one["wording_sha256"]:
            yield f"consent {one['id']}: the wording is not what was recorded"


def _of_wording(evidence: Mapping[str, Any]) -> Iterator[str]:
    """Each message's edition is there, and says what was hashed."""
    editions = {one["id"]: one for one in evidence["editions"]}
    for one in editions.values():
        said = hashlib.sha256(f"{one['subject']}\n{one['body']}".encode()).hexdigest()
        if said != one["sha256"]:
            yield f"edition {one['id']}: the wording is not what was approved"
    for message in evidence["messages"]:
        if (message["template_id"] or "") not in {"", *editions}:
            yield f"message {message['id']}: the wording it was made from is missing"


def _of_verdicts(evidence: Mapping[str, Any]) -> Iterator[str]:
    for one in evidence["verdicts"]:
        for what in of_verdict(one):
            yield f"verdict {one['id']}: {what}"


def _of_events(evidence: Mapping[str, Any]) -> Iterator[str]:
    """Each entry is what was sealed, and neighbors follow one another up to the head."""
    events = [one for one in evidence["events"] if one["sequence"] is not None]
    held = {one["sequence"]: one["chain_hash"] for one in events}
    for one in events:
        place, previous = one["sequence"], one["previous"] or ""
        if link(one, sequence=place, previous=previous) != one["chain_hash"]:
            yield f"ledger entry {place} is not what was sealed"
        if held.get(place - 1, previous) != previous:
            yield f"ledger entry {place} does not follow entry {place - 1}"
    yield from _of_people(events, evidence["ledger"])
    ledger = evidence["ledger"]
    if len(evidence["events"]) != ledger["entries"]:
        yield f"it states {ledger['entries']} ledger entries and holds {len(evidence['events'])}"
    if held.get(ledger["head_sequence"], ledger["head_hash"]) != ledger["head_hash"]:
        yield "the stated head is not the hash of its own entry"


def _of_people(events: list[Mapping[str, Any]], ledger: Mapping[str, Any]) -> Iterator[str]:
    """The entries about one person are numbered, and none is left out."""
    for person, last in ledger["of_each"].items():
        places = {one["person_place"] for one in events if one["person_id"] == person}
        for place in sorted(set(range(1, last + 1)) - places):
            yield f"entry {place} of {last} about person {person} is missing"


def statement(head: Mapping[str, Any]) -> bytes:
    """The bytes of a head of the ledger that are signed, made from what it says."""
    said = {name: head[name] for name in HEAD_FACTS}
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def is_signed(head: Mapping[str, Any]) -> bool:
    """Whether a head is what the key that it names signed."""
    public = head["public_key"]
    return head["key"] == fingerprint(public) and holds(
        statement(head), public=public, signature=head["signature"]
    )


def _of_heads(evidence: Mapping[str, Any]) -> Iterator[str]:
    """Each head is what was signed, and each entry that names one is under it."""
    heads = {one["sequence"]: one for one in evidence["heads"]}
    for place, head in heads.items():
        if not is_signed(head):
            yield f"head {place} is not what was signed"
    for one in evidence["events"]:
        if "head" in one and (
            one["head"] not in heads
            or climb(leaf(one["chain_hash"]), one["path"]) != heads[one["head"]]["root"]
        ):
            yield f"ledger entry {one['sequence']} is not under head {one['head']}"


PARTS = (_of_consents, form_proof.problems, _of_wording, _of_verdicts, _of_events, _of_heads)

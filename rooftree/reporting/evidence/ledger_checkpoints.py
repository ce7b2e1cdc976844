"""Signed heads of the ledger, copied to a place this machine's operator cannot change.

The chain proves that nothing before its head was changed. A head kept elsewhere proves that the
whole chain was not rebuilt. A head is published once per company day and for each evidence file.
"""

import json
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from itertools import batched, groupby
from pathlib import Path
from typing import Any

from django.db.transaction import atomic

from rooftree.compliance.evidence.evidence_file_check import head_statement as statement
from rooftree.compliance.evidence.evidence_file_check import is_head_signed
from rooftree.db.statements import execute
from rooftree.ledger import merkle_tree, seal
from rooftree.ledger.models import Event
from rooftree.money.company_day import company_day
from rooftree.reporting.evidence import signing_keys
from rooftree.reporting.models import PublishedHead

FORMAT = "rooftree-head-1"
_LOCK_KEY = 0x726F_6F66_0003  # advisory lock, used only here
# Raised by `read_heads` and `find_problems` for data that is not a head.
HEAD_ERRORS = (OSError, ValueError, KeyError, TypeError)
type Json = dict[str, Any]


def publish_head(*, at: datetime) -> PublishedHead | None:
    """Seal waiting events and sign the end of the ledger; return the newest head.

    Return the existing head if there are no new entries, and None for an empty ledger.
    """
    seal.seal_events(at=at)
    with atomic():
        execute("select pg_advisory_xact_lock(%s)", [_LOCK_KEY])
        last = newest_head()
        first = last.sequence + 1 if last else 1
        links = Event.objects.filter(sequence__gte=first).order_by("sequence")
        nodes: list[str] = []
        end = None
        for block in batched(
            links.values_list("sequence", "chain_hash").iterator(chunk_size=merkle_tree.BLOCK_SIZE),
            merkle_tree.BLOCK_SIZE,
        ):
            nodes.append(merkle_tree.root_hash([merkle_tree.leaf_hash(link) for _, link in block]))
            end = block[-1]
        if end is None:
            return last
        head = PublishedHead(first=first, root=merkle_tree.root_hash(nodes), nodes=nodes, at=at)
        head.sequence, head.chain_hash = end[0] or 0, end[1]
        signed = signing_keys.sign(statement(head_statement(head)), at=at)
        head.key_id, head.signature = signed["key"], signed["signature"]
        head.save(force_insert=True)
    return head


def newest_head() -> PublishedHead | None:
    """Return the newest published head; None if there is none."""
    return PublishedHead.objects.order_by("-sequence").first()


def publish_daily_head(*, at: datetime) -> None:
    """Publish a head on the first call of each company day."""
    last = newest_head()
    if last is None or company_day(last.at) < company_day(at):
        publish_head(at=at)


def head_statement(head: PublishedHead) -> Json:
    """Build the statement that is signed: the head without its signature."""
    return {
        "format": FORMAT,
        "first": head.first,
        "sequence": head.sequence,
        "chain_hash": head.chain_hash,
        "root": head.root,
        "at": head.at.astimezone(UTC).isoformat(timespec="microseconds"),
    }


def export_head(head: PublishedHead) -> Json:
    """Export a head with its signature and public key, to keep elsewhere."""
    key = head.key
    return {
        **head_statement(head),
        "key": key.pk,
        "public_key": key.public,
        "signature": head.signature,
    }


def copy_heads_to(folder: Path) -> int:
    """Write the heads missing in `folder`; return how many. Never overwrites a file.

    Raises `OSError` if the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = missing_heads(folder)
    for head in PublishedHead.objects.select_related("key").filter(pk__in=missing):
        draft = folder / f".{_head_filename(head.sequence)}.part"
        draft.write_text(json.dumps(export_head(head), indent=1, sort_keys=True) + "\n")
        draft.rename(folder / _head_filename(head.sequence))
    return len(missing)


def missing_heads(folder: Path) -> list[int]:
    """Return the sequences of heads missing in `folder`. Raises `OSError`."""
    filenames = {path.name for path in folder.iterdir()}
    sequences = PublishedHead.objects.order_by("sequence").values_list("sequence", flat=True)
    return [sequence for sequence in sequences if _head_filename(sequence) not in filenames]


def read_heads(path: Path) -> Iterator[Json]:
    """Read heads from a folder, a JSON lines file or a file of one head. Raises `HEAD_ERRORS`."""
    files = sorted(path.glob("head-*.json")) if path.is_dir() else [path]
    for file in files:
        text = file.read_text()
        try:
            yield json.loads(text)
        except ValueError:
            yield from (json.loads(line) for line in text.splitlines() if line.strip())


def find_problems(heads: Iterable[Json]) -> Iterator[str]:
    """Describe each head that is not a head of this database's ledger.

    Raises `HEAD_ERRORS` for data that is not a head.
    """
    for head in heads:
        place = head["sequence"]
        chain_hash = (
            Event.objects.filter(sequence=place).values_list("chain_hash", flat=True).first()
        )
        if not is_head_signed(head):
            yield f"head {place} does not match its signature"
        elif chain_hash is None:
            yield f"head {place} belongs to an entry that is not in this ledger"
        elif chain_hash != head["chain_hash"]:
            yield f"head {place} is from another chain: the ledger was rebuilt since {head['at']}"


def entry_proofs(
    places: Collection[int],
) -> Iterator[tuple[PublishedHead, int, merkle_tree.ProofPath]]:
    """Yield the proof of each entry that is under a head: head, sequence and path in its tree.

    Args:
        places: sequences of entries. Entries under no head are left out.
    """
    covers = PublishedHead.objects.select_related("key").order_by("sequence")
    for head in covers.filter(
        sequence__gte=min(places, default=0), first__lte=max(places, default=0)
    ):
        offsets = sorted(
            place - head.first for place in places if head.first <= place <= head.sequence
        )
        for block, within in groupby(offsets, key=lambda offset: offset // merkle_tree.BLOCK_SIZE):
            first = head.first + block * merkle_tree.BLOCK_SIZE
            last = min(first + merkle_tree.BLOCK_SIZE - 1, head.sequence)
            links = Event.objects.filter(sequence__range=(first, last)).order_by("sequence")
            hashes = links.values_list("chain_hash", flat=True)
            leaves = [merkle_tree.leaf_hash(link) for link in hashes]
            above = merkle_tree.proof_path(head.nodes, block)
            for offset in within:
                below = merkle_tree.proof_path(leaves, offset % merkle_tree.BLOCK_SIZE)
                yield head, head.first + offset, [*below, *above]


def _head_filename(sequence: int) -> str:
    return f"head-{sequence:015}.json"

"""The ledger's heads, signed and put where whoever rules this machine cannot change them.

A chain proves that nothing before its head was changed; a head kept elsewhere proves that
the chain was not made anew. One is published at the end of every day of the company's, and
whenever an evidence file is made.
"""

import json
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from itertools import batched, groupby
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.transaction import atomic

from rooftree.compliance.evidence.evidence_file_check import head_statement as statement
from rooftree.compliance.evidence.evidence_file_check import is_head_signed
from rooftree.ledger import merkle_tree, seal
from rooftree.ledger.models import Event
from rooftree.money.company_day import company_day
from rooftree.reporting.evidence import signing_keys
from rooftree.reporting.models import PublishedHead

FORMAT = "rooftree-head-1"
_LOCK_KEY = 0x726F_6F66_0002  # of the advisory lock; any number that only publishers use
# What `kept` and `problems` raise for what is no head.
HEAD_ERRORS = (OSError, ValueError, KeyError, TypeError)
type Json = dict[str, Any]


def publish_head(*, at: datetime) -> PublishedHead | None:
    """Seal what waits and sign the end; the newest head, the old one when nothing came since."""
    seal.seal_events(at=at)
    with atomic():
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(%s)", [_LOCK_KEY])
        last = newest_head()
        first = last.sequence + 1 if last else 1
        links = Event.objects.filter(sequence__gte=first).order_by("sequence")
        nodes: list[str] = []
        end = None
        for block in batched(
            links.values_list("sequence", "chain_hash").iterator(chunk_size=merkle_tree.BLOCK_SIZE),
            merkle_tree.BLOCK_SIZE,
        ):
            nodes.append(merkle_tree.root_hash([merkle_tree.leaf_hash(one) for _, one in block]))
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
    """The last head that was published."""
    return PublishedHead.objects.order_by("-sequence").first()


def publish_daily_head(*, at: datetime) -> None:
    """Publish once a day of the company's, the first time this is called on it."""
    last = newest_head()
    if last is None or company_day(last.at) < company_day(at):
        publish_head(at=at)


def head_statement(head: PublishedHead) -> Json:
    """A head without its signature, as it is signed."""
    return {
        "format": FORMAT,
        "first": head.first,
        "sequence": head.sequence,
        "chain_hash": head.chain_hash,
        "root": head.root,
        "at": head.at.astimezone(UTC).isoformat(timespec="microseconds"),
    }


def export_head(head: PublishedHead) -> Json:
    """A head as it is kept elsewhere."""
    key = head.key
    return {
        **head_statement(head),
        "key": key.pk,
        "public_key": key.public,
        "signature": head.signature,
    }


def copy_heads_to(folder: Path) -> int:
    """Write each head that `folder` has not got; how many. A file once there is never written.

    Raises `OSError` when the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    late = missing_heads(folder)
    for head in PublishedHead.objects.select_related("key").filter(pk__in=late):
        draft = folder / f".{_head_filename(head.sequence)}.part"
        draft.write_text(json.dumps(export_head(head), indent=1, sort_keys=True) + "\n")
        draft.rename(folder / _head_filename(head.sequence))
    return len(late)


def missing_heads(folder: Path) -> list[int]:
    """The sequences of the heads that `folder` has not got. Raises `OSError`."""
    there = {path.name for path in folder.iterdir()}
    sequences = PublishedHead.objects.order_by("sequence").values_list("sequence", flat=True)
    return [sequence for sequence in sequences if _head_filename(sequence) not in there]


def read_heads(where: Path) -> Iterator[Json]:
    """The heads in a folder, or in a file of JSON lines or of one head. Raises `UNREADABLE`."""
    files = sorted(where.glob("head-*.json")) if where.is_dir() else [where]
    for file in files:
        text = file.read_text()
        try:
            yield json.loads(text)
        except ValueError:
            yield from (json.loads(line) for line in text.splitlines() if line.strip())


def find_problems(heads: Iterable[Json]) -> Iterator[str]:
    """Say of each head in which way it is not the head of the ledger in this database.

    Raises `UNREADABLE` for what is none.
    """
    for head in heads:
        place = head["sequence"]
        ours = Event.objects.filter(sequence=place).values_list("chain_hash", flat=True).first()
        if not is_head_signed(head):
            yield f"head {place} is not what was signed"
        elif ours is None:
            yield f"head {place} is of an entry that is not in this ledger"
        elif ours != head["chain_hash"]:
            yield f"head {place} is of another chain: the ledger was made anew since {head['at']}"


def entry_proofs(
    places: Collection[int],
) -> Iterator[tuple[PublishedHead, int, merkle_tree.ProofPath]]:
    """Each of some entries that is under a head, with that head and the entry's path in its tree.

    Args:
        places: sequences of entries.
    """
    covers = PublishedHead.objects.select_related("key").order_by("sequence")
    for head in covers.filter(
        sequence__gte=min(places, default=0), first__lte=max(places, default=0)
    ):
        inside = sorted(
            place - head.first for place in places if head.first <= place <= head.sequence
        )
        for block, within in groupby(inside, key=lambda one: one // merkle_tree.BLOCK_SIZE):
            leaves, above = _block_leaves(head, block), merkle_tree.proof_path(head.nodes, block)
            for one in within:
                yield (
                    head,
                    head.first + one,
                    [*merkle_tree.proof_path(leaves, one % merkle_tree.BLOCK_SIZE), *above],
                )


def _block_leaves(head: PublishedHead, block: int) -> list[str]:
    begins = head.first + block * merkle_tree.BLOCK_SIZE
    ends = min(begins + merkle_tree.BLOCK_SIZE - 1, head.sequence)
    links = Event.objects.filter(sequence__range=(begins, ends)).order_by("sequence")
    return [merkle_tree.leaf_hash(link) for link in links.values_list("chain_hash", flat=True)]


def _head_filename(sequence: int) -> str:
    return f"head-{sequence:015}.json"

"""Merkle trees over the ledger's links, for short proofs that an entry is under a head.

Plain Python, so that anyone can check a proof independently. The tree is that of RFC 9162,
section 2.1, over the links' hashes: nodes of one level are joined in pairs, and an odd node
moves up unchanged.
"""

import hashlib
from collections.abc import Sequence

BLOCK_SIZE = 1024  # links per stored node, so that a proof need not read a whole day
LEAF_PREFIX, NODE_PREFIX = b"\0", b"\1"
# From the leaf up: the side of the sibling ("left" or "right") and its node (hex).
type ProofPath = list[list[str]]


def leaf_hash(chain_hash: str) -> str:
    """Return the leaf node (SHA-256, hex) of one link."""
    return hashlib.sha256(LEAF_PREFIX + bytes.fromhex(chain_hash)).hexdigest()


def root_hash(nodes: Sequence[str]) -> str:
    """Return the root over `nodes`, which must not be empty."""
    level = list(nodes)
    while len(level) > 1:
        level = _parent_level(level)
    return level[0]


def proof_path(nodes: Sequence[str], place: int) -> ProofPath:
    """Return the path from the node at `place` to the root, for `root_from_path`."""
    level, steps = list(nodes), []
    while len(level) > 1:
        sibling = place ^ 1
        if sibling < len(level):
            steps.append(["left" if sibling < place else "right", level[sibling]])
        level, place = _parent_level(level), place // 2
    return steps


def root_from_path(node: str, steps: ProofPath) -> str:
    """Return the root reached from `node` along the path `steps`."""
    for side, sibling in steps:
        node = _hash_pair(sibling, node) if side == "left" else _hash_pair(node, sibling)
    return node


def _parent_level(level: Sequence[str]) -> list[str]:
    pairs = zip(level[::2], level[1::2], strict=False)
    return [
        *(_hash_pair(left, right) for left, right in pairs),
        *(level[-1:] if len(level) % 2 else ()),
    ]


def _hash_pair(left: str, right: str) -> str:
    return hashlib.sha256(NODE_PREFIX + bytes.fromhex(left) + bytes.fromhex(right)).hexdigest()

"""Hash trees over the ledger's links: a short proof that one entry is under a published head.

Plain Python, so that anyone can check a proof without us. The tree is that of RFC 9162,
section 2.1, over the links' hashes: nodes of one level are joined in pairs, and one that is
left over goes up as it is.
"""

import hashlib
from collections.abc import Sequence

BLOCK_SIZE = 1024  # links whose common node is kept, so that a proof need not read a whole day
LEAF_PREFIX, NODE_PREFIX = b"\0", b"\1"
type ProofPath = list[
    list[str]
]  # from the leaf up: ["left" or "right" of us, the node there (hex)]


def leaf_hash(chain_hash: str) -> str:
    """The node (SHA-256, hex) of one link."""
    return hashlib.sha256(LEAF_PREFIX + bytes.fromhex(chain_hash)).hexdigest()


def root_hash(nodes: Sequence[str]) -> str:
    """The one node over `nodes`, of which there is at least one."""
    level = list(nodes)
    while len(level) > 1:
        level = _parent_level(level)
    return level[0]


def proof_path(nodes: Sequence[str], place: int) -> ProofPath:
    """What `climb` needs to get from the node at `place` to the root of `nodes`."""
    level, steps = list(nodes), []
    while len(level) > 1:
        beside = place ^ 1
        if beside < len(level):
            steps.append(["left" if beside < place else "right", level[beside]])
        level, place = _parent_level(level), place // 2
    return steps


def root_from_path(node: str, steps: ProofPath) -> str:
    """The root that `node` is under, if `steps` are its path."""
    for side, beside in steps:
        node = _hash_pair(beside, node) if side == "left" else _hash_pair(node, beside)
    return node


def _parent_level(level: Sequence[str]) -> list[str]:
    pairs = zip(level[::2], level[1::2], strict=False)
    return [*(_hash_pair(one, two) for one, two in pairs), *(level[-1:] if len(level) % 2 else ())]


def _hash_pair(one: str, two: str) -> str:
    return hashlib.sha256(NODE_PREFIX + bytes.fromhex(one) + bytes.fromhex(two)).hexdigest()

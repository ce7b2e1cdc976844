"""A proof path shows that one entry is under a head, and works for no other entry."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftree.ledger import merkle_tree


def links(count: int) -> list[str]:
    return [hashlib.sha256(str(number).encode()).hexdigest() for number in range(count)]


@given(count=st.integers(1, 70), data=st.data())
def test_proof_path_leads_only_its_own_leaf_to_the_root(count, data):
    nodes = [merkle_tree.leaf_hash(link) for link in links(count)]
    place = data.draw(st.integers(0, count - 1))
    path = merkle_tree.proof_path(nodes, place)

    assert merkle_tree.root_from_path(nodes[place], path) == merkle_tree.root_hash(nodes)
    assert merkle_tree.root_from_path(
        merkle_tree.leaf_hash("ab" * 32), path
    ) != merkle_tree.root_hash(nodes)
    assert len(path) <= 7


@given(count=st.integers(1, 70))
def test_tree_of_blocks_equals_tree_of_all_links(count):
    nodes = [merkle_tree.leaf_hash(link) for link in links(count)]
    blocks = [merkle_tree.root_hash(nodes[begin : begin + 8]) for begin in range(0, count, 8)]

    assert merkle_tree.root_hash(blocks) == merkle_tree.root_hash(nodes)


def rfc_9162(leaves: list[bytes]) -> bytes:
    """Compute the MTH of RFC 9162, section 2.1.1, as written there."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + rfc_9162(leaves[:half]) + rfc_9162(leaves[half:])).digest()


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 9, 1025])
def test_root_matches_rfc_9162(count):
    hashes = links(count)

    expected = rfc_9162([bytes.fromhex(link) for link in hashes]).hex()
    assert merkle_tree.root_hash([merkle_tree.leaf_hash(link) for link in hashes]) == expected


def test_leaf_hash_differs_from_node_hash():
    left, right = links(2)
    inner = merkle_tree.root_hash([merkle_tree.leaf_hash(left), merkle_tree.leaf_hash(right)])

    assert merkle_tree.leaf_hash(inner) != inner

"""Opt-outs: stored once per idempotency key, and ended only by the consumer."""

import pytest

from rooftree.compliance.consent import store_revocation
from rooftree.compliance.models import Revocation
from rooftree.ledger.models import Event
from tests import make

pytestmark = pytest.mark.django_db
BEN = "+18135550142"


def record(kind: str = "stop", **changes) -> Revocation:
    return store_revocation.store_revocation(
        **{
            "person_id": None,
            "address": BEN,
            "kind": kind,
            "media": ["call", "text"],
            "origin": "message:SM1",
            "idempotency_key": f"test:{kind}",
            "at": make.NOON,
            **changes,
        }
    )


def test_same_key_is_one_opt_out_with_its_first_moment():
    first = record(words="STOP")
    again = record(words="stop it", at=make.NOON + make.HOUR)

    assert again == first
    row = Revocation.objects.get()
    assert (row.at, row.borrower_words, row.media) == (make.NOON, "STOP", ["call", "text"])
    assert Event.objects.filter(kind="compliance.permission.revoked").count() == 1


@pytest.mark.parametrize(
    ("kind", "ends"),
    [
        ("stop", True),
        ("review", True),
        ("unsubscribe", True),
        ("do_not_contact", False),
        ("vendor", False),
        ("wrong_person", False),
    ],
)
def test_start_ends_only_the_consumers_own_opt_outs(kind, ends):
    record(kind)

    ended = store_revocation.restore_permission(address=BEN, by="start:1", at=make.NOON + make.HOUR)

    assert ended == int(ends)
    row = Revocation.objects.get()
    assert (row.ended_at is not None, row.ended_by) == (ends, "start:1" if ends else "")
    assert Event.objects.filter(kind="compliance.permission.restored").count() == int(ends)


def test_start_ends_only_earlier_opt_outs_of_its_number_once():
    record(idempotency_key="a", address="+18135550199")
    record(idempotency_key="b", at=make.NOON + make.DAY)
    record(idempotency_key="c")

    assert (
        store_revocation.restore_permission(address=BEN, by="start:1", at=make.NOON + make.HOUR)
        == 1
    )
    assert (
        store_revocation.restore_permission(address=BEN, by="start:2", at=make.NOON + make.HOUR)
        == 0
    )
    assert Revocation.objects.get(idempotency_key="c").ended_by == "start:1"


def test_opt_out_after_start_applies():
    record()
    store_revocation.restore_permission(address=BEN, by="start:1", at=make.NOON + make.HOUR)

    record(idempotency_key="test:again", at=make.NOON + make.DAY)

    assert Revocation.objects.filter(ended_at=None).count() == 1

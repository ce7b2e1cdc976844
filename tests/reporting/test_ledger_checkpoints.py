"""Ledger heads: signed, kept elsewhere, and proof against a rebuilt ledger."""

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from rooftree.ledger import merkle_tree, seal
from rooftree.ledger.chain import GENESIS_HASH, HASHED_FIELDS, link_hash
from rooftree.ledger.models import Event
from rooftree.ledger.write_events import write_event
from rooftree.management import command_base, doctor_machine_checks
from rooftree.reporting.evidence import ledger_checkpoints, signing_keys
from rooftree.reporting.invariants import check_published_heads
from rooftree.reporting.models import PublishedHead
from tests import make

pytestmark = pytest.mark.django_db


def write_sealed_events(count: int = 3) -> None:
    for number in range(count):
        write_event("test.thing.happened", at=make.NOON, number=number)
    seal.seal_events(at=make.NOON, limit=5000)


def rebuild_ledger() -> None:
    """Change one ledger entry and compute every link after it again."""
    with connection.cursor() as cursor:
        cursor.execute("alter table event disable trigger user")
    Event.objects.filter(sequence=2).update(actor="user:nobody")
    previous = GENESIS_HASH
    for row in Event.objects.exclude(sequence=None).order_by("sequence"):
        facts = Event.objects.values(*HASHED_FIELDS, "person_place").get(pk=row.pk)
        previous = link_hash(facts, sequence=row.sequence, previous=previous)
        Event.objects.filter(pk=row.pk).update(chain_hash=previous)
    with connection.cursor() as cursor:
        cursor.execute("alter table event enable trigger user")


def test_head_covers_entries_since_the_previous_head():
    write_sealed_events(3)
    first = ledger_checkpoints.publish_head(at=make.NOON)
    write_sealed_events(2)
    second = ledger_checkpoints.publish_head(at=make.NOON + make.MINUTE)

    assert (first.first, first.sequence) == (1, 3)
    # Creating the signing key is an entry too.
    assert (second.first, second.sequence) == (4, 6)
    assert check_published_heads(make.NOON).holds


def test_publishing_without_new_entries_returns_the_existing_head():
    write_sealed_events()
    head = ledger_checkpoints.publish_head(at=make.NOON)
    again = ledger_checkpoints.publish_head(at=make.NOON + make.MINUTE)

    assert ledger_checkpoints.publish_head(at=make.NOON + make.DAY).pk == again.pk
    assert PublishedHead.objects.count() == 2
    assert head.pk < again.pk


def test_one_head_is_published_per_company_day():
    write_sealed_events()
    for minutes in (0, 1, 60):
        ledger_checkpoints.publish_daily_head(at=make.NOON + timedelta(minutes=minutes))
    assert PublishedHead.objects.count() == 1
    write_sealed_events()
    ledger_checkpoints.publish_daily_head(at=make.NOON + make.DAY)
    assert PublishedHead.objects.count() == 2


def test_every_entry_has_a_proof_path_to_its_head(monkeypatch):
    monkeypatch.setattr(merkle_tree, "BLOCK_SIZE", 4)
    write_sealed_events(11)
    head = ledger_checkpoints.publish_head(at=make.NOON)

    hashes = dict(Event.objects.exclude(sequence=None).values_list("sequence", "chain_hash"))
    proved = {place: path for _, place, path in ledger_checkpoints.entry_proofs(set(hashes))}
    assert set(proved) == set(range(1, 12))
    for place, path in proved.items():
        assert merkle_tree.root_from_path(merkle_tree.leaf_hash(hashes[place]), path) == head.root


def test_database_refuses_to_change_or_delete_a_head():
    write_sealed_events()
    head = ledger_checkpoints.publish_head(at=make.NOON)

    for change in (
        lambda: PublishedHead.objects.filter(pk=head.pk).update(root="0" * 64),
        lambda: PublishedHead.objects.filter(pk=head.pk).delete(),
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()


def test_head_kept_elsewhere_exposes_a_rebuilt_ledger(tmp_path, capsys):
    write_sealed_events(5)
    ledger_checkpoints.publish_head(at=make.NOON)
    assert ledger_checkpoints.copy_heads_to(tmp_path / "kept") == 1
    rebuild_ledger()

    kept = list(ledger_checkpoints.read_heads(tmp_path / "kept"))
    assert [problem.split(":")[0] for problem in ledger_checkpoints.find_problems(kept)] == [
        "head 5 is from another chain"
    ]
    with pytest.raises(command_base.CheckFailed):
        call_command("check", heads=tmp_path / "kept", json=True)
    findings = json.loads(capsys.readouterr().out)["findings"]
    holds = {finding["name"]: finding["holds"] for finding in findings}
    assert holds["ledger"] is True
    assert holds["heads kept elsewhere"] is False


def test_altered_head_is_reported(tmp_path):
    write_sealed_events()
    ledger_checkpoints.publish_head(at=make.NOON)
    ledger_checkpoints.copy_heads_to(tmp_path)
    file = next(tmp_path.glob("head-*.json"))
    file.write_text(file.read_text().replace('"first": 1', '"first": 2'))

    assert list(ledger_checkpoints.find_problems(ledger_checkpoints.read_heads(tmp_path))) == [
        "head 3 does not match its signature"
    ]


def test_copied_heads_are_never_overwritten(tmp_path):
    write_sealed_events()
    ledger_checkpoints.publish_head(at=make.NOON)
    assert ledger_checkpoints.copy_heads_to(tmp_path) == 1
    file = next(tmp_path.glob("head-*.json"))
    before = file.stat().st_mtime_ns
    seal.seal_events(at=make.NOON)
    ledger_checkpoints.publish_head(at=make.NOON + make.MINUTE)

    assert ledger_checkpoints.copy_heads_to(tmp_path) == 1
    assert file.stat().st_mtime_ns == before
    assert ledger_checkpoints.missing_heads(tmp_path) == []


def test_doctor_reports_heads_not_copied(tmp_path, monkeypatch):
    write_sealed_events()
    ledger_checkpoints.publish_head(at=make.NOON)
    monkeypatch.setattr(doctor_machine_checks.settings, "HEADS_FOLDER", str(tmp_path))
    assert "1 are missing in" in doctor_machine_checks.check_ledger_heads().text
    ledger_checkpoints.copy_heads_to(tmp_path)
    assert doctor_machine_checks.check_ledger_heads().is_ok
    (tmp_path / "head-0.json").write_text("{}")
    assert "can't be read" in doctor_machine_checks.check_ledger_heads().text


def test_old_signatures_stay_valid_after_key_rotation(capsys):
    write_sealed_events()
    old = ledger_checkpoints.publish_head(at=make.NOON).key_id
    call_command("heads", new_key=True)

    new = ledger_checkpoints.newest_head().key_id
    assert new != old
    assert [public_key["key"] for public_key in signing_keys.list_public_keys()] == [
        new,
        old,
    ]
    assert check_published_heads(make.NOON).holds


def test_empty_ledger_has_no_head():
    with pytest.raises(command_base.CheckFailed, match="nothing is sealed"):
        call_command("heads")

"""Controls say what the records say: each works, and each is seen to fail when it does not."""

import csv
import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from rooftree.compliance.evidence import evidence_file_check
from rooftree.ledger import seal
from rooftree.ledger.write_events import write_event
from rooftree.org import access_log
from rooftree.org.access_log import AccessKind
from rooftree.org.client_info import NO_CLIENT
from rooftree.org.models import AccessEntry, User
from rooftree.reporting.controls import (
    assurance_records,
    controls_archive,
    security_controls,
    security_incidents,
)
from rooftree.reporting.controls.assurance_records import KINDS, BadRecord
from rooftree.reporting.evidence import ledger_checkpoints
from rooftree.reporting.models import Assurance, Incident
from tests import make

pytestmark = pytest.mark.django_db
TODAY = make.NOON.date()


@pytest.fixture
def omar(db):
    make.company()
    return make.user("compliance", name="Omar Reyes")


def asked(**changes):
    given = {"since": make.NOON - 90 * make.DAY, "at": make.NOON, "last_backup": make.NOON}
    return security_controls.ControlScope(**{**given, **changes})


def of(title: str, **changes) -> security_controls.Control:
    return next(
        control
        for control in security_controls.check_controls(asked(**changes))
        if control.title == title
    )


def came_in(user: User, *, at=make.NOON, factor="passkey") -> AccessEntry:
    return access_log.record_access(
        AccessKind.SIGNED_IN, client=NO_CLIENT, at=at, user_id=user.pk, factor=factor
    )


def test_a_sign_in_without_a_second_factor_shows(omar, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    title = "A second factor guards every account"
    came_in(omar)
    assert of(title).is_effective
    came_in(omar, factor="")
    found = of(title)
    assert not found.is_effective
    assert "1 of 2 sign-ins went without one" in found.sentence


def test_access_that_nobody_used_for_ninety_days_shows(omar):
    title = "People have the access of their role, and use it"
    User.objects.update(joined_at=make.NOON - 200 * make.DAY)
    came_in(omar, at=make.NOON - 89 * make.DAY)
    assert of(title).is_effective
    assert not of(title, at=make.NOON + 2 * make.DAY).is_effective


def test_a_key_of_somebody_who_left_shows(omar):
    title = "Who leaves is out at once"
    assert of(title).is_effective
    from rooftree.org.models import ApiKey

    ApiKey.objects.create(
        name="old site", user=omar, start="rt_1", secret_hash="0" * 64, scopes=[],
        created_by=omar, created_at=make.NOON, expires_at=make.NOON + make.DAY,
    )  # fmt: skip
    User.objects.filter(pk=omar.pk).update(is_active=False)
    assert not of(title).is_effective


def test_a_secret_in_the_clear_shows(omar):
    title = "Secrets are encrypted where they are stored"
    source = make.source()
    source.secret = "s3cret-of-the-vendor"
    source.save()
    assert of(title).is_effective
    with connection.cursor() as cursor:
        cursor.execute("update source set secret = 's3cret' where id = %s", [source.pk])
    found = of(title)
    assert not found.is_effective
    assert [row["column"] for row in found.rows if row["in_the_clear"]] == ["source.secret"]


def test_a_log_that_could_be_changed_shows(omar):
    title = "What people do is logged, and the log cannot be changed"
    write_event("test.thing.happened", at=make.NOON)
    seal.seal_events(at=make.NOON)
    ledger_checkpoints.publish_head(at=make.NOON)
    assert of(title).is_effective
    with connection.cursor() as cursor:
        cursor.execute("alter table event disable trigger event_append_only")
    assert "Not guarded by the database: event" in of(title).sentence
    assert not of(title).is_effective
    with connection.cursor() as cursor:
        cursor.execute("alter table event enable trigger event_append_only")


def test_changes_of_rights_name_their_author(omar):
    write_event(
        "org.user.role_changed", at=make.NOON, actor=f"user:{omar.pk}", user_id=omar.pk, to="x"
    )
    found = of("Each change of somebody’s rights names who made it")
    assert found.rows[-1]["by"] == "Omar Reyes"
    assert "user_id: Omar Reyes" in found.rows[-1]["about"]


@pytest.mark.parametrize(("hours", "works"), [(1, True), (27, False)])
def test_a_backup_is_of_today(omar, hours, works):
    made = make.NOON - timedelta(hours=hours)
    assert of("There is a backup of today", last_backup=made).is_effective is works


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"access_review"}))
def test_what_people_write_down_counts_until_it_is_due_again(omar, kind):
    title, days = KINDS[kind].title, KINDS[kind].days
    assert not of(title).is_effective
    assurance_records.record_assurance(
        kind, on=TODAY, said="Done.", document="a.pdf", by=omar, at=make.NOON
    )
    assert of(title, at=make.NOON + days * make.DAY).is_effective
    assert not of(title, at=make.NOON + (days + 1) * make.DAY).is_effective


def test_a_review_of_access_decides_about_everybody(omar):
    ana = make.user("operations", name="Ana")
    with pytest.raises(BadRecord, match="Decide about Ana"):
        assurance_records.record_access_review(
            {omar.pk: "keep"}, said="", on=TODAY, by=omar, at=make.NOON
        )
    done = assurance_records.record_access_review(
        {omar.pk: "keep", ana.pk: "change"}, said="Ana moved on.", on=TODAY, by=omar, at=make.NOON
    )
    assert done.figures == {"keep": [str(omar.pk)], "change": [str(ana.pk)]}
    assert of(KINDS["access_review"].title).is_effective


def test_nobody_changes_what_was_written_down(omar):
    assurance_records.record_assurance(
        "board", on=TODAY, said="Done.", document="", by=omar, at=make.NOON
    )
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Assurance.objects.update(said="Never done.")
    with pytest.raises(BadRecord, match="not come yet"):
        later = TODAY + timedelta(days=5)
        assurance_records.record_assurance(
            "board", on=later, said="Done.", document="", by=omar, at=make.NOON
        )


def incident(omar, **changes) -> Incident:
    facts = {
        "what": "A laptop was stolen", "discovered_on": TODAY, "consumers": 500,
        "is_encrypted": False, "was_key_taken": False,
    }  # fmt: skip
    return security_incidents.open_incident(Incident(**{**facts, **changes}), by=omar, at=make.NOON)


@pytest.mark.parametrize(
    ("changes", "is_told"),
    [
        ({}, True),
        ({"consumers": 499}, False),
        ({"is_encrypted": True}, False),
        ({"is_encrypted": True, "was_key_taken": True}, True),
    ],
)
def test_five_hundred_readable_records_are_told_to_the_ftc_within_thirty_days(
    omar, changes, is_told
):
    one = incident(omar, **changes)
    title = "Incidents are written down, and told in time"
    assert of(title, at=make.NOON + 30 * make.DAY).is_effective
    assert of(title, at=make.NOON + 31 * make.DAY).is_effective is not is_told
    if is_told:
        with pytest.raises(BadRecord, match="FTC must be told"):
            security_incidents.close_incident(one.pk, ended="Wiped.", by=omar, at=make.NOON)
        security_incidents.record_ftc_notice(one.pk, on=TODAY, by=omar, at=make.NOON)
    security_incidents.close_incident(one.pk, ended="Wiped.", by=omar, at=make.NOON)
    assert of(title, at=make.NOON + 60 * make.DAY).is_effective


def test_a_last_day_lasts_until_it_ends_by_the_companys_clock(omar):
    incident(omar)
    assurance_records.record_assurance(
        "restore", on=TODAY, said="Done.", document="", by=omar, at=make.NOON
    )
    for title, days in (
        ("Incidents are written down, and told in time", 30),
        (KINDS["restore"].title, KINDS["restore"].days),
    ):
        midnight = make.NOON + days * make.DAY + timedelta(hours=12)
        assert of(title, at=midnight - make.MINUTE).is_effective
        assert not of(title, at=midnight).is_effective


def test_nothing_is_written_down_of_a_day_that_begins_at_midnight(omar):
    evening, tomorrow = make.NOON + timedelta(hours=11), TODAY + make.DAY
    with pytest.raises(BadRecord, match="not come yet"):
        assurance_records.record_assurance(
            "board", on=tomorrow, said="Done.", document="", by=omar, at=evening
        )
    with pytest.raises(BadRecord, match="a day to come"):
        security_incidents.open_incident(
            Incident(what="A stolen laptop", discovered_on=tomorrow, consumers=1,
                     is_encrypted=False, was_key_taken=False), by=omar, at=evening,
        )  # fmt: skip


def test_the_file_is_signed_and_holds_every_control_and_its_rows(omar, tmp_path):
    came_in(omar)
    path = tmp_path / "controls.zip"
    path.write_bytes(controls_archive.build_archive(asked(), by=omar))

    with zipfile.ZipFile(path) as archive:
        told = json.loads(archive.read("controls.json"))
        assert archive.read("controls.pdf").startswith(b"%PDF")
        name = next(one for one in archive.namelist() if "access of their role" in one)
        people = list(csv.DictReader(io.StringIO(archive.read(name).decode().lstrip("\ufeff"))))
    assert len(told["controls"]) == len(security_controls.check_controls(asked()))
    assert people[0]["person"] == "Omar Reyes"
    assert len(evidence_file_check.signing_key_fingerprint(path)) == 64
    assert evidence_file_check.find_problems(path) == []

"""Security controls: each one passes on good records and fails on bad ones."""

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


def scope(**changes):
    period = {"since": make.NOON - 90 * make.DAY, "at": make.NOON, "last_backup": make.NOON}
    return security_controls.ControlScope(**{**period, **changes})


def control(title: str, **changes) -> security_controls.Control:
    return next(
        row for row in security_controls.check_controls(scope(**changes)) if row.title == title
    )


def log_in(user: User, *, at=make.NOON, factor="passkey") -> AccessEntry:
    return access_log.record_access(
        AccessKind.SIGNED_IN, client=NO_CLIENT, at=at, user_id=user.pk, factor=factor
    )


def test_second_factor_control_fails_on_login_without_one(omar, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    title = "Every account has a second factor"
    log_in(omar)
    assert control(title).is_effective
    log_in(omar, factor="")
    failing = control(title)
    assert not failing.is_effective
    assert "1 of 2 sign-ins went without one" in failing.sentence


def test_least_privilege_control_fails_on_user_idle_for_90_days(omar):
    title = "Users have the access of their role and use it"
    User.objects.update(joined_at=make.NOON - 200 * make.DAY)
    log_in(omar, at=make.NOON - 89 * make.DAY)
    assert control(title).is_effective
    assert not control(title, at=make.NOON + 2 * make.DAY).is_effective


def test_former_staff_control_fails_on_live_api_key(omar):
    title = "Former staff lose access immediately"
    assert control(title).is_effective
    from rooftree.org.models import ApiKey

    ApiKey.objects.create(
        name="old site", user=omar, start="rt_1", secret_hash="0" * 64, scopes=[],
        created_by=omar, created_at=make.NOON, expires_at=make.NOON + make.DAY,
    )  # fmt: skip
    User.objects.filter(pk=omar.pk).update(is_active=False)
    assert not control(title).is_effective


def test_stored_secrets_control_fails_on_clear_text(omar):
    title = "Secrets are encrypted where they are stored"
    source = make.source()
    source.secret = "s3cret-of-the-vendor"
    source.save()
    assert control(title).is_effective
    with connection.cursor() as cursor:
        cursor.execute("update source set secret = 's3cret' where id = %s", [source.pk])
    failing = control(title)
    assert not failing.is_effective
    assert [row["column"] for row in failing.rows if row["in_the_clear"]] == ["source.secret"]


def test_logging_control_fails_without_append_only_trigger(omar):
    title = "User activity is logged, and the log cannot be changed"
    write_event("test.thing.happened", at=make.NOON)
    seal.seal_events(at=make.NOON)
    ledger_checkpoints.publish_head(at=make.NOON)
    assert control(title).is_effective
    with connection.cursor() as cursor:
        cursor.execute("alter table event disable trigger event_append_only")
    assert "Not guarded by the database: event" in control(title).sentence
    assert not control(title).is_effective
    with connection.cursor() as cursor:
        cursor.execute("alter table event enable trigger event_append_only")


def test_rights_changes_name_their_author(omar):
    write_event(
        "org.user.role_changed", at=make.NOON, actor=f"user:{omar.pk}", user_id=omar.pk, to="x"
    )
    changes = control("Each change of user rights names its author")
    assert changes.rows[-1]["by"] == "Omar Reyes"
    assert "user_id: Omar Reyes" in changes.rows[-1]["about"]


@pytest.mark.parametrize(("hours", "is_effective"), [(1, True), (27, False)])
def test_backup_control_fails_after_26_hours(omar, hours, is_effective):
    backup_at = make.NOON - timedelta(hours=hours)
    assert (
        control("The last backup is less than 26 hours old", last_backup=backup_at).is_effective
        is is_effective
    )


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"access_review"}))
def test_assurance_record_counts_until_it_is_due_again(omar, kind):
    title, days = KINDS[kind].title, KINDS[kind].days
    assert not control(title).is_effective
    assurance_records.record_assurance(
        kind, on=TODAY, summary="Done.", document="a.pdf", by=omar, at=make.NOON
    )
    assert control(title, at=make.NOON + days * make.DAY).is_effective
    assert not control(title, at=make.NOON + (days + 1) * make.DAY).is_effective


def test_access_review_must_cover_every_user(omar):
    ana = make.user("operations", name="Ana")
    with pytest.raises(BadRecord, match="Decide about Ana"):
        assurance_records.record_access_review(
            {omar.pk: "keep"}, summary="", on=TODAY, by=omar, at=make.NOON
        )
    review = assurance_records.record_access_review(
        {omar.pk: "keep", ana.pk: "change"},
        summary="Ana moved on.",
        on=TODAY,
        by=omar,
        at=make.NOON,
    )
    assert review.figures == {"keep": [str(omar.pk)], "change": [str(ana.pk)]}
    assert control(KINDS["access_review"].title).is_effective


def test_assurance_records_are_append_only(omar):
    assurance_records.record_assurance(
        "board", on=TODAY, summary="Done.", document="", by=omar, at=make.NOON
    )
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Assurance.objects.update(statement="Never done.")
    with pytest.raises(BadRecord, match="in the future"):
        later = TODAY + timedelta(days=5)
        assurance_records.record_assurance(
            "board", on=later, summary="Done.", document="", by=omar, at=make.NOON
        )


def incident(omar, **changes) -> Incident:
    facts = {
        "description": "A laptop was stolen", "discovered_on": TODAY, "consumers": 500,
        "is_encrypted": False, "was_key_exposed": False,
    }  # fmt: skip
    return security_incidents.open_incident(Incident(**{**facts, **changes}), by=omar, at=make.NOON)


@pytest.mark.parametrize(
    ("changes", "is_reportable"),
    [
        ({}, True),
        ({"consumers": 499}, False),
        ({"is_encrypted": True}, False),
        ({"is_encrypted": True, "was_key_exposed": True}, True),
    ],
)
def test_incident_with_500_readable_records_is_due_to_ftc_in_30_days(omar, changes, is_reportable):
    laptop = incident(omar, **changes)
    title = "Incidents are recorded and reported on time"
    assert control(title, at=make.NOON + 30 * make.DAY).is_effective
    assert control(title, at=make.NOON + 31 * make.DAY).is_effective is not is_reportable
    if is_reportable:
        with pytest.raises(BadRecord, match="Report the incident to the FTC first"):
            security_incidents.close_incident(laptop.pk, resolution="Wiped.", by=omar, at=make.NOON)
        security_incidents.record_ftc_notice(laptop.pk, on=TODAY, by=omar, at=make.NOON)
    security_incidents.close_incident(laptop.pk, resolution="Wiped.", by=omar, at=make.NOON)
    assert control(title, at=make.NOON + 60 * make.DAY).is_effective


def test_deadline_lasts_until_company_midnight(omar):
    incident(omar)
    assurance_records.record_assurance(
        "restore", on=TODAY, summary="Done.", document="", by=omar, at=make.NOON
    )
    for title, days in (
        ("Incidents are recorded and reported on time", 30),
        (KINDS["restore"].title, KINDS["restore"].days),
    ):
        midnight = make.NOON + days * make.DAY + timedelta(hours=12)
        assert control(title, at=midnight - make.MINUTE).is_effective
        assert not control(title, at=midnight).is_effective


def test_records_for_tomorrow_are_refused(omar):
    evening, tomorrow = make.NOON + timedelta(hours=11), TODAY + make.DAY
    with pytest.raises(BadRecord, match="in the future"):
        assurance_records.record_assurance(
            "board", on=tomorrow, summary="Done.", document="", by=omar, at=evening
        )
    with pytest.raises(BadRecord, match="in the future"):
        security_incidents.open_incident(
            Incident(description="A stolen laptop", discovered_on=tomorrow, consumers=1,
                     is_encrypted=False, was_key_exposed=False), by=omar, at=evening,
        )  # fmt: skip


def test_archive_is_signed_and_holds_every_control_with_rows(omar, tmp_path):
    log_in(omar)
    path = tmp_path / "controls.zip"
    path.write_bytes(controls_archive.build_archive(scope(), by=omar))

    with zipfile.ZipFile(path) as archive:
        report = json.loads(archive.read("controls.json"))
        assert archive.read("controls.pdf").startswith(b"%PDF")
        name = next(part for part in archive.namelist() if "access of their role" in part)
        people = list(csv.DictReader(io.StringIO(archive.read(name).decode().lstrip("\ufeff"))))
    assert len(report["controls"]) == len(security_controls.check_controls(scope()))
    assert people[0]["person"] == "Omar Reyes"
    assert len(evidence_file_check.signing_key_fingerprint(path)) == 64
    assert evidence_file_check.find_problems(path) == []

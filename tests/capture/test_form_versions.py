"""Versions of the website form in the database: two people, never changed, one at a time."""

import pytest
from django.db import DatabaseError, connection, transaction

from rooftree.capture.own_form import form_versions, publish_form
from rooftree.capture.own_form.models import FormVersion
from rooftree.ledger.models import Event
from rooftree.org.models import StaffNotice
from tests import make
from tests.capture import form_version
from tests.flow import journey

pytestmark = pytest.mark.django_db
LATER = make.NOON - make.MINUTE


@pytest.fixture
def source():
    make.company()
    return journey.create_website()


def refuse(statement, *values):
    """Return the database's sentence for a statement that it must refuse."""
    with (
        pytest.raises(DatabaseError) as refusal,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, values)
    return str(refusal.value)


def test_version_waits_for_a_second_person_and_is_live_from_then_on(source):
    marketing, compliance = make.user("marketing"), make.user("compliance")
    version = publish_form.propose_version(
        form_version.our_design(), source_id=source.pk, by=marketing, summary=" Counsel's\n text ",
        approvers=[compliance], at=LATER - make.HOUR,
    )  # fmt: skip
    before = form_versions.form_in_use(source, at=LATER)
    publish = {"version_id": version.pk, "reason": "Read by counsel", "at": LATER}

    with pytest.raises(publish_form.CannotDecideForm, match="other than its author"):
        publish_form.publish_version(by=marketing, **publish)
    with pytest.raises(publish_form.CannotDecideForm, match="v1 waits"):
        form_version.propose(source)
    with pytest.raises(publish_form.CannotDecideForm, match="Enter a reason"):
        publish_form.publish_version(by=compliance, **(publish | {"reason": " "}))
    publish_form.publish_version(by=compliance, **publish)
    publish_form.publish_version(by=compliance, **publish)  # a repeat

    live = form_versions.form_in_use(source, at=make.NOON)
    assert (before.name, live.name) == ("form-2026-11", "our-site-v1")
    assert form_versions.form_in_use(source, at=LATER - make.MINUTE).name == "form-2026-11"
    assert live.version.summary == "Counsel's text"
    assert StaffNotice.objects.filter(user=compliance, kind="form_version").count() == 1
    assert StaffNotice.objects.get(user=marketing).text.endswith("published v1 of the form of "
                                                                 "Our website.")  # fmt: skip
    assert [
        (event.kind, event.data["version"])
        for event in Event.objects.filter(kind__startswith="capture.form_version").order_by("id")
    ] == [("capture.form_version.proposed", 1), ("capture.form_version.published", 1)]


def test_only_published_versions_are_known_by_name(source):
    waiting = form_version.propose(source)
    publish_form.reject_version(
        version_id=waiting.pk, by=make.user("compliance"), reason="No", at=LATER
    )
    form_version.publish(source, at=LATER)

    assert form_versions.find_shown_form("our-site-v1", source_slug="our-site") is None
    assert form_versions.find_shown_form("our-site-v2", source_slug="our-site") is not None
    assert form_versions.find_shown_form("our-site-v2", source_slug="other") is None
    assert form_versions.find_shown_form("form-2026-11", source_slug="other") is not None


def test_unfit_or_unchanged_form_is_not_proposed(source):
    with pytest.raises(publish_form.UnfitForm, match="seller isn’t named"):
        form_version.propose(source, form_version.design(en_consent="Call me."))
    with pytest.raises(publish_form.CannotDecideForm, match="the form in use"):
        form_version.propose(source, form_version.DEFAULT)

    assert not FormVersion.objects.exists()


def test_roll_back_is_a_new_version_with_the_earlier_content(source):
    first = form_version.publish(source, at=LATER - make.HOUR)
    form_version.publish(source, form_version.design(en_title="Talk to us"), at=LATER - make.MINUTE)

    back = publish_form.restore_version(
        version_id=first.pk, by=make.user("administrator"), reason="A wrong title", at=LATER
    )

    live = form_versions.form_in_use(source, at=make.NOON)
    assert (back.number, live.name) == (3, "our-site-v3")
    assert live.design.to_json() == first.content
    assert (back.decision_reason, back.restores) == ("A wrong title", first)
    with pytest.raises(publish_form.CannotDecideForm, match="has this content already"):
        publish_form.restore_version(version_id=first.pk, by=make.user("compliance"),
                                     reason="Again", at=LATER)  # fmt: skip


def test_database_keeps_versions_as_they_were_decided(source, subtests):
    version = form_version.publish(source)
    marketing, waiting = make.user("marketing"), form_version.propose(
        source, form_version.design(en_title="Talk to us")
    )  # fmt: skip
    insert = (
        "insert into form_version (id, source_id, number, content, summary, restores_id, "
        "written_by_id, written_at, decided_by_id, decided_at, decision_reason, published_at) "
        "select gen_random_uuid(), source_id, 9, {content}, 'x', {restores}, written_by_id, "
        "written_at, {by}, written_at, 'x', written_at from form_version where number = 1"
    )
    publish = "update form_version set decided_at = now(), published_at = now(), "
    cases = [
        ("update form_version set content = '{}' where number = 1", "never edited"),
        ("update form_version set published_at = null where number = 1", "never edited"),
        ("update form_version set content = '{}' where number = 2", "cannot be changed"),
        ("update form_version set summary = 'y' where number = 2", "cannot be changed"),
        ("delete from form_version", "cannot be deleted"),
        (publish + f"decision_reason = 'x', decided_by_id = '{marketing.pk}' where number = 2",
         "publishes a form version"),
        (publish + f"decided_by_id = '{version.decided_by_id}' where number = 2", "with_reason"),
        (insert.format(content="content", restores="null", by="decided_by_id"), "waits before"),
        (insert.format(content="'{}'", restores="id", by="decided_by_id"), "can be restored"),
        (insert.format(content="content", restores="id", by="written_by_id"),
         "publishes a form version"),
    ]  # fmt: skip
    for statement, sentence in cases:
        with subtests.test(statement=statement):
            assert sentence in refuse(statement)

    author = make.user("administrator")
    own = form_version.propose(make.source("website_form", slug="other"), by=author)
    assert "second_person" in refuse(
        publish + "decision_reason = 'x', decided_by_id = %s where id = %s", author.pk, own.pk
    )
    waiting.refresh_from_db()
    assert waiting.state == "waiting"


def test_program_can_only_decide_a_version(as_the_program, source):
    version = form_version.publish(source)

    assert version.state == "published"
    assert "permission denied" in refuse("update form_version set summary = 'y'")
    assert "permission denied" in refuse("delete from form_version")

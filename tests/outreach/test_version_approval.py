"""Template approval: the approvers, the period, and the version in force at any time."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from rooftree.ledger.models import Event
from rooftree.org.models import User
from rooftree.outreach.models import Template
from rooftree.outreach.wording import message_templates, template_approval, version_approval
from rooftree.outreach.wording.version_approval import CannotDecideVersion, UnfitVersion
from tests import make

pytestmark = pytest.mark.django_db
YEAR = timedelta(days=365)
BODY = "Hi {{ borrower.first_name }}, {{ sender }}. Shall we talk? Reply STOP to end."


@pytest.fixture(autouse=True)
def company():
    made = make.company()
    message_templates.ensure_default_templates(at=make.NOON)
    return made


@pytest.fixture
def author():
    return make.user("marketing", name="Mia Park")


@pytest.fixture
def approver():
    return make.user("compliance", name="Cora Lane")


def propose(author, body=BODY, at=make.NOON):
    draft = Template(key="first_hello", medium="text", language="en", body=body)
    return template_approval.propose_draft(draft, by=author, summary="Shorter", at=at)


def propose_and_approve(author, approver, at=make.NOON + make.HOUR, until=make.NOON + YEAR, **more):
    return template_approval.approve_draft(
        propose(author, at=at - make.MINUTE, **more), by=approver, until=until, at=at
    )


def live(at):
    return message_templates.live_template("first_hello", medium="text", language="en", at=at)


def test_default_templates_are_approved_for_a_year():
    version = live(make.NOON)

    assert (version.version, version.state, version.written_by) == (1, "live", None)
    assert version.approved_until == make.NOON + YEAR


def test_proposed_version_is_unused_until_second_person_approves(author, approver):
    version = propose(author)
    assert (version.version, version.state) == (2, "waiting")
    assert live(make.NOON + make.HOUR).version == 1

    template_approval.approve_draft(
        version, by=approver, until=make.NOON + YEAR, at=make.NOON + make.HOUR
    )

    assert live(make.NOON + make.HOUR - make.SECOND).version == 1
    assert live(make.NOON + make.HOUR).version == 2
    events = Event.objects.filter(kind__startswith="outreach.template.").order_by("id")
    assert [event.kind.rpartition(".")[2] for event in events] == ["proposed", "approved"]
    assert {event.data["sha256"] for event in events} == {version_approval.content_hash(version)}


def test_author_cannot_approve_own_version_while_another_approver_exists(approver):
    boss = make.user("administrator")
    version = propose(boss)

    for alone in (False, True):
        with pytest.raises(CannotDecideVersion, match="Someone other than its author"):
            template_approval.approve_draft(
                version,
                by=boss,
                until=make.NOON + YEAR,
                at=make.NOON + make.HOUR,
                self_approved=alone,
            )
    assert live(make.NOON + make.DAY).version == 1


def test_database_rejects_approval_by_author(author):
    version = propose(author)
    same = {"decided_by": author, "decided_at": make.NOON, "from_at": make.NOON}
    end_live()

    for more in ({}, {"is_alone": True}):
        if more:
            make.user("compliance")
        with pytest.raises(DatabaseError), transaction.atomic():
            Template.objects.filter(pk=version.pk).update(
                **same, approved_until=make.NOON + YEAR, **more
            )
    for nobody in ({"decided_by": None}, {"approved_until": None}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Template.objects.filter(pk=version.pk).update(
                **{**same, "decided_by": make.user(), "approved_until": make.NOON + YEAR, **nobody}
            )


def end_live():
    Template.objects.filter(key="first_hello", medium="text", until_at=None).exclude(
        from_at=None
    ).update(until_at=make.NOON)


def test_sole_approver_approves_with_recorded_reason():
    boss = make.user("administrator")
    version = propose(boss)
    with pytest.raises(CannotDecideVersion):
        template_approval.approve_draft(
            version, by=boss, until=make.NOON + YEAR, at=make.NOON + make.HOUR
        )

    template_approval.approve_draft(
        version, by=boss, until=make.NOON + YEAR, at=make.NOON + make.HOUR, self_approved=True
    )

    assert live(make.NOON + make.HOUR).is_alone
    assert Event.objects.get(kind="outreach.template.approved").data["is_alone"] is True


def test_database_checks_roles_that_can_approve():
    """The database's rule on sole approvers names the roles of the permission table."""
    for role in ("compliance", "administrator"):
        User.objects.update(is_active=False)
        boss, _ = make.user("administrator"), make.user(role)
        assert not version_approval.is_only_approver(boss)
        version = Template(
            key="x", medium="text", language="en", body=BODY, version=1, written_by=boss,
            written_at=make.NOON, decided_by=boss, decided_at=make.NOON, from_at=make.NOON,
            approved_until=make.NOON + YEAR, is_alone=True,
        )  # fmt: skip
        with pytest.raises(DatabaseError, match="alone"), transaction.atomic():
            version.save(force_insert=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"body": "Other"}, {"subject": "Other"}, {"version": 9}, {"language": "es"},
        {"from_at": make.NOON}, {"decided_at": make.NOON}, {"written_by": None},
        {"approved_until": make.NOON + 2 * YEAR},
    ],
)  # fmt: skip
def test_stored_version_cannot_be_changed(author, approver, changes):
    version = propose_and_approve(author, approver)

    with pytest.raises(DatabaseError), transaction.atomic():
        Template.objects.filter(pk=version.pk).update(**changes)
    with pytest.raises(DatabaseError), transaction.atomic():
        version.delete()


def test_version_with_blocking_finding_cannot_be_proposed_or_approved(author, approver):
    with pytest.raises(UnfitVersion, match="Guaranteed approval"):
        propose(author, body=BODY + " Guaranteed approval.")
    version = make.edition("first_hello", body="{{ nobody }}", at=make.NOON, from_at=None,
                       decided_by=None, decided_at=None, approved_until=None)  # fmt: skip
    with pytest.raises(UnfitVersion, match="can’t be rendered"):
        template_approval.approve_draft(
            version, by=approver, until=make.NOON + YEAR, at=make.NOON + make.HOUR
        )


def test_approval_ends_within_a_year(author, approver):
    version = propose(author)

    for until in (make.NOON, make.NOON + YEAR + make.DAY):
        with pytest.raises(CannotDecideVersion, match="12 months"):
            template_approval.approve_draft(version, by=approver, until=until, at=make.NOON)


def test_version_is_unused_after_approval_ends(author, approver):
    until = make.NOON + 30 * make.DAY
    propose_and_approve(author, approver, until=until)

    assert live(until - make.SECOND).version == 2
    with pytest.raises(message_templates.NoTemplate):
        live(until)


def test_rejected_version_has_reason_and_is_never_used(author, approver):
    version = propose(author)
    with pytest.raises(CannotDecideVersion, match="Enter a reason"):
        version_approval.refuse_version(version, by=approver, reason=" ", at=make.NOON)

    refused = version_approval.refuse_version(
        version, by=approver, reason="Too pushy", at=make.NOON
    )

    assert (refused.state, refused.refusal) == ("refused", "Too pushy")
    assert live(make.NOON + make.DAY).version == 1
    with pytest.raises(CannotDecideVersion, match="already decided"):
        template_approval.approve_draft(version, by=make.user("compliance"), until=make.NOON + YEAR,
                                at=make.NOON)  # fmt: skip
    assert propose(author).version == 3


def test_only_one_proposal_waits_and_author_can_withdraw_it(author):
    version = propose(author)
    with pytest.raises(CannotDecideVersion, match="v2 waits for approval"):
        propose(author)

    version_approval.refuse_version(version, by=author, reason="Taken back", at=make.NOON)

    assert propose(author).version == 3


def test_repeated_approval_is_one_approval(author, approver):
    version = propose_and_approve(author, approver)

    again = template_approval.approve_draft(
        version, by=approver, until=make.NOON + YEAR, at=make.NOON + make.DAY
    )

    assert again.from_at == version.from_at
    assert Event.objects.filter(kind="outreach.template.approved").count() == 1


def test_restored_version_is_new_version_under_old_approval(author, approver):
    first = live(make.NOON)
    propose_and_approve(author, approver, until=make.NOON + 2 * YEAR - 366 * make.DAY)

    made = template_approval.restore_draft(first, by=author, at=make.NOON + make.DAY)

    assert (made.version, made.body) == (3, first.body)
    assert made.approved_until == first.approved_until
    assert live(make.NOON + make.DAY) == made
    assert live(make.NOON + 2 * make.HOUR).version == 2  # as of that time


def test_version_with_ended_approval_cannot_be_restored(author, approver):
    until = make.NOON + 30 * make.DAY
    old = propose_and_approve(author, approver, until=until)
    propose_and_approve(author, approver, at=make.NOON + make.DAY)

    with pytest.raises(CannotDecideVersion, match="approval of v2 is over"):
        template_approval.restore_draft(old, by=author, at=until)


def test_withdrawn_version_stops_queued_messages_at_once(author, approver):
    version = propose_and_approve(author, approver)

    version_approval.withdraw_version(
        version, by=approver, reason="Complaint", at=make.NOON + make.DAY
    )

    kept = Template.objects.get(pk=version.pk)
    assert (kept.state, kept.end_reason) == ("ended", "Complaint")
    assert not kept.is_approved(make.NOON + make.DAY)
    with pytest.raises(message_templates.NoTemplate):
        live(make.NOON + make.DAY)
    with pytest.raises(CannotDecideVersion):
        template_approval.restore_draft(kept, by=author, at=make.NOON + make.DAY)

"""Who may put words before borrowers, for how long, and what was said at any second."""

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
def second():
    return make.user("compliance", name="Cora Lane")


def proposed(author, body=BODY, at=make.NOON):
    draft = Template(key="first_hello", medium="text", language="en", body=body)
    return template_approval.propose_draft(draft, by=author, summary="Shorter", at=at)


def approved(author, second, at=make.NOON + make.HOUR, until=make.NOON + YEAR, **more):
    return template_approval.approve_draft(
        proposed(author, at=at - make.MINUTE, **more), by=second, until=until, at=at
    )


def live(at):
    return message_templates.live_template("first_hello", medium="text", language="en", at=at)


def test_what_a_company_starts_with_is_approved_for_a_year():
    one = live(make.NOON)

    assert (one.version, one.state, one.written_by) == (1, "live", None)
    assert one.approved_until == make.NOON + YEAR


def test_a_proposal_changes_nothing_until_a_second_person_approves_it(author, second):
    one = proposed(author)
    assert (one.version, one.state) == (2, "waiting")
    assert live(make.NOON + make.HOUR).version == 1

    template_approval.approve_draft(
        one, by=second, until=make.NOON + YEAR, at=make.NOON + make.HOUR
    )

    assert live(make.NOON + make.HOUR - make.SECOND).version == 1
    assert live(make.NOON + make.HOUR).version == 2
    told = Event.objects.filter(kind__startswith="outreach.template.").order_by("id")
    assert [event.kind.rpartition(".")[2] for event in told] == ["proposed", "approved"]
    assert {event.data["sha256"] for event in told} == {version_approval.content_hash(one)}


def test_nobody_approves_their_own_words_while_somebody_else_may(second):
    boss = make.user("administrator")
    one = proposed(boss)

    for alone in (False, True):
        with pytest.raises(CannotDecideVersion, match="Someone other than its author"):
            template_approval.approve_draft(
                one, by=boss, until=make.NOON + YEAR, at=make.NOON + make.HOUR, self_approved=alone
            )
    assert live(make.NOON + make.DAY).version == 1


def test_the_database_itself_refuses_the_author(author):
    one = proposed(author)
    same = {"decided_by": author, "decided_at": make.NOON, "from_at": make.NOON}
    end_live()

    for more in ({}, {"is_alone": True}):
        if more:
            make.user("compliance")
        with pytest.raises(DatabaseError), transaction.atomic():
            Template.objects.filter(pk=one.pk).update(
                **same, approved_until=make.NOON + YEAR, **more
            )
    for nobody in ({"decided_by": None}, {"approved_until": None}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Template.objects.filter(pk=one.pk).update(
                **{**same, "decided_by": make.user(), "approved_until": make.NOON + YEAR, **nobody}
            )


def end_live():
    Template.objects.filter(key="first_hello", medium="text", until_at=None).exclude(
        from_at=None
    ).update(until_at=make.NOON)


def test_who_is_alone_says_so_and_it_stands_beside_the_words():
    boss = make.user("administrator")
    one = proposed(boss)
    with pytest.raises(CannotDecideVersion):
        template_approval.approve_draft(
            one, by=boss, until=make.NOON + YEAR, at=make.NOON + make.HOUR
        )

    template_approval.approve_draft(
        one, by=boss, until=make.NOON + YEAR, at=make.NOON + make.HOUR, self_approved=True
    )

    assert live(make.NOON + make.HOUR).is_alone
    assert Event.objects.get(kind="outreach.template.approved").data["is_alone"] is True


def test_the_database_knows_the_roles_that_may_approve():
    """Its own rule about who is alone names the roles of the table of rights."""
    for role in ("compliance", "administrator"):
        User.objects.update(is_active=False)
        boss, _ = make.user("administrator"), make.user(role)
        assert not version_approval.is_only_approver(boss)
        one = Template(
            key="x", medium="text", language="en", body=BODY, version=1, written_by=boss,
            written_at=make.NOON, decided_by=boss, decided_at=make.NOON, from_at=make.NOON,
            approved_until=make.NOON + YEAR, is_alone=True,
        )  # fmt: skip
        with pytest.raises(DatabaseError, match="alone"), transaction.atomic():
            one.save(force_insert=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"body": "Other"}, {"subject": "Other"}, {"version": 9}, {"language": "es"},
        {"from_at": make.NOON}, {"decided_at": make.NOON}, {"written_by": None},
        {"approved_until": make.NOON + 2 * YEAR},
    ],
)  # fmt: skip
def test_an_edition_is_kept_as_it_was(author, second, changes):
    one = approved(author, second)

    with pytest.raises(DatabaseError), transaction.atomic():
        Template.objects.filter(pk=one.pk).update(**changes)
    with pytest.raises(DatabaseError), transaction.atomic():
        one.delete()


def test_words_with_a_finding_that_blocks_are_neither_proposed_nor_approved(author, second):
    with pytest.raises(UnfitVersion, match="Guaranteed approval"):
        proposed(author, body=BODY + " Guaranteed approval.")
    one = make.edition("first_hello", body="{{ nobody }}", at=make.NOON, from_at=None,
                       decided_by=None, decided_at=None, approved_until=None)  # fmt: skip
    with pytest.raises(UnfitVersion, match="can’t be rendered"):
        template_approval.approve_draft(
            one, by=second, until=make.NOON + YEAR, at=make.NOON + make.HOUR
        )


def test_an_approval_ends_within_a_year(author, second):
    one = proposed(author)

    for until in (make.NOON, make.NOON + YEAR + make.DAY):
        with pytest.raises(CannotDecideVersion, match="12 months"):
            template_approval.approve_draft(one, by=second, until=until, at=make.NOON)


def test_once_the_approval_is_over_the_words_are_not_used(author, second):
    until = make.NOON + 30 * make.DAY
    approved(author, second, until=until)

    assert live(until - make.SECOND).version == 2
    with pytest.raises(message_templates.NoTemplate):
        live(until)


def test_a_refusal_says_why_and_the_words_are_never_used(author, second):
    one = proposed(author)
    with pytest.raises(CannotDecideVersion, match="Enter a reason"):
        version_approval.refuse_version(one, by=second, reason=" ", at=make.NOON)

    refused = version_approval.refuse_version(one, by=second, reason="Too pushy", at=make.NOON)

    assert (refused.state, refused.refusal) == ("refused", "Too pushy")
    assert live(make.NOON + make.DAY).version == 1
    with pytest.raises(CannotDecideVersion, match="already decided"):
        template_approval.approve_draft(one, by=make.user("compliance"), until=make.NOON + YEAR,
                                at=make.NOON)  # fmt: skip
    assert proposed(author).version == 3


def test_one_proposal_waits_at_a_place_and_its_author_may_take_it_back(author):
    one = proposed(author)
    with pytest.raises(CannotDecideVersion, match="v2 waits for approval"):
        proposed(author)

    version_approval.refuse_version(one, by=author, reason="Taken back", at=make.NOON)

    assert proposed(author).version == 3


def test_approving_twice_is_one_approval(author, second):
    one = approved(author, second)

    again = template_approval.approve_draft(
        one, by=second, until=make.NOON + YEAR, at=make.NOON + make.DAY
    )

    assert again.from_at == one.from_at
    assert Event.objects.filter(kind="outreach.template.approved").count() == 1


def test_the_way_back_is_a_new_edition_under_the_old_approval(author, second):
    first = live(make.NOON)
    approved(author, second, until=make.NOON + 2 * YEAR - 366 * make.DAY)

    made = template_approval.restore_draft(first, by=author, at=make.NOON + make.DAY)

    assert (made.version, made.body) == (3, first.body)
    assert made.approved_until == first.approved_until
    assert live(make.NOON + make.DAY) == made
    assert live(make.NOON + 2 * make.HOUR).version == 2  # as of then


def test_there_is_no_way_back_to_words_whose_approval_is_over(author, second):
    until = make.NOON + 30 * make.DAY
    old = approved(author, second, until=until)
    approved(author, second, at=make.NOON + make.DAY)

    with pytest.raises(CannotDecideVersion, match="approval of v2 is over"):
        template_approval.restore_draft(old, by=author, at=until)


def test_withdrawn_words_end_at_once_also_for_what_is_in_line(author, second):
    one = approved(author, second)

    version_approval.withdraw_version(one, by=second, reason="Complaint", at=make.NOON + make.DAY)

    kept = Template.objects.get(pk=one.pk)
    assert (kept.state, kept.ended_because) == ("ended", "Complaint")
    assert not kept.is_approved(make.NOON + make.DAY)
    with pytest.raises(message_templates.NoTemplate):
        live(make.NOON + make.DAY)
    with pytest.raises(CannotDecideVersion):
        template_approval.restore_draft(kept, by=author, at=make.NOON + make.DAY)

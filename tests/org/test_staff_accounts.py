from datetime import date

import pytest
from django.core import mail

from rooftree.leads.models import Lead
from rooftree.ledger.models import Event
from rooftree.org import (
    officer_availability,
    officer_licenses,
    staff_accounts,
    staff_mail,
    staff_notices,
)
from rooftree.org.models import License, LoanOfficer, StaffNotice, User
from rooftree.org.officer_licenses import InvalidLicense
from rooftree.org.staff_accounts import StaffChangeError
from tests import make

pytestmark = pytest.mark.django_db


def kinds():
    return sorted(Event.objects.values_list("kind", flat=True))


def test_a_notice_of_the_same_cause_is_told_once(cast):
    told = [
        staff_notices.notify_user(
            user_id=cast.ruth.pk, kind="unclaimed", idempotency_key="c", text="Look", at=make.NOON
        )
        for _ in range(2)
    ]

    assert told == [True, False]
    assert StaffNotice.objects.count() == 1


def test_notices_are_mailed_to_staff_once_and_not_when_they_were_read(cast):
    for cause in ("a", "b"):
        staff_notices.notify_user(
            user_id=cast.ruth.pk, kind="unclaimed", idempotency_key=cause, text=cause, link="/x/",
            at=make.NOON,
        )  # fmt: skip
    staff_notices.mark_read(
        notice_id=StaffNotice.objects.get(cause="b").pk, user_id=cast.ruth.pk, at=make.NOON
    )

    unread_for = make.NOON + 10 * make.SECOND
    assert staff_mail.mail_due_notices(at=make.NOON, limit=10) == 0
    assert staff_mail.mail_due_notices(at=unread_for, limit=10) == 1
    assert staff_mail.mail_due_notices(at=unread_for, limit=10) == 0

    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (
        ["ruth@lindenfield.example"],
        "A lead is waiting for someone",
    )


def test_a_mail_server_that_is_down_delays_a_notice_and_loses_none(cast, settings):
    staff_notices.notify_user(
        user_id=cast.ruth.pk,
        kind="unclaimed",
        idempotency_key="a",
        text="a",
        link="/x/",
        at=make.NOON,
    )
    working = settings.MAILERS
    settings.MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {"host": "127.0.0.1", "port": 9, "timeout": 2},
        }
    }
    assert staff_mail.mail_due_notices(at=make.NOON + make.MINUTE, limit=10) == 0
    settings.MAILERS = working

    assert staff_mail.mail_due_notices(at=make.NOON + 2 * make.MINUTE, limit=10) == 1


def test_mail_to_staff_cannot_be_addressed_to_a_borrower_or_to_one_who_left(cast):
    User.objects.filter(pk=cast.omar.pk).update(is_active=False)

    sent = staff_mail.mail_users(
        user_ids=[cast.ben.person.pk, cast.omar.pk, cast.ruth.pk], subject="s", text="t"
    )

    assert sent == 1
    assert [message.to for message in mail.outbox] == [["ruth@lindenfield.example"]]


def test_an_alarm_reaches_an_administrator_when_the_named_one_left(cast):
    boss = make.user("administrator")
    User.objects.filter(pk=cast.ruth.pk).update(is_active=False)

    assert staff_notices.alarm_users(cast.ruth.pk) == [boss]
    assert staff_notices.alarm_users(None) == [boss]
    assert staff_notices.alarm_users(cast.omar.pk) == [cast.omar]


def test_an_officer_pauses_and_resumes_and_both_are_written_down(cast):
    for _ in range(2):
        officer_availability.pause_officer(officer_id=cast.dana.pk, by=cast.dana.user, at=make.NOON)
    assert LoanOfficer.objects.get(pk=cast.dana.pk).paused_at == make.NOON

    for _ in range(2):
        officer_availability.resume_officer(
            officer_id=cast.dana.pk, by=cast.dana.user, at=make.NOON + make.HOUR
        )

    assert LoanOfficer.objects.get(pk=cast.dana.pk).paused_at is None
    assert kinds() == ["org.officer.paused", "org.officer.resumed"]


def test_a_license_is_added_renewed_and_ended_with_an_event_each(cast):
    held = officer_licenses.add_license(
        officer_id=cast.sam.pk, state="CA", number="CA-9",
        dates=(date(2026, 1, 1), date(2027, 1, 1)), by=cast.omar, at=make.NOON,
    )  # fmt: skip

    officer_licenses.renew_license(
        license_id=held.pk, until_date=date(2028, 1, 1), by=cast.omar, at=make.NOON
    )
    lead = make.lead(officer=cast.sam, property_state="CA")
    officer_licenses.edit_license(
        license_id=held.pk, status="Terminated - Expired", by=cast.omar, at=make.NOON + make.HOUR
    )

    assert License.objects.get(pk=held.pk).until_date == date(2028, 1, 1)
    assert Lead.objects.get(pk=lead.pk).officer is None
    assert lead.ownerships.get().until_at == make.NOON + make.HOUR
    said = [kind for kind in kinds() if kind.startswith("org.")]
    assert said == ["org.license.added", "org.license.changed", "org.license.changed"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": "ZZ"}, "not a state"),
        ({"number": " "}, "number"),
        ({"dates": (date(2026, 1, 1), date(2026, 1, 1))}, "ends after it begins"),
        ({"state": "TX"}, "already"),  # Sam has one without an end
    ],
)
def test_a_license_that_cannot_be_is_refused(cast, changes, said):
    usual = {"state": "CA", "number": "9", "dates": (date(2026, 1, 1), None)}

    with pytest.raises(InvalidLicense, match=said):
        officer_licenses.add_license(
            **{**usual, **changes}, officer_id=cast.sam.pk, by=cast.omar, at=make.NOON
        )


def test_a_renewal_never_shortens(cast):
    held = make.license_of(cast.sam, "CA", until_date=date(2027, 1, 1))

    with pytest.raises(InvalidLicense, match="later"):
        officer_licenses.renew_license(
            license_id=held.pk, until_date=date(2026, 6, 1), by=cast.omar, at=make.NOON
        )


def test_somebody_joins_and_becomes_an_officer(cast):
    user = staff_accounts.add_user(
        email=" New@Lindenfield.example", name="Nia", role="officer", branch=cast.tampa,
        by=cast.ruth, at=make.NOON,
    )  # fmt: skip
    officer = staff_accounts.add_officer(
        user=user, nmls_id="998877", phone="+18135550199", by=cast.ruth, at=make.NOON,
        details={"languages": ["en"], "hours": make.WORKDAYS},
    )  # fmt: skip

    assert (user.email, user.has_usable_password()) == ("new@lindenfield.example", False)
    assert (officer.branch, officer.sponsored_from_date) == (cast.tampa, make.NOON.date())
    assert kinds() == ["org.officer.added", "org.user.added"]


def test_nobody_joins_twice_or_without_a_role(cast):
    for changes in ({"email": "RUTH@lindenfield.example"}, {"role": "boss"}, {"name": " "},
                    {"email": "nonsense"}):  # fmt: skip
        usual = {"email": "n@lindenfield.example", "name": "Nia", "role": "officer"}
        with pytest.raises(StaffChangeError):
            staff_accounts.add_user(**{**usual, **changes}, branch=None, by=cast.ruth, at=make.NOON)


def test_there_is_always_an_administrator(cast):
    boss = make.user("administrator")

    with pytest.raises(StaffChangeError, match="stay administrator"):
        staff_accounts.change_role(user_id=boss.pk, role="marketing", by=boss, at=make.NOON)
    with pytest.raises(StaffChangeError, match="stay administrator"):
        staff_accounts.deactivate_user(user_id=boss.pk, by=boss, at=make.NOON)

    other = make.user("administrator")
    staff_accounts.change_role(user_id=boss.pk, role="marketing", by=other, at=make.NOON)
    assert User.objects.get(pk=boss.pk).role == "marketing"


def test_an_officer_who_leaves_frees_the_leads_at_once(cast):
    lead = make.lead(officer=cast.dana)
    boss = make.user("administrator")

    staff_accounts.deactivate_user(user_id=cast.dana.user_id, by=boss, at=make.NOON + make.HOUR)

    assert Lead.objects.get(pk=lead.pk).officer is None
    assert lead.ownerships.get().until_at == make.NOON + make.HOUR
    assert "routing.ownership.ended" in kinds()

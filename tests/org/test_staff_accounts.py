"""Staff accounts, licenses, availability, notices and staff mail."""

from datetime import date

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from rooftree.leads.models import Lead
from rooftree.ledger.models import Event
from rooftree.org import (
    officer_availability,
    officer_licenses,
    staff_accounts,
    staff_details,
    staff_mail,
    staff_notices,
)
from rooftree.org.models import License, LoanOfficer, StaffNotice, User
from rooftree.org.officer_licenses import InvalidLicense
from rooftree.org.staff_accounts import StaffChangeError
from tests import make

pytestmark = pytest.mark.django_db


def event_kinds():
    return sorted(Event.objects.values_list("kind", flat=True))


def test_notice_with_the_same_key_is_stored_once(cast):
    results = [
        staff_notices.notify_user(
            user_id=cast.ruth.pk, kind="unclaimed", idempotency_key="c", text="Look", at=make.NOON
        )
        for _ in range(2)
    ]

    assert results == [True, False]
    assert StaffNotice.objects.count() == 1


def test_unread_notice_is_mailed_once_and_read_notice_never(cast):
    for cause in ("a", "b"):
        staff_notices.notify_user(
            user_id=cast.ruth.pk, kind="unclaimed", idempotency_key=cause, text=cause, link="/x/",
            at=make.NOON,
        )  # fmt: skip
    staff_notices.mark_read(
        notice_id=StaffNotice.objects.get(idempotency_key="b").pk,
        user_id=cast.ruth.pk,
        at=make.NOON,
    )

    after_grace = make.NOON + 10 * make.SECOND
    assert staff_mail.mail_due_notices(at=make.NOON, limit=10) == 0
    assert staff_mail.mail_due_notices(at=after_grace, limit=10) == 1
    assert staff_mail.mail_due_notices(at=after_grace, limit=10) == 0

    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (
        ["ruth@lindenfield.example"],
        "A lead is waiting for an owner",
    )


def test_mail_server_outage_delays_notices_without_loss(cast, settings):
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


def test_staff_mail_never_reaches_borrowers_or_former_staff(cast):
    User.objects.filter(pk=cast.omar.pk).update(is_active=False)

    sent = staff_mail.mail_users(
        user_ids=[cast.ben.person.pk, cast.omar.pk, cast.ruth.pk], subject="s", text="t"
    )

    assert sent == 1
    assert [message.to for message in mail.outbox] == [["ruth@lindenfield.example"]]


def test_alarm_goes_to_administrators_when_the_named_user_left(cast):
    administrator = make.user("administrator")
    User.objects.filter(pk=cast.ruth.pk).update(is_active=False)

    assert staff_notices.alarm_users(cast.ruth.pk) == [administrator]
    assert staff_notices.alarm_users(None) == [administrator]
    assert staff_notices.alarm_users(cast.omar.pk) == [cast.omar]


def test_officer_pause_and_resume_are_recorded_once(cast):
    for _ in range(2):
        officer_availability.pause_officer(officer_id=cast.dana.pk, by=cast.dana.user, at=make.NOON)
    assert LoanOfficer.objects.get(pk=cast.dana.pk).paused_at == make.NOON

    for _ in range(2):
        officer_availability.resume_officer(
            officer_id=cast.dana.pk, by=cast.dana.user, at=make.NOON + make.HOUR
        )

    assert LoanOfficer.objects.get(pk=cast.dana.pk).paused_at is None
    assert event_kinds() == ["org.officer.paused", "org.officer.resumed"]


def test_license_changes_are_recorded_and_ending_one_frees_leads(cast):
    license_row = officer_licenses.add_license(
        officer_id=cast.sam.pk, state="CA", number="CA-9",
        dates=(date(2026, 1, 1), date(2027, 1, 1)), by=cast.omar, at=make.NOON,
    )  # fmt: skip

    officer_licenses.renew_license(
        license_id=license_row.pk, until_date=date(2028, 1, 1), by=cast.omar, at=make.NOON
    )
    lead = make.lead(officer=cast.sam, property_state="CA")
    officer_licenses.edit_license(
        license_id=license_row.pk,
        status="Terminated - Expired",
        by=cast.omar,
        at=make.NOON + make.HOUR,
    )

    assert License.objects.get(pk=license_row.pk).until_date == date(2028, 1, 1)
    assert Lead.objects.get(pk=lead.pk).officer is None
    assert lead.ownerships.get().until_at == make.NOON + make.HOUR
    org_kinds = [kind for kind in event_kinds() if kind.startswith("org.")]
    assert org_kinds == ["org.license.added", "org.license.changed", "org.license.changed"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"state": "ZZ"}, "not a state"),
        ({"number": " "}, "number"),
        ({"dates": (date(2026, 1, 1), date(2026, 1, 1))}, "must be after the start"),
        ({"state": "TX"}, "already"),  # Sam has one without an end
    ],
)
def test_invalid_license_is_refused_with_reason(cast, changes, message):
    valid = {"state": "CA", "number": "9", "dates": (date(2026, 1, 1), None)}

    with pytest.raises(InvalidLicense, match=message):
        officer_licenses.add_license(
            **{**valid, **changes}, officer_id=cast.sam.pk, by=cast.omar, at=make.NOON
        )


def test_renewal_never_shortens_a_license(cast):
    license_row = make.license_of(cast.sam, "CA", until_date=date(2027, 1, 1))

    with pytest.raises(InvalidLicense, match="later"):
        officer_licenses.renew_license(
            license_id=license_row.pk, until_date=date(2026, 6, 1), by=cast.omar, at=make.NOON
        )


def test_new_user_becomes_a_loan_officer(cast):
    user = staff_accounts.add_user(
        email=" New@Lindenfield.example", name="Nia", roles=["officer"], branch=cast.tampa,
        by=cast.ruth, at=make.NOON,
    )  # fmt: skip
    officer = staff_accounts.add_officer(
        user=user, nmls_id="998877", phone="+18135550199", by=cast.ruth, at=make.NOON,
        details={"languages": ["en"], "hours": make.WORKDAYS},
    )  # fmt: skip

    assert (user.email, user.has_usable_password()) == ("new@lindenfield.example", False)
    assert (officer.branch, officer.sponsored_from_date) == (cast.tampa, make.NOON.date())
    assert event_kinds() == ["org.officer.added", "org.user.added"]


def test_duplicate_or_incomplete_user_is_refused(cast):
    for changes in ({"email": "RUTH@lindenfield.example"}, {"roles": ["boss"]}, {"name": " "},
                    {"email": "nonsense"}):  # fmt: skip
        valid = {"email": "n@lindenfield.example", "name": "Nia", "roles": ["officer"]}
        with pytest.raises(StaffChangeError):
            staff_accounts.add_user(**{**valid, **changes}, branch=None, by=cast.ruth, at=make.NOON)


def test_last_administrator_cannot_be_removed(cast):
    administrator = make.user("administrator")

    with pytest.raises(StaffChangeError, match="at least one administrator"):
        staff_accounts.change_roles(
            user_id=administrator.pk, roles=["marketing"], by=administrator, at=make.NOON
        )
    with pytest.raises(StaffChangeError, match="at least one administrator"):
        staff_accounts.deactivate_user(user_id=administrator.pk, by=administrator, at=make.NOON)

    other = make.user("administrator")
    staff_accounts.change_roles(
        user_id=administrator.pk, roles=["marketing"], by=other, at=make.NOON
    )
    assert User.objects.get(pk=administrator.pk).roles == ["marketing"]


def test_deactivated_officer_loses_leads_at_once(cast):
    lead = make.lead(officer=cast.dana)
    administrator = make.user("administrator")

    staff_accounts.deactivate_user(
        user_id=cast.dana.user_id, by=administrator, at=make.NOON + make.HOUR
    )

    assert Lead.objects.get(pk=lead.pk).officer is None
    assert lead.ownerships.get().until_at == make.NOON + make.HOUR
    assert "routing.ownership.ended" in event_kinds()


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        (["compliance", "officer"], "can’t be combined with loan officer"),
        (["manager", "marketing", "compliance"], "can’t be combined with branch manager"),
        (["officer", "partner"], "not a role"),
        ([], "not a role"),
    ],
)
def test_roles_that_must_stay_apart_are_refused_by_form_and_database(cast, roles, message):
    with pytest.raises(StaffChangeError, match=message):
        staff_accounts.change_roles(
            user_id=cast.sam.user_id, roles=roles, by=cast.ruth, at=make.NOON
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=cast.sam.user_id).update(roles=roles)


def test_nobody_gives_themself_compliance(cast):
    ana, bo = make.user("administrator"), make.user("administrator")
    roles = ["administrator", "compliance"]

    with pytest.raises(StaffChangeError, match="Another administrator"):
        staff_accounts.change_roles(user_id=ana.pk, roles=roles, by=ana, at=make.NOON)
    staff_accounts.change_roles(user_id=ana.pk, roles=roles, by=bo, at=make.NOON)

    assert User.objects.get(pk=ana.pk).roles == roles
    assert list(staff_notices.alarm_users(None)) == [ana, bo]


def test_officer_without_the_role_gets_no_new_leads_until_it_is_back(cast):
    lead = make.lead(officer=cast.dana)

    def change(*roles):
        staff_accounts.change_roles(
            user_id=cast.dana.user_id, roles=roles, by=cast.ruth, at=make.NOON
        )
        return LoanOfficer.objects.get(pk=cast.dana.pk).paused_at

    assert change("manager", "officer", "manager") is None
    assert User.objects.get(pk=cast.dana.user_id).roles == ["manager", "officer"]
    assert change("manager") == make.NOON
    assert Lead.objects.get(pk=lead.pk).officer == cast.dana
    assert change("executive") == make.NOON
    assert change("officer") is None


def test_officer_with_a_company_wide_role_stays_in_the_branch(cast):
    User.objects.filter(pk=cast.dana.user_id).update(roles=["administrator", "officer"])
    staff_details.update_user(user_id=cast.dana.user_id, by=cast.ruth, at=make.NOON, branch=None)
    assert LoanOfficer.objects.get(pk=cast.dana.pk).branch == cast.tampa

    with pytest.raises(StaffChangeError, match="needs a branch"):
        staff_details.update_user(user_id=cast.sam.user_id, by=cast.ruth, at=make.NOON, branch=None)

"""Pausing and resuming everything that is sent, from a shell."""

import pytest
from django.core.management import CommandError, call_command

from rooftree.ledger.models import Event
from rooftree.org import sending_pause
from rooftree.org.models import SendingPause, StaffNotice
from tests import make

pytestmark = pytest.mark.django_db


def test_pause_shows_its_reason_to_staff():
    make.company()
    make.user("compliance")

    call_command("stop_sending", "--because", "The carrier asked us to.")

    assert sending_pause.is_sending_paused()
    assert "The carrier asked us to." in StaffNotice.objects.get().text


def test_pausing_twice_is_one_pause():
    make.company()
    for _ in range(2):
        call_command("stop_sending", "--because", "A mistake in a template.")

    assert SendingPause.objects.count() == 1


def test_administrator_resumes_sending_and_is_on_the_ledger():
    make.company()
    ana = make.user("administrator")
    call_command("stop_sending", "--because", "A mistake in a template.")

    call_command("resume_sending", "--by", ana.email.upper())

    assert not sending_pause.is_sending_paused()
    assert Event.objects.get(kind="org.sending.resumed").actor == f"user:{ana.pk}"


@pytest.mark.parametrize("role", ["marketing", "operations"])
def test_other_roles_cannot_resume_sending(role):
    make.company()
    member = make.user(role)
    call_command("stop_sending", "--because", "A mistake in a template.")

    with pytest.raises(CommandError, match="doesn't have permission to do this"):
        call_command("resume_sending", "--by", member.email)
    assert sending_pause.is_sending_paused()


def test_resuming_without_a_pause_is_an_error():
    make.company()
    ana = make.user("administrator")

    with pytest.raises(CommandError, match="not paused"):
        call_command("resume_sending", "--by", ana.email)

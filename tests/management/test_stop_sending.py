"""Everything that leaves is stopped, and let go again, from a shell: also while the web is down."""

import pytest
from django.core.management import CommandError, call_command

from rooftree.ledger.models import Event
from rooftree.org import sending_pause
from rooftree.org.models import SendingPause, StaffNotice
from tests import make

pytestmark = pytest.mark.django_db


def test_sending_stops_for_a_reason_that_everybody_reads():
    make.company()
    make.user("compliance")

    call_command("stop_sending", "--because", "The carrier asked us to.")

    assert sending_pause.is_sending_paused()
    assert "The carrier asked us to." in StaffNotice.objects.get().text


def test_stopping_twice_is_one_pause():
    make.company()
    for _ in range(2):
        call_command("stop_sending", "--because", "A mistake in a template.")

    assert SendingPause.objects.count() == 1


def test_an_administrator_lets_it_leave_again_and_stands_in_the_ledger():
    make.company()
    ana = make.user("administrator")
    call_command("stop_sending", "--because", "A mistake in a template.")

    call_command("resume_sending", "--by", ana.email.upper())

    assert not sending_pause.is_sending_paused()
    assert Event.objects.get(kind="org.sending.resumed").actor == f"user:{ana.pk}"


@pytest.mark.parametrize("role", ["marketing", "operations"])
def test_nobody_else_lets_it_leave(role):
    make.company()
    somebody = make.user(role)
    call_command("stop_sending", "--because", "A mistake in a template.")

    with pytest.raises(CommandError, match="may not do this"):
        call_command("resume_sending", "--by", somebody.email)
    assert sending_pause.is_sending_paused()


def test_ending_what_never_began_says_so():
    make.company()
    ana = make.user("administrator")

    with pytest.raises(CommandError, match="not paused"):
        call_command("resume_sending", "--by", ana.email)

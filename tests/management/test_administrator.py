import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command

from rooftree.management import command_base
from rooftree.org import second_factor
from rooftree.org.models import StaffSession, User
from tests import make

pytestmark = pytest.mark.django_db


def test_first_administrator_chooses_a_password_by_link(client, capsys):
    call_command("administrator", "Ana@lender.example", "Ana Ruiz")

    link = capsys.readouterr().out.strip()
    ana = User.objects.get()
    assert (ana.email, ana.roles, ana.has_usable_password()) == (
        "ana@lender.example",
        ["administrator"],
        False,
    )
    page = client.get("/set-password/" + link.split("/set-password/")[1], follow=True)
    form = {"new_password1": "a long enough password", "new_password2": "a long enough password"}
    answer = client.post(page.redirect_chain[-1][0], form, follow=True)

    assert "Go live:" in answer.text  # signed in, as the button says
    assert client.login(username="ana@lender.example", password="a long enough password")


def test_user_with_another_role_does_not_become_an_administrator():
    officer = make.user("officer")
    with pytest.raises(command_base.UsageError, match="already a loan officer"):
        call_command("administrator", officer.email, officer.name)


def test_administrator_with_a_lost_phone_gets_a_new_link_and_no_factors(client, capsys):
    user = make.user("administrator", email="ana@lender.example")
    second_factor.replace_recovery_codes(user=user, at=make.NOON)
    Authenticator.objects.create(user=user, type="webauthn", data={"name": "Lost"})
    client.force_login(user)

    call_command("administrator", "ana@lender.example", "Ana Ruiz", "--phone-is-lost")

    assert "/set-password/" in capsys.readouterr().out
    assert not Authenticator.objects.filter(user=user).exists()
    assert not StaffSession.objects.filter(user=user).exists()

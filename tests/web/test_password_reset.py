"""Password reset: a link by email that works once, and what it does not replace."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from rooftree.org import throttle
from rooftree.org.models import User
from tests import make
from tests.flow.journey import run
from tests.web.test_security import NEW, enroll_app, kinds, try_password


@pytest.fixture
def dana(cast):
    return cast.dana.user


def test_forgotten_password_is_reset_with_a_link(dana):
    stays, browser = Client(), Client()
    try_password(stays, dana)
    browser.post(reverse("password_reset"), {"email": dana.email.upper()})
    run()
    [email] = mail.outbox
    path = re.search(r"/set-password/\S+", email.body)[0]

    form = browser.get(path, follow=True)
    answer = browser.post(form.redirect_chain[-1][0], {"new_password1": NEW, "new_password2": NEW})

    assert email.to == [dana.email]
    assert browser.get(answer.url).url == reverse("queue")
    browser.post(reverse("sign_out"))
    assert try_password(browser, dana, NEW).status_code == 302
    assert stays.get("/queue/").status_code == 302
    assert "no longer works" in Client().get(path, follow=True).text


def test_new_password_does_not_replace_the_second_factor(dana):
    enroll_app(dana)
    browser = Client()
    browser.post(reverse("password_reset"), {"email": dana.email})
    run()
    form = browser.get(re.search(r"/set-password/\S+", mail.outbox[0].body)[0], follow=True)

    answer = browser.post(form.redirect_chain[-1][0], {"new_password1": NEW, "new_password2": NEW})

    assert answer.url == reverse("second_factor")
    assert browser.get("/queue/").status_code == 302


def test_link_of_a_user_who_has_left_since_does_not_sign_in(dana):
    browser = Client()
    browser.post(reverse("password_reset"), {"email": dana.email})
    run()
    form = browser.get(re.search(r"/set-password/\S+", mail.outbox[0].body)[0], follow=True)
    User.objects.filter(pk=dana.pk).update(is_active=False)

    answer = browser.post(form.redirect_chain[-1][0], {"new_password1": NEW, "new_password2": NEW})

    assert answer.url == reverse("sign_in")
    assert browser.get("/queue/").status_code == 302


def test_password_reset_link_expires_after_an_hour(dana, monkeypatch):
    Client().post(reverse("password_reset"), {"email": dana.email})
    run()
    path = re.search(r"/set-password/\S+", mail.outbox[0].body)[0]
    from rooftree.org.passwords import SelfServiceTokens

    real = SelfServiceTokens._now
    monkeypatch.setattr(SelfServiceTokens, "_now", lambda self: real(self) + timedelta(minutes=61))

    assert "no longer works" in Client().get(path, follow=True).text


def test_password_reset_gives_every_address_the_same_answer(cast, dana):
    User.objects.filter(pk=cast.sam.user.pk).update(is_active=False)
    invited = make.user("marketing")
    invited.set_unusable_password()
    invited.save()
    addresses = [dana.email, cast.sam.user.email, invited.email, "nobody@x.example"]

    pages = [
        Client().post(reverse("password_reset"), {"email": address}).text.replace(address, "X")
        for address in addresses
    ]
    run()

    assert len(set(pages)) == 1
    assert [address.to for address in mail.outbox] == [[dana.email]]


def test_password_reset_emails_are_limited(dana):
    for _ in range(throttle.RESET_ACCOUNT.max_attempts + 2):
        Client().post(reverse("password_reset"), {"email": dana.email})
    run()

    assert len(mail.outbox) == throttle.RESET_ACCOUNT.max_attempts
    assert kinds(dana).count("too_often") == 2

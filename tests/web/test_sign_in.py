import pytest
from django.test import Client, override_settings
from django.urls import reverse

from rooftree.org.models import User
from rooftree.web.shared import navigation
from tests import make


def test_each_role_lands_on_a_page_of_its_own(cast, signed_in):
    for role in navigation.PAGES_BY_ROLE:
        known = {"officer": cast.dana.user, "partner": make.partner().user}
        user = known.get(role) or make.user(role)

        page = signed_in(user).get("/", follow=True)

        assert page.status_code == 200, role


def test_the_right_password_opens_the_door(cast):
    browser = Client()

    answer = browser.post(
        "/sign-in/", {"username": cast.dana.user.email.upper(), "password": make.PASSWORD}
    )

    assert answer.status_code == 302
    assert browser.get("/queue/").status_code == 200


def test_a_wrong_password_keeps_the_typed_address_and_says_what_to_do(cast):
    page = Client().post("/sign-in/", {"username": "dana@lindenfield.example", "password": "no"})

    assert "Wrong email or password" in page.text
    assert 'value="dana@lindenfield.example"' in page.text
    assert "_auth_user_id" not in Client().session


def test_a_closed_account_does_not_open_the_door(cast):
    User.objects.filter(pk=cast.dana.user.pk).update(is_active=False)
    browser = Client()

    browser.post("/sign-in/", {"username": cast.dana.user.email, "password": make.PASSWORD})

    assert browser.get("/queue/").status_code == 302


def test_a_stranger_is_sent_to_the_door_and_back(db):
    answer = Client().get("/queue/")

    assert answer.status_code == 302
    assert answer.url == "/sign-in/?next=/queue/"


def test_signing_out_ends_the_session_and_empties_the_browser(cast, signed_in):
    browser = signed_in(cast.dana.user)

    answer = browser.post("/sign-out/")

    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    assert browser.get("/queue/").status_code == 302


def test_signing_out_takes_a_press_and_no_link(cast, signed_in):
    assert signed_in(cast.dana.user).get("/sign-out/").status_code == 405


def test_the_demo_lists_one_person_a_role(cast):
    page = Client().get("/sign-in/")

    assert page.text.count("Dana Whitfield") == 1
    assert "Sam Rivera" not in page.text  # a second officer
    assert "Ruth Adler" in page.text


def test_one_press_in_the_demo_signs_in(cast):
    browser = Client()

    browser.post(reverse("look_around", args=[cast.dana.user.pk]))

    assert browser.get("/queue/").status_code == 200


def test_production_lists_nobody_and_lets_nobody_look_around(cast):
    browser = Client()
    with override_settings(IS_DEMO=False):
        page = browser.get("/sign-in/")
        answer = browser.post(reverse("look_around", args=[cast.dana.user.pk]))

    assert "Dana" not in page.text
    assert answer.status_code == 404
    assert browser.get("/queue/").status_code == 302


def test_a_stale_form_says_that_nothing_was_done(cast):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.dana.user)

    answer = browser.post("/sign-out/")

    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/nowhere/", "/leads/00000000-0000-7000-8000-000000000000/"])
def test_what_is_not_there_has_a_page_with_a_way_back(cast, signed_in, path):
    page = signed_in(cast.dana.user).get(path)

    assert page.status_code == 404
    assert "Page not found" in page.text
    assert "Go to start page" in page.text


def test_a_part_of_a_page_that_fails_answers_with_a_toast(cast, signed_in, htmx):
    answer = signed_in(cast.dana.user).get("/nowhere/", headers=htmx)

    assert answer["HX-Retarget"] == "#toasts"
    assert "toast-note" in answer.text
    assert "<html" not in answer.text

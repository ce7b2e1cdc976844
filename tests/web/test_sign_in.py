import pytest
from django.test import Client, override_settings
from django.urls import reverse

from rooftree.org.models import User
from rooftree.web.shared import navigation
from tests import make


def test_each_role_has_its_own_start_page(cast, signed_in):
    for role in navigation.PAGES_BY_ROLE:
        cast_users = {"officer": cast.dana.user, "partner": make.partner().user}
        user = cast_users.get(role) or make.user(role)

        page = signed_in(user).get("/", follow=True)

        assert page.status_code == 200, role


def test_right_password_signs_in(cast):
    browser = Client()

    answer = browser.post(
        "/sign-in/", {"username": cast.dana.user.email.upper(), "password": make.PASSWORD}
    )

    assert answer.status_code == 302
    assert browser.get("/queue/").status_code == 200


def test_wrong_password_keeps_the_typed_address_and_says_what_to_do(cast):
    page = Client().post("/sign-in/", {"username": "dana@lindenfield.example", "password": "no"})

    assert "Wrong email or password" in page.text
    assert 'value="dana@lindenfield.example"' in page.text
    assert "_auth_user_id" not in Client().session


def test_deactivated_account_cannot_sign_in(cast):
    User.objects.filter(pk=cast.dana.user.pk).update(is_active=False)
    browser = Client()

    browser.post("/sign-in/", {"username": cast.dana.user.email, "password": make.PASSWORD})

    assert browser.get("/queue/").status_code == 302


def test_signed_out_visitor_is_sent_to_sign_in_and_back(db):
    answer = Client().get("/queue/")

    assert answer.status_code == 302
    assert answer.url == "/sign-in/?next=/queue/"


def test_signing_out_ends_the_session_and_clears_browser_data(cast, signed_in):
    browser = signed_in(cast.dana.user)

    answer = browser.post("/sign-out/")

    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    assert browser.get("/queue/").status_code == 302


def test_signing_out_requires_a_post(cast, signed_in):
    assert signed_in(cast.dana.user).get("/sign-out/").status_code == 405


def test_demo_lists_one_user_per_role(cast):
    page = Client().get("/sign-in/")

    assert page.text.count("Dana Whitfield") == 1
    assert "Sam Rivera" not in page.text  # a second officer
    assert "Ruth Adler" in page.text


def test_demo_role_button_signs_in(cast):
    browser = Client()

    browser.post(reverse("look_around", args=[cast.dana.user.pk]))

    assert browser.get("/queue/").status_code == 200


def test_production_has_no_demo_users_and_no_demo_sign_in(cast):
    browser = Client()
    with override_settings(IS_DEMO=False):
        page = browser.get("/sign-in/")
        answer = browser.post(reverse("look_around", args=[cast.dana.user.pk]))

    assert "Dana" not in page.text
    assert answer.status_code == 404
    assert browser.get("/queue/").status_code == 302


def test_stale_form_says_that_nothing_was_done(cast):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.dana.user)

    answer = browser.post("/sign-out/")

    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/nowhere/", "/leads/00000000-0000-7000-8000-000000000000/"])
def test_missing_page_links_back(cast, signed_in, path):
    page = signed_in(cast.dana.user).get(path)

    assert page.status_code == 404
    assert "Page not found" in page.text
    assert "Go to start page" in page.text


def test_failed_page_fragment_answers_with_a_toast(cast, signed_in, htmx):
    answer = signed_in(cast.dana.user).get("/nowhere/", headers=htmx)

    assert answer["HX-Retarget"] == "#toasts"
    assert "toast-note" in answer.text
    assert "<html" not in answer.text

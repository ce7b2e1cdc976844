"""Account security: second factors, throttles, sessions, the audit log."""

import re
from datetime import timedelta
from importlib import import_module

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rooftree.flow import account_security
from rooftree.ledger.models import Event
from rooftree.money.company_day import company_day
from rooftree.org import access_log, second_factor, staff_accounts, staff_sessions, throttle
from rooftree.org.client_info import ClientInfo
from rooftree.org.models import AccessEntry, StaffSession, User
from rooftree.web.server import live_events
from tests import make
from tests.flow.journey import run
from tests.org.test_second_factor import code_at

NEW = "another quite long password"


@pytest.fixture
def dana(cast):
    return cast.dana.user


@pytest.fixture
def require_second_factor(settings):
    import_module(
        settings.ROOT_URLCONF
    )  # the URLs are read once, in demo mode like the other tests
    settings.IS_DEMO, settings.SECOND_FACTOR_REQUIRED = False, True


def try_password(browser, user, password=make.PASSWORD):
    return browser.post("/sign-in/", {"username": user.email, "password": password})


def enroll_app(user):
    """Enroll an authenticator app for the user; return its secret."""
    secret, at = second_factor.generate_app_secret(), timezone.now() - timedelta(minutes=10)
    second_factor.enroll_app(user=user, secret=secret, code=code_at(secret, at), at=at)
    return secret


def kinds(user=None):
    rows = AccessEntry.objects.filter(user=user) if user else AccessEntry.objects.all()
    return list(rows.order_by("id").values_list("kind", flat=True))


# The second factor.


def test_user_without_a_second_factor_can_open_only_its_setup_pages(dana, require_second_factor):
    browser = Client()
    try_password(browser, dana)

    for path in ("/queue/", "/home/", "/pipeline/", "/find/", "/", "/access-log/"):
        answer = browser.get(path)
        assert (answer.status_code, answer.url) == (302, reverse("security")), path
    assert "Set up a second factor" in browser.get(reverse("security")).text
    fragment = browser.get("/offers/", headers={"HX-Request": "true"})
    assert fragment["HX-Redirect"] == reverse("security")


def test_live_events_need_the_second_factor(committed, dana, require_second_factor):
    browser = Client()
    try_password(browser, dana)
    cookie = f"rooftree_session={browser.cookies['rooftree_session'].value}"

    assert live_events.authorized_user_id(cookie) is None


def test_authenticator_app_setup_opens_the_pages_and_shows_recovery_codes_once(
    dana, require_second_factor
):
    browser = Client()
    try_password(browser, dana)
    page = browser.get(reverse("security_app"))
    assert "<svg" in page.text
    secret = browser.session["app_secret"]

    page = browser.post(reverse("security_app"), {"code": code_at(secret, timezone.now())})

    assert len(re.findall(r"<li>\d{4} \d{4}</li>", page.text)) == 10
    assert browser.get("/queue/").status_code == 200
    assert "app_secret" not in browser.session
    assert Event.objects.filter(kind="org.user.factor_added").count() == 1


def test_code_is_required_after_the_password(dana):
    secret, browser = enroll_app(dana), Client()

    answer = try_password(browser, dana)
    assert answer.url == reverse("second_factor")
    assert browser.get("/queue/").status_code == 302  # a pending login is not a session
    wrong = browser.post(answer.url, {"code": "000000"})
    assert (wrong.status_code, "_auth_user_id" in browser.session) == (422, False)
    right = browser.post(answer.url, {"code": code_at(secret, timezone.now())})

    assert right.status_code == 302
    assert browser.get("/queue/").status_code == 200
    assert kinds(dana) == ["code_failed", "signed_in"]
    assert AccessEntry.objects.get(kind="signed_in").factor == "app"


def test_pending_login_expires_after_ten_minutes(dana, monkeypatch):
    secret, browser = enroll_app(dana), Client()
    try_password(browser, dana)
    later = timezone.now() + timedelta(minutes=11)
    monkeypatch.setattr("django.utils.timezone.now", lambda: later)

    answer = browser.post(reverse("second_factor"), {"code": code_at(secret, later)})

    assert answer.url == reverse("sign_in")


def test_code_guessing_is_limited(dana):
    secret, browser = enroll_app(dana), Client()
    try_password(browser, dana)
    for _ in range(throttle.CODE.max_attempts):
        browser.post(reverse("second_factor"), {"code": "000000"})

    page = browser.post(reverse("second_factor"), {"code": code_at(secret, timezone.now())})

    assert "Too many attempts" in page.text
    assert "_auth_user_id" not in browser.session


def test_unattended_session_cannot_change_second_factors(dana, require_second_factor, monkeypatch):
    secret, browser = enroll_app(dana), Client()
    try_password(browser, dana)
    browser.post(reverse("second_factor"), {"code": code_at(secret, timezone.now())})
    later = timezone.now() + timedelta(minutes=16)
    monkeypatch.setattr("django.utils.timezone.now", lambda: later)

    answer = browser.post(reverse("security_app_removal"))
    assert answer.url.startswith(reverse("prove_again"))
    assert second_factor.is_required_for(dana)
    browser.post(reverse("prove_again"), {"password": make.PASSWORD, "to": reverse("security")})
    browser.post(reverse("security_app_removal"))

    assert not second_factor.is_required_for(dana)
    assert browser.get("/queue/").url == reverse("security")  # none left: setup is required


def test_redirect_after_reauthentication_stays_on_this_site(dana, signed_in):
    page = signed_in(dana).get(reverse("prove_again") + "?to=https://elsewhere.example/")

    assert "elsewhere" not in page.text


def test_invalid_passkey_response_does_not_sign_in(db):
    browser = Client()
    browser.get(reverse("passkey_sign_in"))

    for answer in ("", "nonsense", "[]", "{}", '{"response": {"userHandle": "AA"}}', "x" * 30_000):
        page = browser.post(reverse("passkey_sign_in"), {"credential": answer})
        assert page.status_code == 422
        assert "_auth_user_id" not in browser.session


def test_another_users_passkey_cannot_be_renamed_or_removed(cast, dana, signed_in):
    from allauth.mfa.models import Authenticator

    passkey = Authenticator.objects.create(
        user=cast.sam.user, type="webauthn", data={"name": "Sam's", "credential": {}}
    )

    for name in ("security_key", "security_key_removal"):
        answer = signed_in(dana).post(reverse(name, args=[passkey.pk]), {"name": "Mine"})
        assert answer.status_code == 404
    passkey.refresh_from_db()
    assert passkey.data["name"] == "Sam's"


def test_demo_states_that_it_skips_the_second_factor(cast, signed_in):
    assert "doesn’t require a second factor" in Client().get("/sign-in/").text
    assert (
        "demo doesn’t require a second factor" in signed_in(cast.ruth).get(reverse("security")).text
    )


# Password guessing.


def test_password_guessing_is_limited_and_does_not_lock_out_the_owner(dana):
    for _ in range(throttle.ACCOUNT_FROM_ADDRESS.max_attempts):
        try_password(Client(), dana, "wrong")

    page = try_password(Client(), dana)
    elsewhere = Client(REMOTE_ADDR="198.51.100.7")
    answer = try_password(elsewhere, dana)

    assert "Too many attempts" in page.text
    assert kinds(dana).count("failed") == throttle.ACCOUNT_FROM_ADDRESS.max_attempts
    assert answer.status_code == 302


def test_one_ip_address_cannot_try_every_account(cast, monkeypatch):
    monkeypatch.setattr(
        throttle,
        "ADDRESS",
        throttle.ThrottleLimit(name="address", max_attempts=3, window=throttle.QUARTER),
    )
    for number in range(3):
        try_password(Client(), User(email=f"guess{number}@x.example"), "wrong")

    assert "Too many attempts" in try_password(Client(), cast.dana.user).text


def test_sign_in_does_not_reveal_which_accounts_exist(dana):
    known_answer = try_password(Client(), dana, "wrong")
    unknown_answer = try_password(Client(), User(email="nobody@x.example"), "wrong")

    def error_texts(page):
        return re.findall(r'role="alert">.*?<span>(.*?)</span>', page.text)

    assert error_texts(known_answer) == error_texts(unknown_answer) != []
    tried = AccessEntry.objects.get(user=None)
    assert tried.tried == access_log.hash_unknown_email("nobody@x.example")
    assert "nobody" not in str(tried.__dict__)


# Sessions.


def test_user_sessions_are_listed_and_ended_one_by_one(dana):
    computer, phone = Client(), Client(HTTP_USER_AGENT="Mozilla/5.0 (iPhone) Safari/604")
    try_password(computer, dana)
    try_password(phone, dana)
    assert "Safari on iPhone" in computer.get(reverse("security")).text
    [other] = StaffSession.objects.filter(device="Safari on iPhone")

    computer.post(reverse("security_session_end", args=[staff_sessions.public_name(other.pk)]))

    assert phone.get("/queue/").status_code == 302
    assert computer.get("/queue/").status_code == 200


def test_ending_other_sessions_keeps_this_one(dana):
    browsers = [Client() for _ in range(3)]
    for browser in browsers:
        try_password(browser, dana)

    browsers[0].post(reverse("security_sessions_end"))

    assert [browser.get("/queue/").status_code for browser in browsers] == [200, 302, 302]


def test_users_cannot_end_another_users_session(cast, dana, signed_in):
    passkey, own_browser = signed_in(cast.sam.user), signed_in(dana)
    name = staff_sessions.public_name(StaffSession.objects.get(user=cast.sam.user).pk)

    own_browser.post(reverse("security_session_end", args=[name]))

    assert passkey.get("/queue/").status_code == 200


def test_password_change_ends_other_sessions_and_sends_an_email(dana):
    computer, phone = Client(), Client()
    try_password(computer, dana)
    try_password(phone, dana)

    computer.post(reverse("security_password"), {"old": make.PASSWORD, "new": NEW})
    run()

    assert computer.get("/queue/").status_code == 200
    assert phone.get("/queue/").status_code == 302
    assert "Your password was changed." in mail.outbox[-1].body
    assert mail.outbox[-1].to == [dana.email]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [("wrong", NEW, "your current password"), (make.PASSWORD, "short", "12 characters")],
)
def test_wrong_or_weak_password_changes_nothing(dana, signed_in, old, new, message):
    page = signed_in(dana).post(reverse("security_password"), {"old": old, "new": new})

    assert page.status_code == 422
    assert message in page.text
    assert User.objects.get(pk=dana.pk).check_password(make.PASSWORD)


@pytest.mark.parametrize("change", ["role", "left"])
def test_role_change_or_deactivation_ends_every_session(cast, dana, signed_in, change):
    browser = signed_in(dana)

    if change == "role":
        staff_accounts.change_roles(
            user_id=dana.pk, roles=["assistant"], by=cast.omar, at=make.NOON
        )
    else:
        staff_accounts.deactivate_user(user_id=dana.pk, by=cast.omar, at=make.NOON)

    assert browser.get("/more/").status_code == 302
    assert not StaffSession.objects.filter(user=dana).exists()


def test_session_ends_when_idle_and_at_its_absolute_limit(dana, settings, monkeypatch):
    settings.SESSION_IDLE_SECONDS, settings.SESSION_COOKIE_AGE = 3600, 3 * 3600
    began = timezone.now()
    idle, busy = Client(), Client()
    try_password(idle, dana)
    try_password(busy, dana)

    def at(minutes):
        monkeypatch.setattr("django.utils.timezone.now", lambda: began + timedelta(minutes=minutes))

    at(50)
    assert idle.get("/offers/", headers={"HX-Request": "true"}).status_code == 200
    assert busy.get("/queue/").status_code == 200
    at(70)  # background requests don't extend the session
    assert idle.get("/queue/").status_code == 302
    assert busy.get("/queue/").status_code == 200
    for minutes in (120, 170):
        at(minutes)
        assert busy.get("/queue/").status_code == 200
    at(181)
    assert busy.get("/queue/").status_code == 302


def test_ended_sessions_are_deleted(dana):
    try_password(Client(), dana)
    Client().get(reverse("passkey_sign_in"))  # an abandoned sign-in
    began = timezone.now()

    account_security.delete_expired_sessions(at=began + timedelta(hours=2))
    assert StaffSession.objects.count() == 1
    account_security.delete_expired_sessions(at=began + timedelta(hours=13))
    assert StaffSession.objects.count() == 0


# Audit log and API keys.


def test_opening_a_lead_is_logged_and_its_fragments_are_not(cast, dana, signed_in):
    lead = make.lead(officer=cast.dana)
    browser = signed_in(dana)

    browser.get(reverse("lead", args=[lead.pk]))
    browser.get(reverse("lead", args=[lead.pk]), headers={"HX-Request": "true"})
    browser.get(reverse("lead", args=[make.lead().pk]))  # not their lead: nothing was opened

    [entry] = AccessEntry.objects.filter(kind="lead_opened")
    assert (entry.user, entry.lead_id) == (dana, lead.pk)


def test_audit_log_shows_sign_ins_and_stores_no_borrower_name(cast, dana, signed_in):
    lead = make.lead(officer=cast.dana)
    try_password(Client(), dana, "wrong")
    signed_in(dana).get(reverse("lead", args=[lead.pk]))

    page = signed_in(cast.omar).get(reverse("access_log"))

    assert "Wrong password" in page.text
    assert "Opened a lead" in page.text
    opened = AccessEntry.objects.get(kind="lead_opened")
    assert lead.person.last_name not in f"{opened.subject}{opened.reason}"
    data = signed_in(cast.omar).get(reverse("access_log") + f"?show=data&person={dana.pk}").text
    assert "Wrong password" not in data
    assert "Opened a lead" in data


def test_api_key_is_shown_once_and_can_be_revoked(cast, signed_in):
    browser = signed_in(make.user("administrator"))
    typed = {"name": "Site", "user": str(cast.omar.pk), "scopes": ["leads:read"], "days": "90"}

    page = browser.post(reverse("api_keys"), typed)
    secret = re.search(r"rt_[\w-]{40,}", page.text)[0]
    assert secret not in browser.get(reverse("api_keys")).text
    assert Client().get(
        reverse("api:read_lead", args=[cast.ben.pk]), headers={"Authorization": f"Bearer {secret}"}
    ).status_code == 200  # fmt: skip
    [key] = cast.omar.api_keys.all()
    browser.post(reverse("api_key_revocation", args=[key.pk]))

    key.refresh_from_db()
    assert key.revoked_at is not None
    assert kinds().count("key_made") == kinds().count("key_revoked") == 1


@pytest.mark.parametrize("wrong", [{"name": " "}, {"scopes": []}, {"days": "0"}, {"days": "400"}])
def test_invalid_api_key_is_rejected_with_a_sentence(cast, signed_in, wrong):
    typed = {"name": "Site", "user": str(cast.omar.pk), "scopes": ["leads:read"], "days": "90"}

    page = signed_in(make.user("administrator")).post(reverse("api_keys"), typed | wrong)

    assert page.status_code == 422
    assert not cast.omar.api_keys.exists()


def test_audit_log_names_the_opened_lead_and_filters_by_company_day(cast, signed_in):
    browser = signed_in(cast.omar)
    for at in (make.NOON, make.NOON - 3 * make.DAY):
        access_log.record_access(
            access_log.AccessKind.LEAD_OPENED, client=ClientInfo(address="10.0.0.0", device=""),
            at=at, user_id=cast.dana.user.pk, lead_id=cast.ben.pk,
        )  # fmt: skip
    day = company_day(make.NOON).isoformat()

    page = browser.get(reverse("access_log"), {"show": "data", "from": day, "until": day}).text

    assert cast.ben.person.name in page
    assert page.count("Opened a lead") == 1
    assert browser.get(reverse("access_log"), {"from": "yesterday"}).status_code == 200

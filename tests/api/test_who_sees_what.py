"""Every call of the API, by keys of every scope, of every role, and from another branch."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import get_resolver

from rooftree.api import openapi
from rooftree.leads.models import Delivery, Lead
from rooftree.org import api_keys, staff_accounts
from rooftree.org.models import ROLES, AccessEntry, ApiKey
from tests import make
from tests.flow.journey import run

NOW = make.NOON
POSTERS = ["operations", "marketing", "administrator"]
CALLS = {  # by address: (the scope it needs, the roles that may)
    "leads/{lead}": ("leads:read", list(ROLES)),
    "leads": ("leads:write", POSTERS),
    "sources": (
        "reports:read",
        ["manager", "operations", "marketing", "compliance", "executive", "administrator"],
    ),
}
POST = {"first_name": "Ada", "last_name": "Byron", "phone": "813 555 0177", "state": "FL"}
PUBLIC = ("openapi.json", "docs/")


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def owned(cast, clock):
    make.source("generic", name="Any post", slug="any-post", token="t")
    return make.lead(officer=cast.dana)


def key_of(user, *scopes, lasts=make.DAY):
    """The header of a new key of somebody."""
    _, secret = api_keys.create_api_key(
        name="A machine", user=user, scopes=scopes, lasts=lasts, by=user, at=NOW
    )
    return {"Authorization": f"Bearer {secret}"}


def ask(path, lead, headers):
    if path == "leads":
        return Client().post(
            "/api/v1/leads?source=any-post", POST, content_type="application/json", headers=headers
        )
    return Client().get(f"/api/v1/{path.format(lead=lead.pk)}", headers=headers)


def test_every_address_is_in_the_table_and_described():
    [api] = [
        url_pattern
        for url_pattern in get_resolver().url_patterns
        if str(url_pattern.pattern) == "api/v1/"
    ]
    served = {
        str(url_pattern.pattern).replace("<uuid:lead_id>", "{lead}")
        for url_pattern in api.url_patterns
    }

    assert served == {*CALLS, *PUBLIC}
    written = [one.path.lstrip("/") for one in openapi.ENDPOINTS]
    described = {path.replace("{lead_id}", "{lead}") for path in written}
    assert described == set(CALLS)


@pytest.mark.parametrize("path", CALLS)
def test_a_key_opens_what_its_scope_names_and_nothing_else(path, cast, owned):
    needed = CALLS[path][0]

    user = make.user("administrator")
    answers = {scope: ask(path, owned, key_of(user, scope)) for scope in api_keys.SCOPES}

    assert {scope: answer.status_code < 300 for scope, answer in answers.items()} == {
        scope: scope == needed for scope in api_keys.SCOPES
    }
    assert {answer.status_code for answer in answers.values()} <= {200, 201, 403}


@pytest.mark.parametrize("path", CALLS)
def test_a_key_may_no_more_than_the_role_behind_it(path, cast, owned):
    scope, roles = CALLS[path]
    users = {role: make.user(role) for role in ROLES} | {
        "officer": cast.dana.user, "assistant": make.assistant(cast.dana), "manager": cast.ruth,
    }  # fmt: skip

    found = {
        role: ask(path, owned, key_of(user, scope)).status_code for role, user in users.items()
    }

    good = 201 if path == "leads" else 200
    assert found == {role: good if role in roles else 403 for role in ROLES}


def test_another_branchs_lead_does_not_exist(cast, owned):
    strangers = [cast.sam.user, make.user("manager", branch=cast.austin)]

    found = {
        ask("leads/{lead}", owned, key_of(stranger, "leads:read")).status_code
        for stranger in strangers
    }

    assert found == {404}
    assert not AccessEntry.objects.filter(kind="lead_opened").exists()


@pytest.mark.parametrize("path", CALLS)
@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer rt_nonsense"}, {"Authorization": "Basic x"},
     {"Authorization": "Bearer "}, {"Authorization": "Bearer \u00e9"}],
)  # fmt: skip
def test_without_a_good_key_nothing_is_said(path, headers, owned):
    answer = ask(path, owned, headers)

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert set(answer.json()) == {"error"}


def test_a_signed_in_browser_is_no_key(cast, owned):
    browser = Client()
    browser.force_login(cast.omar)

    assert browser.get(f"/api/v1/leads/{owned.pk}").status_code == 401


def test_a_key_ends_when_revoked_when_expired_and_when_its_person_leaves(cast, owned, monkeypatch):
    revoked, expired, left = (
        key_of(user, "leads:read") for user in (cast.omar, cast.ruth, cast.dana.user)
    )
    api_keys.revoke_api_key(key_id=ApiKey.objects.get(user=cast.omar).pk, by=cast.omar, at=NOW)
    staff_accounts.deactivate_user(user_id=cast.dana.user.pk, by=cast.omar, at=NOW)
    assert ask("leads/{lead}", owned, revoked).status_code == 401
    assert ask("leads/{lead}", owned, left).status_code == 401
    assert ask("leads/{lead}", owned, expired).status_code == 200

    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW + make.DAY)

    assert ask("leads/{lead}", owned, expired).status_code == 401


def test_a_key_is_stored_as_a_hash_and_its_use_is_seen(cast, owned):
    header = key_of(cast.omar, "leads:read")
    secret = header["Authorization"].removeprefix("Bearer ")

    ask("leads/{lead}", owned, header)

    key = ApiKey.objects.get()
    assert key.last_used_at == NOW
    assert secret not in json.dumps({f.name: str(getattr(key, f.name)) for f in key._meta.fields})
    entry = AccessEntry.objects.get(kind="lead_opened")
    assert (entry.api_key, entry.user, entry.lead_id) == (key, cast.omar, owned.pk)


def test_a_machine_in_a_hurry_is_told_to_wait(cast, owned, monkeypatch):
    header = key_of(cast.omar, "leads:read")
    made = api_keys.REQUESTS_PER_MINUTE
    monkeypatch.setattr(
        "rooftree.org.api_keys.REQUESTS_PER_MINUTE",
        type(made)(name=made.name, max_attempts=2, window=made.window),
    )

    found = [ask("leads/{lead}", owned, header) for _ in range(3)]
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW + timedelta(minutes=2))

    assert [one.status_code for one in found] == [200, 200, 429]
    assert found[-1]["Retry-After"] == "60"
    assert ask("leads/{lead}", owned, header).status_code == 200


def test_the_answers_are_what_the_description_says(cast, owned):
    headers = key_of(make.user("administrator"), *api_keys.SCOPES)

    for endpoint, path in zip(openapi.ENDPOINTS, CALLS, strict=True):
        said = ask(path, owned, headers).json()
        assert list(said) == endpoint.response_schema["required"]
    document = Client().get("/api/v1/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]) == {one.path for one in openapi.ENDPOINTS}


def test_a_period_that_is_none_is_said_to_be_none(cast, owned):
    headers = key_of(cast.omar, "reports:read")

    assert ask("sources?period=2026-q3", owned, headers).json()["period"]["key"] == "2026-q3"
    assert ask("sources?period=soon", owned, headers).status_code == 400


def test_a_lead_sent_with_a_key_is_kept_and_worked_on_like_any_other(cast, owned):
    headers = key_of(make.user("marketing"), "leads:write")

    said = ask("leads", owned, headers).json()
    run(NOW)

    delivery = Delivery.objects.get(pk=said["delivery_id"])
    assert delivery.source.slug == "any-post"
    assert Lead.objects.filter(person__last_name="Byron", source=delivery.source).count() == 1
    secret = headers["Authorization"].removeprefix("Bearer ")
    assert secret not in str([getattr(delivery, f.name) for f in delivery._meta.fields])


@pytest.mark.parametrize("slug", ["nothing", "zillow", ""])
def test_a_source_that_takes_no_posts_is_refused(cast, owned, slug):
    headers = key_of(make.user("marketing"), "leads:write")

    answer = Client().post(
        f"/api/v1/leads?source={slug}", POST, content_type="application/json", headers=headers
    )

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "source"
    assert not Delivery.objects.filter(source__slug=slug).exists()


def test_a_body_that_is_nonsense_is_refused(cast, owned):
    headers = key_of(make.user("marketing"), "leads:write")

    answer = Client().post(
        "/api/v1/leads?source=any-post", b"{", content_type="application/json", headers=headers
    )

    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]["code"] == "unusable"

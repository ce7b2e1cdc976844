"""Permissions of every API call: by scope, by role, and from another branch."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import get_resolver
from jsonschema import Draft202012Validator

from rooftree.leads.models import Delivery, Lead, Loan
from rooftree.org import api_keys, staff_accounts
from rooftree.org.models import ROLES, AccessEntry, ApiKey
from tests import make
from tests.flow.journey import run

NOW = make.NOON
POSTERS = ["operations", "marketing", "administrator"]
CALLS = {  # by path: (the scope it needs, the roles with permission)
    "leads/{lead}": ("leads:read", list(ROLES)),
    "leads": ("leads:write", POSTERS),
    "spend": ("spend:write", POSTERS),
    "sources": (
        "reports:read",
        ["manager", "operations", "marketing", "compliance", "executive", "administrator"],
    ),
}
POST = {"first_name": "Ada", "last_name": "Byron", "phone": "813 555 0177", "state": "FL"}
SPEND = {
    "idempotency_key": "google:2026-11-01:refi", "source": "any-post", "campaign": "Refi",
    "date": "2026-11-01", "amount_cents": 1_284_50,
}  # fmt: skip
PUBLIC = ("", "openapi.json", "docs/")  # the root is a 404


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def owned_lead(cast, clock):
    make.source("generic", name="Any post", slug="any-post", token="t")
    return make.lead(officer=cast.dana)


def key_header(user, *scopes, lasts=make.DAY):
    """Return the authorization header of a new key for a user."""
    _, secret = api_keys.create_api_key(
        name="A machine", user=user, scopes=scopes, lasts=lasts, by=user, at=NOW
    )
    return {"Authorization": f"Bearer {secret}"}


def make_loan(lead):
    return Loan.objects.create(
        lead=lead, los="encompass", instance="main", los_loan_id="1", milestone="funded",
        amount_cents=400_000_00, application_date=NOW.date(), funded_date=NOW.date(),
        created_at=NOW,
    )  # fmt: skip


def documented_operations():
    """Return the operations of the OpenAPI document, by path below /api/v1/."""
    paths = {
        path.removeprefix("/api/v1/").replace("{lead_id}", "{lead}"): methods
        for path, methods in Client().get("/api/v1/openapi.json").json()["paths"].items()
    }
    return {path: operation for path, [operation] in ((p, m.values()) for p, m in paths.items())}


def call_api(path, lead, headers):
    if path == "leads":
        return Client().post(
            "/api/v1/leads?source=any-post", POST, content_type="application/json", headers=headers
        )
    if path == "spend":
        return Client().post(
            "/api/v1/spend", {"entries": [SPEND]}, content_type="application/json", headers=headers
        )
    return Client().get(f"/api/v1/{path.format(lead=lead.pk)}", headers=headers)


def test_every_api_path_is_tested_and_documented():
    [resolver] = [
        url_pattern
        for url_pattern in get_resolver().url_patterns
        if str(url_pattern.pattern) == "api/v1/"
    ]
    served = {
        str(url_pattern.pattern).replace("<uuidstr:lead_id>", "{lead}")
        for url_pattern in resolver.url_patterns
    }

    assert served == {*CALLS, *PUBLIC}
    assert set(documented_operations()) == set(CALLS)


@pytest.mark.parametrize("path", CALLS)
def test_key_opens_only_the_path_of_its_scope(path, cast, owned_lead):
    needed_scope = CALLS[path][0]

    user = make.user("administrator")
    responses = {
        scope: call_api(path, owned_lead, key_header(user, scope)) for scope in api_keys.SCOPES
    }

    assert {scope: response.status_code < 300 for scope, response in responses.items()} == {
        scope: scope == needed_scope for scope in api_keys.SCOPES
    }
    assert {response.status_code for response in responses.values()} <= {200, 201, 403}


@pytest.mark.parametrize("path", CALLS)
def test_key_has_only_the_permissions_of_its_users_role(path, cast, owned_lead):
    scope, roles = CALLS[path]
    users = {role: make.user(role) for role in ROLES} | {
        "officer": cast.dana.user, "assistant": make.assistant(cast.dana), "manager": cast.ruth,
    }  # fmt: skip

    statuses = {
        role: call_api(path, owned_lead, key_header(user, scope)).status_code
        for role, user in users.items()
    }

    success = 201 if path == "leads" else 200
    assert statuses == {role: success if role in roles else 403 for role in ROLES}


def test_lead_of_another_branch_is_not_found(cast, owned_lead):
    outsiders = [cast.sam.user, make.user("manager", branch=cast.austin)]

    statuses = {
        call_api("leads/{lead}", owned_lead, key_header(outsider, "leads:read")).status_code
        for outsider in outsiders
    }

    assert statuses == {404}
    assert not AccessEntry.objects.filter(kind="lead_opened").exists()


@pytest.mark.parametrize("path", CALLS)
@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer rt_nonsense"}, {"Authorization": "Basic x"},
     {"Authorization": "Bearer "}, {"Authorization": "Bearer \u00e9"}],
)  # fmt: skip
def test_call_without_valid_key_is_unauthorized(path, headers, owned_lead):
    response = call_api(path, owned_lead, headers)

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert set(response.json()) == {"error"}


def test_signed_in_browser_does_not_replace_a_key(cast, owned_lead):
    browser = Client()
    browser.force_login(cast.omar)

    assert browser.get(f"/api/v1/leads/{owned_lead.pk}").status_code == 401


def test_key_ends_when_revoked_expired_or_its_user_leaves(cast, owned_lead, monkeypatch):
    revoked, expired, left = (
        key_header(user, "leads:read") for user in (cast.omar, cast.ruth, cast.dana.user)
    )
    api_keys.revoke_api_key(key_id=ApiKey.objects.get(user=cast.omar).pk, by=cast.omar, at=NOW)
    staff_accounts.deactivate_user(user_id=cast.dana.user.pk, by=cast.omar, at=NOW)
    assert call_api("leads/{lead}", owned_lead, revoked).status_code == 401
    assert call_api("leads/{lead}", owned_lead, left).status_code == 401
    assert call_api("leads/{lead}", owned_lead, expired).status_code == 200

    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW + make.DAY)

    assert call_api("leads/{lead}", owned_lead, expired).status_code == 401


def test_key_is_stored_as_hash_and_its_use_is_logged(cast, owned_lead):
    header = key_header(cast.omar, "leads:read")
    secret = header["Authorization"].removeprefix("Bearer ")

    call_api("leads/{lead}", owned_lead, header)

    key = ApiKey.objects.get()
    assert key.last_used_at == NOW
    assert secret not in json.dumps({f.name: str(getattr(key, f.name)) for f in key._meta.fields})
    entry = AccessEntry.objects.get(kind="lead_opened")
    assert (entry.api_key, entry.user, entry.lead_id) == (key, cast.omar, owned_lead.pk)


def test_calls_over_the_limit_get_429_with_retry_after(cast, owned_lead, monkeypatch):
    header = key_header(cast.omar, "leads:read")
    limit = api_keys.REQUESTS_PER_MINUTE
    monkeypatch.setattr(
        "rooftree.org.api_keys.REQUESTS_PER_MINUTE",
        type(limit)(name=limit.name, max_attempts=2, window=limit.window),
    )

    responses = [call_api("leads/{lead}", owned_lead, header) for _ in range(3)]
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW + timedelta(minutes=2))

    assert [response.status_code for response in responses] == [200, 200, 429]
    assert responses[-1]["Retry-After"] == "60"
    assert call_api("leads/{lead}", owned_lead, header).status_code == 200


def test_responses_match_the_openapi_description(cast, owned_lead):
    headers = key_header(make.user("administrator"), *api_keys.SCOPES)
    make_loan(owned_lead)
    document = Client().get("/api/v1/openapi.json").json()
    assert document["openapi"] == "3.1.0"

    for path, operation in documented_operations().items():
        response = call_api(path, owned_lead, headers)
        validate(response, operation, document)
        assert operation["x-scope"] == CALLS[path][0]
        refused = call_api(path, owned_lead, {})
        validate(refused, operation, document)


def validate(response, operation, document):
    """Check a response against the schema of its status; every field is required."""
    described = operation["responses"][str(response.status_code)]
    schema = described["content"]["application/json"]["schema"]
    body = response.json()
    Draft202012Validator(document | schema).validate(body)
    name = schema["$ref"].rpartition("/")[2]
    assert list(body) == document["components"]["schemas"][name]["required"]


def test_lead_is_answered_in_the_documented_form(cast, owned_lead):
    loan = make_loan(owned_lead)

    body = call_api("leads/{lead}", owned_lead, key_header(cast.omar, "leads:read")).json()

    owned_lead.refresh_from_db()
    assert body == {
        "id": str(owned_lead.pk),
        "state": owned_lead.state,
        "source": {"id": str(owned_lead.source_id), "name": owned_lead.source.name},
        "arrived_at": owned_lead.created_at.isoformat().replace("+00:00", "Z"),
        "purpose": owned_lead.purpose,
        "amount_cents": owned_lead.amount_cents,
        "property": {"state": owned_lead.property_state, "zip": owned_lead.property_zip},
        "score": owned_lead.score,
        "person": {
            "first_name": owned_lead.person.first_name,
            "last_name": owned_lead.person.last_name,
            "phones": [phone.e164 for phone in owned_lead.person.phones.all()],
            "emails": [email.address for email in owned_lead.person.emails.all()],
        },
        "officer": {"name": cast.dana.user.name, "nmls_id": cast.dana.nmls_id},
        "loans": [
            {
                "id": str(loan.pk),
                "milestone": loan.milestone,
                "amount_cents": loan.amount_cents,
                "application_date": loan.application_date and loan.application_date.isoformat(),
                "funded_date": loan.funded_date and loan.funded_date.isoformat(),
            }
        ],
    }


def test_responses_are_never_stored_by_a_cache(cast, owned_lead):
    headers = key_header(cast.omar, "leads:read")

    responses = [call_api("leads/{lead}", owned_lead, given) for given in (headers, {})]

    assert [response["Cache-Control"] for response in responses] == ["no-store", "no-store"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("delete", "leads", 405, "method"),
        ("post", "docs/", 405, "method"),
        ("get", "", 404, "not_found"),
        ("get", "nothing", 404, "not_found"),
        ("get", "leads/not-an-id", 404, "not_found"),
        ("post", "leads", 422, "invalid"),
    ],
)
def test_errors_of_the_framework_have_the_documented_body(method, path, status, code, cast, clock):
    headers = key_header(make.user("marketing"), "leads:write")

    response = getattr(Client(), method)(f"/api/v1/{path}", headers=headers)

    assert response.status_code == status
    body = response.json()
    assert list(body) == ["error"]
    assert body["error"]["code"] == code
    assert response["Cache-Control"] == "no-store"


def test_bug_in_a_call_is_answered_without_its_cause(cast, owned_lead, monkeypatch):
    def fail(user):
        raise RuntimeError("a secret of the borrower")

    monkeypatch.setattr("rooftree.api.lead_views.leads_visible_to", fail)
    headers = key_header(cast.omar, "leads:read")

    response = Client(raise_request_exception=False).get(
        f"/api/v1/leads/{owned_lead.pk}", headers=headers
    )

    assert response.status_code == 500
    assert response.json()["error"]["code"] == "server_error"
    assert "secret" not in response.text


def test_docs_page_lists_every_operation_field_and_error(db):
    page = Client().get("/api/v1/docs/")

    for path in ("GET /api/v1/leads/{lead_id}", "POST /api/v1/leads", "GET /api/v1/sources"):
        assert path in page.text
    for part in ("loans[].funded_date", "officer.nmls_id", "delivery_id", "The source is paused"):
        assert part in page.text
    assert "<script" not in page.text


def test_invalid_period_is_refused(cast, owned_lead):
    headers = key_header(cast.omar, "reports:read")

    assert (
        call_api("sources?period=2026-q3", owned_lead, headers).json()["period"]["key"] == "2026-q3"
    )
    assert call_api("sources?period=soon", owned_lead, headers).status_code == 400


def test_lead_sent_with_a_key_is_stored_and_processed(cast, owned_lead):
    headers = key_header(make.user("marketing"), "leads:write")

    body = call_api("leads", owned_lead, headers).json()
    run(NOW)

    delivery = Delivery.objects.get(pk=body["delivery_id"])
    assert delivery.source.slug == "any-post"
    assert Lead.objects.filter(person__last_name="Byron", source=delivery.source).count() == 1
    secret = headers["Authorization"].removeprefix("Bearer ")
    assert secret not in str([getattr(delivery, f.name) for f in delivery._meta.fields])


@pytest.mark.parametrize("slug", ["nothing", "zillow", ""])
def test_source_without_generic_webhook_is_not_found(cast, owned_lead, slug):
    headers = key_header(make.user("marketing"), "leads:write")

    response = Client().post(
        f"/api/v1/leads?source={slug}", POST, content_type="application/json", headers=headers
    )

    assert response.status_code == 404
    assert response.json()["error"]["code"] == "source"
    assert not Delivery.objects.filter(source__slug=slug).exists()


def test_unreadable_body_is_refused(cast, owned_lead):
    headers = key_header(make.user("marketing"), "leads:write")

    response = Client().post(
        "/api/v1/leads?source=any-post", b"{", content_type="application/json", headers=headers
    )

    assert 400 <= response.status_code < 500
    assert response.json()["error"]["code"] == "unusable"

"""The simulated ad vendors and TrustedForm, against exchanges from the vendors' documents."""

import hashlib
import hmac
import json
import random
from datetime import timedelta

import httpx2
import pytest

from rooftree_simulators.ads import linkedin, meta, trustedform
from rooftree_simulators.posters import google_lead_form, tiktok_lead_gen
from rooftree_simulators.posters.simulated_borrowers import random_borrower
from tests.simulators.conftest import EXCHANGES, NOON

PROOF = hmac.new(meta.APP_SECRET.encode(), meta.TOKEN.encode(), hashlib.sha256).hexdigest()
ANSWERS = {"full_name": "Andre Whitfield", "email": "andre@home.example"}
FIELDS = (
    "created_time,id,ad_id,ad_name,adset_id,adset_name,campaign_id,campaign_name,form_id,"
    "is_organic,platform,field_data,custom_disclaimer_responses"
)


def load_exchange(name: str) -> dict:
    return json.loads((EXCHANGES / name).read_text())


def shape(part):
    """Return the keys of a JSON document at all levels, with type names instead of values."""
    if isinstance(part, dict):
        return {key: shape(value) for key, value in part.items()}
    if isinstance(part, list):
        return [shape(item) for item in part[:1]]
    return type(part).__name__


@pytest.fixture
def graph(running):
    with httpx2.Client(base_url=running.urls["meta"]) as client:
        client.params = {"access_token": meta.TOKEN, "appsecret_proof": PROOF}
        yield client


def test_meta_lead_has_documented_shape(running, graph):
    lead_id = running.meta.submit_lead(ANSWERS, boxes={"tcpa_sms_calls": True})

    lead = graph.get(f"/v25.0/{lead_id}", params={"fields": FIELDS}).json()

    assert shape(lead) == shape(load_exchange("meta_lead.json"))
    assert lead["created_time"] == "2026-11-23T17:00:00+0000"


def test_meta_returns_only_requested_fields(running, graph):
    lead_id = running.meta.submit_lead(ANSWERS, boxes={"tcpa_sms_calls": True})

    lead = graph.get(f"/v25.0/{lead_id}", params={"fields": "id,field_data"}).json()

    assert set(lead) == {"id", "field_data"}


def test_meta_notice_has_documented_keys_and_signature(running):
    lead_id = running.meta.submit_lead(ANSWERS)

    assert shape(json.loads(running.meta.notice_body(lead_id))) == shape(
        load_exchange("meta_notice.json")
    )
    vector = load_exchange("ads_signatures.json")["meta"]
    mark = hmac.new(vector["secret"].encode(), vector["body"].encode(), hashlib.sha256)
    assert f"sha256={mark.hexdigest()}" == vector["signature"]


def test_meta_refuses_expired_token_with_code_190(running, graph):
    running.meta.expired = True

    answer = graph.get("/v25.0/1")

    assert answer.status_code == 400
    assert answer.json() == load_exchange("meta_expired_token.json")


def test_meta_refuses_request_without_app_secret_proof(running):
    lead_id = running.meta.submit_lead(ANSWERS)
    bare = {"access_token": meta.TOKEN}

    answer = httpx2.get(f"{running.urls['meta']}/v25.0/{lead_id}", params=bare)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 100)


def test_meta_reports_deleted_lead_as_nonexistent(running, graph):
    lead_id = running.meta.submit_lead(ANSWERS)
    running.meta.delete_lead(lead_id)

    error = graph.get(f"/v25.0/{lead_id}").json()["error"]

    assert (error["code"], error["error_subcode"]) == (100, 33)


def test_meta_lead_list_is_paged_by_cursor_and_filtered_by_time(running, graph):
    for hours in range(5):
        running.meta.submit_lead(ANSWERS, at=NOON - timedelta(hours=hours))
    since = int((NOON - timedelta(hours=3, minutes=30)).timestamp())
    after = {"field": "time_created", "operator": "GREATER_THAN", "value": since}
    query = {"filtering": json.dumps([after]), "limit": 3}

    first = graph.get(f"/v25.0/{meta.FORM}/leads", params=query).json()
    cursor = first["paging"]["cursors"]["after"]
    second = graph.get(f"/v25.0/{meta.FORM}/leads", params=query | {"after": cursor}).json()

    assert [len(first["data"]), len(second["data"])] == [3, 1]
    assert "next" in first["paging"] and "next" not in second["paging"]


def test_linkedin_response_and_form_have_documented_shape(running):
    key = running.linkedin.submit_lead({1: "Graham"}, accepts=True)
    headers = {"Authorization": f"Bearer {linkedin.TOKEN}", "LinkedIn-Version": "202608"}
    with httpx2.Client(base_url=running.urls["linkedin"], headers=headers) as client:
        response = client.get(f"/rest/leadFormResponses/{key}").json()
        form = client.get(f"/rest/leadForms/{linkedin.FORM}").json()
        missing = client.get("/rest/leadFormResponses/6a1b-999")

    assert shape(response) == shape(load_exchange("linkedin_response.json"))
    assert shape(form) == shape(load_exchange("linkedin_form.json"))
    assert missing.status_code == 404


def test_linkedin_requires_token_and_version(running):
    url = f"{running.urls['linkedin']}/rest/leadForms/{linkedin.FORM}"

    assert httpx2.get(url).status_code == 401
    bare = {"Authorization": f"Bearer {linkedin.TOKEN}"}
    assert httpx2.get(url, headers=bare).status_code == 400


def test_linkedin_notice_is_signed_over_prefix_and_body(running):
    key = running.linkedin.submit_lead({1: "Graham"})
    notice = json.loads(running.linkedin.notice_body(key))
    vector = load_exchange("ads_signatures.json")["linkedin"]

    assert shape(notice) == shape(load_exchange("linkedin_notice.json"))
    signature = linkedin.compute_signature(vector["body"].encode(), vector["secret"])
    assert signature == vector["signature"]


@pytest.fixture
def trustedform_client(running):
    headers = {"api-version": "4.0", "Accept": "application/json"}
    auth = ("API", trustedform.API_KEY)
    with httpx2.Client(base_url=running.urls["trustedform"], headers=headers, auth=auth) as client:
        yield client


def retain(client, url: str, **lead: str) -> httpx2.Response:
    body = {"match_lead": lead, "retain": {"reference": "lead-1", "vendor": "leadconduit"}}
    return client.post(url.removeprefix("https://cert.trustedform.com"), json=body)


def test_trustedform_retains_certificate_in_documented_shape(running, trustedform_client):
    url = running.trustedform.issue_certificate(phone="5125550121", email="raj.v@example.com")

    first = retain(trustedform_client, url, email="raj.v@example.com", phone="5125550121")
    second = retain(trustedform_client, url, phone="5125550121").json()

    assert shape(first.json()) == shape(load_exchange("trustedform_retained.json"))
    assert second["retain"]["results"]["previously_retained"] is True
    assert second["match_lead"]["result"]["email_match"] is None


def test_trustedform_reports_mismatch_for_other_session(running, trustedform_client):
    url = running.trustedform.issue_certificate(phone="5125550121", email="raj.v@example.com")

    answer = retain(trustedform_client, url, phone="3105550111").json()

    documented = load_exchange("trustedform_mismatch.json")
    assert (answer["outcome"], answer["reason"]) == (documented["outcome"], documented["reason"])


def test_trustedform_refuses_expired_certificates_and_wrong_keys(running, trustedform_client):
    old = running.trustedform.issue_certificate(
        phone="5", email="", created=NOON - timedelta(hours=73)
    )
    live = running.trustedform.issue_certificate(phone="5", email="")

    assert retain(trustedform_client, old).status_code == 410
    assert retain(trustedform_client, "https://cert.trustedform.com/" + "f" * 40).status_code == 404
    assert retain(trustedform_client, "https://cert.trustedform.com/short").status_code == 400
    trustedform_client.auth = ("API", "guess")
    assert retain(trustedform_client, live).status_code == 403


def test_google_lead_has_documented_keys():
    rng = random.Random(3)
    lead = google_lead_form.lead_object(random_borrower(rng), rng, at=NOON)

    assert set(lead) == set(load_exchange("google_lead.json"))


def test_tiktok_lead_has_documented_keys_and_signature_over_escaped_text():
    rng = random.Random(3)
    delivery = tiktok_lead_gen.lead_delivery(random_borrower(rng), rng, at=NOON, secret="s")
    body = json.loads(delivery.body)

    assert set(body) == set(load_exchange("tiktok_leads.json"))
    assert set(body["entry"][0]) == set(load_exchange("tiktok_leads.json")["entry"][0])
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=True).encode()
    mark = hmac.new(b"s", text, hashlib.sha256).hexdigest()
    assert delivery.headers["X-Open-Signature"] == mark
    vector = load_exchange("ads_signatures.json")["tiktok"]
    vector_mark = hmac.new(vector["secret"].encode(), vector["body"].encode(), hashlib.sha256)
    assert vector_mark.hexdigest() == vector["signature"]

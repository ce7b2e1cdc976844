"""The simulated advertisers and the witness, against exchanges written down from documents."""

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


def kept(name: str) -> dict:
    return json.loads((EXCHANGES / name).read_text())


def shape(part):
    """Names all the way down, whatever the values."""
    if isinstance(part, dict):
        return {key: shape(value) for key, value in part.items()}
    if isinstance(part, list):
        return [shape(one) for one in part[:1]]
    return type(part).__name__


@pytest.fixture
def graph(running):
    with httpx2.Client(base_url=running.urls["meta"]) as client:
        client.params = {"access_token": meta.TOKEN, "appsecret_proof": PROOF}
        yield client


def test_meta_answers_a_lead_in_the_shape_of_the_documents(running, graph):
    lead_id = running.meta.submit_lead(ANSWERS, boxes={"tcpa_sms_calls": True})

    told = graph.get(f"/v25.0/{lead_id}", params={"fields": FIELDS}).json()

    assert shape(told) == shape(kept("meta_lead.json"))
    assert told["created_time"] == "2026-11-23T17:00:00+0000"


def test_meta_gives_only_the_fields_that_were_asked_for(running, graph):
    lead_id = running.meta.submit_lead(ANSWERS, boxes={"tcpa_sms_calls": True})

    told = graph.get(f"/v25.0/{lead_id}", params={"fields": "id,field_data"}).json()

    assert set(told) == {"id", "field_data"}


def test_metas_notice_has_the_documented_keys_and_is_signed_over_its_bytes(running):
    lead_id = running.meta.submit_lead(ANSWERS)

    assert shape(json.loads(running.meta.notice_body(lead_id))) == shape(kept("meta_notice.json"))
    vector = kept("ads_signatures.json")["meta"]
    made = hmac.new(vector["secret"].encode(), vector["body"].encode(), hashlib.sha256)
    assert f"sha256={made.hexdigest()}" == vector["signature"]


def test_an_expired_token_is_a_400_with_code_190(running, graph):
    running.meta.expired = True

    told = graph.get("/v25.0/1")

    assert told.status_code == 400
    assert told.json() == kept("meta_expired_token.json")


def test_without_the_proof_of_the_app_meta_gives_nothing(running):
    lead_id = running.meta.submit_lead(ANSWERS)
    bare = {"access_token": meta.TOKEN}

    told = httpx2.get(f"{running.urls['meta']}/v25.0/{lead_id}", params=bare)

    assert (told.status_code, told.json()["error"]["code"]) == (400, 100)


def test_a_deleted_lead_is_an_object_that_does_not_exist(running, graph):
    lead_id = running.meta.submit_lead(ANSWERS)
    running.meta.delete_lead(lead_id)

    error = graph.get(f"/v25.0/{lead_id}").json()["error"]

    assert (error["code"], error["error_subcode"]) == (100, 33)


def test_metas_list_of_a_form_goes_on_by_its_cursor_and_keeps_to_the_time_asked(running, graph):
    for hours in range(5):
        running.meta.submit_lead(ANSWERS, at=NOON - timedelta(hours=hours))
    since = int((NOON - timedelta(hours=3, minutes=30)).timestamp())
    after = {"field": "time_created", "operator": "GREATER_THAN", "value": since}
    asked = {"filtering": json.dumps([after]), "limit": 3}

    first = graph.get(f"/v25.0/{meta.FORM}/leads", params=asked).json()
    cursor = first["paging"]["cursors"]["after"]
    second = graph.get(f"/v25.0/{meta.FORM}/leads", params=asked | {"after": cursor}).json()

    assert [len(first["data"]), len(second["data"])] == [3, 1]
    assert "next" in first["paging"] and "next" not in second["paging"]


def test_linkedin_answers_in_the_shape_of_the_documents(running):
    key = running.linkedin.submit_lead({1: "Graham"}, accepts=True)
    headers = {"Authorization": f"Bearer {linkedin.TOKEN}", "LinkedIn-Version": "202608"}
    with httpx2.Client(base_url=running.urls["linkedin"], headers=headers) as client:
        response = client.get(f"/rest/leadFormResponses/{key}").json()
        form = client.get(f"/rest/leadForms/{linkedin.FORM}").json()
        gone = client.get("/rest/leadFormResponses/6a1b-999")

    assert shape(response) == shape(kept("linkedin_response.json"))
    assert shape(form) == shape(kept("linkedin_form.json"))
    assert gone.status_code == 404


def test_linkedin_wants_a_token_and_a_version(running):
    url = f"{running.urls['linkedin']}/rest/leadForms/{linkedin.FORM}"

    assert httpx2.get(url).status_code == 401
    bare = {"Authorization": f"Bearer {linkedin.TOKEN}"}
    assert httpx2.get(url, headers=bare).status_code == 400


def test_linkedins_notice_is_signed_over_the_prefix_and_the_body(running):
    key = running.linkedin.submit_lead({1: "Graham"})
    notice = json.loads(running.linkedin.notice_body(key))
    vector = kept("ads_signatures.json")["linkedin"]

    assert shape(notice) == shape(kept("linkedin_notice.json"))
    made = linkedin.compute_signature(vector["body"].encode(), vector["secret"])
    assert made == vector["signature"]


@pytest.fixture
def witness(running):
    headers = {"api-version": "4.0", "Accept": "application/json"}
    auth = ("API", trustedform.API_KEY)
    with httpx2.Client(base_url=running.urls["trustedform"], headers=headers, auth=auth) as client:
        yield client


def retained(client, url: str, **lead: str) -> httpx2.Response:
    body = {"match_lead": lead, "retain": {"reference": "lead-1", "vendor": "leadconduit"}}
    return client.post(url.removeprefix("https://cert.trustedform.com"), json=body)


def test_a_certificate_is_retained_in_the_shape_of_the_documents(running, witness):
    url = running.trustedform.issue_certificate(phone="5125550121", email="raj.v@example.com")

    first = retained(witness, url, email="raj.v@example.com", phone="5125550121")
    again = retained(witness, url, phone="5125550121").json()

    assert shape(first.json()) == shape(kept("trustedform_retained.json"))
    assert again["retain"]["results"]["previously_retained"] is True
    assert again["match_lead"]["result"]["email_match"] is None


def test_a_certificate_of_another_session_is_a_failure_and_retained(running, witness):
    url = running.trustedform.issue_certificate(phone="5125550121", email="raj.v@example.com")

    told = retained(witness, url, phone="3105550111").json()

    known = kept("trustedform_mismatch.json")
    assert (told["outcome"], told["reason"]) == (known["outcome"], known["reason"])


def test_certificates_end_and_keys_are_checked(running, witness):
    old = running.trustedform.issue_certificate(
        phone="5", email="", created=NOON - timedelta(hours=73)
    )
    live = running.trustedform.issue_certificate(phone="5", email="")

    assert retained(witness, old).status_code == 410
    assert retained(witness, "https://cert.trustedform.com/" + "f" * 40).status_code == 404
    assert retained(witness, "https://cert.trustedform.com/short").status_code == 400
    witness.auth = ("API", "guess")
    assert retained(witness, live).status_code == 403


def test_google_posts_the_keys_of_the_documents():
    rng = random.Random(3)
    made = google_lead_form.lead_object(random_borrower(rng), rng, at=NOON)

    assert set(made) == set(kept("google_lead.json"))


def test_tiktok_posts_the_keys_of_the_documents_and_signs_the_escaped_text():
    rng = random.Random(3)
    made = tiktok_lead_gen.lead_delivery(random_borrower(rng), rng, at=NOON, secret="s")
    body = json.loads(made.body)

    assert set(body) == set(kept("tiktok_leads.json"))
    assert set(body["entry"][0]) == set(kept("tiktok_leads.json")["entry"][0])
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=True).encode()
    mark = hmac.new(b"s", text, hashlib.sha256).hexdigest()
    assert made.headers["X-Open-Signature"] == mark
    vector = kept("ads_signatures.json")["tiktok"]
    told = hmac.new(vector["secret"].encode(), vector["body"].encode(), hashlib.sha256)
    assert told.hexdigest() == vector["signature"]

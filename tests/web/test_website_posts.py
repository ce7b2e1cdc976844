"""Posts from the company's own website: who can read the answer, and the redirect."""

import json
from urllib.parse import urlencode

import pytest
from django.test import Client

from rooftree.flow import lead_arrival
from rooftree.leads.models import Delivery, Touch
from tests import make
from tests.flow import journey
from tests.web.webhook_client import post

pytestmark = pytest.mark.django_db
SITES = ["https://www.harborlight.example", "https://harborlight.example"]


def test_company_site_can_send_a_preflight_and_read_the_answer():
    journey.create_website(slug="harbor-light", allowed_origins=SITES)

    preflight = Client().options("/in/form/harbor-light", headers={"Origin": SITES[0]})
    strangers = Client().options(
        "/in/form/harbor-light", headers={"Origin": "https://evil.example"}
    )

    assert preflight.status_code == 204
    assert preflight["Access-Control-Allow-Origin"] == SITES[0]
    assert "POST" in preflight["Access-Control-Allow-Methods"]
    assert "Content-Type" in preflight["Access-Control-Allow-Headers"]
    assert preflight["Vary"] == "Origin"
    assert "Access-Control-Allow-Origin" not in strangers
    assert Client().options("/in/form/nobodys").status_code == 404


def test_another_site_cannot_read_the_answer():
    journey.create_website(slug="harbor-light", allowed_origins=SITES)
    answer = post(
        "/in/form/harbor-light",
        json.dumps(journey.form_post()).encode(),
        **{"Content-Type": "application/json", "Origin": "https://evil.example"},
    )

    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    ("back", "status"),
    [
        ("https://www.harborlight.example/thanks", 303),
        ("https://evil.example/thanks", 200),
        ("http://www.harborlight.example/thanks", 200),
        ("//www.harborlight.example/thanks", 200),
        ("https://www.harborlight.example.evil.example/", 200),
        ("https://www.harborlight.example@evil.example/", 200),
        ("https://www.harborlight.example:8443/", 200),
        ("javascript:alert(1)", 200),
    ],
)
def test_form_without_javascript_redirects_only_to_its_own_site(back, status):
    make.company()
    journey.create_website(slug="harbor-light", allowed_origins=SITES)
    form = {"first_name": "Ben", "email": "ben@home.example", "return_to": back}

    answer = post(
        "/in/form/harbor-light",
        urlencode(form).encode(),
        **{"Content-Type": "application/x-www-form-urlencoded", "Origin": SITES[0]},
    )

    assert answer.status_code == status
    assert answer.get("Location", "") == (back if status == 303 else "")
    assert Delivery.objects.count() == 1


def test_repeated_form_without_javascript_redirects_too():
    make.company()
    journey.create_website(slug="harbor-light", allowed_origins=SITES)
    form = {
        "submission_id": "s-1",
        "first_name": "Ben",
        "email": "ben@home.example",
        "return_to": f"{SITES[0]}/thanks",
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": SITES[0]}
    answers = [post("/in/form/harbor-light", urlencode(form).encode(), **headers) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[1]["Location"] == f"{SITES[0]}/thanks"


@pytest.mark.parametrize(("signal", "is_kept"), [("1", False), ("0", True), (None, True)])
def test_privacy_signal_removes_ad_identifiers(signal, is_kept):
    journey.set_up_company()
    journey.create_website(slug="harbor-light", allowed_origins=SITES)
    form_fields = journey.form_post(
        gclid="CjwMARK", fbclid="IwMARK", utm={"source": "google"},
        landing_page="https://www.harborlight.example/fha?gclid=CjwMARK",
    )  # fmt: skip
    headers = {"Content-Type": "application/json", "Origin": SITES[0]}
    headers |= {"Sec-GPC": signal} if signal else {}
    assert (
        post("/in/form/harbor-light", json.dumps(form_fields).encode(), **headers).status_code
        == 200
    )
    while lead_arrival.process_next_batch(at=make.NOON):
        pass

    touch = Touch.objects.get()
    stored_text = json.dumps([touch.inquiry, touch.attribution, touch.lead.details])
    assert ("MARK" in stored_text) is is_kept
    assert touch.attribution.get("utm_source") == "google", "which page it was is no mark of theirs"
    assert (touch.inquiry.get("extras", {}).get("privacy_signal") == "gpc") is not is_kept

"""Consent invented by whoever posts: a public address takes posts from anybody.

A post to our form's address proves written consent only with the seal of a form that we showed,
or with the signature of the company's own server.
"""

import json
from typing import Any

import pytest
from django.test import Client

from rooftree.capture.models import FormCertificate
from rooftree.capture.own_form import form_seal, form_wording
from rooftree.compliance.models import Consent
from rooftree.flow import clock
from rooftree.leads.models import Delivery, DeliveryKey, Lead, Source
from tests import make
from tests.flow import journey
from tests.web.visitor import LEGAL, hidden, open_form, send

pytestmark = pytest.mark.django_db
LEADID = "A1B2C3D4-0000-4000-8000-A1B2C3D4E5F6"


@pytest.fixture
def site():
    make.company()
    journey.set_up_company()
    return journey.create_website()


def post_form(site, body: dict[str, Any], *, at=make.NOON, is_signed=False, **headers: str):
    raw = json.dumps(body).encode()
    if is_signed:
        headers |= journey.sign_form_post(raw)
    with clock.freeze(at):
        return Client(REMOTE_ADDR="203.0.113.66").post(
            f"/in/form/{site.slug}", raw, content_type="application/json",
            headers={"User-Agent": "Mozilla/5.0", **headers},
        )  # fmt: skip


def sealed_post(number: str, **consent: str) -> dict[str, Any]:
    """Build a post with the seal of a form that we just showed, as our own page sends it."""
    token = hidden(open_form())["seal"]
    edition = form_wording.current_edition("en", on=make.NOON.date())
    shown = {"version": edition.version, "text": edition.render(LEGAL), "seal": token}
    post = journey.form_post(
        submission_id=form_seal.read_seal(token).submission_id,
        phone=number, email="", first_name=f"Victim {number}",
    )  # fmt: skip
    post["consent"] = {"checked": True, "prechecked": False, "seller": LEGAL} | shown | consent
    return post


def proofs(number: str) -> dict[str, Any]:
    return Consent.objects.get(address=f"+1{number}").record


def test_post_without_seal_or_signature_proves_no_written_consent(site):
    forged = {
        "checked": True, "text": journey.WORDING, "version": "2026-01", "prechecked": False,
        "seller": LEGAL,
    }  # fmt: skip
    attacks = {
        "8135550101": {"consent": forged},
        "8135550102": {"consent": forged | {"method": "button"}, "leadid_token": LEADID},
        "8135550103": {"consent": forged | {"seal": "eyJ9:forged"}},
        "8135550104": {"consent": forged, "consent_sms": "yes", "consent_call": "yes"},
    }  # fmt: skip
    for number, fields in attacks.items():
        post = journey.form_post(phone=number, email="", first_name=f"V{number}", **fields)
        assert post_form(site, post).status_code == 200
        with_origin = post | {
            "submission_id": f"{number}-origin",
            "phone": f"{number[:-2]}5{number[-1]}",
        }
        assert post_form(site, with_origin, Origin=site.allowed_origins[0]).status_code == 200
    journey.run()

    rows = Consent.objects.all()
    assert rows.count() == 2 * len(attacks)
    for row in rows:
        assert row.record.get("type") != "written", row.record
        assert not {"form_record", "leadid"} & set(row.record["evidence"])
    assert not any(journey.sent_texts(lead) for lead in Lead.objects.all())
    assert not FormCertificate.objects.exists()


def test_seal_proves_consent_only_for_its_own_form_wording_and_day(site):
    make.source("website_form", slug="other", allowed_origins=site.allowed_origins, secret="k2")
    genuine = sealed_post("8135550120")
    variants = {
        "8135550121": sealed_post("8135550121", version="other-version"),
        "8135550122": sealed_post("8135550122", text=journey.WORDING),
        "8135550123": sealed_post("8135550123") | {"submission_id": "of-another-page"},
        "8135550124": sealed_post("8135550124", prechecked="true"),
    }
    assert post_form(site, genuine).status_code == 200
    for post in variants.values():
        assert post_form(site, post).status_code == 200
    late = sealed_post("8135550125")
    assert post_form(site, late, at=make.NOON + 25 * make.HOUR).status_code == 200
    other = Source.objects.get(slug="other")
    foreign = sealed_post("8135550126")
    assert post_form(other, foreign).status_code == 200
    journey.run(make.NOON + 25 * make.HOUR)

    assert "form_record" in proofs("8135550120")["evidence"]
    assert proofs("8135550120")["type"] == "written"
    for number in (*variants, "8135550125", "8135550126"):
        assert "form_record" not in proofs(number)["evidence"], number
        assert "signature" not in proofs(number), number


def test_seal_is_used_once(site):
    post = sealed_post("8135550130")
    assert post_form(site, post).status_code == 200
    journey.run()
    DeliveryKey.objects.all().delete()  # what remembers repeated deliveries is gone
    again = post | {"phone": "8135550131", "first_name": "Someone", "last_name": "Else"}
    assert post_form(site, again).status_code == 200
    journey.run()

    assert "form_record" in proofs("8135550130")["evidence"]
    assert (
        not Consent.objects.filter(record__evidence__contains="form_record")
        .exclude(address="+18135550130")
        .exists()
    )
    assert FormCertificate.objects.count() == 1


def test_signed_post_and_our_own_page_prove_consent(site):
    signed = journey.form_post(phone="8135550140", email="", first_name="Signed") | {
        "ip_address": "203.0.113.10", "user_agent": "Mozilla/5.0",
    }  # fmt: skip
    assert post_form(site, signed, is_signed=True).status_code == 200
    send(open_form(), consent="yes", phone="8135550141", email="")
    journey.run()

    for number in ("8135550140", "8135550141"):
        assert proofs(number)["signature"] == "checkbox_unticked_by_default"
        assert "form_record" in proofs(number)["evidence"]


def test_form_can_be_set_to_take_signed_posts_only(site, client):
    client.force_login(make.user("operations"))
    address = f"/setup/sources/{site.pk}/details/"
    assert "Take signed posts only" in client.get(address).text
    assert client.post(address, {"signed_only": "on"}).status_code == 303

    post, origin = journey.form_post(), site.allowed_origins[0]
    refused = post_form(site, post, Origin=origin)
    signed = post_form(site, post, is_signed=True)
    hosted = send(open_form(), consent="yes")
    assert (refused.status_code, signed.status_code, hosted.status_code) == (401, 200, 303)
    assert Delivery.objects.count() == 2

    assert client.post(address, {"signed_only": ""}).status_code == 303
    assert post_form(site, journey.form_post(), Origin=origin).status_code == 200

"""Which sites can embed the public form and who can submit it: own sites, no others, no bots."""

import re

import pytest
from django.conf import settings
from django.test import Client

from rooftree.leads.models import Delivery, Lead
from tests import make
from tests.flow import journey
from tests.web.visitor import FORM, open_form, send

pytestmark = pytest.mark.django_db
SITE = "https://www.lindenfield.example"


def test_bot_that_fills_the_honeypot_is_thanked_and_makes_no_lead(source):
    journey.set_up_company()
    answer = send(open_form(), hp_company="ACME", email="", phone="")
    journey.run()

    assert answer.status_code == 303
    assert Client().get(answer["Location"]).status_code == 200
    assert not Lead.objects.exists()


def test_form_filled_faster_than_a_human_can_waits_for_review(source):
    answer = send(open_form(at=make.NOON - 2 * make.SECOND))

    assert answer.status_code == 303
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.reason) == ("quarantined", "too_fast")


def test_only_sites_of_the_source_can_frame_the_form(source):
    source.allowed_origins = [SITE, "https://evil.example; script-src *", "*"]
    source.save()
    page = Client().get(FORM)

    policy = page["Content-Security-Policy"]
    assert f"frame-ancestors {SITE}" in re.split(r";\s*", policy)
    assert "evil" not in policy
    assert "X-Frame-Options" not in page
    assert "script-src 'self'" in policy


def test_form_of_a_source_without_sites_cannot_be_framed(source):
    source.allowed_origins = []
    source.save()
    page = Client().get(FORM)

    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    assert page["X-Frame-Options"] == "DENY"


def test_post_from_another_site_is_refused(source):
    answer = send(open_form(), headers={"Origin": "https://evil.example"})

    assert answer.status_code == 403
    assert not Delivery.objects.exists()


def test_post_from_our_own_page_under_its_other_host_name_is_accepted(source):
    assert send(open_form(), headers={"Origin": "http://testserver"}).status_code == 303


@pytest.mark.parametrize("path", [FORM, f"{FORM}thanks/", f"{FORM}embed.js"])
def test_paused_or_unknown_form_is_not_found(source, path):
    assert Client().get(path).status_code == 200
    assert Client().get(path.replace("our-site", "nobodys")).status_code == 404
    source.paused_at = make.NOON
    source.save()
    assert Client().get(path).status_code == 404


def test_vendor_source_has_no_form(source):
    journey.create_zillow()

    assert Client().get("/forms/zillow/").status_code == 404


def test_form_loads_nothing_from_other_sites_and_sets_no_cookie(source):
    answer = Client().get(FORM)

    page = answer.content.decode()
    assert not re.search(r'(src|href)="https?://', page.replace(settings.PUBLIC_URL, ""))
    assert " style=" not in page
    assert not re.search(r"\son\w+=", page)
    assert not answer.cookies
    assert "no-store" in answer["Cache-Control"]


def test_embedding_script_is_served_as_javascript(source):
    answer = Client().get(f"{FORM}embed.js")

    assert answer["Content-Type"].startswith("text/javascript")
    assert "rooftreeHeight" in answer.content.decode()

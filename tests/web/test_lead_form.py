"""The public form: its questions, and the lead made from the answers."""

import hmac
import json
import re
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from rooftree.capture.own_form import form_wording
from rooftree.capture.own_form.form_design import default_texts
from rooftree.capture.own_form.form_questions import (
    DEFAULT_STEPS,
    EXTRA_QUESTIONS,
    QUESTION_NAMES,
    REQUIRED,
)
from rooftree.capture.own_form.form_texts import LANGUAGES
from rooftree.capture.source_setup import posting_instructions
from rooftree.leads.models import Delivery, Lead
from rooftree.web.lead_form.translations import TRANSLATIONS
from tests import make
from tests.flow import journey
from tests.web.visitor import FORM, LEGAL, hidden, open_form, send, stored

pytestmark = pytest.mark.django_db


def test_form_is_in_the_visitors_language_and_names_the_company(source):
    english, spanish = open_form("en"), open_form("es")

    assert '<html lang="en">' in english
    assert "What would you like to do?" in english
    assert '<html lang="es">' in spanish
    assert "¿Qué desea hacer?" in spanish
    for page, language in ((english, "en"), (spanish, "es")):
        text = form_wording.current_edition(language, on=make.NOON.date()).render(LEGAL)
        assert text in unescape(page)
        assert "NMLS ID 1204417" in page


def test_spanish_browser_gets_the_spanish_form(source):
    page = Client().get(FORM, headers={"Accept-Language": "es-MX,es;q=0.9"})

    assert '<html lang="es">' in page.content.decode()


def test_form_asks_for_three_of_the_six_application_items():
    field_names = " ".join(QUESTION_NAMES)

    assert not re.search(r"ssn|social|income|address|birth|street", field_names)
    assert set(QUESTION_NAMES) >= REQUIRED
    assert len(set(QUESTION_NAMES)) == len(QUESTION_NAMES)


def test_every_question_has_a_label_and_room_for_an_error(source):
    page = open_form()

    for name in (name for step in DEFAULT_STEPS for name in step):
        assert f'for="{name}"' in page or f"field--{name}" in page
        assert f'id="{name}-error"' in page
    for name in EXTRA_QUESTIONS:
        assert f'id="{name}-error"' not in page


def test_both_languages_have_the_same_keys():
    def shape(part):
        return {key: shape(child) for key, child in part.items()} if isinstance(part, dict) else 0

    assert shape(TRANSLATIONS["en"]) == shape(TRANSLATIONS["es"])
    assert set(TRANSLATIONS) == set(LANGUAGES)
    assert default_texts("en").keys() == default_texts("es").keys()


def test_submitted_form_becomes_a_lead_with_its_answers(source):
    journey.set_up_company()
    answer = send(open_form(), consent="yes")
    journey.run()

    assert answer.status_code == 303
    lead = Lead.objects.get()
    assert (lead.purpose, lead.property_state, lead.property_zip) == ("purchase", "FL", "33602")
    assert (lead.value_cents, lead.down_payment_cents) == (458_000_00, 45_800_00)
    assert (lead.credit_band, lead.timeline) == ("good", "31_60_days")
    assert lead.person.phones.get().e164 == "+18135550142"
    assert lead.person.language == "en"
    assert lead.borrower_message == "We found a house."


def test_thank_you_page_shows_the_delivery_reference(source):
    from rooftree.capture.intake.receive_delivery import public_reference

    answer = send(open_form())
    thanks = Client().get(answer["Location"])

    assert public_reference(Delivery.objects.get()) in answer["Location"]
    assert public_reference(Delivery.objects.get()) in thanks.content.decode()


def test_loan_amount_of_a_buyer_and_down_payment_of_an_owner_are_not_stored(source):
    send(open_form())
    assert "loan_amount" not in stored()

    Delivery.objects.all().delete()
    send(open_form(), loan_purpose="refinance")
    assert "down_payment" not in stored()
    assert stored()["loan_amount"] == "412000"


def test_form_sent_twice_is_one_lead_with_the_same_reference(source):
    journey.set_up_company()
    page = open_form()
    first, second = send(page), send(page, at=make.NOON + make.MINUTE)
    journey.run(make.NOON + make.MINUTE)

    assert first.status_code == second.status_code == 303
    assert first["Location"] == second["Location"]
    assert Lead.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"loan_purpose": None}, "loan_purpose"),
        ({"loan_purpose": "casino"}, "loan_purpose"),
        ({"property_state": ""}, "property_state"),
        ({"property_zip": "123"}, "property_zip"),
        ({"property_value": "a lot"}, "property_value"),
        ({"down_payment": "some%"}, "down_payment"),
        ({"down_payment": "9" * 60}, "down_payment"),
        ({"first_name": "  "}, "first_name"),
        ({"last_name": "x" * 81}, "last_name"),
        ({"email": "ben@"}, "email"),
        ({"phone": "12"}, "phone"),
        ({"message": "x" * 2001}, "message"),
        ({"language": "tlh"}, "language"),
    ],
)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_invalid_answer_is_asked_again_with_a_sentence(source, lang, changes, name):
    answer = send(open_form(lang), lang=lang, **changes)

    page = unescape(answer.content.decode())
    assert answer.status_code == 422
    assert (
        TRANSLATIONS[lang]["errors"][name]
        in re.search(rf'id="{name}-error".*?</p>', page, re.DOTALL).group()
    )
    assert not Delivery.objects.exists()


def test_errors_keep_the_answers_the_checkbox_and_the_seal(source):
    page = open_form(query="&utm_source=google&gclid=Cj0")
    answer = send(page, phone="12", consent="yes", message="<b>Hi</b>", checked_at="2026")

    page_text = answer.content.decode()
    assert 'value="Ben"' in page_text
    assert "&lt;b&gt;Hi&lt;/b&gt;" in page_text
    assert 'value="purchase" required checked' in page_text
    assert "checked" in re.search(r'<input type="checkbox"[^>]*>', page_text).group()
    fields = hidden(page_text)
    assert fields["seal"] == hidden(page)["seal"]
    assert (fields["utm_source"], fields["gclid"], fields["checked_at"]) == (
        "google",
        "Cj0",
        "2026",
    )


def test_form_needs_at_least_one_contact_method(source):
    assert send(open_form(), email="", phone="").status_code == 422
    assert send(open_form(), email="").status_code == 303
    assert send(open_form(), phone="").status_code == 303


def test_referring_page_is_stored(source):
    journey.set_up_company()
    page = open_form(
        query="&utm_source=google&utm_campaign=spring&gclid=Cj0"
        "&page=https%3A%2F%2Fwww.lindenfield.example%2Fbuy"
        "&referrer=https%3A%2F%2Fwww.google.com%2F"
    )
    send(page)
    journey.run()

    visitor = Lead.objects.get().details["attribution"]
    assert (visitor["utm_source"], visitor["utm_campaign"]) == ("google", "spring")
    assert visitor["gclid"] == "Cj0"
    assert visitor["landing_page_url"] == "https://www.lindenfield.example/buy"
    assert visitor["referrer_url"] == "https://www.google.com/"


def test_invalid_referring_page_is_not_stored(source):
    fields = hidden(open_form(query="&page=javascript:alert(1)&referrer=javascript:alert(1)"))

    assert fields["page"].startswith("http")
    assert "javascript" not in fields["referrer"]


def test_social_security_number_in_the_message_is_masked(source):
    send(open_form(), message="My SSN is 078-05-1120, call me")

    assert b"078-05-1120" not in bytes(Delivery.objects.get().body)


def test_form_offers_only_the_states_the_company_lends_in(client, db):
    make.company(states=("FL",), privacy_url="https://lindenfield.example/privacy")
    make.company_license("OH", until_date=make.LICENSED_FROM + 30 * make.DAY)
    form = make.source("website_form", slug="our-form", allowed_origins=["https://a.example"])

    page = client.get("/forms/our-form/").text

    assert '<option value="FL">Florida' in page
    assert "Ohio" not in page
    assert 'href="https://lindenfield.example/privacy"' in page
    assert "Texas" not in page
    client.force_login(make.user("operations"))
    setup = client.get(f"/setup/sources/{form.pk}/").text
    assert "/forms/our-form/embed.js&quot;&gt;" in setup or "our-form/embed.js" in setup
    assert setup.index("embed.js") < setup.index("/in/form/our-form")


def test_sample_command_of_a_form_carries_a_consent_that_can_earn_a_text(client, cast):
    form = make.source("website_form", slug="our-form", secret="s3cret")
    body = posting_instructions.build_example_post(form)
    assert "s3cret" in posting_instructions.curl_commands(form, "https://a.example", form.secret)
    signature = hmac.new(b"s3cret", body.encode(), "sha256").hexdigest()
    clerk = Client()
    clerk.force_login(make.user("operations"))
    address = f"/setup/sources/{form.pk}/"
    assert "The first lead with a phone number shows here" in clerk.get(address).text

    client.post(
        "/in/form/our-form", body, content_type="application/json",
        headers={"X-Rooftree-Signature": f"sha256={signature}"},
    )  # fmt: skip
    journey.run(at=timezone.now())

    page = clerk.get(address)
    assert [need.title for need in page.context["text_needs"] if not need.is_met] == []
    assert page.context["met_needs"] == len(page.context["text_needs"])


def test_source_page_names_each_missing_part_of_an_incomplete_proof(client, cast):
    form = make.source("website_form", slug="our-form", secret="s3cret")
    body = json.dumps(
        {"submission_id": "t", "first_name": "T", "last_name": "B", "phone": "8135550142",
         "consent": {"checked": True, "text": "Agreed."}}
    ).encode()  # fmt: skip
    signature = hmac.new(b"s3cret", body, "sha256").hexdigest()
    client.post(
        "/in/form/our-form", body, content_type="application/json",
        headers={"X-Rooftree-Signature": f"sha256={signature}"},
    )  # fmt: skip
    journey.run(at=timezone.now())

    client.force_login(make.user("operations"))
    page = client.get(f"/setup/sources/{form.pk}/").text

    assert "The borrower’s own IP address" in page
    assert "For your own form, your proxy must pass on" in page
    assert "A record of the session" in page

"""The public form: what it asks, what it records, and that only our own words come back."""

import json
import re
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from rooftree.capture import form_wording
from rooftree.capture.consent import named_channels
from rooftree.capture.form_wording import EDITIONS, LANGUAGES
from rooftree.compliance.consent_record import BY_MACHINE, FREE_OF_CONDITION
from rooftree.compliance.models import Consent
from rooftree.flow import moment
from rooftree.leads.models import Delivery, Lead, Source
from rooftree.web import form_seal
from rooftree.web.form_fields import NAMES, REQUIRED, STEPS
from rooftree.web.form_words import WORDS
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
SITE = "https://www.lindenfield.example"
FORM = "/forms/our-site/"
LEGAL = "Lindenfield Mortgage, LLC"
ANSWERS = {
    "loan_purpose": "purchase",
    "property_state": "FL",
    "property_zip": "33602",
    "property_value": "$458,000",
    "down_payment": "10%",
    "loan_amount": "412000",
    "credit": "good",
    "timeline": "31_60_days",
    "first_name": "Ben",
    "last_name": "Ortiz",
    "email": "ben.ortiz@home.example",
    "phone": "(813) 555-0142",
    "language": "en",
    "message": "We found a house.",
}


@pytest.fixture
def source() -> Source:
    make.company()
    return journey.website()


def shown(lang: str = "en", at=make.NOON - timedelta(minutes=2), query: str = "", **headers) -> str:
    with moment.at(at):
        page = Client().get(f"{FORM}?lang={lang}{query}", headers=headers)
    assert page.status_code == 200, page.content
    return page.content.decode()


def hidden(page: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page)
    return {name: unescape(value) for name, value in found}


def send(page: str, *, at=make.NOON, lang: str = "en", headers=None, **changes):
    """What the browser posts from a page; None leaves a field out."""
    typed = {**hidden(page), "hp_company": "", **ANSWERS, **changes}
    data = {name: value for name, value in typed.items() if value is not None}
    told = {"User-Agent": "Mozilla/5.0"} | (headers or {"Origin": settings.PUBLIC_URL})
    with moment.at(at):
        return Client(REMOTE_ADDR="203.0.113.10").post(f"{FORM}?lang={lang}", data, headers=told)


def stored() -> dict:
    return json.loads(bytes(Delivery.objects.get().body))


def test_the_page_asks_in_the_visitors_language_and_names_the_company(source):
    english, spanish = shown("en"), shown("es")

    assert '<html lang="en">' in english
    assert "What would you like to do?" in english
    assert '<html lang="es">' in spanish
    assert "¿Qué desea hacer?" in spanish
    for page, language in ((english, "en"), (spanish, "es")):
        text = form_wording.current(language, on=make.NOON.date()).of(LEGAL)
        assert text in unescape(page)
        assert "NMLS ID 1204417" in page


def test_a_browser_that_prefers_spanish_gets_spanish(source):
    page = Client().get(FORM, headers={"Accept-Language": "es-MX,es;q=0.9"})

    assert '<html lang="es">' in page.content.decode()


def test_the_box_is_unticked_and_not_required(source):
    box = re.search(r'<input type="checkbox"[^>]*>', shown()).group()

    assert "checked" not in box
    assert "required" not in box


def test_the_form_asks_for_three_of_the_six_items_of_an_application():
    asked = " ".join(NAMES)

    assert not re.search(r"ssn|social|income|address|birth|street", asked)
    assert tuple(name for step in STEPS for name in step) == NAMES
    assert set(NAMES) >= REQUIRED


def test_every_question_has_a_label_and_an_error_place(source):
    page = shown()

    for name in NAMES:
        assert f'for="{name}"' in page or f"field--{name}" in page
        assert f'id="{name}-error"' in page


def test_both_languages_say_the_same_things():
    def shape(part):
        return {key: shape(one) for key, one in part.items()} if isinstance(part, dict) else 0

    assert shape(WORDS["en"]) == shape(WORDS["es"])
    assert set(WORDS) == set(LANGUAGES)


def test_a_request_becomes_a_lead_with_what_was_typed(source):
    journey.ready()
    answer = send(shown(), consent="yes")
    journey.run()

    assert answer.status_code == 303
    lead = Lead.objects.get()
    assert (lead.purpose, lead.property_state, lead.property_zip) == ("purchase", "FL", "33602")
    assert (lead.value_cents, lead.down_payment_cents) == (458_000_00, 45_800_00)
    assert (lead.credit_band, lead.timeline) == ("good", "31_60_days")
    assert lead.person.phones.get().e164 == "+18135550142"
    assert lead.person.language == "en"
    assert lead.asked == "We found a house."


def test_the_thanks_carry_the_reference_of_the_delivery(source):
    from rooftree.capture.receive import reference_of

    answer = send(shown())
    thanks = Client().get(answer["Location"])

    assert reference_of(Delivery.objects.get()) in answer["Location"]
    assert reference_of(Delivery.objects.get()) in thanks.content.decode()


def test_a_buyers_loan_amount_and_an_owners_down_payment_are_not_kept(source):
    send(shown())
    assert "loan_amount" not in stored()

    Delivery.objects.all().delete()
    send(shown(), loan_purpose="refinance")
    assert "down_payment" not in stored()
    assert stored()["loan_amount"] == "412000"


def test_what_was_shown_is_recorded_as_the_server_signed_it(source):
    page = shown()
    send(
        page,
        consent="yes",
        font_px="14",
        contrast="15.3",
        visible="yes",
        box_at_load="unticked",
        checked_at="2026-11-23T16:59:40.000Z",
        shown_sha256=form_wording.fingerprint(EDITIONS[0].of(LEGAL)),
        seconds_on_page="118",
        fields_touched="loan_purpose,consent",
    )

    found = stored()
    consent = found["consent"]
    assert consent["checked"] is True
    assert consent["prechecked"] is False
    assert consent["version"] == EDITIONS[0].version
    assert consent["text"] == EDITIONS[0].of(LEGAL)
    assert consent["seller"] == LEGAL
    assert consent["language"] == "en"
    assert consent["snapshot_sha256"] == form_wording.fingerprint(
        re.search(r'<div class="disclosure".*?</div>', page, re.DOTALL).group()
    )
    assert (consent["font_px"], consent["contrast"], consent["visible"]) == ("14", "15.3", "yes")
    assert consent["checked_at"] == "2026-11-23T16:59:40.000Z"
    assert consent["seal"] == hidden(page)["seal"]
    assert (found["seconds_on_page"], found["fields_touched"]) == ("118", "loan_purpose,consent")


def test_a_ticked_box_proves_written_consent_to_texts(source):
    journey.ready()
    send(shown(), consent="yes")
    journey.run()

    consent = Consent.objects.get(address="+18135550142")
    assert consent.status == "granted"
    assert {"call", "text", "autodial_call"} <= set(consent.channels)
    assert consent.record["type"] == "written"
    assert consent.record["signature"] == "checkbox_unticked_by_default"
    assert consent.record["seller"] == LEGAL
    assert consent.record["condition_of_purchase"] is False
    assert consent.record["autodial_disclosure"] is True
    assert "form_record" in consent.record["evidence"]
    assert consent.wording == EDITIONS[0].of(LEGAL)
    assert journey.texts(Lead.objects.get())


def test_without_the_tick_the_borrower_has_an_e_mail_and_no_text(source):
    journey.ready()
    answer = send(shown())
    journey.run()

    lead = Lead.objects.get()
    assert answer.status_code == 303
    assert stored()["consent"]["checked"] is False
    assert journey.emails(lead)
    assert not journey.texts(lead)


@pytest.mark.parametrize(
    "measured",
    [
        {"box_at_load": "ticked"},
        {"shown_sha256": "0" * 64},
        {"visible": "no"},
        {"font_px": "6"},
        {"contrast": "1.2"},
        {"contrast": "what"},
    ],
)
def test_words_that_were_not_plain_to_see_prove_no_consent_to_texts(source, measured):
    journey.ready()
    send(shown(), consent="yes", **measured)
    journey.run()

    assert "version" not in stored()["consent"]
    assert "signature" not in Consent.objects.get(address="+18135550142").record
    assert not journey.texts(Lead.objects.get())


def test_the_visitors_own_wording_is_never_stored(source):
    send(shown(), consent="yes", consent_text="I agree to everything", **{"consent.text": "All"})

    assert stored()["consent"]["text"] == EDITIONS[0].of(LEGAL)
    assert "everything" not in bytes(Delivery.objects.get().body).decode()


@pytest.mark.parametrize("seal", ["", "no seal", "a:b", None])
def test_a_post_without_our_seal_is_shown_anew_and_nothing_is_stored(source, seal):
    answer = send(shown(), seal=seal, consent="yes")

    page = answer.content.decode()
    assert answer.status_code == 409
    assert not Delivery.objects.exists()
    assert 'value="Ben"' in page
    assert "checked" not in re.search(r'<input type="checkbox"[^>]*>', page).group()
    assert hidden(page)["seal"] not in ("", seal)


@given(position=st.integers(0, 700), letter=st.sampled_from("aZ09-_:."))
def test_a_seal_with_one_changed_letter_is_not_opened(position, letter):
    edition = EDITIONS[0]
    text = edition.of(LEGAL)
    made = form_seal.make(
        source="our-site", edition=edition, text=text, snapshot="<p>", at=make.NOON
    )
    token = made.sign()
    place = position % len(token)
    forged = token[:place] + letter + token[place + 1 :]

    def open_(given):
        return form_seal.opened(given, source="our-site", legal_name=LEGAL, at=make.NOON)

    assert open_(token) == (made, text)
    if forged != token:
        with pytest.raises(form_seal.BadSeal):
            open_(forged)


def test_the_seal_of_another_form_is_refused(source):
    make.source("website_form", slug="other-site")
    with moment.at(make.NOON - make.MINUTE):
        other = Client().get("/forms/other-site/").content.decode()

    assert send(other).status_code == 409
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(("hours", "status"), [(23.9, 303), (24.1, 409)])
def test_a_form_may_stay_open_for_a_day(source, hours, status):
    page = shown(at=make.NOON - hours * make.HOUR)

    assert send(page).status_code == status


def test_a_company_that_changed_its_name_shows_the_form_anew(source):
    page = shown()
    company = make.company()
    company.legal_name = "Linden Lending, LLC"
    company.save()

    answer = send(page, consent="yes")

    assert answer.status_code == 409
    assert "Linden Lending, LLC may call" in answer.content.decode()


def test_sending_twice_is_one_lead_and_the_same_reference(source):
    journey.ready()
    page = shown()
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
def test_an_answer_that_cannot_be_used_is_asked_again_in_a_sentence(source, lang, changes, name):
    answer = send(shown(lang), lang=lang, **changes)

    page = unescape(answer.content.decode())
    assert answer.status_code == 422
    assert (
        WORDS[lang]["errors"][name]
        in re.search(rf'id="{name}-error".*?</p>', page, re.DOTALL).group()
    )
    assert not Delivery.objects.exists()


def test_errors_keep_what_was_typed_and_the_tick_and_the_seal(source):
    page = shown(query="&utm_source=google&gclid=Cj0")
    answer = send(page, phone="12", consent="yes", message="<b>Hi</b>", checked_at="2026")

    again = answer.content.decode()
    assert 'value="Ben"' in again
    assert "&lt;b&gt;Hi&lt;/b&gt;" in again
    assert 'value="purchase" required checked' in again
    assert "checked" in re.search(r'<input type="checkbox"[^>]*>', again).group()
    kept = hidden(again)
    assert kept["seal"] == hidden(page)["seal"]
    assert (kept["utm_source"], kept["gclid"], kept["checked_at"]) == ("google", "Cj0", "2026")


def test_one_way_to_answer_is_enough_and_none_is_not(source):
    assert send(shown(), email="", phone="").status_code == 422
    assert send(shown(), email="").status_code == 303
    assert send(shown(), phone="").status_code == 303


def test_agreeing_to_calls_without_a_number_asks_for_it(source):
    answer = send(shown(), phone="", consent="yes")

    assert answer.status_code == 422
    assert WORDS["en"]["errors"]["consent_phone"] in unescape(answer.content.decode())


def test_a_robot_that_fills_the_trap_is_thanked_and_makes_no_lead(source):
    journey.ready()
    answer = send(shown(), hp_company="ACME", email="", phone="")
    journey.run()

    assert answer.status_code == 303
    assert Client().get(answer["Location"]).status_code == 200
    assert not Lead.objects.exists()


def test_a_form_filled_faster_than_a_hand_can_waits_for_a_person(source):
    answer = send(shown(at=make.NOON - 2 * make.SECOND))

    assert answer.status_code == 303
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.reason) == ("quarantined", "too_fast")


def test_where_the_visitor_came_from_is_kept(source):
    journey.ready()
    page = shown(
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


def test_a_page_that_is_no_web_address_is_not_kept(source):
    kept = hidden(shown(query="&page=javascript:alert(1)&referrer=javascript:alert(1)"))

    assert kept["page"].startswith("http")
    assert "javascript" not in kept["referrer"]


def test_a_social_security_number_in_the_message_is_masked(source):
    send(shown(), message="My SSN is 078-05-1120, call me")

    assert b"078-05-1120" not in bytes(Delivery.objects.get().body)


def test_only_the_sites_of_the_source_may_frame_the_form(source):
    source.allowed_origins = [SITE, "https://evil.example; script-src *", "*"]
    source.save()
    page = Client().get(FORM)

    policy = page["Content-Security-Policy"]
    assert f"frame-ancestors {SITE}" in re.split(r";\s*", policy)
    assert "evil" not in policy
    assert "X-Frame-Options" not in page
    assert "script-src 'self'" in policy


def test_a_source_without_sites_is_framed_by_nobody(source):
    source.allowed_origins = []
    source.save()
    page = Client().get(FORM)

    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    assert page["X-Frame-Options"] == "DENY"


def test_a_post_from_a_strangers_page_is_refused(source):
    answer = send(shown(), headers={"Origin": "https://evil.example"})

    assert answer.status_code == 403
    assert not Delivery.objects.exists()


def test_a_post_from_our_own_page_under_its_other_name_is_taken(source):
    assert send(shown(), headers={"Origin": "http://testserver"}).status_code == 303


@pytest.mark.parametrize("path", [FORM, f"{FORM}thanks/", f"{FORM}embed.js"])
def test_a_paused_or_unknown_form_is_not_there(source, path):
    assert Client().get(path).status_code == 200
    assert Client().get(path.replace("our-site", "nobodys")).status_code == 404
    source.paused_at = make.NOON
    source.save()
    assert Client().get(path).status_code == 404


def test_a_vendors_source_has_no_form(source):
    journey.zillow()

    assert Client().get("/forms/zillow/").status_code == 404


def test_no_script_or_style_comes_from_elsewhere_and_no_cookie_is_set(source):
    answer = Client().get(FORM)

    page = answer.content.decode()
    assert not re.search(r'(src|href)="https?://', page.replace(settings.PUBLIC_URL, ""))
    assert " style=" not in page
    assert not re.search(r"\son\w+=", page)
    assert not answer.cookies
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("edition", EDITIONS, ids=lambda one: f"{one.version}-{one.language}")
def test_every_edition_says_what_written_consent_must_say(edition):
    text = edition.of(LEGAL)

    assert LEGAL in text
    assert FREE_OF_CONDITION.search(text)
    assert BY_MACHINE.search(text)
    assert {"call", "text", "autodial_call"} <= set(named_channels(text))
    assert re.search(r"data rates|tarifas de mensajes y datos", text)
    assert re.search(r"STOP|ALTO", text)
    assert edition.language in LANGUAGES


def test_every_version_exists_in_every_language():
    versions = {one.version for one in EDITIONS}

    assert len({(one.version, one.language) for one in EDITIONS}) == len(EDITIONS)
    assert len(EDITIONS) == len(versions) * len(LANGUAGES)


def test_the_edition_shown_is_the_newest_in_force():
    day = EDITIONS[0].from_date

    assert form_wording.current("en", on=day).version == EDITIONS[0].version
    assert form_wording.current("es", on=day).language == "es"
    assert form_wording.current("fr", on=day).language == "en"


def test_an_edition_that_was_shown_is_never_changed():
    known = json.loads((Path(__file__).parent / "form_wordings.json").read_text(encoding="utf-8"))

    assert {
        f"{one.version} {one.language}": form_wording.fingerprint(one.text) for one in EDITIONS
    } == known


def test_the_embedding_script_is_a_script(source):
    answer = Client().get(f"{FORM}embed.js")

    assert answer["Content-Type"].startswith("text/javascript")
    assert "rooftreeHeight" in answer.content.decode()

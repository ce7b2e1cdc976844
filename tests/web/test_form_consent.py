"""Consent on the public form: the shown wording and the checkbox are recorded."""

import re
from html import unescape

import pytest

from rooftree.capture.own_form import form_wording
from rooftree.capture.own_form.form_wording import EDITIONS
from rooftree.compliance.models import Consent
from rooftree.leads.models import Delivery, Lead
from rooftree.web.lead_form.translations import TRANSLATIONS
from tests.flow import journey
from tests.web.visitor import LEGAL, hidden, open_form, send, stored

pytestmark = pytest.mark.django_db


def test_consent_checkbox_is_unchecked_and_optional(source):
    box = re.search(r'<input type="checkbox"[^>]*>', open_form()).group()

    assert "checked" not in box
    assert "required" not in box


def test_shown_wording_is_recorded_as_the_server_signed_it(source):
    page = open_form()
    send(
        page,
        consent="yes",
        font_px="14",
        contrast="15.3",
        visible="yes",
        box_at_load="unticked",
        checked_at="2026-11-23T16:59:40.000Z",
        shown_sha256=form_wording.text_fingerprint(EDITIONS[0].render(LEGAL)),
        seconds_on_page="118",
        fields_touched="loan_purpose,consent",
    )

    answers = stored()
    consent = answers["consent"]
    assert consent["checked"] is True
    assert consent["prechecked"] is False
    assert consent["version"] == EDITIONS[0].version
    assert consent["text"] == EDITIONS[0].render(LEGAL)
    assert consent["seller"] == LEGAL
    assert consent["language"] == "en"
    assert consent["snapshot_sha256"] == form_wording.text_fingerprint(
        re.search(r'<div class="disclosure".*?</div>', page, re.DOTALL).group()
    )
    assert (consent["font_px"], consent["contrast"], consent["visible"]) == ("14", "15.3", "yes")
    assert consent["checked_at"] == "2026-11-23T16:59:40.000Z"
    assert consent["seal"] == hidden(page)["seal"]
    assert (answers["seconds_on_page"], answers["fields_touched"]) == (
        "118",
        "loan_purpose,consent",
    )


def test_checked_box_proves_written_consent_to_texts(source):
    journey.set_up_company()
    send(open_form(), consent="yes")
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
    assert consent.wording == EDITIONS[0].render(LEGAL)
    assert journey.sent_texts(Lead.objects.get())


def test_unchecked_box_allows_an_email_and_no_text(source):
    journey.set_up_company()
    answer = send(open_form())
    journey.run()

    lead = Lead.objects.get()
    assert answer.status_code == 303
    assert stored()["consent"]["checked"] is False
    assert journey.sent_emails(lead)
    assert not journey.sent_texts(lead)


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
def test_wording_that_was_not_visible_proves_no_consent_to_texts(source, measured):
    journey.set_up_company()
    send(open_form(), consent="yes", **measured)
    journey.run()

    assert "version" not in stored()["consent"]
    assert "signature" not in Consent.objects.get(address="+18135550142").record
    assert not journey.sent_texts(Lead.objects.get())


def test_wording_posted_by_the_visitor_is_never_stored(source):
    send(
        open_form(), consent="yes", consent_text="I agree to everything", **{"consent.text": "All"}
    )

    assert stored()["consent"]["text"] == EDITIONS[0].render(LEGAL)
    assert "everything" not in bytes(Delivery.objects.get().body).decode()


def test_consent_to_calls_without_a_number_asks_for_one(source):
    answer = send(open_form(), phone="", consent="yes")

    assert answer.status_code == 422
    assert TRANSLATIONS["en"]["errors"]["consent_phone"] in unescape(answer.content.decode())

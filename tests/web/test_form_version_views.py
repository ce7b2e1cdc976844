"""The website form's versions: drafted by one person, published by another, shown and recorded."""

from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from rooftree.capture.models import FormCertificate, FormPage
from rooftree.capture.own_form.models import FormVersion
from rooftree.compliance.evidence.evidence_file_check import find_problems
from rooftree.compliance.models import Consent
from rooftree.flow import clock, lead_arrival
from rooftree.leads.models import Delivery, Lead
from rooftree.ledger import seal
from rooftree.reporting.evidence.evidence_archive import build_archive
from tests import make
from tests.capture import form_version
from tests.capture.form_version import OURS
from tests.flow import journey
from tests.reporting.test_evidence_data import alter, read_evidence
from tests.web.visitor import LEGAL, hidden, open_form, send, stored

pytestmark = pytest.mark.django_db
BEN = "+18135550142"
HOSTILE = "<script>alert(1)</script>{{ company }}{% now %}"
TYPED = {"consent-en": OURS["en"], "consent-es": OURS["es"], "summary": "Counsel's text"}


@pytest.fixture
def staff(signed_in):
    """Browsers of marketing (the author), a colleague and compliance."""
    return {
        role: signed_in(make.user(role)) for role in ("marketing", "administrator", "compliance")
    }


def at_form(source, name="source_form"):
    return reverse(name, args=[source.pk])


def at_version(source, number, act=""):
    name = f"form_version_{act}" if act else "form_version"
    return reverse(name, args=[source.pk, number])


def post(browser, address, at=make.NOON - 10 * make.MINUTE, **data):
    with clock.freeze(at):
        return browser.post(address, data, follow=True)


def test_draft_gets_findings_then_a_second_person_then_visitors(source, staff):
    journey.set_up_company()
    author, compliance = staff["marketing"], staff["compliance"]

    page = author.get(at_form(source)).text
    assert "default" in page
    assert form_version.DEFAULT.texts["en"]["consent"] in unescape(page)
    typing = post(author, at_form(source, "source_form_findings"), **{"consent-en": "Call me."})
    assert "the seller isn’t named" in typing.text
    refused = post(author, at_form(source, "source_form_proposal"), summary="x",
                   **{"consent-en": "Call me."})  # fmt: skip
    assert refused.status_code == 422
    assert "automated technology isn’t named" in refused.text
    assert not FormVersion.objects.exists()

    post(author, at_form(source, "source_form_proposal"), **TYPED)
    own = author.get(at_version(source, 1)).text
    assert "Withdraw version" in own
    assert "Publish v1" not in own
    assert author.post(at_version(source, 1, "publication"), {"reason": "x"}).status_code == 403
    assert OURS["en"].replace("{legal_name}", LEGAL) not in unescape(open_form())

    waiting = compliance.get(at_version(source, 1)).text
    assert "Changes from the default" in waiting
    assert "<ins>" in waiting
    post(compliance, at_version(source, 1, "publication"), reason="Read by counsel")
    assert "Read by counsel" in author.get(at_form(source)).text

    for language in ("en", "es"):
        page = unescape(open_form(language))
        assert OURS[language].replace("{legal_name}", LEGAL) in page
    send(open_form(), consent="yes")
    journey.run()

    assert stored()["consent"]["version"] == stored()["form"] == "our-site-v1"
    consent = Consent.objects.get(address=BEN)
    assert consent.wording == OURS["en"].replace("{legal_name}", LEGAL)
    assert consent.record["type"] == "written"
    assert journey.sent_texts(Lead.objects.get())


def test_author_with_the_permission_cannot_publish_the_own_version(source, staff):
    administrator = staff["administrator"]
    post(administrator, at_form(source, "source_form_proposal"), **TYPED)

    answer = post(administrator, at_version(source, 1, "publication"), reason="Mine")

    assert "Someone other than its author has to publish it." in answer.text
    assert FormVersion.objects.get().state == "waiting"


def test_visitor_of_an_earlier_version_is_recorded_with_it(source):
    form_version.publish(source, at=make.NOON - make.DAY)
    earlier, default_title = open_form(), form_version.DEFAULT.texts["en"]["title"]
    new = form_version.design(
        form_version.our_design(), steps=(*form_version.DEFAULT.steps[:2], ("message",)),
        en_title="Talk to us", en_consent=OURS["en"].replace("I agree", "Yes"),
    )  # fmt: skip
    form_version.publish(source, new, at=make.NOON - make.MINUTE)
    live = open_form(at=make.NOON - make.SECOND)
    assert "Talk to us" in live
    assert default_title in earlier

    wrong = send(earlier, phone="12", consent="yes")
    assert default_title in unescape(wrong.content.decode())
    assert hidden(wrong.content.decode())["seal"] == hidden(earlier)["seal"]
    send(earlier, consent="yes")
    lead_arrival.process_next_batch(at=make.NOON)

    assert stored()["property_value"] == "$458,000"
    certificate = FormCertificate.objects.get()
    assert certificate.facts["shown"]["version"] == "our-site-v1"
    assert certificate.facts["shown"]["wording"].startswith("I agree")
    page = FormPage.objects.get(pk=certificate.facts["shown"]["page_sha256"])
    assert default_title in unescape(page.html)


def test_question_that_a_version_leaves_out_is_not_read(source):
    steps = (*form_version.DEFAULT.steps[:2], ("property_type", "first_time_buyer", "military"))
    texts = {
        f"{code}_{kind}__{name}": f"{name}?"
        for code in ("en", "es")
        for kind in ("label", "hint")
        for name in steps[2]
    }
    form_version.publish(source, form_version.design(steps=steps, **texts))

    send(open_form(), property_type="condo", first_time_buyer="yes", military="no")
    lead_arrival.process_next_batch(at=make.NOON)

    inquiry = Delivery.objects.get().touches.get().inquiry
    assert inquiry["property"]["type"] == "condo"
    assert (inquiry["first_time_buyer"], inquiry["military"]) == (True, False)
    assert "credit" not in stored()


def test_evidence_file_has_the_version_and_its_people(source, tmp_path):
    version = form_version.publish(source)
    send(open_form(), consent="yes")
    lead_arrival.process_next_batch(at=make.NOON)
    seal.seal_events(at=make.NOON)
    file = tmp_path / "ben.zip"
    file.write_bytes(build_archive(BEN, actor="user:1", at=make.NOON + make.HOUR))

    [shown] = read_evidence(file)["form_versions"]
    assert shown["version"] == "our-site-v1"
    assert shown["content"] == version.content
    assert shown["published_by"] == version.decided_by.name
    assert find_problems(file) == []

    def change(evidence):
        evidence["form_versions"][0]["content"]["texts"]["en"]["consent"] = "Anything"

    alter(file, change)
    assert any(
        "version our-site-v1 has a different wording" in line for line in find_problems(file)
    )


def test_hostile_text_is_shown_as_text_everywhere(source, staff):
    keys = ("label__email", "hint__email", "step__1", "consent_label")
    texts = {f"{code}_{key}": HOSTILE for code in ("en", "es") for key in keys}
    new = form_version.design(**{**texts, "en_lead": "<b>&amp;</b>", "es_lead": "<b>&amp;</b>"})
    version = form_version.FormVersion(
        source=source, number=1, content=new.to_json(), summary=HOSTILE, written_at=make.NOON,
        written_by=make.user("marketing"),
    )  # fmt: skip
    version.save(force_insert=True)
    FormVersion.objects.update(
        decided_by=make.user("compliance"), decided_at=make.NOON - make.HOUR, decision_reason="x",
        published_at=make.NOON - make.HOUR,
    )  # fmt: skip

    pages = [
        open_form(),
        staff["marketing"].get(at_form(source)).text,
        staff["marketing"].get(at_version(source, 1)).text,
        staff["marketing"].get(at_version(source, 1, "preview")).text,
        staff["compliance"].get(reverse("wording")).text,
    ]
    for page in pages[:4]:
        assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ company }}{% now %}" in page
    for page in pages:
        assert "<script>alert" not in page
        assert "<b>&amp;</b>" not in page


def test_preview_is_the_real_form_and_stores_nothing(source, staff):
    author = staff["marketing"]
    post(author, at_form(source), **{"title-en": "Talk to us", "step-credit": "0"})

    preview = author.get(at_form(source, "source_form_preview"))

    page = preview.text
    assert "Talk to us" in page
    assert 'name="credit"' not in page
    assert "data-preview" in page
    assert hidden(page)["seal"] == ""
    assert "frame-ancestors 'self'" in preview["Content-Security-Policy"]
    assert preview["X-Frame-Options"] == "SAMEORIGIN"
    assert not FormPage.objects.exists()
    assert "Talk to us" not in open_form()
    assert "Talk to us" not in staff["administrator"].get(at_form(source)).text
    spanish = author.get(at_form(source, "source_form_preview") + "?lang=es")
    assert '<html lang="es">' in spanish.text

    post(author, at_form(source, "source_form_draft"))
    assert "Talk to us" not in author.get(at_form(source)).text


def test_order_steps_and_privacy_page_are_edited(source, staff):
    moved = {
        "step-language": "0", "step-message": "1", "order-message": "1", "step-property_zip": "4",
        "step-email": "2", "step-phone": "2", "step-military": "4", "order-military": "9",
        "step-loan_purpose": "0", "step-2-en": "Your contact details",
        "privacy_url": "https://www.lindenfield.example/privacy",
        "lead-en": "No effect on your credit.", "lead-es": "Sin afectar su crédito.",
        "summary": "Fewer questions",
    }  # fmt: skip
    for name in ("property_value", "down_payment", "loan_amount", "credit", "timeline"):
        moved[f"step-{name}"] = "0"

    post(staff["marketing"], at_form(source, "source_form_proposal"), **moved)
    version = FormVersion.objects.get()
    assert version.content["steps"] == [
        ["loan_purpose", "message", "property_state"],
        ["first_name", "last_name", "email", "phone"],
        ["property_zip", "military"],
    ]
    assert version.content["texts"]["en"]["step-3"] == "A few more details"
    post(staff["compliance"], at_version(source, 1, "publication"), reason="OK")

    page = open_form()
    assert "https://www.lindenfield.example/privacy" in page
    assert page.index("Anything else we should know?") < page.index("State where the home is")


def test_version_is_rejected_withdrawn_and_rolled_back(source, staff):
    author, compliance = staff["marketing"], staff["compliance"]
    inbox = reverse("compliance")
    post(author, at_form(source, "source_form_proposal"), **TYPED)
    assert "The form of Our website needs your approval" in compliance.get(inbox).text
    post(compliance, at_version(source, 1, "rejection"), reason="Not read by counsel")
    assert "Not read by counsel" in author.get(at_version(source, 1)).text
    post(author, at_form(source, "source_form_proposal"), **TYPED)
    assert compliance.post(at_version(source, 2, "withdrawal")).status_code == 403
    post(author, at_version(source, 2, "withdrawal"))
    assert FormVersion.objects.get(number=2).state == "rejected"

    post(author, at_form(source, "source_form_proposal"), **TYPED)
    post(compliance, at_version(source, 3, "publication"), make.NOON - 9 * make.MINUTE, reason="a")
    post(author, f"{at_form(source, 'source_form_proposal')}", **{"title-en": "Talk to us"},
         summary="Title")  # fmt: skip
    post(compliance, at_version(source, 4, "publication"), make.NOON - 8 * make.MINUTE, reason="b")
    assert "Talk to us" in open_form()
    post(compliance, at_version(source, 3, "restoration"), make.NOON - 7 * make.MINUTE, reason="c")

    assert "Talk to us" not in open_form()
    assert "Content of" in author.get(at_version(source, 5)).text
    assert author.get(at_form(source) + "?from=4").text.count("Talk to us")
    assert Client().get(at_form(source)).status_code == 302

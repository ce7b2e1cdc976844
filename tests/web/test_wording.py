"""Template pages: draft, check, approval and restoring."""

import pytest
from django.urls import reverse

from rooftree.nurture import sequence_enrollment
from rooftree.nurture.models import Sequence
from rooftree.org.models import User
from rooftree.outreach.models import Template
from rooftree.outreach.wording import message_templates, template_approval
from tests import make

HERE = ["first_hello", "text", "any", "any"]
BODY = "Hi {{ borrower.first_name }}, {{ sender }}. Shall we talk? Reply STOP to end."
SPANISH = "Hola {{ borrower.first_name }}, {{ sender }}. ¿Hablamos? Responda ALTO para terminar."


@pytest.fixture(autouse=True)
def started(cast, monkeypatch):
    monkeypatch.setattr(
        "rooftree.web.shared.staff_view.timezone.now", lambda: make.NOON + make.HOUR
    )
    monkeypatch.setattr("rooftree.flow.clock.now", lambda: make.NOON + make.HOUR)
    message_templates.ensure_default_templates(at=make.NOON)
    sequence_enrollment.ensure_first_sequence(at=make.NOON)


@pytest.fixture
def mia(signed_in):
    return signed_in(make.user("marketing", name="Mia Park"))


@pytest.fixture
def cora(signed_in):
    return signed_in(make.user("compliance", name="Cora Lane"))


def page_url(name, **more):
    return reverse(f"wording_{name}", args=HERE)


def form_data(**changes):
    live = {
        template.language: template.body
        for template in Template.objects.filter(
            key="first_hello", medium="text", loan_kind="", hours="", until_at=None
        )
    }
    return {"body-en": live["en"], "body-es": live["es"], "summary": "Shorter", **changes}


def waiting(**more):
    draft = Template(key="first_hello", medium="text", language="en", body=BODY, **more)
    author = User.objects.filter(name="Mia Park").first() or make.user("marketing", name="Mia Park")
    return template_approval.propose_draft(draft, by=author, summary="Shorter", at=make.NOON)


def act(browser, version, action, **form):
    area = "wording" if isinstance(version, Template) else "sequences"
    return browser.post(f"/{area}/editions/{version.pk}/{action}/", form, follow=True)


def live():
    return message_templates.live_template(
        "first_hello", medium="text", language="en", at=make.NOON + 2 * make.HOUR
    )


def test_every_template_is_listed_with_its_approver_and_expiry(mia):
    page = mia.get(reverse("wording")).text

    assert "First response" in page
    assert "Text · Purchase · Any hour" in page
    assert "English v1" in page and "Spanish v1" in page
    assert "until Nov 23, 2027" in page
    assert "Rooftree default," in page and "since Nov 23" in page


def test_own_form_consent_wording_is_checked_by_the_same_rules(mia):
    page = mia.get(reverse("wording")).text

    assert "Lindenfield Mortgage, LLC may call and text me about mortgages" in page
    assert "found no problems." in page


def test_page_without_templates_says_when_they_come(mia):
    page = mia.get(reverse("wording"), {"at": "2026-11-23T11:59:59"}).text

    assert "No templates were live then" in page


def test_wording_in_use_at_a_past_second_is_shown(mia, cora):
    act(cora, waiting(), "approval", until="2027-11-01")

    assert "English v2" in mia.get(reverse("wording")).text
    then = mia.get(reverse("wording"), {"at": "2026-11-23T12:30:00"}).text
    assert "English v2" not in then
    assert "English v1" in then
    assert "Can’t read the date and time" in mia.get(reverse("wording"), {"at": "noon"}).text


def test_typed_wording_is_checked_and_previewed_in_both_languages(mia, htmx):
    words = {"body-en": BODY + " Guaranteed approval.", "body-es": SPANISH}

    page = mia.post(page_url("reading"), words, headers=htmx).text

    assert "Hi Maria, Alex Morgan NMLS 1234567, Lindenfield Mortgage NMLS 1204417." in page
    assert "Hola Maria" in page
    assert "Rewrite “Guaranteed approval” (guaranteed approval)." in page
    assert "1014.3(q); UDAAP" in page
    assert "1 segment" in page
    assert Template.objects.filter(key="first_hello", version=2).count() == 0


def test_preview_of_a_lead_is_for_company_wide_editors_only(mia, signed_in, cast, htmx):
    ben = str(cast.ben.pk)
    assert "Hi Ben" in mia.post(page_url("reading"), form_data(lead=ben), headers=htmx).text

    elsewhere = make.user("marketing", branch=make.branch())
    answer = signed_in(elsewhere).post(page_url("reading"), form_data(lead=ben), headers=htmx)
    assert answer.status_code == 403
    assert "Hi Ben" not in answer.text


def test_draft_belongs_to_its_author_and_keeps_the_typed_values(mia, signed_in):
    mia.post(page_url("place"), form_data(**{"body-en": "Half a senten"}))

    assert "Half a senten" in mia.get(page_url("place")).text
    assert "Half a senten" not in signed_in(make.user("marketing")).get(page_url("place")).text
    mia.post(page_url("draft"))
    assert "Half a senten" not in mia.get(page_url("place")).text


def test_only_the_changed_language_is_sent_for_approval(mia):
    answer = mia.post(page_url("proposal"), form_data(**{"body-es": SPANISH}), follow=True)

    assert "Spanish v2 sent for approval" in answer.text
    version = Template.objects.get(key="first_hello", medium="text", version=2)
    assert (version.language, version.body, version.state) == ("es", SPANISH, "waiting")
    assert "Waiting for approval" in mia.get(reverse("wording")).text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "Change the text first."),
        ({"body-en": BODY, "summary": " "}, "Say what changed and why"),
        ({"body-en": BODY + " Bad credit OK."}, "Bad credit OK"),
        ({"body-en": "{{ borrower.age }}"}, "there is no placeholder “borrower.age”"),
    ],
)
def test_invalid_proposal_comes_back_with_the_typed_values(mia, changes, message):
    answer = mia.post(page_url("proposal"), form_data(**changes))

    assert answer.status_code == 422
    assert "Not sent for approval" in answer.text
    assert message in answer.text
    assert not Template.objects.filter(decided_at=None).exists()


def test_second_person_sees_the_changes_and_approves(cora):
    version = waiting()
    page = cora.get(reverse("wording_edition", args=[version.pk])).text
    assert "<ins>Shall</ins>" in page
    assert "</del>" in page

    answer = act(cora, version, "approval", until="2027-06-01")

    assert "v2 is live" in answer.text
    assert live().body == BODY
    assert live().approved_until.isoformat() == "2027-06-01T04:00:00+00:00"  # midnight, New York


def test_longest_approval_ends_in_a_year(cora):
    act(cora, waiting(), "approval", until="2027-11-23")
    assert live().version == 2

    answer = act(cora, waiting(), "approval", until="2027-11-24")
    assert "within the next 12 months" in answer.text
    assert "Enter the day" in act(cora, Template.objects.get(version=3, key="first_hello"),
                                     "approval", until="soon").text  # fmt: skip


@pytest.mark.parametrize("role", ["marketing", "operations", "manager"])
def test_roles_without_approval_permission_are_refused(signed_in, role):
    browser, version = signed_in(make.user(role)), waiting()

    for action in ("approval", "refusal", "withdrawal"):
        assert act(browser, version, action, until="2027-06-01", reason="x").status_code == 403
    assert live().version == 1


def test_author_with_approval_permission_cannot_approve_their_own_wording(signed_in, cora):
    boss = make.user("administrator")
    draft = Template(key="first_hello", medium="text", language="en", body=BODY)
    version = template_approval.propose_draft(draft, by=boss, summary="Mine", at=make.NOON)
    browser = signed_in(boss)
    page = browser.get(reverse("wording_edition", args=[version.pk])).text
    assert "Cora Lane" in page and "can approve it" in page
    assert "Approve and publish" not in page

    answer = act(browser, version, "approval", until="2027-06-01", alone="on")

    assert "Someone other than its author" in answer.text
    assert live().version == 1


def test_single_person_company_approval_is_stated_and_shown(signed_in):
    User.objects.with_role("compliance", "administrator").update(is_active=False)
    boss = make.user("administrator", name="Olga Only")
    browser = signed_in(boss)
    draft = Template(key="first_hello", medium="text", language="en", body=BODY)
    version = template_approval.propose_draft(draft, by=boss, summary="Mine", at=make.NOON)
    assert "no one else here can approve it" in browser.get(
        reverse("wording_edition", args=[version.pk])
    ).text  # fmt: skip

    act(browser, version, "approval", until="2027-06-01")
    assert live().version == 1
    page = act(browser, version, "approval", until="2027-06-01", alone="on").text

    assert "Approved by its author." in page
    assert "Olga Only, self-approved" in browser.get(reverse("wording")).text


def test_author_gets_the_reason_of_a_refusal(mia, cora):
    version = waiting()

    act(cora, version, "refusal", reason="Too pushy")

    page = mia.get(reverse("wording_edition", args=[version.pk])).text
    assert "Rejected by Cora Lane" in page
    assert "Too pushy" in page


def test_proposal_is_withdrawn_only_by_its_author(mia, signed_in):
    version = waiting()
    assert act(signed_in(make.user("marketing")), version, "taking-back").status_code == 403

    assert "v2 withdrawn" in act(mia, version, "taking-back").text


def test_earlier_version_is_restored_and_an_approved_one_stopped(mia, cora):
    first, version = live(), waiting()
    act(cora, version, "approval", until="2027-06-01")

    assert "v3 is live" in act(mia, first, "restoration").text
    assert live().body == first.body
    assert act(mia, live(), "withdrawal", reason="x").status_code == 403
    act(cora, live(), "withdrawal", reason="A complaint")
    with pytest.raises(message_templates.NoTemplate):
        live()


def test_unchanged_wording_is_proposed_for_another_year(mia):
    assert "v2 sent for approval" in act(mia, live(), "renewal").text
    assert Template.objects.get(key="first_hello", version=2).body == live().body


def test_new_wording_starts_in_the_editor(mia):
    page = mia.get(reverse("wording_new"))
    assert "New sequence step" in page.text

    form = {"key": "new", "name": "After a week!", "medium": "email", "loan_kind": "", "hours": ""}
    answer = mia.post(reverse("wording_new"), form, follow=True)

    assert "After a week" in answer.text
    assert "No English text yet" in answer.text
    assert mia.post(reverse("wording_new"), {**form, "name": "¿?"}).status_code == 422


@pytest.mark.parametrize("parts", [["x", "fax", "any", "any"], ["x", "text", "boat", "any"],
                                   ["x", "text", "any", "noon"]])  # fmt: skip
def test_unknown_template_key_is_not_found(mia, parts):
    assert mia.get(reverse("wording_place", args=parts)).status_code == 404


def test_read_only_roles_cannot_edit_wording(signed_in):
    browser = signed_in(make.user("manager"))

    assert "What changed and why" not in browser.get(page_url("place")).text
    for name in ("place", "reading", "proposal", "draft"):
        assert browser.post(page_url(name), form_data()).status_code == 403
    assert signed_in(make.user("executive")).get(reverse("wording")).status_code == 403


# Sequences.


def steps(**changes):
    usual = {
        "template-0": "not_reached_1", "after-0": "30", "unit-0": "minutes", "text-0": "on",
        "template-1": "not_reached_2", "after-1": "3", "unit-1": "days", "email-1": "on",
        "summary": "Sooner",
    }  # fmt: skip
    return usual | changes


def test_sequence_steps_show_their_day_wording_and_end_conditions(mia):
    page = mia.get(reverse("sequences")).text

    assert 'Text and email</b> <span class="soft">Not reached, first try' in page
    assert "After 30 minutes" in page
    assert "3 days after step 1" in page
    assert "the borrower replies by text or email" in page
    assert "v1 since" in page


def test_changed_steps_apply_after_a_second_persons_approval(mia, cora, cast):
    key = "not_reached"
    running = sequence_enrollment.enroll_lead(lead_id=cast.ben.pk, key=key, at=make.NOON)
    address = reverse("sequence_proposal", args=[key])
    assert "v2 sent for approval" in mia.post(address, steps(**{"after-0": "2", "unit-0": "hours"}),
                                  follow=True).text  # fmt: skip
    version = Sequence.objects.get(version=2)
    assert act(mia, version, "approval", until="2027-06-01").status_code == 403

    act(cora, version, "approval", until="2027-06-01")

    assert (
        Sequence.objects.get(until_at=None, from_at__isnull=False).steps[0]["after_minutes"] == 120
    )
    running.refresh_from_db()
    assert running.sequence.version == 1
    page = cora.get(reverse("sequence_edition", args=[running.sequence_id])).text
    assert "1 lead on it now" in page


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"after-0": "soon"}, "Step 1: set a delay of up to 800 days"),
        ({"after-0": "801", "unit-0": "days"}, "Step 1: set a delay of up to"),
        ({"email-1": ""}, "Step 2: choose text, email or both."),
        ({"text-1": "on"}, "has no approved English text template"),
        ({"template-0": "first_hello"}, "Step 1: choose a template meant for sequences."),
        ({"template-0": "", "template-1": ""}, "Add at least one step."),
        ({"summary": ""}, "Say what changed and why"),
    ],
)
def test_invalid_steps_are_rejected_with_a_sentence(mia, changes, message):
    answer = mia.post(reverse("sequence_proposal", args=["not_reached"]), steps(**changes))

    assert answer.status_code == 422
    assert message in answer.text
    assert Sequence.objects.count() == 1


def test_draft_of_steps_is_saved_and_can_be_discarded(mia):
    sequence_url = reverse("sequence", args=["not_reached"])
    mia.post(sequence_url, steps(**{"after-0": "77"}))
    assert 'value="77"' in mia.get(sequence_url).text

    mia.post(reverse("sequence_draft", args=["not_reached"]))

    assert 'value="77"' not in mia.get(sequence_url).text


def test_roles_without_permission_cannot_change_steps(cora):
    assert cora.get(reverse("sequence", args=["not_reached"])).status_code == 403
    assert cora.post(reverse("sequence_proposal", args=["not_reached"]), steps()).status_code == 403


OPENING = ["call_opening", "call", "any", "any"]
SLOW = "Hello! " + "How are you this fine day? " * 3
OFFERS = "{{ caller.name }} of {{ company.brand }} about {{ lead.kind }}."


def test_call_opening_is_shown_in_both_languages_with_its_seconds(mia):
    page = mia.get(reverse("wording_place", args=OPENING)).text

    assert "Opening script" in page and "Call · Any loan · Any hour" in page
    assert "Hello Maria, this is Alex Morgan with Lindenfield Mortgage, calling" in page
    assert "Hola Maria, le habla Alex Morgan de Lindenfield Mortgage" in page
    assert "Takes about 9 seconds" in page
    assert "caller.name" in page
    assert "Every email ends with" not in page and "License disclosure for" not in page


@pytest.mark.parametrize("language", ["en", "es"])
def test_late_call_opening_is_not_sent_for_approval(mia, language):
    live = Template.objects.filter(key="call_opening")
    bodies = {f"body-{template.language}": template.body for template in live}

    words = {**bodies, f"body-{language}": SLOW + OFFERS, "summary": "Warmer"}
    answer = mia.post(reverse("wording_proposal", args=OPENING), words)

    assert answer.status_code == 422
    assert "Connecticut allows 10 seconds. This script takes about 1" in answer.text
    assert "to get to the purpose. Shorten what comes before." in answer.text
    assert not Template.objects.filter(decided_at=None).exists()


def test_call_opening_is_proposed_and_approved_like_any_template(mia, cora):
    proposal = reverse("wording_proposal", args=OPENING)
    spanish = Template.objects.get(key="call_opening", language="es").body
    mia.post(proposal, {"body-en": OFFERS, "body-es": spanish, "summary": "Shorter"})
    version = Template.objects.get(key="call_opening", version=2)

    page = act(cora, version, "approval", until="2027-06-01").text

    assert "v2 is live" in page
    assert "used for" not in page  # a call opening is never sent


def test_call_opening_is_not_a_text_and_a_text_is_not_a_call_opening(mia):
    for parts in (["call_opening", "text", "any", "any"], ["first_hello", "call", "any", "any"]):
        assert mia.get(reverse("wording_place", args=parts)).status_code == 404

    for key, medium, names in (
        ("call_opening", "text", "call"),
        ("first_hello", "call", "text or email"),
    ):
        answer = mia.post(reverse("wording_new"), {"key": key, "medium": medium})
        assert answer.status_code == 422
        assert f"Choose {names}." in answer.text


def test_sequences_and_campaigns_cannot_use_a_call_opening(mia):
    for address in (reverse("sequence", args=["not_reached"]), reverse("release_new")):
        page = mia.get(address).text
        assert "Opening script" not in page
    assert "Not reached, first try" in mia.get(reverse("sequence", args=["not_reached"])).text

"""Sequences of the lender's own in pages: made, edited, previewed, approved, switched, followed."""

import pytest
from django.urls import reverse

from rooftree.leads.models import Lead
from rooftree.nurture import due_steps
from rooftree.nurture.models import Enrollment, Sequence, SequenceDraft
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
EDITOR = "/sequences/warm_up/"


@pytest.fixture
def dana():
    journey.set_up_company()
    return make.officer("Dana Whitfield", licensed=("CA", "FL"))


@pytest.fixture
def lead(dana):
    new_lead = journey.deliver(journey.create_website(), journey.form_post())
    make.ownership(new_lead, dana) if new_lead.officer_id is None else None
    return Lead.objects.get(pk=new_lead.pk)


@pytest.fixture
def mia(signed_in, dana):
    return signed_in(make.user("marketing", name="Mia"))


def form(**changes):
    usual = {
        "start": "hand", "priority": "60", "stages": ["new", "working"], "ends_on": ["replied"],
        "kind-0": "message", "id-0": "s1", "after-0": "5", "unit-0": "minutes",
        "template-0": "not_reached_1", "email-0": "on",
        "kind-1": "branch", "id-1": "s2", "after-1": "0", "unit-1": "minutes",
        "if-1": "score at least 101", "then-1": "exit",
        "kind-2": "call_task", "id-2": "s3", "after-2": "1", "unit-2": "business days",
        "at-2": "09:30", "words-en-2": "Call {{ borrower.first_name }}", "summary": "First try",
    }  # fmt: skip
    return usual | changes


def test_marketing_writes_a_sequence_and_a_lead_follows_it(mia, lead, dana, signed_in):
    made = mia.post(reverse("sequence_new"), {"name": "Warm up", "copied": ""})
    assert made["Location"] == EDITOR
    assert "Add the first one below" in mia.get(EDITOR).text
    mia.post(EDITOR, {"start": "hand", "act": "add-0", "new_kind": "branch"})
    page = mia.get(EDITOR).text
    assert "Write the condition of the branch." in page  # beside its field

    refused = mia.post(f"{EDITOR}proposal/", form(**{"if-1": "scor at least 5", "at-2": "9"}))
    assert refused.status_code == 422
    assert "Step 2: condition: There is no “scor”" in refused.text
    assert "Enter the hour as 09:00." in refused.text
    assert 'value="scor at least 5"' in refused.text  # nothing typed is lost

    mia.post(EDITOR, form(act="up-2"))
    kinds = [step["kind"] for step in SequenceDraft.objects.get().steps]
    assert kinds == ["message", "call_task", "branch"]
    preview = mia.get(f"{EDITOR}preview/?lead={lead.pk}").text
    assert "1. Email" in preview
    mia.post(f"{EDITOR}proposal/", form())
    version = Sequence.objects.get(key="warm_up")
    assert (version.name, version.rules["priority"]) == ("Warm up", 60)
    assert not SequenceDraft.objects.exists()

    cora = signed_in(make.user("compliance"))
    approval = reverse("sequence_approval", args=[version.pk])
    assert mia.post(approval, {"until": "2027-06-01"}).status_code == 403
    cora.post(approval, {"until": "2027-06-01"})

    officer, page = signed_in(dana.user), reverse("lead", args=[lead.pk])
    assert "Warm up" in officer.get(page).text
    address = reverse("lead_sequence", args=[lead.pk])
    for _ in range(2):
        officer.post(address, {"sequence": "warm_up"})
    enrollment = Enrollment.objects.get()
    assert enrollment.started_by == dana.user
    assert "step 1 of 3" in officer.get(page).text
    due_steps.queue_due_steps(at=enrollment.due_at)
    assert "Email, Not reached, first try: done" in officer.get(page).text
    calendar = mia.get(reverse("sequence_calendar")).text
    assert "1 step due in the next four" in calendar
    assert "Warm up</a>, step 2" in calendar
    officer.post(address, {"sequence": ""})
    assert Enrollment.objects.get().end_reason == f"taken off by {dana.user.name}"


def test_paused_and_retired_sequences_say_so_and_take_no_one(mia, lead, signed_in, dana):
    from rooftree.nurture import sequence_enrollment

    sequence_enrollment.ensure_first_sequence(at=make.NOON)
    address = reverse("sequence_switch", args=["not_reached"])
    for act, badge in (("pause", "Paused"), ("retire", "Retired")):
        mia.post(address, {"act": act})
        assert f"{badge}</span>" in mia.get(reverse("sequences")).text
        officer = signed_in(dana.user)
        officer.post(reverse("lead_sequence", args=[lead.pk]), {"sequence": "not_reached"})
        assert not Enrollment.objects.exists()
        mia.post(address, {"act": {"pause": "resume", "retire": "reopen"}[act]})
        assert f"{badge}</span>" not in mia.get(reverse("sequences")).text
    assert mia.post(address, {"act": "burn"}, follow=True).status_code == 200


def test_copy_begins_with_the_steps_and_names_are_taken_once(mia):
    from rooftree.nurture import sequence_enrollment

    sequence_enrollment.ensure_first_sequence(at=make.NOON)
    mia.post(reverse("sequence_new"), {"name": "My try", "copied": "not_reached"})
    assert len(SequenceDraft.objects.get(key="my_try").steps) == 2
    for name in ("My try", "Not reached", "Calendar", "!!!"):
        assert mia.post(reverse("sequence_new"), {"name": name}).status_code == 422
    mia.post(reverse("sequence_draft", args=["my_try"]))
    assert mia.get("/sequences/my_try/").status_code == 404


def test_library_is_read_and_added_once_and_flagged(mia):
    page = reverse("sequence_library")
    assert "Re-engagement after 90 silent days" in mia.get(page).text
    for _ in range(2):
        mia.post(page, {"key": "re_engagement"})
    assert Sequence.objects.filter(key="re_engagement").count() == 1
    assert mia.post(page, {"key": "nothing"}, follow=True).status_code == 200
    assert "nobody has made it theirs" in mia.get(reverse("sequences")).text
    assert "Officer alert" in mia.get("/sequences/re_engagement/").text

"""An officer works twenty leads of every kind on a phone and never meets a dead end."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.urls import reverse

from rooftree.compliance.do_not_call.load_list import ListUpload, load_file
from rooftree.compliance.models import Revocation
from rooftree.db.db_role import assume_role
from rooftree.leads.models import Lead
from rooftree.org.models import Company
from rooftree.outreach.models import Message
from rooftree.routing import lead_ownership
from tests import make
from tests.web.browser.conftest import check_page, open_as, save_picture

# What a lead of each kind differs in. `touch` is what its source said besides.
KINDS = {
    "fresh inquiry": {},
    "with consent to text": {"consents": ["call", "text"]},
    "refinance": {"purpose": "refinance"},
    "home equity": {"purpose": "equity"},
    "speaks Spanish": {"language": "es", "consents": ["call", "text"]},
    "no state": {"property_state": ""},
    "jumbo purchase": {"amount_cents": 1_800_000_00, "value_cents": 2_400_000_00},
    "no phone": {"phone": None},
    "no email": {"email": None},
    "neither phone nor email": {"phone": None, "email": None},
    "no amounts": {"amount_cents": None, "value_cents": None},
    "asked to stop": {"consents": ["call", "text"], "stops": True},
    "waits for a reply": {"consents": ["call", "text"], "writes": True},
    "snoozed": {
        "snoozed": timedelta(days=2),
        "snooze_reason": "Lease ends in spring, after the move",
    },
    "talked to already": {"state": "working"},
    "not now": {"state": "nurture"},
    "application": {"state": "application"},
    "funded": {"state": "funded"},
    "declined": {"state": "retired"},
    "long name": {
        "first_name": "Maximiliana-Josephine",
        "last_name": "Featherstonehaugh-Cholmondeley",
    },
}
PERSON_COLUMNS = ("phone", "email", "language", "first_name", "last_name")


@pytest.fixture
def leads(people, noon):
    """One lead of each kind, all with Dana."""
    for registry in ("US", "FL", "TX"):
        upload = ListUpload(
            registry=registry, name="list.txt", dated=noon.date(), file=BytesIO(b"813,5550101\n")
        )
        load_file(upload, by=None, at=noon)
    Company.objects.update(mail_is_authenticated=True)
    made = {}
    for number, (kind, change) in enumerate(KINDS.items(), start=20):
        facts = {"phone": f"+181355501{number}", **change}
        person = make.person(
            at=noon, **{name: facts.pop(name) for name in PERSON_COLUMNS if name in facts}
        )
        consents, stops = facts.pop("consents", []), facts.pop("stops", False)
        writes, snoozed = facts.pop("writes", False), facts.pop("snoozed", None)
        if snoozed:
            facts["snoozed_until"] = noon + snoozed
        lead = make.lead(source=people.zillow, person=person, at=noon, **facts)
        make.touch(lead, at=noon)
        if consents:
            make.consent(person, channels=consents, at=noon)
        lead_ownership.give_lead(lead_id=lead.pk, officer_id=people.dana.pk, by=None, at=noon)
        if stops:
            Revocation.objects.create(
                person=person, address=person.phones.get().e164, kind="stop",
                media=["text", "call"], borrower_words="STOP", origin="message",
                at=noon, recorded_at=noon,
                idempotency_key=f"stop:{lead.pk}",
            )  # fmt: skip
        if writes:
            with assume_role("door"):
                Message.objects.create(
                    lead=lead, person=person, direction="in", medium="text", purpose="reply",
                    idempotency_key=f"in:{lead.pk}", to_address="+18135550100", state="received",
                    body="Can we talk about points this afternoon?", created_at=noon,
                )  # fmt: skip
        made[kind] = lead
    return made


def dead_ends(page):
    """Return the contacts of an open lead that are blocked without a way to go on."""
    ends = []
    for button in page.locator(".contact__acts button[aria-disabled=true]").all():
        verdict = page.locator(f"#{button.get_attribute('popovertarget')}")
        acts = verdict.locator("a[href], form button").count()
        if not acts and "from " not in verdict.inner_text() and "until" not in verdict.inner_text():
            ends.append(f"{button.inner_text()}: {verdict.inner_text()}")
    return ends


def test_no_kind_of_lead_is_a_dead_end(chromium, front, leads, noon):
    page = open_as(chromium, front, "Loan officer")
    ends = {}
    for kind, lead in leads.items():
        page.goto(reverse("lead", args=[lead.pk]))
        save_picture(page, f"twenty {kind}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, kind
        if found := dead_ends(page):
            ends[kind] = found

    assert ends == {}
    check_page(page, "lead with a long name")
    page.goto(reverse("queue"))
    check_page(page, "queue with twenty leads")
    assert Lead.objects.filter(officer__isnull=False).count() >= len(KINDS)

"""Contact statuses in the queue agree with the gate, and a green one is never refused."""

import pytest

from rooftree.compliance.consent import store_revocation
from rooftree.leads.models import Lead
from rooftree.org.models import Company
from rooftree.outreach.calls import dial_borrower
from rooftree.outreach.calls.dial_borrower import DialedCall
from rooftree.outreach.messages import contact_permissions
from rooftree.web.shared import contact_status
from tests import make

pytestmark = pytest.mark.django_db


def leads_of(cast):
    """Leads that can be called, opted out, have no number, wait for hours, or are far away."""
    form = make.source("website_form")
    Company.objects.update(emergencies_checked_at=make.NOON, telemarketer_states=["FL", "CA"])
    for changes in (
        {},
        {"person": make.person(phone=None)},
        {"person": make.person(phone="+14155550142", state="CA"), "property_state": "CA"},
        {"property_state": ""},
        {"person": make.person(email=None)},
    ):
        lead = make.lead(officer=cast.dana, source=form, **changes)
        make.touch(lead)
    stopped = make.lead(officer=cast.dana, source=form)
    make.touch(stopped)
    store_revocation.store_revocation(
        person_id=stopped.person_id,
        address=stopped.person.phones.get().e164,
        kind="stop",
        media=["call", "text", "voicemail"],
        origin="message:1",
        idempotency_key="text:1",
        at=make.NOON,
    )
    return list(Lead.objects.select_related("person", "source", "officer__user").order_by("pk"))


@pytest.mark.parametrize("at", [make.NOON, make.NIGHT])
def test_batch_contact_statuses_match_single_ones(cast, at):
    leads = leads_of(cast)

    together = contact_permissions.permissions_of_leads(leads, at=at)

    for lead in leads:
        assert together[lead.pk] == contact_permissions.permissions_of_lead(lead.pk, at=at)


@pytest.mark.parametrize("at", [make.NOON, make.NIGHT, make.NOON + 21 * make.HOUR])
def test_contact_status_is_never_green_where_the_action_is_refused(cast, at):
    leads = leads_of(cast)
    kinds = set()
    for lead in leads:
        call = contact_status.build_contact_statuses([lead], at)[lead.pk][0]
        kinds.add(call.kind)
        if call.kind == "ok":
            pressed = dial_borrower.begin_call(lead_id=lead.pk, by=cast.dana.user, at=at)
            assert isinstance(pressed, DialedCall), pressed.sentence
        elif call.kind != "quiet":
            assert not call.can_press
    assert "no" in kinds or "hold" in kinds


def test_rows_beyond_the_top_are_checked_when_pressed(cast, django_assert_num_queries):
    leads = [make.lead(officer=cast.dana) for _ in range(contact_status.MAX_CHECKED_LEADS + 1)]

    statuses = contact_status.build_contact_statuses(leads, make.NOON)

    last = statuses[leads[-1].pk][0]
    assert (last.kind, last.sentence) == ("quiet", "Call: checked when you click")
    assert statuses[leads[0].pk][0].sentence != last.sentence

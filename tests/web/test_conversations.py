import pytest
from django.urls import reverse
from django.utils.timezone import now

from rooftree.leads.models import Loan
from rooftree.outreach.models import Message
from rooftree.routing import lead_ownership
from tests import make


@pytest.fixture
def borrower_message(cast):
    """Ben is assigned to Dana and sent one message a minute ago."""
    lead_ownership.give_lead(lead_id=cast.ben.pk, officer_id=cast.dana.pk, by=None, at=make.NOON)
    return Message.objects.create(
        lead=cast.ben,
        person=cast.ben.person,
        direction="in",
        medium="text",
        purpose="reply",
        idempotency_key="in:1",
        to_address="+18135550100",
        body="Can you beat 6.125?",
        state="received",
        created_at=now() - make.MINUTE,
    )


def test_unread_conversation_is_in_the_inbox_and_counted_beside_its_link(
    cast, borrower_message, signed_in
):
    page = signed_in(cast.dana.user).get("/conversations/")

    assert "Can you beat 6.125?" in page.text
    assert '<span class="count count--new">1</span>' in page.text


def test_opening_a_conversation_marks_it_read(cast, borrower_message, signed_in):
    signed_in(cast.dana.user).get(reverse("conversation", args=[cast.ben.pk]))

    assert Message.objects.get(pk=borrower_message.pk).read_at is not None


def test_read_only_user_leaves_a_conversation_unread_for_the_officer(
    cast, borrower_message, signed_in
):
    page = signed_in(cast.omar).get(reverse("conversation", args=[cast.ben.pk]))

    assert page.status_code == 200
    assert Message.objects.get(pk=borrower_message.pk).read_at is None


def test_officer_cannot_read_another_officers_conversations(cast, borrower_message, signed_in):
    browser = signed_in(cast.sam.user)

    assert "6.125" not in browser.get("/conversations/").text
    assert browser.get(reverse("conversation", args=[cast.ben.pk])).status_code == 404


def test_pipeline_lists_a_loan_under_its_milestone(cast, borrower_message, signed_in):
    Loan.objects.create(
        lead=cast.ben,
        los="encompass",
        instance="demo",
        los_loan_id="1",
        milestone="conditional_approval",
        rank=70,
        amount_cents=400_000_00,
        created_at=now() - 4 * make.DAY,
    )

    page = signed_in(cast.dana.user).get("/pipeline/").text

    column = page.split('class="board"')[1].split(">Underwriting")[1].split("</section>")[0]
    assert "Ben Ortiz" in column
    assert "Conditional approval, 4 days" in column
    assert "Ben Ortiz" not in signed_in(cast.sam.user).get("/pipeline/").text

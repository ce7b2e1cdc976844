"""Texts from unknown numbers: kept, found, attached to a lead or closed."""

import pytest
from django.urls import reverse

from rooftree.compliance.models import Revocation
from rooftree.flow import borrower_replies
from rooftree.leads.models import Phone
from rooftree.outreach.models import Message, UnmatchedText
from rooftree.routing import lead_ownership
from tests import make

STRANGER = "+15125550155"


@pytest.fixture
def texts(cast):
    for nth, body in enumerate(("It is Ben, new phone. Call me at 5?", "STOP")):
        for _ in range(2):  # the carrier repeats itself
            borrower_replies.receive_text(
                sender=STRANGER if not nth else "+15125550156", body=body,
                carrier_id=f"SM{nth}", carrier="twilio", at=make.NOON + nth * make.MINUTE,
            )  # fmt: skip
    return list(UnmatchedText.objects.order_by("at"))


def test_text_from_unknown_number_is_attached_to_the_lead_that_staff_find(cast, texts, signed_in):
    lead_ownership.give_lead(lead_id=cast.ben.pk, officer_id=cast.dana.pk, by=None, at=make.NOON)
    browser = signed_in(make.user("operations"))
    page = browser.get(reverse("unknown_texts")).text
    assert page.index("It is Ben, new phone") < page.index("opted out")
    found = browser.get(reverse("unknown_text", args=[texts[0].pk]), {"q": "Ortiz"}).text
    attachment = reverse("attach_unknown_text", args=[texts[0].pk, cast.ben.pk])
    assert attachment in found

    done = browser.post(attachment, follow=True).text
    again = browser.post(attachment, follow=True).text

    assert "Attached to Ben Ortiz" in done
    assert "Someone else already handled this text" in again
    assert "It is Ben" not in browser.get(reverse("unknown_texts")).text
    message = Message.objects.get(direction="in")
    assert (message.lead_id, message.from_address) == (cast.ben.pk, STRANGER)
    assert UnmatchedText.objects.get(pk=texts[0].pk).message_id == message.pk
    assert Phone.objects.filter(person=cast.ben.person, e164=STRANGER).exists()
    assert "wrote back" in cast.dana.user.notices.get(kind="reply").text


def test_attached_stop_is_the_persons_own_and_keeps_its_time(cast, texts, signed_in):
    browser = signed_in(make.user("operations"))
    stop = Revocation.objects.get(idempotency_key="text:SM1")
    assert stop.person is None

    browser.post(reverse("attach_unknown_text", args=[texts[1].pk, cast.ben.pk]))

    stop.refresh_from_db()
    assert stop.person == cast.ben.person  # no other number of Ben's is texted either
    message = Message.objects.get(direction="in")
    assert message.created_at == make.NOON + make.MINUTE  # when it came, not when it was read


def test_branch_manager_sees_no_texts_of_unknown_numbers(cast, texts, signed_in):
    manager = signed_in(make.user("manager", branch=cast.tampa))
    assert manager.get(reverse("unknown_texts")).status_code == 403
    assert manager.get(reverse("unknown_text", args=[texts[0].pk])).status_code == 403


def test_text_that_belongs_to_no_lead_is_closed(cast, texts, signed_in):
    browser = signed_in(make.user("operations"))

    browser.post(reverse("dismiss_unknown_text", args=[texts[1].pk]))

    closed = UnmatchedText.objects.get(pk=texts[1].pk)
    assert closed.closed_at is not None
    assert closed.message is None
    assert "decided about this text" in browser.get(reverse("unknown_text", args=[closed.pk])).text

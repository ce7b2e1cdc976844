import pytest

from rooftree.outreach.media import console, twilio
from rooftree.outreach.media.carrier_types import DeliveryStatus


@pytest.mark.parametrize(
    ("said", "fate"),
    [
        ("queued", DeliveryStatus.ACCEPTED),
        ("sent", DeliveryStatus.SENT),
        ("delivered", DeliveryStatus.DELIVERED),
        ("undelivered", DeliveryStatus.FAILED),
        ("failed", DeliveryStatus.FAILED),
        ("read", DeliveryStatus.DELIVERED),
        ("quantum", DeliveryStatus.UNKNOWN),
    ],
)
def test_a_text_status_is_read_in_our_words(said, fate):
    status = twilio.parse_status({"MessageSid": "SM1", "MessageStatus": said, "ErrorCode": "30003"})

    assert status is not None
    assert (status.carrier_id, status.status, status.raw_status, status.error_code) == (
        "SM1",
        fate,
        said,
        "30003",
    )


def test_a_call_status_keeps_its_order_and_length():
    status = twilio.parse_status(
        {"CallSid": "CA1", "CallStatus": "completed", "CallDuration": "61", "SequenceNumber": "3"}
    )

    assert status is not None
    assert (status.sequence, status.duration_seconds) == (3, 61)


@pytest.mark.parametrize("form", [{}, {"MessageSid": "SM1"}, {"MessageStatus": "sent"}])
def test_a_callback_about_nothing_is_nothing(form):
    assert twilio.parse_status(form) is None


def test_an_inbound_text_brings_its_words_and_what_the_carrier_did():
    inbound = twilio.parse_inbound(
        {
            "MessageSid": "SM9",
            "From": "+13055550142",
            "To": "+15125550100",
            "Body": "stop",
            "NumMedia": "0",
            "OptOutType": "STOP",
        }
    )

    assert inbound is not None
    assert (inbound.sender, inbound.body, inbound.opt_out) == ("+13055550142", "stop", "STOP")
    assert not inbound.is_anonymous


@pytest.mark.parametrize("sender", ["", "+266696687"])
def test_a_caller_who_hides_the_number_is_anonymous(sender):
    inbound = twilio.parse_inbound({"CallSid": "CA1", "From": sender, "To": "+15125550100"})

    assert inbound is not None
    assert inbound.is_anonymous


def test_the_secret_is_not_shown():
    settings = twilio.Settings(account_sid="AC1", secret="hush")

    assert "hush" not in repr(settings)


def test_the_laptop_carrier_masks_the_number_and_hides_the_words(caplog):
    with caplog.at_level("INFO"):
        accepted = console.send_text(
            console.Settings(),
            to="+13055550142",
            sender="+15125550100",
            body="Hi Ben",
            status_callback="",
            reference="m-7",
        )

    assert accepted.status is DeliveryStatus.DELIVERED
    assert len(caplog.records) == 1
    assert "0142" in caplog.text
    assert "+1305" not in caplog.text
    assert "Ben" not in caplog.text

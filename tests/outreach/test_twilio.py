import pytest

from rooftree.outreach.media import console, twilio
from rooftree.outreach.media.carrier_types import DeliveryStatus


@pytest.mark.parametrize(
    ("twilio_status", "fate"),
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
def test_text_status_is_translated(twilio_status, fate):
    status = twilio.parse_status(
        {"MessageSid": "SM1", "MessageStatus": twilio_status, "ErrorCode": "30003"}
    )

    assert status is not None
    assert (status.carrier_id, status.status, status.raw_status, status.error_code) == (
        "SM1",
        fate,
        twilio_status,
        "30003",
    )


def test_call_status_keeps_sequence_and_duration():
    status = twilio.parse_status(
        {"CallSid": "CA1", "CallStatus": "completed", "CallDuration": "61", "SequenceNumber": "3"}
    )

    assert status is not None
    assert (status.sequence, status.duration_seconds) == (3, 61)


@pytest.mark.parametrize("form", [{}, {"MessageSid": "SM1"}, {"MessageStatus": "sent"}])
def test_empty_callback_is_ignored(form):
    assert twilio.parse_status(form) is None


def test_inbound_text_has_body_and_carrier_opt_out_action():
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
def test_caller_with_hidden_number_is_anonymous(sender):
    inbound = twilio.parse_inbound({"CallSid": "CA1", "From": sender, "To": "+15125550100"})

    assert inbound is not None
    assert inbound.is_anonymous


def test_carrier_secret_is_not_shown():
    settings = twilio.Settings(account_sid="AC1", secret="hush")

    assert "hush" not in repr(settings)


def test_console_carrier_masks_number_and_hides_body(caplog):
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

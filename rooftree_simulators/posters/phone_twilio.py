"""A call to a Twilio tracking number: the form when it rings, and when it ends.

After Twilio's voice webhooks: the signature covers the URL it is posted to; the end is
reported with `CallDuration` in seconds and `Duration` in billed minutes.
"""

import random
from datetime import UTC, datetime
from urllib.parse import urlencode

from rooftree_simulators.posters.lead_delivery import Delivery
from rooftree_simulators.posters.simulated_borrowers import Borrower
from rooftree_simulators.twilio.webhook_signature import compute_signature

AUTH_TOKEN, ACCOUNT_SID, TRACKING_NUMBER = "tracking-auth-token", "AC" + "1" * 32, "+18005550199"
ANONYMOUS_NUMBER = "+266696687"


def new_call_sid(rng: random.Random) -> str:
    """Build an id in Twilio's format."""
    return "CA" + "".join(rng.choices("0123456789abcdef", k=32))


def call_form(
    borrower: Borrower, sid: str, *, status: str = "ringing", sender: str = ""
) -> dict[str, str]:
    """Build the fields that every request about one call carries."""
    number = sender or f"+1{borrower.phone}"
    return {
        "AccountSid": ACCOUNT_SID,
        "ApiVersion": "2010-04-01",
        "CallSid": sid,
        "CallStatus": status,
        "Called": TRACKING_NUMBER,
        "Caller": number,
        "CallerName": f"{borrower.last_name} {borrower.first_name}".upper()[:15],
        "Direction": "inbound",
        "From": number,
        "FromCity": borrower.city.upper(),
        "FromCountry": "US",
        "FromState": borrower.state,
        "FromZip": borrower.zip,
        "StirVerstat": "TN-Validation-Passed-A",
        "To": TRACKING_NUMBER,
        "ToCountry": "US",
    }


def dial_result_form(form: dict[str, str], fate: str, seconds: int = 0) -> dict[str, str]:
    """Build the form posted to the action of a <Dial>, with the dialed call's result."""
    duration = {"DialCallDuration": str(seconds)} if seconds else {}
    return {**form, "CallStatus": "in-progress", "DialCallStatus": fate, **duration}


def call_ended_form(
    form: dict[str, str], *, seconds: int, at: datetime, status: str = "completed"
) -> dict[str, str]:
    """Build the form posted to the status callback when the call has ended."""
    return {
        **form,
        "CallStatus": status,
        "CallDuration": str(seconds),
        "Duration": str(-(-seconds // 60)),
        "Timestamp": at.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000"),
        "CallbackSource": "call-progress-events",
        "SequenceNumber": "2",
    }


def signed_delivery(form: dict[str, str], url: str, auth_token: str = AUTH_TOKEN) -> Delivery:
    """Build the signed POST of one form to `url`, the address configured at Twilio."""
    return Delivery(
        vendor_id=form["CallSid"],
        body=urlencode(form).encode(),
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": compute_signature(auth_token, url, list(form.items())),
        },
    )

"""A call to a Twilio tracking number: the form as it rings, and as it ends.

After Twilio's voice webhooks: the form is signed with the address it goes to; the end is
told with `CallDuration` in seconds and `Duration` in billed minutes.
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
    """An id as Twilio makes them."""
    return "CA" + "".join(rng.choices("0123456789abcdef", k=32))


def call_form(
    borrower: Borrower, sid: str, *, status: str = "ringing", sender: str = ""
) -> dict[str, str]:
    """What every request about one call carries."""
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
    """What the action of a <Dial> is told: what came of the number that was rung."""
    lasted = {"DialCallDuration": str(seconds)} if seconds else {}
    return {**form, "CallStatus": "in-progress", "DialCallStatus": fate, **lasted}


def call_ended_form(
    form: dict[str, str], *, seconds: int, at: datetime, status: str = "completed"
) -> dict[str, str]:
    """What the status callback is told once the call is over."""
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
    """The POST of one form to the address Twilio was told."""
    return Delivery(
        vendor_id=form["CallSid"],
        body=urlencode(form).encode(),
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": compute_signature(auth_token, url, list(form.items())),
        },
    )

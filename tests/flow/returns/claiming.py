"""What tests of returns do: agree on a contract, have claims looked for, send them."""

from datetime import timedelta

from rooftree.flow import returns
from rooftree.money import contracts
from rooftree.money.contracts import Terms
from rooftree.money.models import Claim, Contract
from rooftree.org.caller import NOWHERE
from rooftree.reporting.second_person import Asked
from tests import make
from tests.flow import journey

ALL = dict.fromkeys(
    ["invalid_phone", "wrong_number", "duplicate", "out_of_area", "invalid_email", "bought_before"],
    "",
)
NEVADA = {"stateAbbreviation": "NV"}


def agree(source, by, *, from_date=make.LICENSED_FROM, at=make.NOON, **changes) -> Contract:
    terms = {
        "window_days": 14, "warn_days": 3, "reasons": ALL, "duplicate_days": 30,
        "watcher_id": by.pk,
    }  # fmt: skip
    return contracts.record(
        source_id=source.pk, from_date=from_date, terms=Terms(**{**terms, **changes}), by=by, at=at
    )


def asked_by(user, reason="Returns of this week") -> Asked:
    return Asked(user_id=user.pk, subject="returns", reason=reason, caller=NOWHERE)


def send(source, by, at=None, **more):
    return returns.send(
        Claim.objects.all(), asked_by(by, **more), source_id=source.pk, by=by,
        at=at or make.NOON + make.DAY,
    )  # fmt: skip


def look(days: float = 1) -> None:
    returns.go_through(at=make.NOON + timedelta(days=days))


def from_nevada(zillow, **changes):
    return journey.deliver(zillow, journey.zillow_contact(details=NEVADA, **changes))

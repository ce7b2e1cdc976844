"""Helpers for tests of returns: record a contract, check for claims, send them."""

from datetime import timedelta

from rooftree.flow import vendor_returns
from rooftree.money import vendor_contracts
from rooftree.money.models import Claim, Contract
from rooftree.money.vendor_contracts import ContractTerms
from rooftree.org.client_info import NO_CLIENT
from rooftree.reporting.exports.export_approval import ExportIntent
from tests import make
from tests.flow import journey

ALL = dict.fromkeys(
    ["invalid_phone", "wrong_number", "duplicate", "out_of_area", "invalid_email", "bought_before"],
    "",
)
NEVADA = {"stateAbbreviation": "NV"}


def record_contract(
    source, by, *, from_date=make.LICENSED_FROM, at=make.NOON, **changes
) -> Contract:
    terms = {
        "window_days": 14, "warn_days": 3, "reasons": ALL, "duplicate_days": 30,
        "watcher_id": by.pk,
    }  # fmt: skip
    return vendor_contracts.record_contract(
        source_id=source.pk,
        from_date=from_date,
        terms=ContractTerms(**{**terms, **changes}),
        by=by,
        at=at,
    )


def export_intent(user, reason="Returns of this week") -> ExportIntent:
    return ExportIntent(user_id=user.pk, subject="returns", reason=reason, caller=NO_CLIENT)


def send_returns(source, by, at=None, **more):
    return vendor_returns.send_returns(
        Claim.objects.all(), export_intent(by, **more), source_id=source.pk, by=by,
        at=at or make.NOON + make.DAY,
    )  # fmt: skip


def check_contracts(days: float = 1) -> None:
    vendor_returns.check_due_contracts(at=make.NOON + timedelta(days=days))


def deliver_nevada_lead(zillow, **changes):
    return journey.deliver(zillow, journey.zillow_contact(details=NEVADA, **changes))

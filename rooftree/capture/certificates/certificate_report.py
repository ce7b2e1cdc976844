"""Report on the certificates of the last 30 days, for the certificates page."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max

from rooftree.capture.models import Certificate, CertificateAccount

REPORT_PERIOD = timedelta(days=30)
MAX_UNPROVEN_SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateReport:
    """Counts by state, and the certificates that prove no consent, newest first."""

    has_key: bool
    counts: dict[str, int]
    unproven: list[Certificate]


def build_certificate_report(*, at: datetime) -> CertificateReport:
    """Build the report on the last 30 days."""
    rows = Certificate.objects.filter(requested_at__gt=at - REPORT_PERIOD)
    counts = dict(rows.order_by().values_list("state").annotate(Count("id")))
    unproven = rows.filter(state__in=["failed", "retained_mismatch"])
    unproven = unproven.select_related("touch__source", "touch__lead__person")
    return CertificateReport(
        has_key=find_account() is not None,
        counts=counts,
        unproven=list(unproven.order_by("-settled_at", "-id")[:MAX_UNPROVEN_SHOWN]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimStatus:
    """Whether the key works: the newest claim it made, and why claims wait now."""

    claimed_at: datetime | None = None  # None: not since the key was saved
    problem: str = ""


def find_account() -> CertificateAccount | None:
    """Return the TrustedForm account; None without a key."""
    return CertificateAccount.objects.filter(provider="trustedform").exclude(key="").first()


def read_claim_status(account: CertificateAccount | None) -> ClaimStatus:
    """Read what the certificates prove about the account's key."""
    if account is None:
        return ClaimStatus()
    claimed = Certificate.objects.filter(
        state__in=["retained", "retained_mismatch"], settled_at__gte=account.changed_at
    )
    waiting = Certificate.objects.filter(state="pending", attempts__gt=0).exclude(problem="")
    return ClaimStatus(
        claimed_at=claimed.aggregate(newest=Max("settled_at"))["newest"],
        problem=waiting.order_by("-requested_at").values_list("problem", flat=True).first() or "",
    )

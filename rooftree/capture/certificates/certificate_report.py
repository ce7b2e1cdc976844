"""Report on the certificates of the last 30 days, for the certificates page."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count

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
    account = CertificateAccount.objects.filter(provider="trustedform").first()
    return CertificateReport(
        has_key=bool(account and account.key),
        counts=counts,
        unproven=list(unproven.order_by("-settled_at", "-id")[:MAX_UNPROVEN_SHOWN]),
    )

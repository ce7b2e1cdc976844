"""Figures by source, as on Home."""

from datetime import date
from uuid import UUID

from ninja import Field, P, QueryEx, Router, Schema

from rooftree.api.api_errors import ApiError
from rooftree.api.key_authentication import ApiRequest
from rooftree.api.operations import require_key
from rooftree.money.company_day import company_day
from rooftree.reporting.first_screen import cost_by_source
from rooftree.reporting.first_screen.report_period import last_complete_period, parse_period

PERIOD_FORMATS = "2026-q3, 2026-10 or 12m-2026-10"
router = Router(tags=["Reports"])


class PeriodDates(Schema):
    """A period of days; `until_date` is exclusive."""

    key: str
    from_date: date
    until_date: date


class SourceFigures(Schema):
    """Cost and results of one source's leads; `id` is null in a total."""

    id: UUID | None = Field(validation_alias="source_id")
    name: str
    leads: int
    attempted: int
    talked: int
    applications: int
    funded: int
    spend_cents: int
    revenue_cents: int
    cost_per_funded_cents: int | None


class SourceReport(Schema):
    """Cost and results of a period's leads."""

    period: PeriodDates
    sources: list[SourceFigures]
    total: SourceFigures


@router.get(
    "/sources",
    **require_key(
        scope="reports:read",
        permission="see_home",
        returns=SourceReport,
        errors={400: "The period is none of these formats"},
    ),
)
def report_sources(
    request: ApiRequest,
    period: QueryEx[str, P(description=f"{PERIOD_FORMATS}; by default the last full quarter")] = "",
) -> SourceReport:
    """Cost and results of a period’s leads by source, as on Home.

    Only leads of the branch of the key’s user count, as on that user’s own page.
    """
    call = request.auth
    today = company_day(call.at)
    days = parse_period(period, today) if period else last_complete_period("quarter", today)
    if days is None:
        raise ApiError(400, "period", f"Send the period as {PERIOD_FORMATS}.")
    branch = call.user.branch
    figures = cost_by_source.load_first_screen(
        period=days, branch_paths=[branch.path] if branch else None, today=today
    )
    return SourceReport.model_validate(
        {"period": days, "sources": figures.rows, "total": figures.total}
    )

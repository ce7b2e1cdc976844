"""Figures by source, as on Home."""

from typing import Any

from rooftree.api.key_authentication import ApiCall, ApiError, require_api_key
from rooftree.money.company_day import company_day
from rooftree.reporting.first_screen import cost_by_source
from rooftree.reporting.first_screen.cost_by_source import CostRow
from rooftree.reporting.first_screen.report_period import last_complete_period, parse_period


@require_api_key(scope="reports:read", permission="see_home")
def report_sources(call: ApiCall) -> dict[str, Any]:
    """Return cost and results of a period's leads by source; by default the last full quarter.

    Only leads of the branch of the key's user count, as on that user's own page.
    """
    today = company_day(call.at)
    typed = call.request.GET.get("period", "")
    period = parse_period(typed, today) if typed else last_complete_period("quarter", today)
    if period is None:
        raise ApiError(400, "period", "Send the period as 2026-q3, 2026-10 or 12m-2026-10.")
    branch = call.user.branch
    figures = cost_by_source.load_first_screen(
        period=period, branch_paths=[branch.path] if branch else None, today=today
    )
    return {
        "period": {
            "key": period.key,
            "from_date": period.from_date.isoformat(),
            "until_date": period.until_date.isoformat(),
        },
        "sources": [_row_json(row) for row in figures.rows],
        "total": _row_json(figures.total),
    }


def _row_json(row: CostRow) -> dict[str, Any]:
    return {
        "id": str(row.source_id) if row.source_id else None,
        "name": row.name,
        "leads": row.leads,
        "attempted": row.attempted,
        "talked": row.talked,
        "applications": row.applications,
        "funded": row.funded,
        "spend_cents": row.spend_cents,
        "revenue_cents": row.revenue_cents,
        "cost_per_funded_cents": row.cost_per_funded_cents,
    }

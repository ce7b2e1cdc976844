"""The figures of each source, as on Home."""

from typing import Any

from rooftree.api.key_authentication import ApiCall, ApiError, require_api_key
from rooftree.money.company_day import company_day
from rooftree.reporting.first_screen import cost_by_source
from rooftree.reporting.first_screen.cost_by_source import CostRow
from rooftree.reporting.first_screen.report_period import last_complete_period, parse_period


@require_api_key(scope="reports:read", permission="see_home")
def report_sources(let: ApiCall) -> dict[str, Any]:
    """What the leads of a period cost and became, by source; the last full quarter unless asked.

    The branch of the person behind the key bounds it, as on their own page.
    """
    today = company_day(let.at)
    asked = let.request.GET.get("period", "")
    period = parse_period(asked, today) if asked else last_complete_period("quarter", today)
    if period is None:
        raise ApiError(400, "period", "Write the period as 2026-q3, 2026-10 or 12m-2026-10.")
    branch = let.user.branch
    shown = cost_by_source.load_first_screen(
        period=period, branch_paths=[branch.path] if branch else None, today=today
    )
    return {
        "period": {
            "key": period.key,
            "from_date": period.from_date.isoformat(),
            "until_date": period.until_date.isoformat(),
        },
        "sources": [_row_json(row) for row in shown.rows],
        "total": _row_json(shown.total),
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

"""The figures of each source, as on Home."""

from typing import Any

from rooftree.api.guard import Call, Refused, call
from rooftree.money.company_day import company_day
from rooftree.reporting import first_screen
from rooftree.reporting.first_screen import Row
from rooftree.reporting.period import last_complete, named


@call(scope="reports:read", verb="see_home")
def sources(let: Call) -> dict[str, Any]:
    """What the leads of a period cost and became, by source; the last full quarter unless asked.

    The branch of the person behind the key bounds it, as on their own page.
    """
    today = company_day(let.at)
    asked = let.request.GET.get("period", "")
    period = named(asked, today) if asked else last_complete("quarter", today)
    if period is None:
        raise Refused(400, "period", "Write the period as 2026-q3, 2026-10 or 12m-2026-10.")
    branch = let.user.branch
    shown = first_screen.by_source(
        period=period, branch_paths=[branch.path] if branch else None, today=today
    )
    return {
        "period": {
            "key": period.key,
            "from_date": period.from_date.isoformat(),
            "until_date": period.until_date.isoformat(),
        },
        "sources": [_written(row) for row in shown.rows],
        "total": _written(shown.total),
    }


def _written(row: Row) -> dict[str, Any]:
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

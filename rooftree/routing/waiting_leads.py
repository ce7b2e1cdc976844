"""Leads that wait for a loan officer and are to be offered again."""

from datetime import datetime
from uuid import UUID

from django.db import connection

RETRY_AFTER = "60 seconds"  # after nobody could take a lead

# A lead nobody ever routed counts only once it is promised to somebody: leads
# brought over from another system are not offered around by themselves.
LEADS_TO_OFFER_SQL = """
select l.id from lead l
  left join lateral (
      select d.at, (d.outcome->>'hold_until')::timestamptz as hold_until from routing_decision d
       where d.lead_id = l.id order by d.at desc, d.place desc, d.id desc limit 1
  ) last on true
 where l.officer_id is null and l.state in ('new', 'working') and l.retired_at is null
   and not exists (select 1 from offer o where o.lead_id = l.id and o.taken_at is null
                     and o.passed_at is null and o.lapsed_at is null)
   and case when last.at is null
            then l.promise_at <= %(at)s
                 or exists (select 1 from ownership w where w.lead_id = l.id
                              and w.ended_because in %(ended)s)
            else coalesce(last.hold_until, last.at + %(retry)s::interval) <= %(at)s end
 order by l.created_at, l.id limit %(limit)s
"""
ENDED_BY_LAW = (
    "property_state_changed",
    "license_changed",
    "license_expired",
    "company_license_changed",
    "company_kind_changed",
    "sponsorship_changed",
    "terminated",
)


def find_leads_to_offer(*, at: datetime, limit: int) -> list[UUID]:
    """Leads to offer now, oldest first: held until now, or nobody was eligible a minute ago.

    For each, `lapse.pass_on` follows; it also leaves alone what changed meanwhile.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            LEADS_TO_OFFER_SQL.replace("%(ended)s", str(ENDED_BY_LAW)),
            {"at": at, "retry": RETRY_AFTER, "limit": limit},
        )
        return [row[0] for row in cursor.fetchall()]

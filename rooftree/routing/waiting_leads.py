"""Finds leads that wait for a loan officer and are due to be offered again."""

from datetime import datetime
from uuid import UUID

from rooftree.db.statements import query_rows

RETRY_AFTER = "60 seconds"  # after no officer was eligible

# A lead never routed counts only once it has a response deadline: leads imported
# from another system are not offered automatically.
LEADS_TO_OFFER_SQL = """
select l.id from lead l
  left join lateral (
      select d.at, (d.outcome->>'hold_until')::timestamptz as hold_until from routing_decision d
       where d.lead_id = l.id order by d.at desc, d.place desc, d.id desc limit 1
  ) last on true
 where l.officer_id is null and l.state in ('new', 'working') and l.retired_at is null
   and not exists (select 1 from offer o where o.lead_id = l.id and o.accepted_at is null
                     and o.declined_at is null and o.expired_at is null)
   and case when last.at is null
            then l.response_due_at <= %(at)s
                 or exists (select 1 from ownership w where w.lead_id = l.id
                              and w.end_reason in %(ended)s)
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
    """Find leads to offer now, oldest first: held until now, or no one eligible a minute ago.

    `pass_on_lead` follows for each; it leaves leads alone that changed in the meantime.
    """
    return [
        row[0]
        for row in query_rows(
            LEADS_TO_OFFER_SQL.replace("%(ended)s", str(ENDED_BY_LAW)),
            {"at": at, "retry": RETRY_AFTER, "limit": limit},
        )
    ]

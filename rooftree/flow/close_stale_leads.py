"""Close leads on which nothing has happened for months.

House rule, not law: a lead ends with a reason instead of waiting forever. It stays open
while staff owe the borrower something or wait for something. A borrower who inquires
again later becomes a new lead of the same person.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from rooftree.db.statements import query_rows
from rooftree.leads.models import Lead
from rooftree.ledger.write_events import write_event
from rooftree.outreach.messages import cancel_messages
from rooftree.tasks.live_updates import publish_update

# House: since the last attempt, message or inquiry; longer if there was a conversation.
CLOSE_AFTER_NO_ANSWER = timedelta(days=90)
CLOSE_AFTER_CONVERSATION = timedelta(days=180)
NO_ANSWER_REASON = "no answer for 90 days"
NEVER_TRIED_REASON = "no contact attempt in 90 days"
WENT_QUIET_REASON = "no activity for 180 days after a conversation"

# The newest activity of a lead, and everything that keeps it open. A task or a snooze counts
# at the moment it is due, so a forgotten one does not keep a lead open forever.
_STALE_SQL = """
with open_one as (
  select lead.id, lead.first_conversation_at is not null as has_talked,
         greatest(
           lead.last_inquiry_at, lead.first_conversation_at, lead.snoozed_until,
           (select max(at) from contact_attempt where lead_id = lead.id),
           (select max(coalesce(sent_at, created_at)) from message where lead_id = lead.id),
           (select max(at) from remark where lead_id = lead.id),
           (select max(until_at) from ownership where lead_id = lead.id),
           (select max(due_at) from task
             where lead_id = lead.id and done_at is null and canceled_at is null)
         ) as last_at
    from lead
   where lead.state in ('new', 'working', 'nurture') and lead.retired_at is null
     and {which}
     and not exists (select from enrollment where lead_id = lead.id and ended_at is null)
     and not (lead.state = 'nurture' and exists
              (select from source where id = lead.source_id and setup->>'people' = 'clients'))
     and not exists (select from handoff where lead_id = lead.id)
     and not exists (select from loan where lead_id = lead.id)
     and not exists (select from rate_watch
                      where lead_id = lead.id and ended_at is null and reached_at is null)
     and not exists (select from offer where lead_id = lead.id
                      and accepted_at is null and declined_at is null and expired_at is null)
     and not exists (select from message where lead_id = lead.id
                      and (state in ('waiting', 'held', 'claimed')
                           or (direction = 'in' and read_at is null)))
)
select id, has_talked, last_at,
       last_at + case when has_talked then %(talked)s else %(not_reached)s end as ends_at,
       exists (select from contact_attempt where lead_id = open_one.id) as was_tried
  from open_one
"""
_ALL_STALE_SQL = f"""
select * from ({_STALE_SQL.format(which="lead.last_inquiry_at <= %(at)s - %(not_reached)s")}) quiet
 where ends_at <= %(at)s order by last_at limit %(limit)s
"""  # noqa: S608
_ONE_LEAD_SQL = _STALE_SQL.format(which="lead.id = %(lead)s")


def close_due_leads(*, at: datetime, limit: int = 200) -> int:
    """Close the leads that have been inactive long enough; return how many."""
    return sum(
        close_if_stale(lead_id=row[0], at=at)
        for row in _run_query(_ALL_STALE_SQL, at=at, limit=limit)
    )


def find_closing_time(lead_id: UUID) -> datetime | None:
    """Return when an inactive lead will be closed; None while something keeps it open."""
    rows = _run_query(_ONE_LEAD_SQL, lead=lead_id)
    return rows[0][3] if rows else None


def close_if_stale(*, lead_id: UUID, at: datetime) -> bool:
    """Close a lead that has been inactive long enough; return False if it has not."""
    with transaction.atomic():
        # Every activity locks the lead's row, so the query below sees it.
        lead = Lead.objects.select_for_update(of=("self",), no_key=True).filter(pk=lead_id).first()
        rows = _run_query(_ONE_LEAD_SQL, lead=lead_id) if lead else []
        if not rows or rows[0][3] > at:
            return False
        _, has_talked, last_at, _, was_tried = rows[0]
        reason = (
            WENT_QUIET_REASON
            if has_talked
            else NO_ANSWER_REASON
            if was_tried
            else NEVER_TRIED_REASON
        )
        Lead.objects.filter(pk=lead_id).update(
            state="retired", retired_at=at, retired_reason=reason, response_due_at=None
        )
        cancel_messages.cancel_overtaken(lead_id=lead_id, because="closed", at=at)
        write_event("flow.lead.retired", at=at, lead_id=lead_id, reason=reason, quiet_since=last_at)
        publish_update("lead", lead=str(lead_id))
    return True


def _run_query(query: str, **params: Any) -> list[tuple[Any, ...]]:
    params |= {"not_reached": CLOSE_AFTER_NO_ANSWER, "talked": CLOSE_AFTER_CONVERSATION}
    return query_rows(query, params)

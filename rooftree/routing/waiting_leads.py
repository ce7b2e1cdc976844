"""Finds leads that wait for a loan officer and are due to be offered again."""

from datetime import datetime, timedelta
from uuid import UUID

from rooftree.db.statements import query_row, query_rows
from rooftree.org import working_hours
from rooftree.org.models import LoanOfficer
from rooftree.routing.answer_offer import CAN_UNDO

RETRY_SECONDS = 60  # between tries while no officer is eligible
RETRY_WINDOW_SECONDS = 10  # two runs of the schedule, so that one slow run skips no try

# A lead never routed counts only once it has a response deadline: leads imported
# from another system are not offered automatically. In shadow mode only its own leads are routed,
# until an officer is chosen; later they are offered only if the borrower inquires again.
LEADS_TO_OFFER_SQL = """
select l.id from lead l
  left join lateral (
      select d.at, d.officer_id, (d.outcome->>'hold_until')::timestamptz as hold_until
        from routing_decision d
       where d.lead_id = l.id order by d.at desc, d.place desc, d.id desc limit 1
  ) last on true
 where l.officer_id is null and l.state in ('new', 'working') and l.retired_at is null
   and not exists (select 1 from offer o where o.lead_id = l.id and o.accepted_at is null
                     and o.declined_at is null and o.expired_at is null)
   and not exists (select 1 from offer o where o.lead_id = l.id
                     and o.end_reason = %(can_undo)s)
   and case when exists (select from shadow_period where ended_at is null)
            then last.officer_id is null and exists (
                select from shadow_lead s join shadow_period p on p.id = s.period_id
                 where s.lead_id = l.id and p.ended_at is null)
            else not exists (
                select from shadow_lead s join shadow_period p on p.id = s.period_id
                 where s.lead_id = l.id and l.last_inquiry_at < p.ended_at) end
   and case when last.at is null
            then l.response_due_at <= %(at)s
                 or exists (select 1 from ownership w where w.lead_id = l.id
                              and w.end_reason in %(ended)s)
            when last.hold_until is not null
            then last.hold_until <= %(at)s or last.at < %(freed)s
            else last.at <= %(at)s - make_interval(secs => %(retry)s)
                 and mod(extract(epoch from %(at)s - last.at), %(retry)s) < %(window)s
                 or last.at < %(freed)s
                    and %(freed)s >= %(at)s - make_interval(secs => %(just_freed)s)
            end
 order by l.response_due_at nulls last, l.created_at, l.id limit %(limit)s
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


# When an officer was last freed: turned the switch on, lost a lead, or came back from days off.
FREED_SQL = """
select greatest(
    (select max(resumed_at) from loan_officer where resumed_at <= %(at)s),
    (select max(until_at) from ownership where until_at <= %(at)s),
    (select max(canceled_at) from time_off where canceled_at <= %(at)s))
"""
JUST_FREED = timedelta(seconds=15)  # an officer freed this recently triggers a try


def find_leads_to_offer(*, at: datetime, limit: int) -> list[UUID]:
    """Find leads to offer now, oldest promise first.

    A lead is due when it was held until now, each minute after no one was eligible, and the
    moment an officer is free again. `pass_on_lead` follows for each; it leaves leads alone that
    changed in the meantime.
    """
    return [
        row[0]
        for row in query_rows(
            LEADS_TO_OFFER_SQL.replace("%(ended)s", str(ENDED_BY_LAW)),
            {
                "at": at,
                "retry": RETRY_SECONDS,
                "window": RETRY_WINDOW_SECONDS,
                "just_freed": JUST_FREED.total_seconds(),
                "limit": limit,
                "freed": _last_freed_at(at),
                "can_undo": CAN_UNDO,
            },
        )
    ]


def _last_freed_at(at: datetime) -> datetime | None:
    """Return when an officer was last freed or started work, if that was just now."""
    freed: datetime | None = query_row(FREED_SQL, {"at": at})[0]
    officers = LoanOfficer.objects.filter(terminated_at=None, paused_at=None)
    before = at - JUST_FREED
    for zone, hours in officers.values_list("zone", "hours"):
        if working_hours.is_open(hours, zone=zone, at=at) and not working_hours.is_open(
            hours, zone=zone, at=before
        ):
            return max(before, freed) if freed else before
    return freed

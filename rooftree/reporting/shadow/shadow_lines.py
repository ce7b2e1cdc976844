"""What Rooftree would have done with each lead of a period of shadow mode, and their messages."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from rooftree.db.statements import query_rows
from rooftree.org.models import ShadowPeriod

DAY = timedelta(days=1)
OUTCOMES = {"allow": "gone", "defer": "waits", "require": "needs_person", "block": "blocked"}

# One message of each medium counts: the first that the gate allowed. A message that waited for
# a permitted hour at the end of the period has the time from which it was allowed.
_LINES_SQL = """
with decided as (
    select m.lead_id, m.medium, v.decision, v.sentence,
           case when m.state = 'shadow' and v.decision = 'allow' then v.at
                when m.state in ('shadow', 'held') and v.decision = 'defer'
                then v.next_allowed_at end as leaves_at,
           exists (select from verdict d where d.lead_id = m.lead_id
                    and d.idempotency_key = 'message:' || m.id
                    and d.decision = 'defer') as has_waited
      from message m join verdict v on v.id = m.verdict_id
     where m.direction = 'out' and m.created_at >= %(from)s and m.created_at < %(until)s
)
select s.lead_id, t.vendor_lead_id, s.arrived_at, l.source_id, r.name,
       text.leaves_at, coalesce(text.has_waited, false), coalesce(text.sentence, ''),
       email.leaves_at, choice.officer_id, coalesce(u.name, ''), coalesce(u.email, ''),
       coalesce(o.nmls_id, ''), coalesce(choice.sentence, '')
  from shadow_lead s
  join lead l on l.id = s.lead_id and not l.is_test
  join source r on r.id = l.source_id
  join touch t on t.id = s.touch_id
  left join lateral (select * from decided d where d.lead_id = s.lead_id and d.medium = 'text'
                      order by d.leaves_at nulls last limit 1) text on true
  left join lateral (select * from decided d where d.lead_id = s.lead_id and d.medium = 'email'
                      order by d.leaves_at nulls last limit 1) email on true
  left join lateral (select c.officer_id, c.sentence from routing_decision c
                      where c.lead_id = s.lead_id and c.at >= %(from)s and c.at < %(until)s
                      order by c.officer_id is null, c.at, c.id limit 1) choice on true
  left join loan_officer o on o.id = choice.officer_id
  left join "user" u on u.id = o.user_id
 where s.period_id = %(period)s
 order by s.arrived_at, s.lead_id
"""
_MESSAGES_SQL = """
select r.name, m.medium, m.state, v.decision, v.reason,
       mode() within group (order by v.sentence), count(*)
  from message m
  join lead l on l.id = m.lead_id and not l.is_test
  join source r on r.id = l.source_id
  join verdict v on v.id = m.verdict_id
 where m.direction = 'out' and m.state in ('shadow', 'held', 'blocked')
   and m.created_at >= %(from)s and m.created_at < %(until)s
 group by 1, 2, 3, 4, 5
 order by 7 desc, 1, 2, 5
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowLine:
    """One lead of the period, with what Rooftree would have done."""

    lead_id: UUID
    vendor_id: str
    arrived_at: datetime
    source_id: UUID
    source: str
    text_at: datetime | None  # when the first text would have gone
    has_waited: bool  # for an hour at which texts are allowed
    text_sentence: str  # the gate's verdict on the first text
    email_at: datetime | None
    officer_id: UUID | None
    officer_name: str
    officer_email: str
    officer_nmls_id: str
    choice_sentence: str

    @property
    def text_seconds(self) -> float | None:
        """The seconds from the copy's arrival to the first text; None: no text would go."""
        return (self.text_at - self.arrived_at).total_seconds() if self.text_at else None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageGroup:
    """Messages of one source and medium that one decision of the gate covers."""

    source: str
    medium: str
    outcome: str  # gone | waits | needs_person | blocked
    reason: str
    sentence: str  # the gate's, of most of them
    count: int


def load_lines(period: ShadowPeriod, *, at: datetime) -> list[ShadowLine]:
    """Load the leads of a period by arrival."""
    names = [field for field in ShadowLine.__dataclass_fields__]
    return [
        ShadowLine(**dict(zip(names, row, strict=True)))
        for row in query_rows(_LINES_SQL, _bounds(period, at))
    ]


def load_message_groups(period: ShadowPeriod, *, at: datetime) -> list[MessageGroup]:
    """Load the counts of the period's messages by source, medium and decision, most first."""
    return [
        MessageGroup(
            source=source,
            medium=medium,
            outcome="blocked" if state == "blocked" else OUTCOMES[decision],
            reason=reason,
            sentence=sentence,
            count=count,
        )
        for source, medium, state, decision, reason, sentence, count in query_rows(
            _MESSAGES_SQL, _bounds(period, at)
        )
    ]


def _bounds(period: ShadowPeriod, at: datetime) -> dict[str, object]:
    return {"period": period.pk, "from": period.from_at, "until": period.ended_at or at + DAY}

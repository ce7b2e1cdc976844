"""Invariants of the data, each checked in the tables and reported in one sentence.

`rooftree check` runs them, and `retention.removal_check`. Each is a function that reads and returns
a `Finding`. With `--deep` the command also runs `deep_checks`.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from rooftree.db.statements import query_rows
from rooftree.ledger.verify_chain import verify_ledger
from rooftree.reporting.evidence import ledger_checkpoints
from rooftree.reporting.models import PublishedHead
from rooftree.reporting.rollups import rebuild_rollups

SHOWN_OFFENDERS = 5  # offenders that a finding names


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of one invariant: a sentence fit to show, and the rows that break it."""

    name: str
    holds: bool
    sentence: str
    offenders: tuple[str, ...] = ()  # the first few, as table:id or a sum in words
    figures: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def check_deliveries_accounted_for(at: datetime) -> Finding:
    """Check that every authentic delivery is worked, due, closed or quarantined.

    A delivery refused by acceptance limits is closed with its reason and has no touch.
    """
    counts = dict(_query_rows("select state, count(*) from delivery group by state"))
    lost = _query_rows(
        """
        select 'delivery:' || id from delivery d
         where (state = 'received' and due_at is null
                and not exists (select from retrieval r
                                 where r.delivery_id = d.id and r.due_at is not null))
            or (state = 'closed' and reason = '' and outcome in ('', 'accepted', 'not_accepted'))
            or (outcome = 'not_accepted'
                and (state <> 'closed' or exists (select from touch t where t.delivery_id = d.id)))
            or (state = 'worked' and outcome in ('accepted', 'accepted_test')
                and not exists (select from touch t where t.delivery_id = d.id))
        """
    )
    overdue = _query_rows(
        "select count(*) from delivery "
        "where state = 'received' and due_at < %s - interval '1 hour'",
        at,
    )[0][0]
    figures = {"deliveries": sum(counts.values()), **counts, "waiting_over_an_hour": overdue}
    sums = " + ".join(f"{counts.get(key, 0)} {word}" for key, word in DELIVERY_WORDS.items())
    return build_finding(
        "conservation",
        lost,
        f"{figures['deliveries']} deliveries = {sums}.",
        "{n} deliveries are neither worked, waiting with a due time, closed with a reason "
        "nor quarantined.",
        figures=figures,
    )


DELIVERY_WORDS = {
    "worked": "worked",
    "received": "waiting with a due time",
    "closed": "closed with a reason",
    "duplicate": "duplicate",
    "quarantined": "quarantined",
}


def check_messages_had_verdict(at: datetime) -> Finding:
    """Check that each message sent, or possibly sent, has its own verdict that allowed it."""
    is_sent = (
        "m.direction = 'out' "
        "and (m.sent_at is not null or m.state in ('sent', 'delivered', 'uncertain'))"
    )
    total = _query_rows(f"select count(*) from message m where {is_sent}")[0][0]  # noqa: S608
    wrong = _query_rows(
        f"""
        select 'message:' || m.id from message m left join verdict v on v.id = m.verdict_id
         where {is_sent} and (v.id is null or v.decision <> 'allow' or v.lead_id <> m.lead_id
               or v.medium <> m.medium or v.idempotency_key <> 'message:' || m.id
               or v.at > coalesce(m.sent_at, m.claimed_at, v.at))
        """  # noqa: S608
    )
    return build_finding(
        "one door",
        wrong,
        f"Each of {total} messages sent had its own verdict that allowed it beforehand.",
        "{n} messages were sent without a verdict that allowed them.",
        figures={"messages": total},
    )


def check_no_duplicates(at: datetime) -> Finding:
    """Check for one message per cause and medium, and one contact attempt per message."""
    duplicates = _query_rows(
        """
        select idempotency_key || ' by ' || medium || ', ' || count(*) || ' times' from message
         group by idempotency_key, medium having count(*) > 1
        union all
        select 'attempt ' || idempotency_key || ', ' || count(*) || ' times' from contact_attempt
         group by idempotency_key having count(*) > 1
        union all
        select 'message:' || m.id || ' without its attempt' from message m
         where m.direction = 'out' and m.sent_at is not null
           and not exists (select from contact_attempt a
                             where a.idempotency_key = 'message:' || m.id)
        """
    )
    return build_finding(
        "no double",
        duplicates,
        "No borrower got a message twice, and each message sent counts as one attempt.",
        "{n} messages or attempts are duplicated or not counted.",
    )


def check_officers_entitled(at: datetime) -> Finding:
    """Check that the officer of each live offer and ownership is entitled to it now."""
    live = """
        select 'offer:' || o.id as what, o.officer_id, o.lead_id from offer o
         where o.accepted_at is null and o.declined_at is null and o.expired_at is null
        union all
        select 'ownership:' || w.id, w.officer_id, w.lead_id from ownership w
         where w.until_at is null
    """
    total = _query_rows(f"select count(*) from ({live}) live")[0][0]  # noqa: S608
    wrong = _query_rows(
        f"""
        select live.what || ': ' || problem
          from ({live}) live join lead on lead.id = live.lead_id,
               entitlement_problem(live.officer_id, lead.property_state, %s) problem
         where problem is not null
        """,  # noqa: S608
        at,
    )
    return build_finding(
        "licensed",
        wrong,
        f"The officers of all {total} live offers and ownerships are entitled to them.",
        "{n} offers or ownerships have an officer who isn't entitled to them.",
        figures={"in_force": total},
    )


def check_attribution(at: datetime) -> Finding:
    """Check that each funded loan's lead has exactly one first touch, from the lead's source.

    The attribution credits of the loan then sum to one.
    """
    total = _query_rows("select count(*) from loan where funded_date is not null")[0][0]
    wrong = _query_rows(
        """
        select 'loan:' || loan.id || ', credits ' || count(t.id)
          from loan join lead on lead.id = loan.lead_id
          left join touch t on t.lead_id = lead.id and t.is_first and t.source_id = lead.source_id
         where loan.funded_date is not null
         group by loan.id having count(t.id) <> 1
        """
    )
    return build_finding(
        "attribution",
        wrong,
        f"The attribution credits of each of {total} funded loans sum to one.",
        "The attribution credits of {n} funded loans do not sum to one.",
        figures={"funded_loans": total},
    )


def check_money_sums(at: datetime) -> Finding:
    """Check that every report sum equals a recount of the tables, to the cent."""
    wrong = [
        (f"{row.key[4]} of {row.key[0]}: counted {row.counted}, is {row.actual}",)
        for row in rebuild_rollups.find_differences()
    ]
    entries = _query_rows("select count(*) from money_entry")[0][0]
    return build_finding(
        "money",
        wrong,
        f"The report sums agree with {entries} entries and all leads and loans, to the cent.",
        "{n} report sums differ from the entries, leads and loans.",
        figures={"entries": entries},
    )


def check_ledger_chain(at: datetime) -> Finding:
    """Check the ledger's hash chain; report unsealed events without failing on them."""
    report = verify_ledger()
    wrong = [] if report.is_intact else [(report.problem,)]
    return build_finding(
        "ledger",
        wrong,
        f"The ledger's chain of {report.link_count} events is intact; {report.unsealed} events are "
        "not sealed yet.",
        "The ledger's chain is broken.",
        figures={"sealed": report.link_count, "unsealed": report.unsealed},
    )


def check_published_heads(at: datetime) -> Finding:
    """Check that every signed head is still a head of this ledger."""
    heads = [
        ledger_checkpoints.export_head(head) for head in PublishedHead.objects.select_related("key")
    ]
    return build_finding(
        "published heads",
        [(problem,) for problem in ledger_checkpoints.find_problems(heads)],
        f"All {len(heads)} signed heads match this ledger.",
        "{n} signed heads do not match this ledger.",
        figures={"heads": len(heads)},
    )


def check_owner_mirrored(at: datetime) -> Finding:
    """Check that the officer on each lead is its live owner, and empty if it has no owner."""
    wrong = _query_rows(
        """
        select 'lead:' || lead.id from lead
          left join ownership w on w.lead_id = lead.id and w.until_at is null
         where lead.officer_id is distinct from w.officer_id
        """
    )
    return build_finding(
        "owner mirrored",
        wrong,
        "Every lead shows the officer who owns it.",
        "{n} leads show an officer who does not own them.",
    )


INVARIANTS: tuple[Callable[[datetime], Finding], ...] = (
    check_deliveries_accounted_for,
    check_messages_had_verdict,
    check_no_duplicates,
    check_officers_entitled,
    check_attribution,
    check_money_sums,
    check_ledger_chain,
    check_published_heads,
    check_owner_mirrored,
)


def build_finding(
    name: str,
    wrong: Sequence[tuple[Any, ...]],
    good: str,
    bad: str,
    *,
    figures: dict[str, int] | None = None,
) -> Finding:
    """Build a finding: `good` if `wrong` is empty, else `bad` with `{n}` replaced by the count."""
    return Finding(
        name=name,
        holds=not wrong,
        sentence=bad.replace("{n}", str(len(wrong))) if wrong else good,
        offenders=tuple(row[0] for row in wrong[:SHOWN_OFFENDERS]),
        figures=figures or {},
    )


def _query_rows(query: str, *params: Any) -> list[tuple[Any, ...]]:
    return query_rows(query, params or None)

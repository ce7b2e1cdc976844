"""What must always hold, each proved from the tables and said in one plain sentence.

`rooftree check` runs them. Each is a function that reads and gives a `Finding`;
those of `rederive` are run as well when asked for the deep check.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from rooftree.ledger.verify_chain import verify_ledger
from rooftree.reporting.evidence import ledger_checkpoints
from rooftree.reporting.models import PublishedHead
from rooftree.reporting.rollups import rebuild_rollups
from rooftree.retention import purge_proof

SHOWN_OFFENDERS = 5  # how many offenders a finding names


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Whether one invariant holds, in a sentence fit to show, with what offends against it."""

    name: str
    holds: bool
    sentence: str
    offenders: tuple[str, ...] = ()  # the first few, as table:id or a sum in words
    figures: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def check_deliveries_accounted_for(at: datetime) -> Finding:
    """Every authentic delivery is worked, waits with a due time, is closed, or is quarantined.

    One that our limits refused is closed with its reason, and nobody works it.
    """
    counted = dict(_query_rows("select state, count(*) from delivery group by state"))
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
    figures = {"received": sum(counted.values()), **counted, "waiting_over_an_hour": overdue}
    sums = " + ".join(f"{counted.get(key, 0)} {word}" for key, word in DELIVERY_WORDS.items())
    return build_finding(
        "conservation",
        lost,
        f"{figures['received']} deliveries = {sums}.",
        "{n} deliveries are neither worked, waiting with a due time, closed for a reason "
        "nor set aside.",
        figures=figures,
    )


DELIVERY_WORDS = {
    "worked": "worked",
    "received": "waiting with a due time",
    "closed": "closed with a reason",
    "duplicate": "sent twice",
    "quarantined": "set aside",
}


def check_messages_had_verdict(at: datetime) -> Finding:
    """Each message that left, or may have left, has a verdict of its own that allowed it."""
    left = (
        "m.direction = 'out' "
        "and (m.sent_at is not null or m.state in ('sent', 'delivered', 'uncertain'))"
    )
    total = _query_rows(f"select count(*) from message m where {left}")[0][0]  # noqa: S608
    wrong = _query_rows(
        f"""
        select 'message:' || m.id from message m left join verdict v on v.id = m.verdict_id
         where {left} and (v.id is null or v.decision <> 'allow' or v.lead_id <> m.lead_id
               or v.medium <> m.medium or v.cause <> 'message:' || m.id
               or v.at > coalesce(m.sent_at, m.claimed_at, v.at))
        """  # noqa: S608
    )
    return build_finding(
        "one door",
        wrong,
        f"Each of {total} messages that left was allowed by a verdict of its own, before it left.",
        "{n} messages left without a verdict that allowed them.",
        figures={"messages": total},
    )


def check_no_duplicates(at: datetime) -> Finding:
    """One message per cause and medium, and one contact attempt per message."""
    doubled = _query_rows(
        """
        select cause || ' by ' || medium || ', ' || count(*) || ' times' from message
         group by cause, medium having count(*) > 1
        union all
        select 'attempt ' || cause || ', ' || count(*) || ' times' from contact_attempt
         group by cause having count(*) > 1
        union all
        select 'message:' || m.id || ' without its attempt' from message m
         where m.direction = 'out' and m.sent_at is not null
           and not exists (select from contact_attempt a where a.cause = 'message:' || m.id)
        """
    )
    return build_finding(
        "no double",
        doubled,
        "No borrower got a message twice, and each that left is counted as one attempt.",
        "{n} messages or attempts are doubled or not counted.",
    )


def check_officers_entitled(at: datetime) -> Finding:
    """No live offer and no live ownership is one its officer may not have at this moment."""
    live = """
        select 'offer:' || o.id as what, o.officer_id, o.lead_id from offer o
         where o.taken_at is null and o.passed_at is null and o.lapsed_at is null
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
        f"Each of {total} offers and ownerships in force has an officer entitled to it now.",
        "{n} offers or ownerships have an officer who may not have them.",
        figures={"in_force": total},
    )


def check_attribution(at: datetime) -> Finding:
    """The credits of each funded loan sum to one: its lead has one first touch, of its source."""
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
        f"The credits of each of {total} funded loans sum to one.",
        "The credits of {n} funded loans do not sum to one.",
        figures={"funded_loans": total},
    )


def check_money_sums(at: datetime) -> Finding:
    """Every sum of the reports is what a count of the tables gives, to the cent."""
    wrong = [
        (f"{d.key[4]} of {d.key[0]}: counted {d.counted}, is {d.actual}",)
        for d in rebuild_rollups.find_differences()
    ]
    entries = _query_rows("select count(*) from money_entry")[0][0]
    return build_finding(
        "money",
        wrong,
        f"The sums of the reports agree with {entries} entries, and all leads and loans, "
        "to the cent.",
        "{n} sums of the reports are not what the entries, leads and loans say.",
        figures={"entries": entries},
    )


def check_ledger_chain(at: datetime) -> Finding:
    """The chain is whole; what is not sealed yet is said, not judged."""
    report = verify_ledger()
    wrong = [] if report.is_intact else [(report.problem,)]
    return build_finding(
        "ledger",
        wrong,
        f"The ledger's chain of {report.link_count} events is whole; {report.unsealed} wait to be "
        "sealed.",
        "The ledger's chain is broken.",
        figures={"sealed": report.link_count, "unsealed": report.unsealed},
    )


def check_published_heads(at: datetime) -> Finding:
    """Every head that was signed is still the head of this ledger."""
    kept = [
        ledger_checkpoints.export_head(published_head)
        for published_head in PublishedHead.objects.select_related("key")
    ]
    return build_finding(
        "published heads",
        [(problem,) for problem in ledger_checkpoints.find_problems(kept)],
        f"{len(kept)} signed heads are those of this ledger.",
        "{n} signed heads are not those of this ledger.",
        figures={"heads": len(kept)},
    )


def check_owner_mirrored(at: datetime) -> Finding:
    """The officer on a lead is the one of its live ownership, and nobody where there is none."""
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
        "The officer shown on every lead is the one who owns it.",
        "{n} leads show another officer than the one who owns them.",
    )


def check_removals(at: datetime) -> Finding:
    """What the ledger says was removed is gone, is exactly that, and left nothing dangling."""
    seen = purge_proof.prove_purges()
    return build_finding(
        "purged",
        [(one,) for one in seen.problems],
        f"Each of {seen.removed} records that were removed is gone, as the ledger committed to.",
        "{n} records are not as their removal says.",
        figures={"removed": seen.removed, "slices": seen.slices},
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
    check_removals,
)


def build_finding(
    name: str,
    wrong: Sequence[tuple[Any, ...]],
    good: str,
    bad: str,
    *,
    figures: dict[str, int] | None = None,
) -> Finding:
    """The finding of a list of offenders: `good` when it is empty, else `bad` with their number."""
    return Finding(
        name=name,
        holds=not wrong,
        sentence=bad.replace("{n}", str(len(wrong))) if wrong else good,
        offenders=tuple(row[0] for row in wrong[:SHOWN_OFFENDERS]),
        figures=figures or {},
    )


def _query_rows(query: str, *given: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, given or None)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows

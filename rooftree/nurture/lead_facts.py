"""The facts that conditions of sequences ask about, of one lead or as a query over all leads."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q

from rooftree.leads.models import Lead
from rooftree.nurture.step_conditions import FLAGS, Clause, Fact
from rooftree.outreach.models import Message

CENTS = 100
_REPLIES = Message.objects.filter(direction="in")
COLUMNS = {  # of the lead, for the facts that are one
    "stage": "state",
    "state": "property_state",
    "purpose": "purpose",
    "program": "loan_type",
    "source": "source__slug",
    "timeline": "timeline",
    "credit": "credit_band",
    "use": "property_use",
    "language": "person__language",
    "score": "score",
}


def load_facts(lead: Lead, at: datetime) -> dict[str, Fact]:
    """Return what conditions can ask about a lead.

    Args:
        lead: with its person and source loaded.
    """
    return {
        "replied": _REPLIES.filter(lead=lead).exists(),
        "talked": lead.first_conversation_at is not None,
        "stage": lead.state,
        "state": lead.property_state,
        "purpose": lead.purpose,
        "program": lead.loan_type,
        "source": lead.source.slug,
        "timeline": lead.timeline,
        "credit": lead.credit_band,
        "use": lead.property_use,
        "language": lead.person.language,
        "score": lead.score,
        "days_since_inquiry": (at - lead.last_inquiry_at).days,
        "amount": None if lead.amount_cents is None else lead.amount_cents // CENTS,
    }


def leads_that_fit(clauses: tuple[Clause, ...], at: datetime) -> Q:
    """Return the filter of the leads for which a condition holds at `at`."""
    query = Q()
    for clause in clauses:
        query &= _clause_query(clause, at)
    return query


def _clause_query(clause: Clause, at: datetime) -> Q:
    if clause.fact in FLAGS:
        query = FLAG_QUERIES[clause.fact]()
        return ~query if clause.is_negated else query
    if clause.fact in ("days_since_inquiry", "amount"):
        return _number_query(clause, at)
    column = COLUMNS[clause.fact]
    unknown = Q(**{f"{column}__isnull": True})
    if clause.fact != "score":
        unknown |= Q(**{column: ""})
    if clause.test == "known":
        return unknown if clause.is_negated else ~unknown
    if clause.test == "is":
        fitting = Q()
        for value in clause.values:
            fitting |= Q(**{f"{column}__iexact": value})
        return ~unknown & (~fitting if clause.is_negated else fitting)
    return Q(**{f"{column}__{_LOOKUPS[clause.test]}": clause.limit})


def _number_query(clause: Clause, at: datetime) -> Q:
    if clause.fact == "amount":
        if clause.test == "known":
            return Q(amount_cents__isnull=clause.is_negated)
        if clause.test == "at least":
            return Q(amount_cents__gte=clause.limit * CENTS)
        return Q(amount_cents__lt=(clause.limit + 1) * CENTS)
    if clause.test == "known":  # every lead has its inquiry
        return Q(pk__isnull=clause.is_negated)
    if clause.test == "at least":
        return Q(last_inquiry_at__lte=at - timedelta(days=clause.limit))
    return Q(last_inquiry_at__gt=at - timedelta(days=clause.limit + 1))


FLAG_QUERIES: Mapping[str, Callable[[], Q]] = {
    "replied": lambda: Q(Exists(_REPLIES.filter(lead=OuterRef("pk")))),
    "talked": lambda: Q(first_conversation_at__isnull=False),
}
_LOOKUPS = {"at least": "gte", "at most": "lte"}

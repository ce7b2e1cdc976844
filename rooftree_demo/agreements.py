"""What the lender agreed: leads that vendors take back, a partner's advertising, officers' pay."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from rooftree.capture import agreements, partners
from rooftree.compliance import pay_plans
from rooftree.leads.models import Source
from rooftree.money import contracts
from rooftree.money.company_day import company_day
from rooftree.money.contracts import Terms
from rooftree.org.models import LoanOfficer, User

REASONS = {  # ours: the vendor's own word
    "invalid_phone": "Invalid phone",
    "wrong_number": "Wrong number",
    "duplicate": "Duplicate lead",
}
WINDOWS = {"zillow": 10, "zillow-west": 10, "lendingtree": 14, "lendingtree-shared": 14}  # days
STATUSES = {"contacted": "Contacted", "application": "Applied", "funded": "Funded"}
AGENT = {
    "name": "Ana Reyes",
    "email": "ana.reyes@bayshore-homes.example",
    "kind": "real_estate_agent",
    "company": "Bayshore Homes",
}
LUNCH = timedelta(days=30)  # after the account was opened
FLYERS = timedelta(days=800)  # that long they are printed together


def make(users: Mapping[str, User], *, at: datetime) -> None:
    """Contracts of the marketplaces; an agent with an account, a lunch and joint advertising."""
    by = users["Beatriz Lima"]
    for slug, days in WINDOWS.items():
        terms = Terms(
            window_days=days,
            warn_days=3,
            reasons=REASONS,
            watcher_id=by.pk,
            duplicate_days=90,
            statuses=STATUSES if slug.startswith("lendingtree") else {},
        )
        source = Source.objects.get(slug=slug)
        contracts.record(source_id=source.pk, from_date=company_day(at), terms=terms, by=by, at=at)
    agent = partners.add(typed=AGENT, by=by, at=at)
    lunch = {
        "direction": "given",
        "what": "Lunch for two",
        "fair_value_cents": 4_200,
        "why": "Talked through what first-time buyers should bring",
        "on_date": company_day(at + LUNCH),
        "basis": "gift",
        "has_happened": True,
    }
    partners.note_value(partner_id=agent.pk, typed=lunch, by=by, at=at + LUNCH)
    flyers = {
        "with_whom": f"partner:{agent.pk}",
        "basis": agreements.SHARED,
        "what": "Flyers with both our names",
        "cents": 240_000,
        "our_cost_pct": 50,
        "our_benefit_pct": 50,
        "fair_value_document": "Half of each page is ours",
        "document": "Agreement 2025-07",
        "from_date": company_day(at),
        "until_date": company_day(at + FLYERS),
    }
    agreements.enter(typed=flyers, by=by, at=at)


def pay(officers: Mapping[str, LoanOfficer], users: Mapping[str, User], *, at: datetime) -> None:
    """A plan for everyone, approved; one officer's next waits for its second person."""
    beatriz, omar = users["Beatriz Lima"], users["Omar Haddad"]
    for one in officers.values():
        plan = pay_plans.write_down(typed=_plan(one, at), by=beatriz, at=at)
        pay_plans.approve(plan_id=plan.pk, by=omar, at=at)
    following = _plan(officers["Bankole"], at + FLYERS) | {"percent": Decimal("1.1")}
    pay_plans.write_down(typed=following, by=beatriz, at=at)


def _plan(officer: LoanOfficer, at: datetime) -> dict[str, object]:
    return {
        "officer": officer.pk,
        "basis": pay_plans.SHARE,
        "percent": Decimal("1.05"),
        "least_cents": 150_000,
        "most_cents": 900_000,
        "bonus_pct": None,
        "is_paid_by_creditor": True,
        "is_paid_by_consumer": False,
        "from_date": company_day(at),
    }

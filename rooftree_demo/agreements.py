"""What the lender agreed with others: leads that vendors take back, and a partner of its own."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from rooftree.capture import partners
from rooftree.leads.models import Source
from rooftree.money import contracts
from rooftree.money.company_day import company_day
from rooftree.money.contracts import Terms
from rooftree.org.models import User

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


def make(users: Mapping[str, User], *, at: datetime) -> None:
    """Contracts of the marketplaces, and an agent with an account and a lunch on the books."""
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

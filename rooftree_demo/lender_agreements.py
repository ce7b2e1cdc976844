"""The lender's agreements: vendor returns, joint advertising with a partner, officers' pay."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from rooftree.capture.partners import agreements, partner_accounts
from rooftree.compliance.fair_lending import officer_pay_plans
from rooftree.leads.models import Source
from rooftree.money import vendor_contracts
from rooftree.money.company_day import company_day
from rooftree.money.vendor_contracts import ContractTerms
from rooftree.org.models import LoanOfficer, User

RETURN_REASONS = {  # our reason: the vendor's word
    "invalid_phone": "Invalid phone",
    "wrong_number": "Wrong number",
    "duplicate": "Duplicate lead",
}
RETURN_WINDOW_DAYS = {
    "zillow": 10,
    "zillow-west": 10,
    "lendingtree": 14,
    "lendingtree-shared": 14,
}
VENDOR_STATUSES = {"contacted": "Contacted", "application": "Applied", "funded": "Funded"}
PARTNER_AGENT = {
    "name": "Ana Reyes",
    "email": "ana.reyes@bayshore-homes.example",
    "kind": "real_estate_agent",
    "company": "Bayshore Homes",
}
LUNCH_AFTER = timedelta(days=30)  # after the partner's account was opened
FLYER_PERIOD = timedelta(days=800)


def create_agreements(users: Mapping[str, User], *, at: datetime) -> None:
    """Create the marketplace contracts, and an agent with an account, a lunch and flyers."""
    by = users["Beatriz Lima"]
    for slug, days in RETURN_WINDOW_DAYS.items():
        terms = ContractTerms(
            window_days=days,
            warn_days=3,
            reasons=RETURN_REASONS,
            watcher_id=by.pk,
            duplicate_days=90,
            statuses=VENDOR_STATUSES if slug.startswith("lendingtree") else {},
        )
        source = Source.objects.get(slug=slug)
        vendor_contracts.record_contract(
            source_id=source.pk, from_date=company_day(at), terms=terms, by=by, at=at
        )
    agent = partner_accounts.add_partner(typed=PARTNER_AGENT, by=by, at=at)
    lunch = {
        "direction": "given",
        "what": "Lunch for two",
        "fair_value_cents": 4_200,
        "why": "Discussed document checklist for first-time buyers",
        "on_date": company_day(at + LUNCH_AFTER),
        "basis": "gift",
        "has_happened": True,
    }
    partner_accounts.record_thing_of_value(
        partner_id=agent.pk, typed=lunch, by=by, at=at + LUNCH_AFTER
    )
    flyers = {
        "with_whom": f"partner:{agent.pk}",
        "basis": agreements.CO_MARKETING,
        "what": "Co-branded flyers",
        "cents": 240_000,
        "our_cost_pct": 50,
        "our_benefit_pct": 50,
        "fair_value_document": "Half of each page advertises the lender",
        "document": "Agreement 2025-07",
        "from_date": company_day(at),
        "until_date": company_day(at + FLYER_PERIOD),
    }
    agreements.enter_agreement(typed=flyers, by=by, at=at)


def create_pay_plans(
    officers: Mapping[str, LoanOfficer], users: Mapping[str, User], *, at: datetime
) -> None:
    """Create an approved plan for every officer, and one proposed plan that awaits approval."""
    beatriz, omar = users["Beatriz Lima"], users["Omar Haddad"]
    for officer in officers.values():
        plan = officer_pay_plans.propose_plan(typed=_pay_plan(officer, at), by=beatriz, at=at)
        officer_pay_plans.approve_plan(plan_id=plan.pk, by=omar, at=at)
    following = _pay_plan(officers["Bankole"], at + FLYER_PERIOD) | {"percent": Decimal("1.1")}
    officer_pay_plans.propose_plan(typed=following, by=beatriz, at=at)


def _pay_plan(officer: LoanOfficer, at: datetime) -> dict[str, object]:
    return {
        "officer": officer.pk,
        "basis": officer_pay_plans.LOAN_PERCENTAGE,
        "percent": Decimal("1.05"),
        "least_cents": 150_000,
        "most_cents": 900_000,
        "bonus_pct": None,
        "is_paid_by_creditor": True,
        "is_paid_by_consumer": False,
        "from_date": company_day(at),
    }

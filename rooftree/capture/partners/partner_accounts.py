"""Partner accounts, borrowers' permissions for partners, and the RESPA log of things of value."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Sum
from django.utils.text import slugify

from rooftree.capture.partners import thing_of_value_ruling
from rooftree.capture.partners.thing_of_value_ruling import BadPartner
from rooftree.capture.source_setup import manage_sources
from rooftree.compliance.fair_lending import compliance_findings
from rooftree.compliance.gate.verdict import Decision
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Introduction, Partner, PartnerPermission, Source, ThingOfValue
from rooftree.leads.vocabulary import PartnerType
from rooftree.ledger.write_events import write_event
from rooftree.money.company_day import company_day
from rooftree.org import staff_accounts
from rooftree.org.models import User

PARTNER_KINDS = {
    PartnerType.REAL_ESTATE_AGENT: "Real estate agent",
    PartnerType.BUILDER: "Builder",
    PartnerType.CPA: "Accountant",
    PartnerType.FINANCIAL_PLANNER: "Financial planner",
    PartnerType.ATTORNEY: "Attorney",
    PartnerType.PAST_CLIENT: "Past client",
    PartnerType.EMPLOYER: "Employer",
    PartnerType.OTHER: "Other",
}
# Steps that a borrower can let a partner see; a declined loan or its reason is never shared.
SHAREABLE_STEPS = {
    "contacted": "Contacted",
    "application": "Applied",
    "clear_to_close": "Cleared to close",
    "funded": "Funded",
}
VALUE_DIRECTIONS = {"given": "Given to partner", "received": "Received from partner"}


def add_partner(*, typed: Mapping[str, str], by: User, at: datetime) -> Partner:
    """Create a partner with an account that can open only their own pages.

    Raises `BadPartner` or `StaffChangeError`.

    Args:
        typed: name, email and kind; optionally company and license_no.
    """
    if typed["kind"] not in set(PartnerType):
        raise BadPartner("kind", "Choose a kind of partner.")
    with transaction.atomic():
        user = staff_accounts.add_partner_user(
            email=typed["email"], name=typed["name"], by=by, at=at
        )
        partner = Partner.objects.create(
            id=uuid7_at(at), user=user, source=_shared_source(by, at), kind=typed["kind"],
            company=typed.get("company", "")[:120], license_no=typed.get("license_no", "")[:40],
            slug=f"{slugify(user.name)[:36] or 'partner'}-{secrets.token_hex(4)}",
            added_by=by, added_at=at,
        )  # fmt: skip
        _record_event("capture.partner.added", partner, by, at)
    return partner


def record_permission(
    *, introduction_id: UUID, steps: Sequence[str], words: str, by: User, at: datetime
) -> PartnerPermission:
    """Record which steps the borrower lets their partner see; it cannot be undone.

    Raises `BadPartner`.

    Args:
        steps: keys of SHAREABLE_STEPS.
        words: how the borrower gave permission.
    """
    if unknown := set(steps) - SHAREABLE_STEPS.keys():
        raise BadPartner("steps", f"{unknown.pop()} can't be shared.")
    text = _require_text("said", words, "Enter how the borrower gave permission.")
    with transaction.atomic():
        introduction = Introduction.objects.select_related("partner").get(pk=introduction_id)
        permission = PartnerPermission.objects.create(
            id=uuid7_at(at), introduction=introduction, evidence=text[:200], by=by, at=at,
            steps=[step for step in SHAREABLE_STEPS if step in steps],
        )  # fmt: skip
        _record_event(
            "capture.permission.recorded", introduction.partner, by, at,
            introduction=introduction.pk, steps=permission.steps,
        )  # fmt: skip
    return permission


def record_thing_of_value(
    *, partner_id: UUID, typed: Mapping[str, Any], by: User, at: datetime
) -> ThingOfValue:
    """Record something of value given to a partner or received from one. Raises `BadPartner`.

    A thing that rule RSP-01 forbids is rejected, unless it has already been given: then it is
    recorded, and compliance is notified. A thing that counsel must review needs counsel's
    document.

    Args:
        typed: direction, what, fair_value_cents, why and on_date; for a thing given also basis,
            and optionally agreement, document, is_employee and has_happened.
    """
    if typed["direction"] not in VALUE_DIRECTIONS:
        raise BadPartner("direction", "Choose given or received.")
    on_date: date = typed["on_date"]
    if on_date > company_day(at):
        raise BadPartner("on_date", "The date can't be in the future.")
    if typed["fair_value_cents"] is None:
        raise BadPartner("fair_value_cents", "Enter its fair value, or 0.")
    thing = ThingOfValue(
        id=uuid7_at(at), partner=Partner.objects.get(pk=partner_id), direction=typed["direction"],
        description=_require_text("what", typed["what"], "Enter what it was.")[:200],
        fair_value_cents=typed["fair_value_cents"],
        justification=_require_text("why", typed["why"], "Enter what it was for.")[:300],
        on_date=on_date, by=by, at=at,
    )  # fmt: skip
    if thing.direction == "given":
        thing_of_value_ruling.rule_on_thing(thing, typed)
    with transaction.atomic():
        _save_thing(thing)
        if thing.decision == Decision.BLOCK:
            compliance_findings.open_finding(
                thing_of_value_ruling.forbidden_thing_finding(thing), at=at
            )
    return thing


def correct_thing_of_value(*, thing_id: UUID, why: str, by: User, at: datetime) -> ThingOfValue:
    """Reverse a wrong entry by a new entry that names it; safe to repeat. Raises `BadPartner`."""
    wrong = ThingOfValue.objects.get(pk=thing_id)
    if wrong.corrects_id:
        raise BadPartner("why", "That entry reverses another one. Record a new entry instead.")
    earlier = ThingOfValue.objects.filter(corrects=wrong).first()
    return earlier or _save_thing(
        ThingOfValue(
            id=uuid7_at(at), partner_id=wrong.partner_id, direction=wrong.direction,
            description=wrong.description, basis=wrong.basis, agreement=wrong.agreement,
            fair_value_cents=wrong.fair_value_cents, on_date=company_day(at),
            justification=_require_text("why", why, "Enter what was wrong.")[:300],
            corrects=wrong, by=by, at=at,
        )
    )  # fmt: skip


def thing_of_value_totals(partner: Partner) -> dict[str, int]:
    """Return the total cents given and received, by direction, without reversed entries."""
    rows = ThingOfValue.objects.filter(partner=partner, corrects=None, corrected_by=None)
    totals = dict(rows.values_list("direction").annotate(Sum("fair_value_cents")).order_by())
    return {direction: totals.get(direction, 0) for direction in VALUE_DIRECTIONS}


def _save_thing(thing: ThingOfValue) -> ThingOfValue:
    with transaction.atomic():
        thing.save(force_insert=True)
        write_event(
            "capture.partner.value_noted", at=thing.at, actor=f"user:{thing.by_id}",
            partner=thing.partner_id, thing=thing.pk, direction=thing.direction,
            cents=thing.fair_value_cents, corrects=thing.corrects_id,
        )  # fmt: skip
    return thing


def _shared_source(by: User, at: datetime) -> Source:
    """Return the source that all partner accounts share; create it for the first partner."""
    existing = Source.objects.filter(adapter="referral_partner").order_by("created_at").first()
    if existing:
        return existing
    created = manage_sources.create_source(
        adapter="referral_partner", name="Referral partners", details={}, by=by, at=at
    )
    return created.source


def _require_text(field: str, typed: str, error: str) -> str:
    words = " ".join(typed.split())
    if not words:
        raise BadPartner(field, error)
    return words


def _record_event(kind: str, partner: Partner, by: User, at: datetime, **data: Any) -> None:
    write_event(kind, at=at, actor=f"user:{by.pk}", partner=partner.pk, **data)

"""Partners: their accounts, what borrowers let them see, and what passes between us."""

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
SHAREABLE_STEPS = {  # what a borrower may let a partner see; never that, or why, somebody got no loan
    "contacted": "We have talked",
    "application": "They applied",
    "clear_to_close": "Cleared to close",
    "funded": "Funded",
}
VALUE_DIRECTIONS = {"given": "Given to them", "received": "Had from them"}


def add_partner(*, typed: Mapping[str, str], by: User, at: datetime) -> Partner:
    """A partner with an account that opens their own pages and nothing else.

    Args:
        typed: name, email, kind, and where there are such company and license_no.

    Raises `BadPartner`, `CannotChange`.
    """
    if typed["kind"] not in set(PartnerType):
        raise BadPartner("kind", "Choose what they are.")
    with transaction.atomic():
        user = staff_accounts.add_partner_user(
            email=typed["email"], name=typed["name"], by=by, at=at
        )
        made = Partner.objects.create(
            id=uuid7_at(at), user=user, source=_shared_source(by, at), kind=typed["kind"],
            company=typed.get("company", "")[:120], license_no=typed.get("license_no", "")[:40],
            slug=f"{slugify(user.name)[:36] or 'partner'}-{secrets.token_hex(4)}",
            added_by=by, added_at=at,
        )  # fmt: skip
        _record_event("capture.partner.added", made, by, at)
    return made


def record_permission(
    *, introduction_id: UUID, steps: Sequence[str], said: str, by: User, at: datetime
) -> PartnerPermission:
    """Write down what the borrower lets their partner see; nothing takes it back.

    Raises `BadPartner`.
    """
    if unknown := set(steps) - SHAREABLE_STEPS.keys():
        raise BadPartner("steps", f"{unknown.pop()} is nothing that can be shown.")
    words = _require_text("said", said, "Write down how they said so.")
    with transaction.atomic():
        introduction = Introduction.objects.select_related("partner").get(pk=introduction_id)
        made = PartnerPermission.objects.create(
            id=uuid7_at(at), introduction=introduction, said=words[:200], by=by, at=at,
            steps=[shareable_step for shareable_step in SHAREABLE_STEPS if shareable_step in steps],
        )  # fmt: skip
        _record_event(
            "capture.permission.recorded", introduction.partner, by, at,
            introduction=introduction.pk, steps=made.steps,
        )  # fmt: skip
    return made


def record_thing_of_value(
    *, partner_id: UUID, typed: Mapping[str, Any], by: User, at: datetime
) -> ThingOfValue:
    """Write down something given to a partner or had from one. Raises `BadPartner`.

    What rule RSP-01 forbids is refused, unless it has happened: then it is kept, and
    compliance is told. What counsel must review names counsel's document.

    Args:
        typed: direction, what, fair_value_cents, why, on_date; of what is given also basis,
            and where there are such agreement, document, is_employee and has_happened.
    """
    if typed["direction"] not in VALUE_DIRECTIONS:
        raise BadPartner("direction", "Say whether it was given or had.")
    on_date: date = typed["on_date"]
    if on_date > company_day(at):
        raise BadPartner("on_date", "That day is yet to come.")
    if typed["fair_value_cents"] is None:
        raise BadPartner("fair_value_cents", "Give what it is worth; 0 for nothing.")
    thing = ThingOfValue(
        id=uuid7_at(at), partner=Partner.objects.get(pk=partner_id), direction=typed["direction"],
        what=_require_text("what", typed["what"], "Say what it was.")[:200],
        fair_value_cents=typed["fair_value_cents"],
        why=_require_text("why", typed["why"], "Say what it was for.")[:300],
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
    """Take a slip back by a row that names it; once. Raises `BadPartner`."""
    wrong = ThingOfValue.objects.get(pk=thing_id)
    if wrong.corrects_id:
        raise BadPartner("why", "That row takes another one back itself; write a new one.")
    done = ThingOfValue.objects.filter(corrects=wrong).first()
    return done or _save_thing(
        ThingOfValue(
            id=uuid7_at(at), partner_id=wrong.partner_id, direction=wrong.direction,
            what=wrong.what, basis=wrong.basis, agreement=wrong.agreement,
            fair_value_cents=wrong.fair_value_cents, on_date=company_day(at),
            why=_require_text("why", why, "Say what was wrong.")[:300], corrects=wrong, by=by, at=at,
        )
    )  # fmt: skip


def thing_of_value_totals(partner: Partner) -> dict[str, int]:
    """What was given and had in all, in cents, by direction; what was taken back left out."""
    rows = ThingOfValue.objects.filter(partner=partner, corrects=None, corrected_by=None)
    found = dict(rows.values_list("direction").annotate(Sum("fair_value_cents")).order_by())
    return {value_direction: found.get(value_direction, 0) for value_direction in VALUE_DIRECTIONS}


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
    """The source all partners with an account share; the first one makes it."""
    found = Source.objects.filter(adapter="referral_partner").order_by("created_at").first()
    if found:
        return found
    opened = manage_sources.create_source(
        adapter="referral_partner", name="Referral partners", details={}, by=by, at=at
    )
    return opened.source


def _require_text(field: str, typed: str, otherwise: str) -> str:
    words = " ".join(typed.split())
    if not words:
        raise BadPartner(field, otherwise)
    return words


def _record_event(kind: str, partner: Partner, by: User, at: datetime, **data: Any) -> None:
    write_event(kind, at=at, actor=f"user:{by.pk}", partner=partner.pk, **data)

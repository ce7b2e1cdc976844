"""Partners: their accounts, what borrowers let them see, and what passes between us."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Sum
from django.utils.text import slugify

from rooftree.capture import source_setup, value_rule
from rooftree.capture.value_rule import BadPartner
from rooftree.compliance import findings
from rooftree.compliance.verdict import Decision
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Introduction, Partner, Permission, Source, ThingOfValue
from rooftree.leads.vocabulary import PartnerType
from rooftree.ledger.write import write
from rooftree.money.company_day import company_day
from rooftree.org import people
from rooftree.org.models import User

KINDS = {
    PartnerType.REAL_ESTATE_AGENT: "Real estate agent",
    PartnerType.BUILDER: "Builder",
    PartnerType.CPA: "Accountant",
    PartnerType.FINANCIAL_PLANNER: "Financial planner",
    PartnerType.ATTORNEY: "Attorney",
    PartnerType.PAST_CLIENT: "Past client",
    PartnerType.EMPLOYER: "Employer",
    PartnerType.OTHER: "Other",
}
STEPS = {  # what a borrower may let a partner see; never that, or why, somebody got no loan
    "contacted": "We have talked",
    "application": "They applied",
    "clear_to_close": "Cleared to close",
    "funded": "Funded",
}
DIRECTIONS = {"given": "Given to them", "received": "Had from them"}


def add(*, typed: Mapping[str, str], by: User, at: datetime) -> Partner:
    """A partner with an account that opens their own pages and nothing else.

    Args:
        typed: name, email, kind, and where there are such company and license_no.

    Raises `BadPartner`, `CannotChange`.
    """
    if typed["kind"] not in set(PartnerType):
        raise BadPartner("kind", "Choose what they are.")
    with transaction.atomic():
        user = people.add_outsider(email=typed["email"], name=typed["name"], by=by, at=at)
        made = Partner.objects.create(
            id=uuid7_at(at), user=user, source=_source(by, at), kind=typed["kind"],
            company=typed.get("company", "")[:120], license_no=typed.get("license_no", "")[:40],
            slug=f"{slugify(user.name)[:36] or 'partner'}-{secrets.token_hex(4)}",
            added_by=by, added_at=at,
        )  # fmt: skip
        _write("capture.partner.added", made, by, at)
    return made


def permit(
    *, introduction_id: UUID, steps: Sequence[str], said: str, by: User, at: datetime
) -> Permission:
    """Write down what the borrower lets their partner see; nothing takes it back.

    Raises `BadPartner`.
    """
    if unknown := set(steps) - STEPS.keys():
        raise BadPartner("steps", f"{unknown.pop()} is nothing that can be shown.")
    words = _said("said", said, "Write down how they said so.")
    with transaction.atomic():
        introduction = Introduction.objects.select_related("partner").get(pk=introduction_id)
        made = Permission.objects.create(
            id=uuid7_at(at), introduction=introduction, said=words[:200], by=by, at=at,
            steps=[one for one in STEPS if one in steps],
        )  # fmt: skip
        _write(
            "capture.permission.recorded", introduction.partner, by, at,
            introduction=introduction.pk, steps=made.steps,
        )  # fmt: skip
    return made


def note_value(
    *, partner_id: UUID, typed: Mapping[str, Any], by: User, at: datetime
) -> ThingOfValue:
    """Write down something given to a partner or had from one. Raises `BadPartner`.

    What rule RSP-01 forbids is refused, unless it has happened: then it is kept, and
    compliance is told. What counsel must review names counsel's document.

    Args:
        typed: direction, what, fair_value_cents, why, on_date; of what is given also basis,
            and where there are such agreement, document, is_employee and has_happened.
    """
    if typed["direction"] not in DIRECTIONS:
        raise BadPartner("direction", "Say whether it was given or had.")
    on_date: date = typed["on_date"]
    if on_date > company_day(at):
        raise BadPartner("on_date", "That day is yet to come.")
    if typed["fair_value_cents"] is None:
        raise BadPartner("fair_value_cents", "Give what it is worth; 0 for nothing.")
    thing = ThingOfValue(
        id=uuid7_at(at), partner=Partner.objects.get(pk=partner_id), direction=typed["direction"],
        what=_said("what", typed["what"], "Say what it was.")[:200],
        fair_value_cents=typed["fair_value_cents"],
        why=_said("why", typed["why"], "Say what it was for.")[:300],
        on_date=on_date, by=by, at=at,
    )  # fmt: skip
    if thing.direction == "given":
        value_rule.judge(thing, typed)
    with transaction.atomic():
        _kept(thing)
        if thing.decision == Decision.BLOCK:
            findings.tell(value_rule.found(thing), at=at)
    return thing


def correct_value(*, thing_id: UUID, why: str, by: User, at: datetime) -> ThingOfValue:
    """Take a slip back by a row that names it; once. Raises `BadPartner`."""
    wrong = ThingOfValue.objects.get(pk=thing_id)
    if wrong.corrects_id:
        raise BadPartner("why", "That row takes another one back itself; write a new one.")
    done = ThingOfValue.objects.filter(corrects=wrong).first()
    return done or _kept(
        ThingOfValue(
            id=uuid7_at(at), partner_id=wrong.partner_id, direction=wrong.direction,
            what=wrong.what, basis=wrong.basis, agreement=wrong.agreement,
            fair_value_cents=wrong.fair_value_cents, on_date=company_day(at),
            why=_said("why", why, "Say what was wrong.")[:300], corrects=wrong, by=by, at=at,
        )
    )  # fmt: skip


def sums(partner: Partner) -> dict[str, int]:
    """What was given and had in all, in cents, by direction; what was taken back left out."""
    rows = ThingOfValue.objects.filter(partner=partner, corrects=None, corrected_by=None)
    found = dict(rows.values_list("direction").annotate(Sum("fair_value_cents")).order_by())
    return {one: found.get(one, 0) for one in DIRECTIONS}


def _kept(thing: ThingOfValue) -> ThingOfValue:
    with transaction.atomic():
        thing.save(force_insert=True)
        write(
            "capture.partner.value_noted", at=thing.at, actor=f"user:{thing.by_id}",
            partner=thing.partner_id, thing=thing.pk, direction=thing.direction,
            cents=thing.fair_value_cents, corrects=thing.corrects_id,
        )  # fmt: skip
    return thing


def _source(by: User, at: datetime) -> Source:
    """The source all partners with an account share; the first one makes it."""
    found = Source.objects.filter(adapter="referral_partner").order_by("created_at").first()
    if found:
        return found
    opened = source_setup.create(
        adapter="referral_partner", name="Referral partners", details={}, by=by, at=at
    )
    return opened.source


def _said(field: str, typed: str, otherwise: str) -> str:
    words = " ".join(typed.split())
    if not words:
        raise BadPartner(field, otherwise)
    return words


def _write(kind: str, partner: Partner, by: User, at: datetime, **data: Any) -> None:
    write(kind, at=at, actor=f"user:{by.pk}", partner=partner.pk, **data)

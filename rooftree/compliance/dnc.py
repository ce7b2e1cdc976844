"""Do-not-call lists, ours and theirs, and the relationships that answer them (DNC-01 to 04)."""

from datetime import date, timedelta

from rooftree.compliance import law
from rooftree.compliance.consent import has_written
from rooftree.compliance.facts import (
    PHONE,
    Facts,
    Purpose,
    Relationship,
    StateList,
    known,
)
from rooftree.compliance.rulebook import SEPARATE_LISTS, State
from rooftree.compliance.verdict import Rule, Ruling
from rooftree.core.holidays import add_months

DNC_01 = Rule(id="DNC-01", cite="47 CFR 64.1200(c)(2); 16 CFR 310.4(b)(1)(iii)(B)")
DNC_02 = Rule(id="DNC-02", cite="47 CFR 64.1200(f)(5)")
DNC_03 = Rule(id="DNC-03", cite="47 CFR 64.1200(d); 16 CFR 310.4(b)(1)(iii)(A)")
DNC_04 = Rule(id="DNC-04", cite="state do-not-call lists: CO FL IN LA MA MO OK PA TN TX WY")
TEXAS_DAYS = 60  # a Texas listing counts this many days after it is made


def internal(facts: Facts) -> Ruling | None:
    """Our own list beats every exemption but a later written consent; it never expires."""
    if not _is_governed(facts):
        return None
    since, at = known(facts.internal_dnc_on, "internal_dnc_on"), known(facts.at, "at")
    if since is None or since > at.date():
        return DNC_03.allow("dnc_clear")
    for one in known(facts.consents, "consents"):
        captured = one.captured_at
        if captured is not None and captured.date() > since and has_written(facts):
            return DNC_03.allow("fresh_written_consent")
    return DNC_03.block("internal_dnc")


def national(facts: Facts) -> Ruling | None:
    """The national registry.

    A number is treated as listed when the copy is missing or older than 31
    days, because nobody can say that it is not; then only a relationship or a
    signed permission lets the message go.
    """
    if not _is_governed(facts):
        return None
    version, today = known(facts.registry_date, "registry_date"), _today(facts)
    is_listed = known(facts.is_on_registry, "is_on_registry")
    is_fresh = version is not None and (today - version).days <= _good_for(facts)
    if not is_listed and is_fresh:
        return DNC_01.allow("dnc_clear")
    answer = _answers_listing(facts)
    if answer is not None:
        return answer
    if not is_listed:
        return DNC_01.block("scrub_stale")
    return DNC_02.block("ebr_expired") if _ours(facts) else DNC_01.block("national_dnc")


def state(facts: Facts) -> Ruling | None:
    """The lists that some states keep themselves, for every state the person may be in."""
    if not _is_governed(facts):
        return None
    held = {one.state: one for one in known(facts.state_lists, "state_lists")}
    rulings = [
        _state_ruling(held.get(one.code), one, facts)
        for one in law.states(facts)
        if one.code in SEPARATE_LISTS
    ]
    blocks = [one for one in rulings if one.decision.value == "block"]
    return next(iter(blocks or rulings), None)


def _state_ruling(found: StateList | None, state: State, facts: Facts) -> Ruling:
    is_listed = found is not None and found.is_listed and not _is_too_new(found, facts)
    version = None if found is None else found.version_date
    is_fresh = version is not None and (_today(facts) - version).days <= _good_for(facts)
    if not is_listed and is_fresh:
        return DNC_04.allow("state_clear")
    if has_written(facts):
        return DNC_04.allow("written_permission")
    answer = None if "no_ebr_exemption" in state.flags else _answers_listing(facts)
    if answer is not None:
        return answer
    return DNC_04.block("state_dnc_no_ebr" if is_listed else "state_scrub_stale")


def _is_too_new(found: StateList, facts: Facts) -> bool:
    if found.state != "TX" or found.listed_on is None:
        return False
    return _today(facts) < found.listed_on + timedelta(days=TEXAS_DAYS)


def _is_governed(facts: Facts) -> bool:
    """Lists govern telephone solicitation: calls and texts that market."""
    promotes = known(facts.purpose, "purpose") == Purpose.MARKETING or known(
        facts.has_promo, "has_promo"
    )
    return known(facts.medium, "medium") in PHONE and promotes


def _today(facts: Facts) -> date:
    return known(facts.at, "at").date()


def _ours(facts: Facts) -> list[Relationship]:
    return [one for one in known(facts.relationships, "relationships") if one.with_us]


def _answers_listing(facts: Facts) -> Ruling | None:
    """It is the permission or relationship that lets a listed number be called, if any."""
    if has_written(facts):
        return DNC_01.allow("written_permission")
    for one in _ours(facts):
        if _is_live(one, facts):
            is_sale = one.kind == "transaction"
            return DNC_02.allow("ebr_transaction" if is_sale else "ebr_inquiry")
    return None


def _is_live(relationship: Relationship, facts: Facts) -> bool:
    """The relationship still counts; its last good day is the one before the anniversary."""
    is_sale = relationship.kind == "transaction"
    months = law.number("ebr_transaction_months" if is_sale else "ebr_inquiry_months", facts)
    return relationship.on <= _today(facts) < add_months(relationship.on, months)


def _good_for(facts: Facts) -> int:
    """For how many days a copy of a list counts."""
    return law.number("dnc_scrub_days", facts)

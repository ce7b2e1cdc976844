"""Do-not-call lists (internal, national, state) and their exemptions (DNC-01 to 04)."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Protocol

from rooftree.compliance.gate import effective_rules
from rooftree.compliance.gate.consent_check import has_written_consent
from rooftree.compliance.gate.facts import (
    PHONE_MEDIA,
    Facts,
    Purpose,
    Relationship,
    StateList,
    get_fact,
)
from rooftree.compliance.gate.rulebook import STATES_WITH_OWN_DNC_LIST, StateRules
from rooftree.compliance.gate.verdict import Rule, Ruling
from rooftree.core.holidays import add_months

DNC_01 = Rule(id="DNC-01", cite="47 CFR 64.1200(c)(2); 16 CFR 310.4(b)(1)(iii)(B)")
DNC_02 = Rule(id="DNC-02", cite="47 CFR 64.1200(f)(5)")
DNC_03 = Rule(id="DNC-03", cite="47 CFR 64.1200(d); 16 CFR 310.4(b)(1)(iii)(A)")
DNC_04 = Rule(id="DNC-04", cite="state do-not-call lists: CO FL IN LA MA MO OK PA TN TX WY")
TEXAS_GRACE_DAYS = 60  # a Texas listing counts this many days after it is made


class ListCopy(Protocol):
    """The status of a number on one copy of a list."""

    @property
    def registry(self) -> str: ...
    @property
    def dated(self) -> date: ...
    @property
    def is_listed(self) -> bool: ...


def check_internal_list(facts: Facts) -> Ruling | None:
    """Block numbers on the internal list.

    The list never expires, and only a later written consent overrides it.
    """
    if not _do_lists_apply(facts):
        return None
    since, at = get_fact(facts.internal_dnc_on, "internal_dnc_on"), get_fact(facts.at, "at")
    if since is None or since > at.date():
        return DNC_03.allow("dnc_clear")
    for consent in get_fact(facts.consents, "consents"):
        captured = consent.captured_at
        if captured is not None and captured.date() > since and has_written_consent(facts):
            return DNC_03.allow("fresh_written_consent")
    return DNC_03.block("internal_dnc")


def check_national_registry(facts: Facts) -> Ruling | None:
    """Block numbers on the national registry, unless an exemption applies.

    A number counts as listed when the copy is missing or older than 31 days, because nobody can
    tell that it isn't. Then only a relationship or a signed permission allows the message.
    """
    if not _do_lists_apply(facts):
        return None
    version, today = get_fact(facts.registry_date, "registry_date"), _send_date(facts)
    is_listed = get_fact(facts.is_on_registry, "is_on_registry")
    is_fresh = version is not None and (today - version).days <= _max_copy_age_days(facts)
    if not is_listed and is_fresh:
        return DNC_01.allow("dnc_clear")
    exemption = _find_exemption(facts)
    if exemption is not None:
        return exemption
    if not is_listed:
        return DNC_01.block("scrub_stale")
    if _relationships_with_us(facts):
        return DNC_02.block("ebr_expired")
    return DNC_01.block("national_dnc")


def check_state_lists(facts: Facts) -> Ruling | None:
    """Block numbers on a state's own list, for every state where the person might be."""
    if not _do_lists_apply(facts):
        return None
    lists = {row.state: row for row in get_fact(facts.state_lists, "state_lists")}
    rulings = [
        _check_state_list(lists.get(state.code), state, facts)
        for state in effective_rules.candidate_state_rules(facts)
        if state.code in STATES_WITH_OWN_DNC_LIST
    ]
    blocks = [ruling for ruling in rulings if ruling.decision.value == "block"]
    return next(iter(blocks or rulings), None)


def newest_copies[Copy: ListCopy](copies: Iterable[Copy]) -> dict[str, Copy]:
    """Return each list's newest copy; of two from the same day, the copy that lists the number."""
    in_order = sorted(copies, key=lambda copy: (copy.dated, copy.is_listed))
    return {copy.registry: copy for copy in in_order}


def _check_state_list(listing: StateList | None, state: StateRules, facts: Facts) -> Ruling:
    is_listed = listing is not None and listing.is_listed
    if listing is not None and listing.state == "TX" and listing.listed_on is not None:
        grace_ends_on = listing.listed_on + timedelta(days=TEXAS_GRACE_DAYS)
        is_listed = is_listed and _send_date(facts) >= grace_ends_on
    version = None if listing is None else listing.version_date
    is_fresh = version is not None and (_send_date(facts) - version).days <= _max_copy_age_days(
        facts
    )
    if not is_listed and is_fresh:
        return DNC_04.allow("state_clear")
    if has_written_consent(facts):
        return DNC_04.allow("written_permission")
    exemption = None if "no_ebr_exemption" in state.flags else _find_exemption(facts)
    if exemption is not None:
        return exemption
    return DNC_04.block("state_dnc_no_ebr" if is_listed else "state_scrub_stale")


def _do_lists_apply(facts: Facts) -> bool:
    """Return whether the lists apply: telephone solicitation, that is marketing calls and texts."""
    promotes = get_fact(facts.purpose, "purpose") == Purpose.MARKETING or get_fact(
        facts.has_promo, "has_promo"
    )
    return get_fact(facts.medium, "medium") in PHONE_MEDIA and promotes


def _send_date(facts: Facts) -> date:
    return get_fact(facts.at, "at").date()


def _relationships_with_us(facts: Facts) -> list[Relationship]:
    return [
        relationship
        for relationship in get_fact(facts.relationships, "relationships")
        if relationship.with_us
    ]


def _find_exemption(facts: Facts) -> Ruling | None:
    """Return the permission or relationship that allows contacting a listed number, if any."""
    if has_written_consent(facts):
        return DNC_01.allow("written_permission")
    for relationship in _relationships_with_us(facts):
        if _is_relationship_current(relationship, facts):
            is_sale = relationship.kind == "transaction"
            return DNC_02.allow("ebr_transaction" if is_sale else "ebr_inquiry")
    return None


def _is_relationship_current(relationship: Relationship, facts: Facts) -> bool:
    """Return whether a relationship counts; its last day is the one before the anniversary."""
    is_sale = relationship.kind == "transaction"
    months = effective_rules.effective_number(
        "ebr_transaction_months" if is_sale else "ebr_inquiry_months", facts
    )
    return relationship.on <= _send_date(facts) < add_months(relationship.on, months)


def _max_copy_age_days(facts: Facts) -> int:
    """Return for how many days a copy of a list counts."""
    return effective_rules.effective_number("dnc_scrub_days", facts)

"""Check that a number still belongs to the person who gave it (RND-01)."""

from collections.abc import Iterable
from datetime import date, timedelta

from rooftree.compliance.gate import effective_rules
from rooftree.compliance.gate.facts import PHONE_MEDIA, Consent, Facts, Medium, Purpose, get_fact
from rooftree.compliance.gate.verdict import Rule, Ruling

RND_01 = Rule(id="RND-01", cite="47 CFR 64.1200(m); 10 M.R.S. 1499-B")


def check_reassigned_number(facts: Facts) -> Ruling | None:
    """Check for a reassigned number: automated sends everywhere, every sales call in Maine."""
    medium = get_fact(facts.medium, "medium")
    if medium not in PHONE_MEDIA or get_fact(facts.purpose, "purpose") != Purpose.MARKETING:
        return None
    check, today = get_fact(facts.number_check, "number_check"), get_fact(facts.at, "at").date()
    if check is not None and check.response == "yes":
        return RND_01.block("number_reassigned")
    if check is None and medium != Medium.TEXT and _does_state_require_check(facts):
        return RND_01.require("rnd_required_maine")
    confirmed_on = get_fact(facts.last_confirmed_on, "last_confirmed_on")
    contact_days = effective_rules.effective_number("rnd_contact_days", facts)
    is_recent = confirmed_on is not None and (today - confirmed_on).days <= contact_days
    if is_recent and not _does_state_require_check(facts):
        return RND_01.allow("recent_contact")
    if check is not None and check.response == "no_data":
        return RND_01.require("rnd_no_data_reverify")
    is_clear = check is not None and check.response == "no"
    if (
        check is not None
        and is_clear
        and (today - check.checked_on).days
        <= effective_rules.effective_number("rnd_check_days", facts)
    ):
        return RND_01.allow("rnd_clear")
    if not get_fact(facts.is_automated, "is_automated") and not _does_state_require_check(facts):
        return RND_01.allow("rnd_clear")
    return RND_01.require("rnd_check_stale")


def query_date(consents: Iterable[Consent], *, spoken_on: date | None, today: date) -> date | None:
    """Return the day to query: the later of the consent and the last contact.

    The database accepts only past days. None: no record of when the number was theirs.
    """
    days = [consent.captured_at.date() for consent in consents if consent.captured_at is not None]
    if spoken_on:
        days.append(spoken_on)
    return min(max(days), today - timedelta(days=1)) if days else None


def does_answer_cover(since: date | None, *, query_day: date, response: str) -> bool:
    """Return whether an answer about `query_day` also covers `since`.

    A number that was disconnected after a later day was disconnected after an earlier one, and
    a number that wasn't since an earlier day wasn't since a later one.
    """
    if since is None:
        return False
    if response == "yes":
        return query_day >= since
    return query_day <= since if response == "no" else query_day == since


def _does_state_require_check(facts: Facts) -> bool:
    return any(
        "rnd_required_before_sales_call" in state.flags
        for state in effective_rules.candidate_state_rules(facts)
    )

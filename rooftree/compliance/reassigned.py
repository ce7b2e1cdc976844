"""Whether the number still belongs to the person who gave it (RND-01)."""

from collections.abc import Iterable
from datetime import date, timedelta

from rooftree.compliance import law
from rooftree.compliance.facts import PHONE, Consent, Facts, Medium, Purpose, known
from rooftree.compliance.verdict import Rule, Ruling

RND_01 = Rule(id="RND-01", cite="47 CFR 64.1200(m); 10 M.R.S. 1499-B")


def decide(facts: Facts) -> Ruling | None:
    """Reassigned numbers: automated sends everywhere, every sales call in Maine."""
    medium = known(facts.medium, "medium")
    if medium not in PHONE or known(facts.purpose, "purpose") != Purpose.MARKETING:
        return None
    check, today = known(facts.number_check, "number_check"), known(facts.at, "at").date()
    if check is not None and check.response == "yes":
        return RND_01.block("number_reassigned")
    if check is None and medium != Medium.TEXT and _is_maine(facts):
        return RND_01.require("rnd_required_maine")
    spoken = known(facts.last_confirmed_on, "last_confirmed_on")
    is_recent = spoken is not None and (today - spoken).days <= law.number(
        "rnd_contact_days", facts
    )
    if is_recent and not _is_maine(facts):
        return RND_01.allow("recent_contact")
    if check is not None and check.response == "no_data":
        return RND_01.require("rnd_no_data_reverify")
    if check is not None and (today - check.checked_on).days <= law.number("rnd_check_days", facts):
        return RND_01.allow("rnd_clear")
    if not known(facts.is_automated, "is_automated") and not _is_maine(facts):
        return RND_01.allow("rnd_clear")
    return RND_01.require("rnd_check_stale")


def query_date(consents: Iterable[Consent], *, spoken_on: date | None, today: date) -> date | None:
    """It is the day to ask about: the later of their consent and our last contact.

    The database takes no day that is not over. None: nobody knows when the number was theirs.
    """
    given = [one.captured_at.date() for one in consents if one.captured_at is not None]
    days = [*given, spoken_on] if spoken_on else given
    return min(max(days), today - timedelta(days=1)) if days else None


def speaks_for(since: date | None, *, asked: date, response: str) -> bool:
    """Whether an answer about the day `asked` answers for `since` as well.

    Disconnected after a later day it is after an earlier one, and the other way round.
    """
    if since is None:
        return False
    if response == "yes":
        return asked >= since
    return asked <= since if response == "no" else asked == since


def _is_maine(facts: Facts) -> bool:
    return any("rnd_required_before_sales_call" in one.flags for one in law.states(facts))

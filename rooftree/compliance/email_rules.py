"""What a marketing email must carry, and when its stream must stop (EML-01, EML-02)."""

import re

from rooftree.compliance import law
from rooftree.compliance.facts import Facts, Medium, Purpose, known
from rooftree.compliance.rulebook import SPAM_GOAL, SPAM_STOP
from rooftree.compliance.verdict import Rule, Ruling

EML_01 = Rule(id="EML-01", cite="15 USC 7704; 16 CFR 316; RCW 19.190.020")
EML_02 = Rule(id="EML-02", cite="RFC 8058; Gmail, Yahoo and Outlook sender rules")
THREAD = re.compile(r"^\s*(re|fwd?|aw|rv)\s*:", re.IGNORECASE)


def _markets(facts: Facts) -> bool:
    promotes = known(facts.purpose, "purpose") == Purpose.MARKETING or known(
        facts.has_promo, "has_promo"
    )
    return known(facts.medium, "medium") == Medium.EMAIL and promotes


def hours(facts: Facts) -> Ruling | None:
    """No hours rule reaches email; the verdict says so."""
    if known(facts.medium, "medium") != Medium.EMAIL:
        return None
    if not _markets(facts):
        return EML_01.allow("transactional")
    return EML_01.allow("no_email_hours")


def address(facts: Facts) -> Ruling | None:
    """A marketing email carries our postal address."""
    if not _markets(facts):
        return None
    if not known(facts.postal_address, "postal_address"):
        return EML_01.block("postal_address_missing")
    return EML_01.allow("template_ok")


def one_click(facts: Facts) -> Ruling | None:
    """A marketing email carries the one-click unsubscribe headers."""
    if not _markets(facts):
        return None
    if not known(facts.has_one_click, "has_one_click"):
        return EML_02.block("one_click_missing")
    return EML_02.allow("template_ok")


def subject(facts: Facts) -> Ruling | None:
    """No subject claims a conversation that did not take place."""
    if known(facts.medium, "medium") != Medium.EMAIL:
        return None
    is_thread = THREAD.search(known(facts.subject, "subject")) is not None
    if is_thread and not known(facts.has_prior_thread, "has_prior_thread"):
        return EML_01.block("deceptive_subject")
    return EML_01.allow("template_ok")


def unsubscribe(facts: Facts) -> Ruling | None:
    """The way out works thirty days and asks for nothing but an address."""
    if not _markets(facts):
        return None
    if known(facts.unsubscribe_days, "unsubscribe_days") < law.number("unsubscribe_days", facts):
        return EML_01.block("optout_link_ttl")
    if known(facts.unsubscribe_needs, "unsubscribe_needs"):
        return EML_01.block("optout_too_hard")
    return EML_01.allow("template_ok")


def authentication(facts: Facts) -> Ruling | None:
    """SPF, DKIM and DMARC are aligned."""
    if not _markets(facts):
        return None
    if not known(facts.is_authenticated, "is_authenticated"):
        return EML_02.block("authentication_failed")
    return EML_02.allow("template_ok")


def spam_rate(facts: Facts) -> Ruling | None:
    """A stream that people report as spam stops."""
    if not _markets(facts):
        return None
    rate = known(facts.spam_percent, "spam_percent")
    if rate is None or rate < SPAM_GOAL:
        return EML_02.allow("template_ok")
    return EML_02.block("spam_rate_stop") if rate >= SPAM_STOP else EML_02.allow("warn_spam_rate")


def transfer(*, includes_opted_out: bool) -> Ruling:
    """A list that goes to anybody else holds nobody who opted out."""
    if includes_opted_out:
        return EML_01.block("opted_out_transfer")
    return EML_01.allow("template_ok")

"""Required parts of a marketing email, and the stop of a spam-reported stream (EML-01, EML-02)."""

import re

from rooftree.compliance.gate import effective_rules
from rooftree.compliance.gate.facts import Facts, Medium, Purpose, get_fact
from rooftree.compliance.gate.rulebook import SPAM_GOAL_PERCENT, SPAM_STOP_PERCENT
from rooftree.compliance.gate.verdict import Rule, Ruling

EML_01 = Rule(id="EML-01", cite="15 USC 7704; 16 CFR 316; RCW 19.190.020")
EML_02 = Rule(id="EML-02", cite="RFC 8058; Gmail, Yahoo and Outlook sender rules")
THREAD_PREFIX = re.compile(r"^\s*(re|fwd?|aw|rv)\s*:", re.IGNORECASE)


def _is_marketing_email(facts: Facts) -> bool:
    promotes = get_fact(facts.purpose, "purpose") == Purpose.MARKETING or get_fact(
        facts.has_promo, "has_promo"
    )
    return get_fact(facts.medium, "medium") == Medium.EMAIL and promotes


def check_hours(facts: Facts) -> Ruling | None:
    """Allow email at any hour, so that the verdict says so."""
    if get_fact(facts.medium, "medium") != Medium.EMAIL:
        return None
    if not _is_marketing_email(facts):
        return EML_01.allow("transactional")
    return EML_01.allow("no_email_hours")


def check_postal_address(facts: Facts) -> Ruling | None:
    """Block a marketing email without the company's postal address."""
    if not _is_marketing_email(facts):
        return None
    if not get_fact(facts.postal_address, "postal_address"):
        return EML_01.block("postal_address_missing")
    return EML_01.allow("template_ok")


def check_one_click(facts: Facts) -> Ruling | None:
    """Block a marketing email without the one-click unsubscribe headers."""
    if not _is_marketing_email(facts):
        return None
    if not get_fact(facts.has_one_click, "has_one_click"):
        return EML_02.block("one_click_missing")
    return EML_02.allow("template_ok")


def check_subject(facts: Facts) -> Ruling | None:
    """Block a subject that claims a conversation that didn't take place."""
    if get_fact(facts.medium, "medium") != Medium.EMAIL:
        return None
    is_thread = THREAD_PREFIX.search(get_fact(facts.subject, "subject")) is not None
    if is_thread and not get_fact(facts.has_prior_thread, "has_prior_thread"):
        return EML_01.block("deceptive_subject")
    return EML_01.allow("template_ok")


def check_unsubscribe(facts: Facts) -> Ruling | None:
    """Block an unsubscribe link that ends too soon or requires more than an email address.

    The shipped minimum is 30 days after the send.
    """
    if not _is_marketing_email(facts):
        return None
    if get_fact(facts.unsubscribe_days, "unsubscribe_days") < effective_rules.effective_number(
        "unsubscribe_days", facts
    ):
        return EML_01.block("optout_link_ttl")
    if get_fact(facts.unsubscribe_needs, "unsubscribe_needs"):
        return EML_01.block("optout_too_hard")
    return EML_01.allow("template_ok")


def check_authentication(facts: Facts) -> Ruling | None:
    """Block a marketing email unless SPF, DKIM and DMARC are aligned."""
    if not _is_marketing_email(facts):
        return None
    if not get_fact(facts.is_authenticated, "is_authenticated"):
        return EML_02.block("authentication_failed")
    return EML_02.allow("template_ok")


def check_spam_rate(facts: Facts) -> Ruling | None:
    """Block a stream with too many spam reports; warn above the goal."""
    if not _is_marketing_email(facts):
        return None
    rate = get_fact(facts.spam_percent, "spam_percent")
    if rate is None or rate < SPAM_GOAL_PERCENT:
        return EML_02.allow("template_ok")
    return (
        EML_02.block("spam_rate_stop")
        if rate >= SPAM_STOP_PERCENT
        else EML_02.allow("warn_spam_rate")
    )


def check_list_transfer(*, includes_opted_out: bool) -> Ruling:
    """Block passing on a list that includes people who opted out."""
    if includes_opted_out:
        return EML_01.block("opted_out_transfer")
    return EML_01.allow("template_ok")

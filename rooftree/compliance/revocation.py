"""What a person's STOP ends, and what brings them back (REV-01 to REV-06)."""

from datetime import date, timedelta

from rooftree.compliance import law, places
from rooftree.compliance.consent import covers, proves
from rooftree.compliance.facts import (
    PHONE,
    Consent,
    Facts,
    Medium,
    Purpose,
    Revocation,
    known,
)
from rooftree.compliance.rulebook import REVOKE_ALL_FROM, REVOKE_DAYS
from rooftree.compliance.verdict import Decision, Rule, Ruling
from rooftree.core.holidays import add_business_days, add_months

REV_01 = Rule(id="REV-01", cite="47 CFR 64.1200(a)(10)")
REV_02 = Rule(id="REV-02", cite="47 CFR 64.1200(a)(10),(d)(3)")
REV_03 = Rule(id="REV-03", cite="47 CFR 64.1200(a)(12)")
REV_04 = Rule(id="REV-04", cite="47 CFR 64.1200(a)(10); FCC 24-24; FCC DA 26-12")
REV_05 = Rule(id="REV-05", cite="47 CFR 64.1200(f)(9); Va. Code 59.1-514")
REV_06 = Rule(id="REV-06", cite="47 CFR 64.1200(a)(10),(d)(3); 15 USC 7704(a)(4)")
EML_01 = Rule(id="EML-01", cite="15 USC 7704(a)(4)")
VIRGINIA_MONTHS = 120  # Va. Code 59.1-514: a text opt-out is kept ten years
SERVICE = frozenset({Purpose.INFORMATIONAL, Purpose.TRANSACTIONAL})
MEANINGS = {"help": "help_response", "none": "not_a_revocation", "optin": "not_a_revocation"}


def decide(facts: Facts) -> Ruling | None:
    """Stops, ambiguous answers that a person must read, and wrong persons."""
    purpose = known(facts.purpose, "purpose")
    if purpose == Purpose.CONFIRMATION:
        return _confirmation(facts)
    if known(facts.is_wrong_person, "is_wrong_person"):
        return REV_01.block("wrong_party")
    stopped = _stopped(facts)
    if stopped is not None:
        return stopped
    if known(facts.is_held, "is_held") and _is_ended_by_stop(facts):
        return REV_01.require("hold_for_human_review")
    return _nothing_stands(facts)


def _is_ended_by_stop(facts: Facts) -> bool:
    """A stop ends all marketing, all automation and every text.

    A person may still call about the person's own loan, and an email about it
    goes on after an unsubscribe, which ends commercial email only.
    """
    is_service = known(facts.purpose, "purpose") in SERVICE | {Purpose.LEGAL_NOTICE}
    if not is_service or known(facts.has_promo, "has_promo"):
        return True
    medium = known(facts.medium, "medium")
    is_phone = medium in PHONE
    return is_phone and (medium != Medium.CALL or known(facts.is_automated, "is_automated"))


def _live(facts: Facts) -> list[Revocation]:
    """They are the stops before this moment, whatever they end."""
    at = known(facts.at, "at")
    return [one for one in known(facts.revocations, "revocations") if one.at <= at]


def _stopped(facts: Facts) -> Ruling | None:
    if not _is_ended_by_stop(facts):
        return None
    medium = known(facts.medium, "medium")
    for one in _live(facts):
        if medium not in one.media:
            continue
        ruling = _virginia(one, facts) or _restored(one, facts) or _ended(one, facts)
        if ruling.decision is Decision.BLOCK:
            return ruling
    return None


def _virginia(stop: Revocation, facts: Facts) -> Ruling | None:
    """A Virginia text opt-out is kept ten years; START alone does not undo it."""
    at = known(facts.at, "at")
    is_kept = stop.by_text and at.date() < add_months(stop.at.date(), VIRGINIA_MONTHS)
    is_text = known(facts.medium, "medium") == Medium.TEXT
    if is_kept and is_text and "VA" in places.states(facts) and not _has_fresh(stop, facts):
        return REV_05.block("revoked_va_10_years", "Va. Code 59.1-514")
    return None


def _restored(stop: Revocation, facts: Facts) -> Ruling | None:
    if _has_fresh(stop, facts):
        return REV_05.allow("fresh_written_consent")
    at = known(facts.at, "at")
    for one in known(facts.restarts, "restarts"):
        is_text = known(facts.medium, "medium") in PHONE
        if stop.at < one.at <= at and one.has_prior_written_consent and is_text:
            return REV_05.allow("resubscribed")
    return None


def _has_fresh(stop: Revocation, facts: Facts) -> bool:
    return any(_is_fresh(one, stop, facts) for one in known(facts.consents, "consents"))


def _is_fresh(consent: Consent, stop: Revocation, facts: Facts) -> bool:
    captured = consent.captured_at
    is_later = captured is not None and stop.at < captured <= known(facts.at, "at")
    if known(facts.medium, "medium") in PHONE:
        return is_later and proves(consent, facts).decision is Decision.ALLOW
    is_theirs = consent.type == "written" and consent.signer_is_subscriber
    return is_later and is_theirs and covers(consent, known(facts.medium, "medium"))


def _ended(stop: Revocation, facts: Facts) -> Ruling:
    """It is the block with the reason that the law, or the house, gives for it."""
    if known(facts.medium, "medium") == Medium.EMAIL:
        return EML_01.block("unsubscribed")
    is_service = known(facts.purpose, "purpose") in SERVICE
    if stop.about in SERVICE and not is_service:
        return REV_04.block("revoked_everything")
    if stop.about is Purpose.MARKETING and is_service:
        in_force = known(facts.at, "at").date() >= REVOKE_ALL_FROM
        return REV_04.block("revoke_all_in_force" if in_force else "house_revoke_all")
    return REV_02.block("revoked")


def _nothing_stands(facts: Facts) -> Ruling:
    stops = known(facts.revocations, "revocations")
    at, medium = known(facts.at, "at"), known(facts.medium, "medium")
    if not stops:
        meaning = known(facts.inbound_meaning, "inbound_meaning")
        return REV_01.allow(MEANINGS.get(meaning, "not_revoked"))
    for one in stops:
        if medium in one.media and one.at <= at:
            restored = _restored(one, facts)
            return restored if restored is not None else REV_04.allow("service_after_stop")
    if all(one.at > at for one in stops):
        return REV_02.allow("sent_before_revocation")
    return REV_04.allow("email_unaffected" if medium is Medium.EMAIL else "not_revoked")


def _confirmation(facts: Facts) -> Ruling:
    """One text, at once, that sells nothing; quiet hours do not apply to it."""
    one = known(facts.confirmation, "confirmation")
    if one is None or known(facts.is_wrong_person, "is_wrong_person"):
        return REV_03.block("wrong_party" if one is not None else "confirmation_too_late")
    age = known(facts.at, "at") - one.stop_at
    if known(facts.has_promo, "has_promo"):
        return REV_03.block("confirmation_has_promo")
    if one.earlier >= law.number("confirm_count", facts):
        return REV_03.block("second_confirmation")
    within = timedelta(seconds=law.number("confirm_seconds", facts))
    if not timedelta(0) <= age <= within:
        return REV_03.block("confirmation_too_late")
    return REV_03.allow("single_confirmation")


def honour_by(received_on: date) -> Ruling:
    """It is the last lawful day to honour a stop; the house does it within a minute."""
    return REV_06.require("honour_by", add_business_days(received_on, REVOKE_DAYS))

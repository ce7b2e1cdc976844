"""Effects of an opt-out, and the acts that undo it (REV-01 to REV-06)."""

from datetime import date, timedelta

from rooftree.compliance.gate import effective_rules, person_places
from rooftree.compliance.gate.consent_check import covers_medium, evaluate_consent
from rooftree.compliance.gate.facts import (
    PHONE_MEDIA,
    Consent,
    Facts,
    Medium,
    Purpose,
    Revocation,
    get_fact,
)
from rooftree.compliance.gate.rulebook import HONOR_STOP_BUSINESS_DAYS, REVOKE_ALL_MANDATORY_FROM
from rooftree.compliance.gate.verdict import Decision, Rule, Ruling
from rooftree.core.holidays import add_business_days, add_months

REV_01 = Rule(id="REV-01", cite="47 CFR 64.1200(a)(10)")
REV_02 = Rule(id="REV-02", cite="47 CFR 64.1200(a)(10),(d)(3)")
REV_03 = Rule(id="REV-03", cite="47 CFR 64.1200(a)(12)")
REV_04 = Rule(id="REV-04", cite="47 CFR 64.1200(a)(10); FCC 24-24; FCC DA 26-12")
REV_05 = Rule(id="REV-05", cite="47 CFR 64.1200(f)(9); Va. Code 59.1-514")
REV_06 = Rule(id="REV-06", cite="47 CFR 64.1200(a)(10),(d)(3); 15 USC 7704(a)(4)")
EML_01 = Rule(id="EML-01", cite="15 USC 7704(a)(4)")
VIRGINIA_MONTHS = 120  # Va. Code 59.1-514: a text opt-out is kept ten years
SERVICE_PURPOSES = frozenset({Purpose.INFORMATIONAL, Purpose.TRANSACTIONAL})
REASON_BY_MEANING = {
    "help": "help_response",
    "none": "not_a_revocation",
    "optin": "not_a_revocation",
}


def check_revocation(facts: Facts) -> Ruling | None:
    """Check opt-outs, ambiguous replies that a person must read, and wrong numbers."""
    purpose = get_fact(facts.purpose, "purpose")
    if purpose == Purpose.CONFIRMATION:
        return _check_confirmation(facts)
    if get_fact(facts.is_wrong_person, "is_wrong_person"):
        return REV_01.block("wrong_party")
    standing_stop = _find_standing_stop(facts)
    if standing_stop is not None:
        return standing_stop
    if get_fact(facts.is_held, "is_held") and _is_ended_by_stop(facts):
        return REV_01.require("hold_for_human_review")
    return _no_stop_ruling(facts)


def _is_ended_by_stop(facts: Facts) -> bool:
    """Return whether an opt-out ends this message: all marketing, automation and texts.

    Staff can still call by hand about the borrower's own loan, and email about it continues
    after an unsubscribe, which ends only commercial email.
    """
    is_service = get_fact(facts.purpose, "purpose") in SERVICE_PURPOSES | {Purpose.LEGAL_NOTICE}
    if not is_service or get_fact(facts.has_promo, "has_promo"):
        return True
    medium = get_fact(facts.medium, "medium")
    is_phone = medium in PHONE_MEDIA
    return is_phone and (medium != Medium.CALL or get_fact(facts.is_automated, "is_automated"))


def _find_standing_stop(facts: Facts) -> Ruling | None:
    if not _is_ended_by_stop(facts):
        return None
    at, medium = get_fact(facts.at, "at"), get_fact(facts.medium, "medium")
    for stop in get_fact(facts.revocations, "revocations"):
        if stop.at > at or medium not in stop.media:
            continue
        ruling = (
            _check_virginia_stop(stop, facts)
            or _check_restored(stop, facts)
            or _stop_ruling(stop, facts)
        )
        if ruling.decision is Decision.BLOCK:
            return ruling
    return None


def _check_virginia_stop(stop: Revocation, facts: Facts) -> Ruling | None:
    """Block for ten years after a Virginia text opt-out; START alone doesn't undo it."""
    at = get_fact(facts.at, "at")
    is_kept = stop.by_text and at.date() < add_months(stop.at.date(), VIRGINIA_MONTHS)
    is_text = get_fact(facts.medium, "medium") == Medium.TEXT
    if (
        is_kept
        and is_text
        and "VA" in person_places.candidate_states(facts)
        and not _has_consent_after(stop, facts)
    ):
        return REV_05.block("revoked_va_10_years", "Va. Code 59.1-514")
    return None


def _check_restored(stop: Revocation, facts: Facts) -> Ruling | None:
    if _has_consent_after(stop, facts):
        return REV_05.allow("fresh_written_consent")
    at = get_fact(facts.at, "at")
    is_phone = get_fact(facts.medium, "medium") in PHONE_MEDIA
    for restart in get_fact(facts.restarts, "restarts"):
        if stop.at < restart.at <= at and restart.has_prior_written_consent and is_phone:
            return REV_05.allow("resubscribed")
    return None


def _has_consent_after(stop: Revocation, facts: Facts) -> bool:
    consents = get_fact(facts.consents, "consents")
    return any(_is_consent_after(consent, stop, facts) for consent in consents)


def _is_consent_after(consent: Consent, stop: Revocation, facts: Facts) -> bool:
    captured = consent.captured_at
    is_later = captured is not None and stop.at < captured <= get_fact(facts.at, "at")
    if get_fact(facts.medium, "medium") in PHONE_MEDIA:
        return is_later and evaluate_consent(consent, facts).decision is Decision.ALLOW
    is_theirs = consent.type == "written" and consent.signer_is_subscriber
    return is_later and is_theirs and covers_medium(consent, get_fact(facts.medium, "medium"))


def _stop_ruling(stop: Revocation, facts: Facts) -> Ruling:
    """Return the block with the reason from the law or the house rule."""
    if get_fact(facts.medium, "medium") == Medium.EMAIL:
        return EML_01.block("unsubscribed")
    is_service = get_fact(facts.purpose, "purpose") in SERVICE_PURPOSES
    if stop.about in SERVICE_PURPOSES and not is_service:
        return REV_04.block("revoked_everything")
    if stop.about is Purpose.MARKETING and is_service:
        in_force = get_fact(facts.at, "at").date() >= REVOKE_ALL_MANDATORY_FROM
        return REV_04.block("revoke_all_in_force" if in_force else "house_revoke_all")
    return REV_02.block("revoked")


def _no_stop_ruling(facts: Facts) -> Ruling:
    stops = get_fact(facts.revocations, "revocations")
    at, medium = get_fact(facts.at, "at"), get_fact(facts.medium, "medium")
    if not stops:
        meaning = get_fact(facts.inbound_meaning, "inbound_meaning")
        return REV_01.allow(REASON_BY_MEANING.get(meaning, "not_revoked"))
    for stop in stops:
        if medium in stop.media and stop.at <= at:
            restored = _check_restored(stop, facts)
            return restored if restored is not None else REV_04.allow("service_after_stop")
    if all(stop.at > at for stop in stops):
        return REV_02.allow("sent_before_revocation")
    return REV_04.allow("email_unaffected" if medium is Medium.EMAIL else "not_revoked")


def _check_confirmation(facts: Facts) -> Ruling:
    """Allow one text right after the opt-out, without promotion; quiet hours don't apply to it."""
    confirmation = get_fact(facts.confirmation, "confirmation")
    if confirmation is None:
        return REV_03.block("confirmation_too_late")
    if get_fact(facts.is_wrong_person, "is_wrong_person"):
        return REV_03.block("wrong_party")
    age = get_fact(facts.at, "at") - confirmation.stop_at
    if get_fact(facts.has_promo, "has_promo"):
        return REV_03.block("confirmation_has_promo")
    if confirmation.earlier >= effective_rules.effective_number("confirm_count", facts):
        return REV_03.block("second_confirmation")
    within = timedelta(seconds=effective_rules.effective_number("confirm_seconds", facts))
    if not timedelta(0) <= age <= within:
        return REV_03.block("confirmation_too_late")
    return REV_03.allow("single_confirmation")


def honor_deadline(received_on: date) -> Ruling:
    """Return the last lawful day to honor an opt-out; the house does it within a minute."""
    return REV_06.require("honour_by", add_business_days(received_on, HONOR_STOP_BUSINESS_DAYS))

"""Written consent to this medium and this seller (CON-01 to CON-06)."""

from rooftree.compliance.gate import effective_rules
from rooftree.compliance.gate.facts import (
    PHONE_MEDIA,
    Consent,
    Facts,
    Medium,
    Purpose,
    Voice,
    get_fact,
)
from rooftree.compliance.gate.quiet_hours import is_prompt_reply
from rooftree.compliance.gate.verdict import Decision, Rule, Ruling

CON_01 = Rule(
    id="CON-01", cite="47 CFR 64.1200(a)(2),(f)(9); 15 USC 7001; Fla. Stat. 501.059(1)(g)"
)
CON_02 = Rule(id="CON-02", cite="47 CFR 64.1200(f)(9)(i)")
CON_03 = Rule(id="CON-03", cite="47 CFR 64.1200(a)(1),(f)(13)")
CON_04 = Rule(id="CON-04", cite="47 CFR 64.1200(a)(10)")
CON_05 = Rule(id="CON-05", cite="Conn. Gen. Stat. 42-288a; 201 CMR 12.02(4); N.J.S.A. 56:8-130")
CON_06 = Rule(id="CON-06", cite="16 CFR 310.5(a)(8)")
REQ_01 = Rule(id="REQ-01", cite="47 CFR 64.1200(f)(15)(i)")

AFFIRMATIVE_SIGNATURES = frozenset(
    {
        "checkbox_unticked_by_default",
        "checkbox",
        "button",
        "esign_click",
        "esign",
        "reply",
        "keypad",
    }
)
REQUIRED_EVIDENCE = frozenset({"text_hash", "page_url", "ip", "user_agent"})
SESSION_EVIDENCE = frozenset({"session_cert", "leadid", "form_record"})  # one of them
CHANNELS_BY_MEDIUM = {
    Medium.TEXT: frozenset({"text"}),
    Medium.CALL: frozenset({"call", "autodial_call"}),
    Medium.VOICEMAIL: frozenset({"call", "prerecorded", "voicemail_drop"}),
    Medium.EMAIL: frozenset({"email"}),
    Medium.MAIL: frozenset({"mail"}),
}


def check_consent(facts: Facts) -> Ruling | None:
    """Check consent for a call, text or voicemail; email needs none (CAN-SPAM is opt-out)."""
    if get_fact(facts.medium, "medium") not in PHONE_MEDIA:
        return None
    purpose = get_fact(facts.purpose, "purpose")
    if purpose == Purpose.CONFIRMATION:
        return None
    if purpose == Purpose.REPLY and is_prompt_reply(facts):
        return REQ_01.allow("reply_to_consumer_message")
    is_service = purpose not in (Purpose.MARKETING, Purpose.REPLY)
    if not is_service:
        return _check_marketing(facts)
    if not get_fact(facts.has_promo, "has_promo"):
        return _check_informational(facts)
    ruling = _check_marketing(facts)
    if ruling.decision is Decision.BLOCK:
        return CON_03.block("mixed_message_is_marketing")
    return ruling


def evaluate_written_consents(facts: Facts) -> Ruling:
    """Return what the best written consent proves: pewc_valid, or what it lacks."""
    consents = get_fact(facts.consents, "consents")
    if not consents:
        return CON_01.block("no_written_consent")
    rulings = [evaluate_consent(consent, facts) for consent in consents]
    for decision in (Decision.ALLOW, Decision.REQUIRE):
        for ruling in rulings:
            if ruling.decision is decision:
                return ruling
    return rulings[-1]


def has_written_consent(facts: Facts) -> bool:
    """Return whether a valid prior express written consent covers this message."""
    return evaluate_written_consents(facts).decision is Decision.ALLOW


def evaluate_consent(consent: Consent, facts: Facts) -> Ruling:
    """Return what one consent proves for this message: pewc_valid, or the first thing it lacks."""
    at = get_fact(facts.at, "at")
    if consent.type != "written":
        return CON_01.block("consent_not_written")
    defect = _find_wording_defect(consent, facts) or _find_scope_defect(consent, facts)
    if defect is not None:
        return defect
    if consent.captured_at is not None and consent.captured_at > at:
        return CON_06.block("consent_after_send")
    evidence = frozenset(consent.evidence)
    has_evidence = evidence >= REQUIRED_EVIDENCE and bool(evidence & SESSION_EVIDENCE)
    if consent.captured_at is None or not has_evidence:
        return CON_06.require("consent_evidence_incomplete")
    return CON_01.allow("pewc_valid")


def _find_wording_defect(consent: Consent, facts: Facts) -> Ruling | None:
    if consent.signature not in AFFIRMATIVE_SIGNATURES:
        return CON_01.block("consent_not_affirmative")
    if consent.phone is None or consent.phone != get_fact(facts.recipient, "recipient"):
        return CON_01.block("consent_number_mismatch")
    our_names = map(_normalize_name, get_fact(facts.seller_names, "seller_names"))
    if consent.seller is None or _normalize_name(consent.seller) not in our_names:
        return CON_02.block("seller_not_named")
    if consent.condition_of_purchase is not False:
        return CON_01.block("consent_conditioned_on_purchase")
    if consent.autodial_disclosure is not True:
        return CON_01.block("autodial_disclosure_missing")
    return None


def _find_scope_defect(consent: Consent, facts: Facts) -> Ruling | None:
    if not covers_medium(consent, get_fact(facts.medium, "medium")):
        return CON_04.block("consent_channel_mismatch")
    if not consent.signer_is_subscriber:
        return CON_04.block("consent_person_mismatch")
    return None


def covers_medium(consent: Consent, medium: Medium) -> bool:
    """Return whether the consent names this medium."""
    return bool(CHANNELS_BY_MEDIUM[medium] & frozenset(consent.channels))


def _normalize_name(name: str) -> str:
    return " ".join(name.casefold().replace(",", " ").replace(".", " ").split())


def _check_informational(facts: Facts) -> Ruling:
    """Require that the consumer gave this number for a service message; no signature needed."""
    if not get_fact(facts.is_automated, "is_automated"):
        return CON_03.allow("manual_call_no_pewc_needed")
    at, medium = get_fact(facts.at, "at"), get_fact(facts.medium, "medium")
    recipient = get_fact(facts.recipient, "recipient")
    for consent in get_fact(facts.consents, "consents"):
        is_given = consent.type in ("written", "oral", "number_provided")
        is_earlier = consent.captured_at is not None and consent.captured_at <= at
        is_for_number = consent.signer_is_subscriber and consent.phone == recipient
        if is_given and is_earlier and is_for_number and covers_medium(consent, medium):
            return CON_03.allow("informational_express_consent")
    return CON_03.block("no_consent")


def _check_marketing(facts: Facts) -> Ruling:
    state_ban = _check_state_bans(facts)
    if state_ban is not None:
        return state_ban
    ruling = evaluate_written_consents(facts)
    if ruling.decision is Decision.ALLOW:
        return ruling
    if get_fact(facts.is_automated, "is_automated"):
        return _explain_relationship(ruling, facts)
    return _check_manual_contact(facts)


def _explain_relationship(ruling: Ruling, facts: Facts) -> Ruling:
    """Say in the reason that a business relationship doesn't replace consent to texts."""
    relationships = get_fact(facts.relationships, "relationships")
    has_relationship = any(relationship.with_us for relationship in relationships)
    if ruling.reason == "no_written_consent" and has_relationship:
        return CON_01.block("consent_still_needed")
    return ruling


def _check_state_bans(facts: Facts) -> Ruling | None:
    """Block what a state forbids even with federal consent."""
    is_recorded = get_fact(facts.medium, "medium") == Medium.VOICEMAIL or get_fact(
        facts.voice, "voice"
    ) in (Voice.AI, Voice.PRERECORDED)
    for state in effective_rules.candidate_state_rules(facts):
        if is_recorded and "no_recorded_message" in state.flags:
            return CON_05.block(
                "state_bans_recorded_message", state.citation_for("no_recorded_message")
            )
        if is_recorded and "no_adad" in state.flags:
            return CON_05.block("state_bans_adad", state.citation_for("no_adad"))
        if "pewc_all_marketing" in state.flags and not has_written_consent(facts):
            cite = state.citation_for("pewc_all_marketing")
            return CON_05.block("pewc_required_all_marketing", cite)
    return None


def _check_manual_contact(facts: Facts) -> Ruling:
    """Check one call or message by hand, without a valid written consent."""
    medium = get_fact(facts.medium, "medium")
    is_invited = get_fact(facts.invited_at, "invited_at") is not None
    for state in effective_rules.candidate_state_rules(facts):
        is_text_state = "commercial_text_needs_consent" in state.flags
        if medium is Medium.TEXT and is_text_state and not is_invited:
            cite = state.citation_for("commercial_text_needs_consent")
            return CON_05.block("commercial_text_needs_consent", cite)
        if "mobile_unsolicited_ban" in state.flags and _is_unsolicited_mobile(facts, is_invited):
            return CON_05.block(
                "mobile_unsolicited_ban", state.citation_for("mobile_unsolicited_ban")
            )
    if is_invited:
        return CON_04.allow("consumer_invitation")
    return CON_05.allow("manual_call_no_pewc_needed")


def _is_unsolicited_mobile(facts: Facts, is_invited: bool) -> bool:
    """Return whether contact is unsolicited: not invited, not a customer, perhaps a cell phone."""
    is_customer = any(
        relationship.with_us and relationship.kind == "transaction"
        for relationship in get_fact(facts.relationships, "relationships")
    )
    can_be_mobile = get_fact(facts.line_type, "line_type") != "landline"
    return can_be_mobile and not is_invited and not is_customer

"""Whether the person agreed to this medium, by this seller, in writing (CON-01 to CON-06)."""

from rooftree.compliance import law
from rooftree.compliance.facts import PHONE, Consent, Facts, Medium, Purpose, Voice, known
from rooftree.compliance.quiet_hours import is_prompt_reply
from rooftree.compliance.verdict import Decision, Rule, Ruling

CON_01 = Rule(
    id="CON-01", cite="47 CFR 64.1200(a)(2),(f)(9); 15 USC 7001; Fla. Stat. 501.059(1)(g)"
)
CON_02 = Rule(id="CON-02", cite="47 CFR 64.1200(f)(9)(i)")
CON_03 = Rule(id="CON-03", cite="47 CFR 64.1200(a)(1),(f)(13)")
CON_04 = Rule(id="CON-04", cite="47 CFR 64.1200(a)(10)")
CON_05 = Rule(id="CON-05", cite="Conn. Gen. Stat. 42-288a; 201 CMR 12.02(4); N.J.S.A. 56:8-130")
CON_06 = Rule(id="CON-06", cite="16 CFR 310.5(a)(8)")
REQ_01 = Rule(id="REQ-01", cite="47 CFR 64.1200(f)(15)(i)")

AFFIRMATIVE = frozenset(
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
NEEDED_EVIDENCE = frozenset({"text_hash", "page_url", "ip", "user_agent"})
SESSION_EVIDENCE = frozenset({"session_cert", "leadid", "form_record"})  # one of them
CARRIES = {
    Medium.TEXT: frozenset({"text"}),
    Medium.CALL: frozenset({"call", "autodial_call"}),
    Medium.VOICEMAIL: frozenset({"call", "prerecorded", "voicemail_drop"}),
    Medium.EMAIL: frozenset({"email"}),
    Medium.MAIL: frozenset({"mail"}),
}


def decide(facts: Facts) -> Ruling | None:
    """Consent for a call, text or voicemail; an email needs none (CAN-SPAM is opt-out)."""
    if known(facts.medium, "medium") not in PHONE:
        return None
    purpose = known(facts.purpose, "purpose")
    if purpose == Purpose.CONFIRMATION:
        return None
    if purpose == Purpose.REPLY and is_prompt_reply(facts):
        return REQ_01.allow("reply_to_consumer_message")
    is_service = purpose not in (Purpose.MARKETING, Purpose.REPLY)
    if not is_service:
        return _marketing(facts)
    if not known(facts.has_promo, "has_promo"):
        return _informational(facts)
    ruling = _marketing(facts)
    if ruling.decision is Decision.BLOCK:
        return CON_03.block("mixed_message_is_marketing")
    return ruling


def written(facts: Facts) -> Ruling:
    """It is what the best of the written consents proves: pewc_valid, or what it lacks."""
    consents = known(facts.consents, "consents")
    if not consents:
        return CON_01.block("no_written_consent")
    rulings = [proves(one, facts) for one in consents]
    for wanted in (Decision.ALLOW, Decision.REQUIRE):
        for ruling in rulings:
            if ruling.decision is wanted:
                return ruling
    return rulings[-1]


def has_written(facts: Facts) -> bool:
    """A valid prior express written consent covers this message."""
    return written(facts).decision is Decision.ALLOW


def proves(consent: Consent, facts: Facts) -> Ruling:
    """It is what one consent proves for this message: pewc_valid, or the first thing it lacks."""
    at = known(facts.at, "at")
    if consent.type != "written":
        return CON_01.block("consent_not_written")
    lacking = _lacks_words(consent, facts) or _lacks_scope(consent, facts)
    if lacking is not None:
        return lacking
    if consent.captured_at is not None and consent.captured_at > at:
        return CON_06.block("consent_after_send")
    if consent.captured_at is None or not _is_evidenced(consent):
        return CON_06.require("consent_evidence_incomplete")
    return CON_01.allow("pewc_valid")


def _lacks_words(consent: Consent, facts: Facts) -> Ruling | None:
    if consent.signature not in AFFIRMATIVE:
        return CON_01.block("consent_not_affirmative")
    if consent.phone is None or consent.phone != known(facts.recipient, "recipient"):
        return CON_01.block("consent_number_mismatch")
    if not _names_us(consent.seller, known(facts.seller_names, "seller_names")):
        return CON_02.block("seller_not_named")
    if consent.condition_of_purchase is not False:
        return CON_01.block("consent_conditioned_on_purchase")
    if consent.autodial_disclosure is not True:
        return CON_01.block("autodial_disclosure_missing")
    return None


def _lacks_scope(consent: Consent, facts: Facts) -> Ruling | None:
    if not covers(consent, known(facts.medium, "medium")):
        return CON_04.block("consent_channel_mismatch")
    if not consent.signer_is_subscriber:
        return CON_04.block("consent_person_mismatch")
    return None


def covers(consent: Consent, medium: Medium) -> bool:
    """The consent names this medium."""
    return bool(CARRIES[medium] & frozenset(consent.channels))


def _names_us(seller: str | None, ours: tuple[str, ...]) -> bool:
    return seller is not None and _folded(seller) in {_folded(name) for name in ours}


def _folded(name: str) -> str:
    return " ".join(name.casefold().replace(",", " ").replace(".", " ").split())


def _is_evidenced(consent: Consent) -> bool:
    held = frozenset(consent.evidence)
    return held >= NEEDED_EVIDENCE and bool(held & SESSION_EVIDENCE)


def _informational(facts: Facts) -> Ruling:
    """A service message needs the number given by the consumer for it, no signature."""
    if not known(facts.is_automated, "is_automated"):
        return CON_03.allow("manual_call_no_pewc_needed")
    medium, recipient = known(facts.medium, "medium"), known(facts.recipient, "recipient")
    for consent in known(facts.consents, "consents"):
        given = consent.type in ("written", "oral", "number_provided")
        early = consent.captured_at is not None and consent.captured_at <= known(facts.at, "at")
        ours = consent.signer_is_subscriber and consent.phone == recipient
        if given and early and ours and covers(consent, medium):
            return CON_03.allow("informational_express_consent")
    return CON_03.block("no_consent")


def _marketing(facts: Facts) -> Ruling:
    overlay = _state_bans(facts)
    if overlay is not None:
        return overlay
    ruling = written(facts)
    if ruling.decision is Decision.ALLOW:
        return ruling
    if known(facts.is_automated, "is_automated"):
        return _told_of_relationship(ruling, facts)
    return _by_hand(facts)


def _told_of_relationship(ruling: Ruling, facts: Facts) -> Ruling:
    """A business relationship tempts people to text; the reason says that it does not help."""
    ours = [one for one in known(facts.relationships, "relationships") if one.with_us]
    if ruling.reason == "no_written_consent" and ours:
        return CON_01.block("consent_still_needed")
    return ruling


def _state_bans(facts: Facts) -> Ruling | None:
    """State law that no federal consent satisfies."""
    is_recorded = known(facts.medium, "medium") == Medium.VOICEMAIL or known(
        facts.voice, "voice"
    ) in (Voice.AI, Voice.PRERECORDED)
    for state in law.states(facts):
        if is_recorded and "no_recorded_message" in state.flags:
            return CON_05.block("state_bans_recorded_message", state.cite_of("no_recorded_message"))
        if is_recorded and "no_adad" in state.flags:
            return CON_05.block("state_bans_adad", state.cite_of("no_adad"))
        if "pewc_all_marketing" in state.flags and not has_written(facts):
            cite = state.cite_of("pewc_all_marketing")
            return CON_05.block("pewc_required_all_marketing", cite)
    return None


def _by_hand(facts: Facts) -> Ruling:
    """A person dials or types one message, without a valid written consent."""
    medium = known(facts.medium, "medium")
    is_invited = known(facts.invited_at, "invited_at") is not None
    for state in law.states(facts):
        is_text_state = "commercial_text_needs_consent" in state.flags
        if medium is Medium.TEXT and is_text_state and not is_invited:
            cite = state.cite_of("commercial_text_needs_consent")
            return CON_05.block("commercial_text_needs_consent", cite)
        if "mobile_unsolicited_ban" in state.flags and _is_unsolicited_mobile(facts, is_invited):
            return CON_05.block("mobile_unsolicited_ban", state.cite_of("mobile_unsolicited_ban"))
    if is_invited:
        return CON_04.allow("consumer_invitation")
    return CON_05.allow("manual_call_no_pewc_needed")


def _is_unsolicited_mobile(facts: Facts, is_invited: bool) -> bool:
    """Not asked for, by no customer of ours, and to anything that may be a mobile."""
    is_customer = any(
        one.with_us and one.kind == "transaction"
        for one in known(facts.relationships, "relationships")
    )
    may_be_mobile = known(facts.line_type, "line_type") != "landline"
    return may_be_mobile and not is_invited and not is_customer

"""Every reason code in one plain sentence for staff."""

from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from rooftree.compliance.gate.verdict import Decision, Ruling

REASON_SENTENCES = {
    # allow
    "artificial_voice_consented": "They agreed in writing to recorded or AI calls.",
    "audited": "The decision is on record.",
    "caller_id_ok": "The caller ID is ours and answers do-not-call requests.",
    "clean": "Nothing in the wording needs attention.",
    "clerical_activity": "This takes no license.",
    "consent_based_text_exempt": "Texas does not ask registration for texts with consent.",
    "consumer_initiated_transaction": "They started this themselves.",
    "consumer_invitation": "They asked us to call.",
    "consumer_requested_time": "They asked for a call at this time, and the request is on file.",
    "decided_by_person": "A named person looked at it and decided that it may go.",
    "dnc_clear": "The number is on no do-not-call list we hold.",
    "ebr_inquiry": "They asked us about a loan lately enough for the rule.",
    "ebr_transaction": "They were our customer lately enough for the rule.",
    "email_unaffected": "They stopped calls and texts; email goes on.",
    "exemption_on_file": "Registration or an exemption is on file.",
    "firm_offer_on_file": "The list is of firm offers, and their criteria are on file.",
    "fresh_written_consent": "They gave a new written consent after they had stopped us.",
    "help_response": "They asked for help; one help answer may go.",
    "hppa_consent": "They authorized the credit bureau to pass on the inquiry.",
    "hppa_relationship": "We hold their current loan or account.",
    "in_window": "It is within calling hours everywhere they may be.",
    "informational_express_consent": "They gave this number for messages about their loan.",
    "licensed": "Company and officer are licensed where the property is.",
    "manual_call_no_pewc_needed": "A person makes this call by hand; no written consent is needed.",
    "no_email_hours": "Email may go at any hour.",
    "not_a_revocation": "Their last message was not a stop.",
    "not_revoked": "They have not asked us to stop.",
    "pewc_valid": "They agreed in writing to this, to us, on this number.",
    "pre_hppa_state_rules_apply": "The lead is older than the federal trigger-lead law.",
    "prescreen_notice_ok": "The offer carries both prescreen opt-out notices.",
    "recent_contact": "We reached them on this number lately.",
    "reply_to_consumer_message": "This answers the message they just sent.",
    "resubscribed": "They wrote START after they had stopped us.",
    "rnd_clear": "The number has not changed hands.",
    "sent_before_revocation": "This went before they asked us to stop.",
    "service_after_stop": "This is about their own loan, which their stop does not end.",
    "single_confirmation": "This is the one confirmation of their stop.",
    "solicited_by_consumer": "They asked for the call, so the emergency ban does not reach it.",
    "state_clear": "No such state rule applies.",
    "state_disclosure_ok": "The state's disclosure is in the message.",
    "template_ok": "The wording meets this rule.",
    "transactional": "This is not marketing.",
    "under_cap": "They have not been contacted too often.",
    "warn_spam_rate": "It may go, but spam reports are above the goal.",
    "written_permission": "Their signed permission answers the do-not-call list.",
    # defer
    "after_window": "calling hours are over where they may be.",
    "automated_day_ban": "their state allows no automated messages on this day.",
    "before_window": "calling hours have not begun everywhere they may be.",
    "state_holiday_ban": "their state allows no marketing calls or texts on this holiday.",
    "sunday_ban": "their state allows no marketing calls or texts on Sunday.",
    # require
    "add_nmls_ids": "The NMLS number of the company, or of the officer who signs, is missing.",
    "add_license_words": "What the property's state wants said of our license is missing.",
    "license_words_not_on_file": "What a state wants said of our license is not on file.",
    "add_optout_text": "The first text must say how to stop: Reply STOP to opt out.",
    "consent_evidence_incomplete": "The proof of their consent is incomplete; ask them again.",
    "emergency_data_stale": "The list of declared emergencies is older than a day; check it.",
    "hold_for_human_review": "They may have asked us to stop; a person must read their answer.",
    "honour_by": "Their stop must be honored by this day.",
    "location_evidence_missing": "Nobody knows where they are; find out their state first.",
    "no_common_window": "The places where they may be share no open hour; a person must decide.",
    "privacy_and_udaap_review": "Compliance must look at how this lead was found.",
    "property_state_needed": "Find out the property's state first; licenses depend on it.",
    "registration_or_exemption": "Their state asks for registration; none is on file.",
    "recording_notice": "Nothing shows that they heard the notice, so nothing is recorded.",
    "rnd_check_stale": "Check again whether this number changed hands.",
    "rnd_no_data_reverify": "Nobody knows whether this number changed hands; verify it.",
    "rnd_required_maine": "Maine asks for a reassigned-number check before a sales call.",
    "treat_as_application_send_adverse_action": (
        "This reads as telling them no, which is a credit decision with a notice of its own; "
        "a person must read it first."
    ),
    "supervisor_approval_state_silent": "A supervisor must approve this hour; state law is silent.",
    "counsel_review_lead_source_split": (
        "Pay that differs by the lead's source must be set in advance for all loans; counsel must "
        "review it."
    ),
    "counsel_review_msa": "Counsel must review what is paid for, and that the price is fair.",
    "employer_exception_review": (
        "Counsel must review whether our own employee may be paid for it (12 CFR 1024.14(g)(1))."
    ),
    # block
    "stop_recording": "They do not want to be recorded.",
    "authentication_failed": "Our email is not signed correctly.",
    "autodial_disclosure_missing": "What they agreed to does not mention automated messages.",
    "brand_not_registered": "Our brand is not registered with the carriers.",
    "comp_change_after_terms": "Pay does not move once terms may have been offered.",
    "commercial_text_needs_consent": "Washington allows no sales text without consent.",
    "company_unlicensed_state": "The company holds no license where the property is.",
    "confirmation_has_promo": "The confirmation of a stop may not sell anything.",
    "confirmation_too_late": "It is too late to confirm their stop.",
    "consent_after_send": "The consent is dated after this message.",
    "consent_channel_mismatch": "They agreed to another medium, not to this one.",
    "consent_conditioned_on_purchase": "Nothing proves that the consent was free of conditions.",
    "consent_not_affirmative": "Nothing proves that they ticked or signed it themselves.",
    "consent_not_written": "Their consent is not in writing.",
    "consent_number_mismatch": "They agreed for another number.",
    "consent_person_mismatch": "The person who agreed is not the person on this number.",
    "caller_id_not_ours": "The number that would be shown is not ours.",
    "caller_id_required": "A number of ours must be shown to whoever is called; none is on file.",
    "consent_sharing": "Carriers accept no consent given to somebody else.",
    "consent_still_needed": "Being a customer never replaces written consent to automated texts.",
    "contingent_on_outcome": "A seller of leads is not paid by what becomes of them.",
    "deceptive_subject": "The subject claims a conversation that did not take place.",
    "direct_lending_attribute_missing": "The campaign is not registered for lending.",
    "dual_compensation": "Nobody is paid by both the consumer and the creditor for one loan.",
    "ebr_expired": "The number is on the do-not-call registry and their inquiry is too old.",
    "file_counter_offer": "The creditor has made a counteroffer; marketing waits for their answer.",
    "file_denied": "Their file is denied. What is owed now is the creditor's notice.",
    "file_incomplete": "Their file is closed as incomplete, so marketing has stopped.",
    "file_pre_deny": "Their file is under review before a denial, so marketing has stopped.",
    "file_suspended": "Their file is suspended; write by hand about what is missing.",
    "file_told_no": "They were told no. What is owed now is the creditor's notice.",
    "file_withdrawn": "They withdrew their application, so marketing has stopped.",
    "firm_offer_required": "A credit bureau's lead needs a firm offer.",
    "gate_failed_closed": "Something needed to decide is missing, so nothing is sent.",
    "house_revoke_all": "They asked us to stop; we stop everything.",
    "hppa_no_basis": "The law gives us no basis to use this credit bureau lead.",
    "internal_dnc": "They are on our own do-not-call list.",
    "licence_expired": "The officer's license in the property's state has expired.",
    "licence_inactive": "The officer's license in the property's state is not active.",
    "lo_unlicensed_state": "The officer is not licensed in the property's state.",
    "mixed_message_is_marketing": "One promotional line makes this marketing, without consent.",
    "mlo_activity_needs_licence": "Only a licensed loan officer may talk terms.",
    "mobile_unsolicited_ban": "New Jersey allows no unsolicited sales calls to mobiles.",
    "national_dnc": "The number is on the national do-not-call registry.",
    "no_audit_record": "The decision was not recorded, so nothing is sent.",
    "no_consent": "They did not give us this number for messages.",
    "no_written_consent": "They gave no written consent to automated messages.",
    "not_the_owner": "The lead has another officer by now; a program writes in no other's name.",
    "not_sponsored": "The officer is not sponsored by this company.",
    "number_reassigned": "The number belongs to somebody else now.",
    "one_click_missing": "The email lacks the one-click unsubscribe.",
    "optout_link_ttl": "The unsubscribe link must work for longer.",
    "optout_too_hard": "Unsubscribing may ask for nothing but an address.",
    "opted_out_transfer": "A list with people who opted out may not be passed on.",
    "pewc_required_all_marketing": "Connecticut asks written consent for every sales call.",
    "postal_address_missing": "A marketing email must carry our postal address.",
    "not_a_firm_offer": "The criteria of this firm offer are not on file.",
    "prescreen_optout_notice_missing": "The offer must carry both prescreen opt-out notices.",
    "prescreen_optout": "They opted out of prescreened offers.",
    "profit_bonus_over_10_pct": "A bonus out of profits is at most 10% of all pay.",
    "provenance_unknown": "Nobody knows where this lead came from.",
    "proxy_for_term": "This stands in for a term of the loan, and pay may depend on none.",
    "provider_refuses_third_party_lending": "This carrier takes direct lenders only.",
    "public_shortener": "Carriers refuse texts with public short links.",
    "referral_fee": "Nothing may be paid for referring borrowers.",
    "revoke_all_in_force": "They asked us to stop; the law ends all messages.",
    "revoked": "They asked us to stop.",
    "revoked_everything": "They answered STOP to a service message, which ends everything.",
    "revoked_va_10_years": "Virginia keeps a text stop for ten years.",
    "rules_stale": "The rules have changed since this was decided.",
    "scrub_stale": "The copy of the do-not-call registry is missing or too old.",
    "seller_not_named": "What they agreed to does not name us.",
    "spam_rate_stop": "Too many people report this mail as spam; the stream has stopped.",
    "state_bans_adad": "Washington allows no recorded or AI sales calls.",
    "state_bans_recorded_message": "Massachusetts allows no recorded sales messages.",
    "state_disclosure_missing": "The state's disclosure for such leads is missing.",
    "state_dnc_no_ebr": "The number is on the state's do-not-call list.",
    "state_of_emergency": "An emergency is declared where they are; sales contact stops.",
    "state_scrub_stale": "The state's do-not-call list is missing or too old.",
    "steering": "No product and no officer is chosen by what it pays.",
    "steering_payment": "A better place in a list may not be paid for.",
    "term_of_transaction": "Pay may not depend on a term of the loan.",
    "thing_of_value": (
        "Whatever is free to somebody who sends us borrowers, or a larger share of costs than of "
        "benefit, is a thing of value."
    ),
    "unsubscribed": "They unsubscribed from email.",
    "wording_not_approved": "The approval of this wording is over.",
    "wrong_party": "This number belongs to somebody else.",
}
ZONE_NAMES = {
    "America/New_York": "Eastern",
    "America/Detroit": "Eastern",
    "America/Indiana/Indianapolis": "Eastern",
    "America/Chicago": "Central",
    "America/Denver": "Mountain",
    "America/Boise": "Mountain",
    "America/Phoenix": "Arizona",
    "America/Los_Angeles": "Pacific",
    "America/Anchorage": "Alaska",
    "America/Adak": "Hawaii-Aleutian",
    "Pacific/Honolulu": "Hawaii",
    "America/Puerto_Rico": "Atlantic",
    "Pacific/Guam": "Chamorro",
    "Pacific/Pago_Pago": "Samoa",
}


def ruling_sentence(ruling: Ruling, until: datetime | None) -> str:
    """It is the ruling in words that staff can repeat to the person."""
    words = ruling.detail or REASON_SENTENCES.get(ruling.reason) or humanize_reason(ruling.reason)
    if ruling.decision is Decision.DEFER and until is not None:
        return f"Held to {format_moment(until)}: {words}"
    return words


def sentence_with_citation(ruling: Ruling) -> str:
    """It is the same with its rule and where that comes from."""
    return f"{ruling_sentence(ruling, None)} ({ruling.rule}, {ruling.cite})"


def humanize_reason(reason: str) -> str:
    """It is a reason code as a sentence, for those without one of their own."""
    if "cap_" in reason:
        return _cap_sentence(reason)
    return reason.replace("_", " ").replace("licence", "license").capitalize() + "."


def _cap_sentence(reason: str) -> str:
    parts = reason.removeprefix("house_").split("_")
    numbers = [part for part in parts if part[0].isdigit()]
    whose = "our own limit" if reason.startswith("house_") else "their state's limit"
    span = numbers[1].replace("h", " hours").replace("d", " days")
    return f"they have reached {whose} of {numbers[0]} in {span}."


def format_moment(moment: datetime) -> str:
    """It is a moment as `Tue Nov 24, 8:00 AM Mountain`."""
    hour = moment.strftime("%I:%M %p").lstrip("0")
    return f"{moment.strftime('%a %b')} {moment.day}, {hour} {zone_name(moment.tzinfo)}".strip()


def zone_name(zone: tzinfo | None) -> str:
    """It is a zone as people say it; nothing for a bare offset."""
    return ZONE_NAMES.get(zone.key, zone.key) if isinstance(zone, ZoneInfo) else ""

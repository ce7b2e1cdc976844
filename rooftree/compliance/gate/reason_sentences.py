"""Every reason code of the gate as one sentence for staff.

A sentence must be true wherever its code can appear. Where one code means different things under
different rules, `RULE_SENTENCES` has a sentence for each rule.
"""

from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from rooftree.compliance.gate.verdict import Decision, Ruling

REASON_SENTENCES = {
    # allow
    "artificial_voice_consented": "Written consent covers recorded and AI calls.",
    "audited": "The decision is on record.",
    "caller_id_ok": "Caller ID is a company number that takes do-not-call requests.",
    "clean": "No advertising rule is against the wording.",
    "asks_property_state": (
        "A call by hand can ask which state the property is in. Hold rates and terms until then."
    ),
    "clerical_activity": "No loan terms, or a loan officer discusses them.",
    "consent_based_text_exempt": "Texas requires no registration for texts with consent.",
    "consumer_initiated_transaction": "Not a credit bureau's trigger lead.",
    "consumer_invitation": "The borrower asked to be contacted.",
    "consumer_requested_time": "The borrower asked for a call at this time, on record.",
    "house_limit_overridden": "House limit overridden by a named person, with a reason.",
    "decided_by_person": "Reviewed and approved by a named person.",
    "dnc_clear": "Not on this do-not-call list.",
    "ebr_inquiry": "Existing relationship: a recent inquiry with the company.",
    "ebr_transaction": "Existing relationship: a recent loan or transaction with the company.",
    "email_unaffected": "Opted out of calls and texts, not of email.",
    "exemption_on_file": "Telemarketer registration or exemption is on file.",
    "firm_offer_on_file": "The firm offer's criteria are on file.",
    "fresh_written_consent": "New written consent since the opt-out.",
    "help_response": "The borrower's last message asks for help; it isn't an opt-out.",
    "hppa_consent": "The borrower authorized the credit bureau to share the inquiry.",
    "hppa_relationship": "The borrower has a current loan or account with the company.",
    "in_window": "Within calling hours everywhere the borrower might be.",
    "informational_express_consent": "The borrower gave this number for messages about the loan.",
    "licensed": "This license requirement is met.",
    "manual_call_no_pewc_needed": (
        "Dialed or typed by hand: the consent rule for automated messages doesn't apply."
    ),
    "neutral_criterion": "Neutral credit criteria are allowed.",
    "no_email_hours": "Calling hours apply only to calls and texts.",
    "not_a_revocation": "The borrower's last message isn't an opt-out.",
    "not_revoked": "No STOP or unsubscribe for this kind of message.",
    "pewc_valid": "Valid written consent for this number.",
    "pre_hppa_state_rules_apply": "The lead is older than the federal trigger-lead law.",
    "prescreen_notice_ok": "Both prescreen opt-out notices are in the offer.",
    "recent_contact": "Given or used recently: no reassigned-number check is due.",
    "reply_to_consumer_message": "Replies to the message the borrower just sent.",
    "resubscribed": "The borrower texted START after opting out.",
    "rnd_clear": "The reassigned-number check is clear, or none is due.",
    "sent_before_revocation": "Sent before the borrower opted out.",
    "service_after_stop": "About the borrower's own loan, which the opt-out doesn't end.",
    "single_confirmation": "The one confirmation of an opt-out.",
    "solicited_by_consumer": "The borrower asked for this call: the emergency ban doesn't apply.",
    "state_clear": "No such state rule applies.",
    "state_disclosure_ok": "The state's trigger-lead disclosure is in the message.",
    "template_ok": "This requirement is met.",
    "transactional": "Not a marketing message.",
    "under_cap": "Under the contact limits.",
    "warn_spam_rate": "Allowed, but spam reports are above the goal.",
    "written_permission": "Written consent overrides the do-not-call list.",
    # defer
    "after_window": "Calling hours are over where the borrower might be.",
    "automated_day_ban": "The state doesn't allow automated messages on this day.",
    "house_night": "House limit: no calls or texts between 9 PM and 8 AM.",
    "before_window": "Calling hours haven't started everywhere the borrower might be.",
    "state_holiday_ban": "The state doesn't allow marketing calls or texts on this holiday.",
    "sunday_ban": "The state doesn't allow marketing calls or texts on Sunday.",
    # require
    "add_nmls_ids": "Add the NMLS ID of the company, and of the officer who signs.",
    "add_license_words": "Add the license wording that the property's state requires.",
    "license_words_not_on_file": "License details for the property's state aren't on file.",
    "add_optout_text": "Add “Reply STOP to opt out”: the first text must say how to stop.",
    "consent_evidence_incomplete": "Proof of consent is incomplete. Ask for consent again.",
    "emergency_data_stale": "The list of declared emergencies is over a day old. Check it.",
    "hold_for_human_review": "On hold: compliance must review an open question about this contact.",
    "honour_by": "Honor this opt-out by the deadline.",
    "location_evidence_missing": "Borrower's state required: it sets calling hours.",
    "no_common_window": "No common calling hours where the borrower might be. Confirm the state.",
    "privacy_and_udaap_review": "Compliance must review how this lead was found.",
    "property_state_needed": "Property state required.",
    "registration_or_exemption": (
        "The borrower's state requires telemarketer registration; none is on file."
    ),
    "recording_notice": "Not recorded: nothing shows that the recording notice was heard.",
    "rnd_check_stale": "The reassigned-number check is missing or out of date. Check again.",
    "rnd_no_data_reverify": "The reassigned-number check found no data. Verify the number.",
    "rnd_required_maine": (
        "The borrower's state requires a reassigned-number check before a sales call."
    ),
    "treat_as_application_send_adverse_action": (
        "Reads as a denial: a person must review it, because a denial requires its own notice."
    ),
    "supervisor_approval_state_silent": (
        "Supervisor approval required: state law doesn't say if a borrower can choose this hour."
    ),
    "counsel_review_lead_source_split": (
        "Counsel must review pay that differs by lead source; it must be set in advance."
    ),
    "counsel_review_msa": "Counsel must review the services paid for and their fair price.",
    "employer_exception_review": (
        "Counsel must review whether a company employee can be paid for it (12 CFR 1024.14(g)(1))."
    ),
    # block
    "stop_recording": "The borrower objected to recording.",
    "authentication_failed": "Email authentication isn't verified (SPF, DKIM or DMARC).",
    "autodial_disclosure_missing": "The consent doesn't mention automated messages.",
    "brand_not_registered": "The company's brand isn't registered with the carriers.",
    "comp_change_after_terms": "Pay can't change once loan terms are offered.",
    "commercial_text_needs_consent": "The borrower's state requires consent for marketing texts.",
    "company_unlicensed_state": "The company isn't licensed in the property's state.",
    "confirmation_has_promo": "An opt-out confirmation can't include marketing.",
    "confirmation_too_late": "Too late to confirm this opt-out.",
    "consent_after_send": "The consent is dated after this message.",
    "consent_channel_mismatch": "The consent doesn't cover this type of contact.",
    "consent_conditioned_on_purchase": "No proof that the borrower could decline the consent.",
    "consent_not_affirmative": "No proof that the borrower checked or signed the consent.",
    "consent_not_written": "The consent isn't in writing.",
    "consent_number_mismatch": "The consent is for another number.",
    "consent_person_mismatch": "The consent isn't from the person on this number.",
    "caller_id_not_ours": "Caller ID must be a company number that takes do-not-call requests.",
    "caller_id_required": "No valid caller ID on file: calls must show a company number.",
    "consent_sharing": "Carriers don't accept consent given to another company.",
    "consent_still_needed": (
        "Automated messages need written consent, even with an existing relationship."
    ),
    "contingent_on_outcome": "A lead seller's pay can't depend on what becomes of the lead.",
    "deceptive_subject": "The subject looks like a reply, but there's no earlier conversation.",
    "direct_lending_attribute_missing": "The text campaign isn't registered for lending.",
    "dual_compensation": "The borrower and the creditor can't both pay the officer for one loan.",
    "ebr_expired": (
        "On the national do-not-call registry, and the existing relationship has expired."
    ),
    "file_counter_offer": "No marketing: the creditor's counteroffer awaits an answer.",
    "file_denied": "No marketing: the application is denied, and the creditor's notice is due.",
    "file_incomplete": "No marketing: the application is closed as incomplete.",
    "file_pre_deny": "No marketing: the application is under review before a denial.",
    "file_suspended": "The application is suspended. Write by hand about what's missing.",
    "file_told_no": "No marketing: the borrower was declined, and the creditor's notice is due.",
    "loan_status_unmapped": "The LOS sent a status that isn't mapped yet. Map it to continue.",
    "file_withdrawn": "No marketing: the borrower withdrew the application.",
    "firm_offer_required": "A credit bureau's lead requires a firm offer.",
    "gate_failed_closed": "Blocked: a required check couldn't be completed.",
    "house_revoke_all": "The borrower opted out. House rule: that ends all messages.",
    "hppa_no_basis": "No legal basis to use this credit bureau lead.",
    "internal_dnc": "On the internal do-not-call list.",
    "licence_expired": "The officer's license in the property's state has expired.",
    "licence_inactive": "The officer's license in the property's state isn't active.",
    "lo_unlicensed_state": "The officer isn't licensed in the property's state.",
    "mixed_message_is_marketing": (
        "One promotional line makes this marketing, which isn't allowed here. Remove the line."
    ),
    "mlo_activity_needs_licence": "Only a licensed loan officer can discuss loan terms.",
    "mobile_unsolicited_ban": "The borrower's state bans unsolicited marketing to cell phones.",
    "national_dnc": (
        "On the national do-not-call registry. Get written consent, or send an email."
    ),
    "no_audit_record": "Blocked: the decision wasn't recorded.",
    "no_consent": "The borrower didn't give this number for messages.",
    "no_written_consent": "No written consent for automated messages.",
    "not_the_owner": (
        "The lead has another officer now. Automated messages can't use the former officer's name."
    ),
    "not_sponsored": "The officer isn't sponsored by this company.",
    "number_reassigned": "This number now belongs to someone else.",
    "one_click_missing": "The email lacks one-click unsubscribe.",
    "optout_link_ttl": "The unsubscribe link expires too soon.",
    "optout_too_hard": "Unsubscribing can't require more than an email address.",
    "opted_out_transfer": "A list with opted-out people can't be passed on.",
    "pewc_required_all_marketing": (
        "The borrower's state requires written consent for all marketing calls and texts."
    ),
    "postal_address_missing": "Add the company's postal address: marketing email must have it.",
    "not_a_firm_offer": "The firm offer's criteria aren't on file.",
    "prescreen_optout_notice_missing": "Add both prescreen opt-out notices.",
    "prescreen_optout": "The borrower opted out of prescreened offers.",
    "profit_bonus_over_10_pct": "A bonus from profits can't exceed 10% of total pay.",
    "provenance_unknown": "No record of where this lead came from.",
    "proxy_for_term": "This is a proxy for a loan term, and pay can't depend on one.",
    "provider_refuses_third_party_lending": "This carrier accepts only direct lenders.",
    "public_shortener": "Remove the public short link: carriers reject it.",
    "referral_fee": "Paying for borrower referrals isn't allowed.",
    "revoke_all_in_force": "The borrower opted out, which by law ends all messages.",
    "revoked": "The borrower opted out.",
    "revoked_everything": "The borrower opted out of a service message, which ends all messages.",
    "revoked_va_10_years": "The borrower opted out by text; Virginia keeps that for ten years.",
    "rules_stale": "The rules have changed since this was decided.",
    "scrub_stale": (
        "The national do-not-call list on file is missing or too old. Load a new copy."
    ),
    "second_confirmation": "This opt-out is already confirmed.",
    "seller_not_named": "The consent doesn't name the company.",
    "spam_rate_stop": "Too many spam reports: this email stream is stopped.",
    "state_bans_adad": "The borrower's state doesn't allow recorded or AI sales calls.",
    "state_bans_recorded_message": "The borrower's state doesn't allow recorded sales messages.",
    "state_disclosure_missing": "Add the state's disclosure for trigger leads.",
    "state_dnc_no_ebr": "On the state's do-not-call list.",
    "state_of_emergency": "No sales contact: an emergency is declared where the borrower might be.",
    "state_scrub_stale": (
        "The state's do-not-call list on file is missing or too old. Load a new copy."
    ),
    "steering": "Products and officers can't be chosen by what they pay.",
    "steering_payment": "A better place in a list can't be paid for.",
    "term_of_transaction": "Pay can't depend on a loan's terms.",
    "thing_of_value": (
        "A gift to someone who refers borrowers, or a cost share above the benefit, "
        "is a thing of value."
    ),
    "unsubscribed": "Unsubscribed from email.",
    "wording_not_approved": "The approval of this wording has expired.",
    "wrong_party": "Wrong number: it belongs to someone else.",
    # wording rules (wording.yaml); the words found follow in the ruling's own detail
    "rate_without_apr": "Add the APR: a rate can't be advertised without it.",
    "payment_trigger": "Remove the payment: it can't be advertised without the full terms.",
    "downpayment_trigger": "Compliance review: a down payment figure needs the full terms.",
    "term_trigger": "Compliance review: a repayment period needs the full terms.",
    "finance_charge_trigger": "Compliance review: a finance charge needs the full terms.",
    "fixed_misuse": "Don't call a rate or payment fixed if it can change.",
    "gov_affiliation": "Remove the claim of a government program or endorsement.",
    "current_lender_name": "Say you're not affiliated with the borrower's lender, or leave it out.",
    "debt_elimination": "Remove the promise to eliminate debt: a loan replaces debt.",
    "counselor": "Say “loan officer”, not “counselor”.",
    "guaranteed_approval": "Remove the guarantee: approval can't be promised.",
    "no_credit_check": "Remove the claim that credit doesn't matter.",
    "preapproved": (
        "Compliance review: a pre-approval claim needs a written approval on file, or a firm "
        "offer with its 615(d) notice."
    ),
    "no_cost": (
        "Compliance review: a no-cost claim must say who pays and what it does to the rate."
    ),
    "savings_claim": (
        "Compliance review: savings need a calculation for this borrower, with term and total "
        "interest."
    ),
    "urgency": "Compliance review: a deadline needs a record of when the offer expires.",
    "superlative": "Compliance review: a “best” or “lowest” claim needs a dated comparison study.",
    "skip_payment": "Remove the claim about skipping payments.",
    "tax_claim": "Compliance review: a tax claim needs a tax adviser's statement.",
    "false_thread": "The subject looks like a reply, but there's no earlier conversation.",
    "official_look": "Remove the official look: this is a lender's message, not a notice.",
    "reverse_claims": "Remove the promise: a borrower can lose a home with a reverse mortgage.",
    "mortgage_relief": "Remove the claim about foreclosure or loan modification.",
    "speed_funding": "Remove the promise of fast funding, or state an average in days.",
    "credit_repair": "Remove the promise to improve credit.",
    "discouragement": "Remove the words that turn a protected group away.",
    "fair_lending_review": "Compliance review: these words need fair-lending approval.",
    "shortener": "Remove the public short link: carriers reject it.",
    "shouting": "Rewrite without capitals and repeated exclamation marks, or ask compliance.",
    "prediction": "Compliance review: a rate prediction needs a named source.",
    "pressure_prior_contact": "Remove the mention of an earlier contact: none is on file.",
    "heloc_trigger": (
        "Compliance review: a HELOC figure needs the 1026.16(d) set (fees, APR, maximum APR, "
        "balloon, promo period)."
    ),
    "as_low_as": "“As low as” needs a figure filled in from a rate sheet.",
    "bot_persona": "Say in the first message that an AI assistant writes it, or ask compliance.",
    "special_population_rate": "Compliance review: a rate for one group needs a legal basis.",
    "lock_claim": "Remove the lock: no lock agreement is on file.",
    "typed_number": "Compliance review: a figure was typed, not filled in from a rate sheet.",
}
# Reasons that several checks of one rule give: each says that its own part of the rule is met.
PARTIAL_REASONS = frozenset({"clean", "licensed", "template_ok"})
# Where a code stands under several rules, the sentence of each, by rule id and code.
RULE_SENTENCES = {
    ("CNT-01", "referral_fee"): "Remove the reward: paying for referrals isn't allowed.",
    ("DNC-01", "dnc_clear"): "Not on the national do-not-call registry.",
    ("DNC-03", "dnc_clear"): "Not on the internal do-not-call list.",
    ("DNC-04", "state_clear"): "No state do-not-call listing is in force.",
    ("EMG-01", "state_clear"): "No emergency ban where the borrower might be.",
    ("ENG-01", "audited"): "Decided under the current rules.",
    ("REG-01", "state_clear"): "No telemarketer registration needed where the borrower might be.",
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
# What a house cap counts, one and many, by the medium in its reason code.
HOUSE_CAP_UNITS = {
    "call": ("call", "calls"),
    "text": ("text", "texts"),
    "email": ("email", "emails"),
}


def ruling_sentence(ruling: Ruling, until: datetime | None) -> str:
    """Return a ruling in words for staff; a deferral begins with the moment it ends.

    Args:
        until: when the message is allowed, on the clock to show; None for a bare reason.
    """
    words = ruling.detail or reason_sentence(ruling.rule, ruling.reason)
    if ruling.decision is Decision.DEFER and until is not None:
        return f"Allowed from {format_moment(until)}. {words}"
    return words


def sentence_with_citation(ruling: Ruling) -> str:
    """Return the ruling's sentence with its rule id and citation."""
    return f"{ruling_sentence(ruling, None)} ({ruling.rule}, {ruling.cite})"


def reason_sentence(rule: str, reason: str) -> str:
    """Return the sentence of a reason code under a rule id, such as DNC-01."""
    return (
        RULE_SENTENCES.get((rule, reason))
        or REASON_SENTENCES.get(reason)
        or humanize_reason(reason)
    )


def humanize_reason(reason: str) -> str:
    """Turn a reason code without a sentence of its own into one."""
    if "cap_" in reason:
        return _cap_sentence(reason)
    return reason.replace("_", " ").replace("licence", "license").capitalize() + "."


def _cap_sentence(reason: str) -> str:
    """Return the sentence of a cap's code: `house_cap_1_call_2h`, `cap_3_in_24h_automated`."""
    parts = reason.removeprefix("house_").split("_")
    count, span = [part for part in parts if part[0].isdigit()]
    unit = next((HOUSE_CAP_UNITS[part] for part in parts if part in HOUSE_CAP_UNITS), None)
    singular, plural = unit or ("contact", "contacts")
    whose = "House limit" if reason.startswith("house_") else "State limit"
    if parts[-1] == "automated":
        whose = "State limit for automated messages"
    period = span.replace("h", " hours").replace("d", " days")
    return f"{whose}: {count} {singular if count == '1' else plural} every {period}."


def format_moment(moment: datetime) -> str:
    """Return a moment as `Tue Nov 24, 8:00 AM Mountain`."""
    hour = moment.strftime("%I:%M %p").lstrip("0")
    return f"{moment.strftime('%a %b')} {moment.day}, {hour} {zone_name(moment.tzinfo)}".strip()


def zone_name(zone: tzinfo | None) -> str:
    """Return a time zone's everyday name; empty for a bare offset."""
    return ZONE_NAMES.get(zone.key, zone.key) if isinstance(zone, ZoneInfo) else ""

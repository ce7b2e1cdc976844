"""The timeline of an evidence file: one line per event, in words an outsider understands."""

import re
from collections.abc import Container, Iterable, Iterator
from itertools import groupby
from typing import Any

from rooftree.compliance.gate.reason_sentences import reason_sentence
from rooftree.compliance.rule_changes.change_effects import find_change_effects
from rooftree.core.phone_numbers import format_phone
from rooftree.core.us_states import STATES
from rooftree.reporting.evidence.company_clock import CompanyClock
from rooftree.reporting.timeline.call_entries import CALL_RESULTS, describe_recording
from rooftree.reporting.timeline.message_entries import STATE_TITLES

type Json = dict[str, Any]
MEDIA = {
    "call": "calls",
    "autodial_call": "autodialed calls",
    "prerecorded": "prerecorded or AI-voice calls",
    "text": "texts",
    "voicemail": "voicemail",
    "voicemail_drop": "voicemail",
    "email": "email",
    "mail": "letters",
}
PURPOSES = {
    "marketing": "marketing",
    "informational": "about the loan",
    "transactional": "about the loan",
    "reply": "reply to the borrower",
    "confirmation": "opt-out confirmation",
    "legal_notice": "notice required by law",
}
DECISIONS = {
    "allow": "Allowed. ",
    "defer": "",  # the sentence begins with the time from which contact is allowed
    "require": "Staff action required. ",
    "block": "Blocked. ",
}
VERDICT_STAGES = {
    "planned": "when it was queued",
    "shown": "when shown to a loan officer",
    "dequeued": "when it was due",
    "handoff": "again right before it went to the carrier",
}
STOP_TITLES = {
    "stop": "Borrower opted out",
    "unsubscribe": "Borrower unsubscribed",
    "do_not_contact": "Added to the internal do-not-contact list",
    "wrong_person": "The number belongs to someone else",
    "vendor": "The source reported a do-not-contact request",
    "review": "Contact was put on hold for review",
}
DNC_LIST_NAMES = {
    "US": "the national do-not-call registry",
    "INTERNAL": "the internal do-not-contact list",
    "LITIGATOR": "the litigator list",
}
EVENT_TITLES = {
    "los.handoff.asked": "A loan officer sent the lead to the loan origination system",
    "los.loan.created": "The loan origination system opened the loan",
    "routing.lead.claimed": "A loan officer accepted the lead",
    "routing.lead.given": "The lead was assigned to a loan officer",
    "flow.lead.retired": "The lead was closed",
    "flow.test_lead.removed": "The test lead was removed",
    "compliance.credit_data.refused": "Credit data from the source was not stored (FCR-01)",
    "compliance.evidence.made": "An evidence file like this one was created",
}
SENT_STATES = ("sent", "delivered")
# The wording rules cite Regulation Z by its section alone.
BARE_CFR_SECTION = re.compile(r"(?<!CFR )\b(10\d\d\.\d)")


def build_lines(evidence: Json, clock: CompanyClock) -> list[Json]:
    """Build all lines, oldest first; at the same moment, causes come before effects."""
    by_message: dict[str, list[Json]] = {
        f"message:{message['id']}": [] for message in evidence["messages"]
    }
    loose: list[Json] = []  # verdicts about calls, and about messages that were never created
    for verdict in sorted(evidence["verdicts"], key=lambda row: (row["at"], _stage_rank(row))):
        by_message.get(verdict["idempotency_key"], loose).append(verdict)
    outbound = [row for row in evidence["messages"] if row["direction"] == "out"]
    inbound = [row for row in evidence["messages"] if row["direction"] == "in"]
    calls = [row for row in evidence["attempts"] if row["medium"] == "call"]
    lines = [
        *(
            _build_line(row["at"], f"Inquiry from {row['source']}", clock, tone="borrower")
            for row in evidence["inquiries"]
        ),
        *(
            _build_line(
                row["captured_at"] or row["recorded_at"], consent_title(row), clock, tone="borrower"
            )
            for row in evidence["consents"]
        ),
        *(_inbound_message_line(row, clock) for row in inbound),
        *(_stop_line(row, clock) for row in evidence["revocations"]),
        *_loose_verdict_lines(loose, clock),
        *(
            _outbound_message_line(row, by_message[f"message:{row['id']}"], evidence, clock)
            for row in outbound
        ),
        *(_number_check_line(row, clock) for row in evidence["number_checks"]),
        *(_call_line(row, evidence, clock) for row in calls),
        *(line for row in evidence["events"] for line in _event_lines(row, clock)),
    ]
    return sorted(lines, key=lambda line: str(line["order"]))


def consent_title(consent: Json) -> str:
    """Describe a consent: the contact methods, and the number or address it covers."""
    address = format_address(consent["address"])
    if consent["status"] == "denied":
        return f"Borrower refused consent for {address}"
    if consent["status"] != "granted":
        return f"No consent information for {address}"
    if not consent["channels"]:
        return f"Borrower gave a consent that doesn’t cover {address}"
    return f"Borrower agreed to {join_media(consent['channels'])} for {address}"


def format_address(text: str) -> str:
    """Format a phone number for reading; return an email address unchanged."""
    return text if "@" in text else format_phone(text)


def staff_name(person: str | None, evidence: Json) -> str:
    """Return a staff member's name, with the NMLS ID if there is one."""
    staff = evidence["staff"].get(str(person))
    if staff is None:
        return "a staff member"
    return f"{staff['name']} (NMLS {staff['nmls_id']})" if staff["nmls_id"] else str(staff["name"])


def join_media(media: Iterable[str]) -> str:
    """Join contact methods in words: `calls, texts and email`."""
    codes = set(media)
    words = [word for code, word in MEDIA.items() if code in codes]
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _stage_rank(verdict: Json) -> int:
    stages = [*VERDICT_STAGES]
    return stages.index(verdict["stage"]) if verdict["stage"] in stages else len(stages)


def _build_line(at: str, title: str, clock: CompanyClock, **parts: Any) -> Json:
    return {
        "order": at,
        "day": clock.format_day(at),
        "time": clock.format_time(at),
        "utc": clock.format_utc(at),
        "title": title,
        "by": "",
        "quote": "",
        "is_ours": True,
        "decided": [],
        "notes": [],
        "proof": [],
        "tone": "",
        **parts,
    }


def _inbound_message_line(message: Json, clock: CompanyClock) -> Json:
    return _build_line(
        message["created_at"],
        f"{'Email' if message['medium'] == 'email' else 'Text'} from the borrower",
        clock,
        quote="\n".join(part for part in (message["subject"], message["body"]) if part),
        is_ours=False,
        tone="borrower",
    )


def _stop_line(stop: Json, clock: CompanyClock) -> Json:
    notes = [f"Stops {join_media(stop['media'])}."] if stop["media"] else []
    if stop["ended_at"]:
        lifted_at = clock.format_moment(stop["ended_at"])
        notes.append(f"Lifted {lifted_at} by {_lifted_by(stop['ended_by'])}.")
    return _build_line(
        stop["at"],
        STOP_TITLES.get(stop["kind"], "Contact stopped"),
        clock,
        quote=stop["borrower_words"] or "",
        is_ours=False,
        notes=notes,
        tone="stop",
    )


def _lifted_by(cause: str) -> str:
    return {
        "start": "a START reply from the borrower",
        "consent": "a new consent from the borrower",
        "user": "a staff member",
    }.get(cause.partition(":")[0], "the system")


def _loose_verdict_lines(verdicts: list[Json], clock: CompanyClock) -> Iterator[Json]:
    """Yield a line for each decision about a call, or about a message that was never created."""
    for verdict in verdicts:
        medium = MEDIA.get(verdict["medium"], verdict["medium"])
        title = f"Contact check for {medium}"
        yield _build_line(verdict["at"], title, clock, **_verdict_groups([verdict], clock))


def _outbound_message_line(
    message: Json, verdicts: list[Json], evidence: Json, clock: CompanyClock
) -> Json:
    kind = "Text" if message["medium"] == "text" else "Email"
    state = STATE_TITLES.get(message["state"], (message["state"], None))[0]
    purpose = PURPOSES.get(message["purpose"], message["purpose"])
    body = message["body"] + message["ending"]
    templates = _used_template_names({message["template_id"]}, evidence, clock)
    return _build_line(
        message["sent_at"] or message["created_at"],
        f"{kind} to {format_address(message['to_address'])}: {state}",
        clock,
        by=f"{_message_author(message, evidence)}; {purpose}",
        quote="\n".join(part for part in (message["subject"], body) if part),
        notes=[*_delivery_notes(message, clock), *(f"Template: {name}." for name in templates)],
        tone="" if message["state"] in SENT_STATES else "stop",
        **_verdict_groups(verdicts, clock),
    )


def _message_author(message: Json, evidence: Json) -> str:
    if message["by_id"]:
        return f"Written by {staff_name(message['by_id'], evidence)}"
    if message["officer_id"]:
        return f"Automated, in the name of {staff_name(message['officer_id'], evidence)}"
    return "Automated, in the company’s name"


def _delivery_notes(message: Json, clock: CompanyClock) -> Iterator[str]:
    if message["sent_at"]:
        is_email = message["medium"] == "email"
        receiver = "the mail server" if is_email else f"the carrier ({message['carrier']})"
        sent_at = clock.format_moment(message["sent_at"])
        yield f"Handed to {receiver} {sent_at}, ID {message['carrier_id']}."
    if message["delivered_at"]:
        delivered_at = clock.format_moment(message["delivered_at"])
        yield f"Delivered {delivered_at}, as reported by the carrier."
    if message["state"] in ("failed", "cancelled", "shadow") and message["problem"]:
        yield message["problem"]


def _used_template_names(keys: Container[str], evidence: Json, clock: CompanyClock) -> list[str]:
    """Describe the template versions with these ids: name, language, version and approver."""
    return [
        _template_name(version, clock) for version in evidence["editions"] if version["id"] in keys
    ]


def _template_name(version: Json, clock: CompanyClock) -> str:
    approval = f"approved by {version['decided_by']}" if version["decided_by"] else "built-in"
    language = {"en": "English", "es": "Spanish"}.get(version["language"], version["language"])
    name = f"“{version['key'].replace('_', ' ')}”, {language} version {version['version']}"
    return f"{name}, {approval}, in use since {clock.format_moment(version['from_at'])}"


def _verdict_groups(verdicts: list[Json], clock: CompanyClock) -> Json:
    """Merge equal consecutive verdicts into one, with all its stages and its deciding rules."""
    decided = []
    for _, same in groupby(
        verdicts, key=lambda verdict: (verdict["decision"], verdict["sentence"])
    ):
        group = list(same)
        first = group[0]
        stages = dict.fromkeys(
            VERDICT_STAGES.get(verdict["stage"], "on request") for verdict in group
        )
        places = (first["facts"] or {}).get("places") or []
        local_times = dict.fromkeys(clock.format_at_place(first["at"], place) for place in places)
        decided.append(
            {
                "when": f"{clock.format_moment(first['at'])}, {', and '.join(stages)}",
                "sentence": f"{DECISIONS[first['decision']]}{first['sentence']}",
                "local_time": f"Borrower’s local time: {', '.join(local_times) or 'unknown'}.",
                "rules": [*map(_rule_text, _deciding_results(first)), *_rule_change_notes(first)],
                "rule_count": f"{len(first['results'])} rules checked.",
            }
        )
    proof = dict.fromkeys(f"Facts, SHA-256 {verdict['facts_sha256']}" for verdict in verdicts)
    return {"decided": decided, "proof": [*proof]}


def _deciding_results(verdict: Json) -> list[Json]:
    """Return the rules that objected or, if none did, the rule that gave the reason."""
    objecting = [result for result in verdict["results"] if result["decision"] != "allow"]
    same_reason = [result for result in verdict["results"] if result["reason"] == verdict["reason"]]
    return objecting or same_reason[:1]


def _rule_change_notes(verdict: Json) -> Iterator[str]:
    """Describe each company rule change behind a verdict, and the decision without it."""
    for effect in find_change_effects(verdict["facts"]):
        without = effect.sentence_without or "same decision."
        amendment = effect.amendment
        yield f"Rule change {amendment.number}, {effect.description}. Without it: {without}"


def _rule_text(rule: Json) -> str:
    words = reason_sentence(rule["id"], rule["reason"])
    cite = BARE_CFR_SECTION.sub(r"12 CFR \1", rule["cite"])
    return f"{rule['id']}: {words[0].upper()}{words[1:]} ({cite})"


def _call_line(call: Json, evidence: Json, clock: CompanyClock) -> Json:
    direction = "Call to" if call["direction"] == "out" else "Call from"
    address = format_address(call["address"]) if call["address"] else "the borrower"
    result = CALL_RESULTS.get(call["result"], ("",))[0]
    events = [event["data"] for event in evidence["events"]]
    script_ids = {
        data["opening"]
        for data in events
        if data.get("attempt") == call["id"] and "opening" in data
    }
    scripts = _used_template_names(script_ids, evidence, clock)
    recordings = [row for row in evidence["recordings"] if row["attempt_id"] == call["id"]]
    return _build_line(
        call["at"],
        f"{direction} {address}",
        clock,
        by=f"By {staff_name(call['by_id'], evidence)}" if call["by_id"] else "",
        notes=[
            f"Outcome: {result.lower()}." if result else "Outcome not recorded.",
            *(f"Call script: {name}." for name in scripts),
            *(note for row in recordings for note in describe_recording(row, clock.format_moment)),
        ],
    )


def _number_check_line(check: Json, clock: CompanyClock) -> Json:
    """Build the line for a question to a vendor about the number, with the answer."""
    number = format_address(check["number"])
    if check["kind"] == "reassigned":
        since = clock.format_day(f"{check['since']}T12:00:00+00:00")
        title = f"Checked whether {number} was reassigned after {since}"
        answer = check["response"].replace("_", " ")
    else:
        title = f"Checked do-not-call lists for {number}"
        listed, covered = (
            ", ".join(map(dnc_list_name, check[key])) for key in ("listed", "covers")
        )
        answer = listed or f"none of {covered}"
    return _build_line(
        check["answered_at"], title, clock, notes=[f"{check['service']} answered: {answer}."]
    )


def dnc_list_name(registry: str) -> str:
    """Return the name of a do-not-call list, for use inside a sentence."""
    state_name = STATES.get(registry, registry)
    return DNC_LIST_NAMES.get(registry) or f"the do-not-call list of {state_name}"


def _event_lines(event: Json, clock: CompanyClock) -> Iterator[Json]:
    at = event["occurred_at"]
    if event["kind"] == "los.milestone.reached":
        milestone = str(event["data"].get("milestone", "")).replace("_", " ")
        yield _build_line(at, f"Loan milestone: {milestone}", clock)
    elif title := EVENT_TITLES.get(event["kind"]):
        yield _build_line(at, title, clock)

"""What happened, a line each in the words of a person who was not there."""

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
    "autodial_call": "calls dialed by machines",
    "prerecorded": "recorded or AI voices",
    "text": "texts",
    "voicemail": "voicemail",
    "voicemail_drop": "voicemail",
    "email": "e-mail",
    "mail": "letters",
}
PURPOSES = {
    "marketing": "advertising",
    "informational": "about their loan",
    "transactional": "about their loan",
    "reply": "an answer to them",
    "confirmation": "the confirmation of a stop",
    "legal_notice": "a notice that the law asks for",
}
DECISIONS = {
    "allow": "allowed. ",
    "defer": "",
    "require": "a person had to act. ",
    "block": "refused. ",
}
VERDICT_STAGES = {
    "planned": "when it was put in line",
    "shown": "when an officer looked",
    "dequeued": "when its turn came",
    "handoff": "again just before it was handed to the carrier",
}
STOP_TITLES = {
    "stop": "They asked us to stop",
    "unsubscribe": "They unsubscribed",
    "do_not_contact": "Put on our own do-not-contact list",
    "wrong_person": "The number is somebody else’s",
    "vendor": "The source passed on a do-not-contact",
    "review": "Their words waited for a person to read them",
}
DNC_LIST_NAMES = {
    "US": "the national do-not-call registry",
    "INTERNAL": "our own do-not-contact list",
    "LITIGATOR": "the list of litigators",
}
EVENT_TITLES = {
    "los.handoff.asked": "An officer asked for the loan to be opened in the loan system",
    "los.loan.created": "The loan system opened the loan",
    "routing.lead.claimed": "A loan officer took them on",
    "routing.lead.given": "They were given to a loan officer",
    "flow.lead.retired": "We stopped working on their request",
    "compliance.credit_data.refused": "Credit data of the source were not kept (FCR-01)",
    "compliance.evidence.made": "A file such as this one was made",
}
SENT_STATES = ("sent", "delivered")
BARE_CFR_SECTION = re.compile(
    r"(?<!CFR )\b(10\d\d\.\d)"
)  # the wording rules cite by the section alone


def build_lines(evidence: Json, clock: CompanyClock) -> list[Json]:
    """Every line, oldest first; of one moment, what made the next thing happen comes before it."""
    about: dict[str, list[Json]] = {f"message:{one['id']}": [] for one in evidence["messages"]}
    loose: list[Json] = []
    for one in sorted(evidence["verdicts"], key=lambda one: (one["at"], _stage_rank(one))):
        about.get(one["cause"], loose).append(one)
    lines = [
        *(_inquiry_line(one, clock) for one in evidence["inquiries"]),
        *(_consent_line(one, clock) for one in evidence["consents"]),
        *(
            _inbound_message_line(one, clock)
            for one in evidence["messages"]
            if one["direction"] == "in"
        ),
        *(_stop_line(one, clock) for one in evidence["revocations"]),
        *_loose_verdict_lines(loose, clock),
        *(
            _outbound_message_line(one, about[f"message:{one['id']}"], evidence, clock)
            for one in evidence["messages"]
            if one["direction"] == "out"
        ),
        *(_number_check_line(one, clock) for one in evidence["number_checks"]),
        *(
            _call_line(one, evidence, clock)
            for one in evidence["attempts"]
            if one["medium"] == "call"
        ),
        *(line for one in evidence["events"] for line in _event_lines(one, clock)),
    ]
    return sorted(lines, key=lambda one: str(one["order"]))


def consent_title(one: Json) -> str:
    """What they agreed to, and for which number or address."""
    where = format_address(one["address"])
    if one["status"] == "denied":
        return f"They refused consent for {where}"
    if one["status"] != "granted":
        return f"Nothing is known of their consent for {where}"
    if not one["channels"]:
        return f"A consent of theirs that does not reach {where}"
    return f"They agreed to {join_media(one['channels'])} for {where}"


def format_address(text: str) -> str:
    """A number as people write it, an e-mail address as it is."""
    return text if "@" in text else format_phone(text)


def staff_name(person: str | None, evidence: Json) -> str:
    """A member of staff by name, and by NMLS ID where they have one."""
    known = evidence["staff"].get(str(person))
    if known is None:
        return "somebody of ours"
    return f"{known['name']} (NMLS {known['nmls_id']})" if known["nmls_id"] else str(known["name"])


def join_media(media: Iterable[str]) -> str:
    """Ways of contact in words: `calls, texts and e-mail`."""
    held = set(media)
    words = [said for one, said in MEDIA.items() if one in held]
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _stage_rank(verdict: Json) -> int:
    return (
        [*VERDICT_STAGES].index(verdict["stage"])
        if verdict["stage"] in VERDICT_STAGES
        else len(VERDICT_STAGES)
    )


def _build_line(at: str, title: str, clock: CompanyClock, **more: Any) -> Json:
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
        **more,
    }


def _inquiry_line(one: Json, clock: CompanyClock) -> Json:
    return _build_line(
        one["at"], f"They asked us: inquiry from {one['source']}", clock, tone="theirs"
    )


def _consent_line(one: Json, clock: CompanyClock) -> Json:
    at = one["captured_at"] or one["recorded_at"]
    return _build_line(at, consent_title(one), clock, tone="theirs")


def _inbound_message_line(one: Json, clock: CompanyClock) -> Json:
    return _build_line(
        one["created_at"],
        f"They wrote a{'n e-mail' if one['medium'] == 'email' else ' text'}",
        clock,
        quote="\n".join(part for part in (one["subject"], one["body"]) if part),
        is_ours=False,
        tone="theirs",
    )


def _stop_line(one: Json, clock: CompanyClock) -> Json:
    notes = [f"It ends {join_media(one['media'])}."] if one["media"] else []
    if one["ended_at"]:
        undone = clock.format_moment(one["ended_at"])
        notes.append(f"It was undone {undone}, by {_revoked_by(one['ended_by'])}.")
    return _build_line(
        one["at"],
        STOP_TITLES.get(one["kind"], "They may not be contacted"),
        clock,
        quote=one["words"] or "",
        is_ours=False,
        notes=notes,
        tone="stop",
    )


def _revoked_by(cause: str) -> str:
    return {
        "start": "their own START",
        "consent": "a new consent of theirs",
        "user": "a member of staff",
    }.get(cause.partition(":")[0], "our system")


def _loose_verdict_lines(verdicts: list[Json], clock: CompanyClock) -> Iterator[Json]:
    """What was decided about calls, and about whatever never became a message."""
    for verdict in verdicts:
        medium = MEDIA.get(verdict["medium"], verdict["medium"])
        title = f"Asked whether they may be reached by {medium}"
        yield _build_line(verdict["at"], title, clock, **_verdict_groups([verdict], clock))


def _outbound_message_line(
    one: Json, verdicts: list[Json], evidence: Json, clock: CompanyClock
) -> Json:
    kind = "Text" if one["medium"] == "text" else "E-mail"
    fate = STATE_TITLES.get(one["state"], (one["state"], None))[0]
    notes = [
        *_delivery_notes(one, clock),
        *(
            f"Made from {name}."
            for name in _used_template_names({one["template_id"]}, evidence, clock)
        ),
    ]
    return _build_line(
        one["sent_at"] or one["created_at"],
        f"{kind} to {format_address(one['to_address'])}: {fate}",
        clock,
        by=f"{_message_author(one, evidence)}; {PURPOSES.get(one['purpose'], one['purpose'])}",
        quote="\n".join(part for part in (one["subject"], one["body"] + one["ending"]) if part),
        notes=notes,
        tone="" if one["state"] in SENT_STATES else "stop",
        **_verdict_groups(verdicts, clock),
    )


def _message_author(one: Json, evidence: Json) -> str:
    if one["by_id"]:
        return f"Written by {staff_name(one['by_id'], evidence)}"
    if one["officer_id"]:
        return f"By the program, in the name of {staff_name(one['officer_id'], evidence)}"
    return "By the program, in the company’s name"


def _delivery_notes(one: Json, clock: CompanyClock) -> Iterator[str]:
    if one["sent_at"]:
        to = "the mail server" if one["medium"] == "email" else f"the carrier ({one['carrier']})"
        yield f"Handed to {to} {clock.format_moment(one['sent_at'])}, under {one['carrier_id']}."
    if one["delivered_at"]:
        yield f"Delivered {clock.format_moment(one['delivered_at'])}, as the carrier reports."
    if one["opened_at"]:
        yield f"Opened {clock.format_moment(one['opened_at'])}."
    if one["state"] in ("failed", "cancelled") and one["problem"]:
        yield one["problem"]


def _used_template_names(keys: Container[str], evidence: Json, clock: CompanyClock) -> list[str]:
    """Those of the editions in the file that are meant."""
    return [_template_name(one, clock) for one in evidence["editions"] if one["id"] in keys]


def _template_name(edition: Json, clock: CompanyClock) -> str:
    """Which wording it was, and who approved it."""
    by = f"approved by {edition['decided_by']}" if edition["decided_by"] else "as supplied"
    language = {"en": "English", "es": "Spanish"}.get(edition["language"], edition["language"])
    name = f"“{edition['key'].replace('_', ' ')}”, {language} edition {edition['version']}"
    return f"{name}, {by}, in use since {clock.format_moment(edition['from_at'])}"


def _verdict_groups(verdicts: list[Json], clock: CompanyClock) -> Json:
    """Each answer of the gate once, with every stage at which it gave it, and its rules."""
    decided = []
    for _, same in groupby(verdicts, key=lambda one: (one["decision"], one["sentence"])):
        group = list(same)
        first = group[0]
        stages = dict.fromkeys(
            VERDICT_STAGES.get(one["stage"], "when it was asked") for one in group
        )
        sentence = first["sentence"]
        if first["decision"] == "defer":
            sentence = sentence[0].lower() + sentence[1:]
        decided.append(
            {
                "when": f"{clock.format_moment(first['at'])}, {', and '.join(stages)}",
                "said": f"{DECISIONS[first['decision']]}{sentence}",
                "where": f"It was then {_borrower_location(first, clock)}.",
                "rules": [*map(_rule_text, _deciding_results(first)), *_rule_change_notes(first)],
                "asked": f"{len(first['results'])} rules were asked.",
            }
        )
    proof = dict.fromkeys(f"Facts, SHA-256 {verdict['facts_sha256']}" for verdict in verdicts)
    return {"decided": decided, "proof": [*proof]}


def _borrower_location(verdict: Json, clock: CompanyClock) -> str:
    places = (verdict["facts"] or {}).get("places") or []
    said = dict.fromkeys(clock.format_at_place(verdict["at"], place) for place in places)
    return ", ".join(said) or "at no place that we know"


def _deciding_results(verdict: Json) -> list[Json]:
    """The rules that objected; where none did, the one whose reason is the answer."""
    against = [one for one in verdict["results"] if one["decision"] != "allow"]
    same = [one for one in verdict["results"] if one["reason"] == verdict["reason"]]
    return against or same[:1]


def _rule_change_notes(verdict: Json) -> Iterator[str]:
    """The company's own changes of rules that it rests on, and what it were without each."""
    for change_effect in find_change_effects(verdict["facts"]):
        without = change_effect.sentence_without or "the answer is the same."
        yield (
            f"Rule change {change_effect.amendment.number}, {change_effect.description}. "
            f"Without it: {without}"
        )


def _rule_text(rule: Json) -> str:
    words = reason_sentence(rule["id"], rule["reason"])
    cite = BARE_CFR_SECTION.sub(r"12 CFR \1", rule["cite"])
    return f"{rule['id']}: {words[0].upper()}{words[1:]} ({cite})"


def _call_line(one: Json, evidence: Json, clock: CompanyClock) -> Json:
    way = "Call to" if one["direction"] == "out" else "Call from"
    result = CALL_RESULTS.get(one["result"], ("",))[0]
    who = f"By {staff_name(one['by_id'], evidence)}" if one["by_id"] else ""
    where = format_address(one["address"]) if one["address"] else "them"
    notes = (
        [f"What came of it: {result.lower()}."] if result else ["What came of it was not recorded."]
    )
    words = _used_template_names(_opening_template_ids(one["id"], evidence), evidence, clock)
    notes += [f"Words before whoever called: {name}." for name in words]
    about = (it for it in evidence["recordings"] if it["attempt_id"] == one["id"])
    notes += [said for it in about for said in describe_recording(it, clock.format_moment)]
    return _build_line(one["at"], f"{way} {where}", clock, by=who, notes=notes)


def _opening_template_ids(attempt: str, evidence: Json) -> set[str]:
    """The edition of the opening words that the ledger names for a call."""
    about = [one["data"] for one in evidence["events"] if one["data"].get("attempt") == attempt]
    return {one["opening"] for one in about if "opening" in one}


def _number_check_line(one: Json, clock: CompanyClock) -> Json:
    """What a vendor was asked about the number, and what it said."""
    number = format_address(one["number"])
    if one["kind"] == "reassigned":
        since = clock.format_day(f"{one['since']}T12:00:00+00:00")
        title = f"Asked whether {number} changed hands after {since}"
        answer = one["response"].replace("_", " ")
    else:
        title = f"Asked which do-not-call lists {number} is on"
        on, of = (", ".join(map(dnc_list_name, one[key])) for key in ("listed", "covers"))
        answer = on or f"none of {of}"
    return _build_line(
        one["answered_at"], title, clock, notes=[f"{one['service']} answered: {answer}."]
    )


def dnc_list_name(registry: str) -> str:
    """A do-not-call list by name."""
    return (
        DNC_LIST_NAMES.get(registry) or f"the do-not-call list of {STATES.get(registry, registry)}"
    )


def _event_lines(one: Json, clock: CompanyClock) -> Iterator[Json]:
    at = one["occurred_at"]
    if one["kind"] == "los.milestone.reached":
        reached = str(one["data"].get("milestone", "")).replace("_", " ")
        yield _build_line(at, f"Their loan: {reached}", clock)
    elif said := EVENT_TITLES.get(one["kind"]):
        yield _build_line(at, said, clock)

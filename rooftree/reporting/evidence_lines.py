"""What happened, a line each in the words of a person who was not there."""

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from rooftree.compliance.amending.counted import counted
from rooftree.compliance.reasons import MESSAGES, spelled, zone_words
from rooftree.core.phones import shown
from rooftree.core.states import STATES
from rooftree.reporting.call_entries import CALLS, recording_in_words
from rooftree.reporting.message_entries import FATES

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
STAGES = {
    "planned": "when it was put in line",
    "shown": "when an officer looked",
    "dequeued": "when its turn came",
    "handoff": "again just before it was handed to the carrier",
}
STOPS = {
    "stop": "They asked us to stop",
    "unsubscribe": "They unsubscribed",
    "do_not_contact": "Put on our own do-not-contact list",
    "wrong_person": "The number is somebody else’s",
    "vendor": "The source passed on a do-not-contact",
    "review": "Their words waited for a person to read them",
}
PLACES = {
    "area_code": "by the area code",
    "residence": "at their home",
    "property": "at the property",
    "stated": "as they said",
}
LISTS = {
    "US": "the national do-not-call registry",
    "INTERNAL": "our own do-not-contact list",
    "LITIGATOR": "the list of litigators",
}
EVENTS = {
    "los.handoff.asked": "An officer asked for the loan to be opened in the loan system",
    "los.loan.created": "The loan system opened the loan",
    "routing.lead.claimed": "A loan officer took them on",
    "routing.lead.given": "They were given to a loan officer",
    "flow.lead.retired": "We stopped working on their request",
    "compliance.credit_data.refused": "Credit data of the source were not kept (FCR-01)",
    "compliance.evidence.made": "A file such as this one was made",
}
GONE = ("sent", "delivered")
OUR_CFR = re.compile(r"(?<!CFR )\b(10\d\d\.\d)")  # the wording rules cite by the section alone


class Clock:
    """Moments in the company's own zone, with UTC beside."""

    def __init__(self, zone: str) -> None:
        self.zone = ZoneInfo(zone)

    @property
    def name(self) -> str:
        return f"{zone_words(self.zone)} time ({self.zone.key})"

    def day(self, text: str) -> str:
        return f"{self._local(text):%b} {self._local(text).day}, {self._local(text):%Y}"

    def time(self, text: str) -> str:
        """As `5:07:02 PM EST`."""
        return f"{self._local(text):%I:%M:%S %p %Z}".lstrip("0")

    def moment(self, text: str | None) -> str:
        return f"{self.day(text)}, {self.time(text)}" if text else "at a time that is not known"

    def utc(self, text: str) -> str:
        return f"{datetime.fromisoformat(text):%H:%M:%S} UTC"

    def there(self, text: str, place: Mapping[str, Any]) -> str:
        """What a clock at a place showed, as `9:00 AM in California (by the area code)`."""
        zone = ZoneInfo(place["zone"])
        hour = f"{datetime.fromisoformat(text).astimezone(zone):%I:%M %p}".lstrip("0")
        state = STATES.get(place["state"], place["state"])
        return f"{hour} {zone_words(zone)} in {state} ({PLACES.get(place['kind'], place['kind'])})"

    def _local(self, text: str) -> datetime:
        return datetime.fromisoformat(text).astimezone(self.zone)


def of_all(evidence: Json, clock: Clock) -> list[Json]:
    """Every line, oldest first; of one moment, what made the next thing happen comes before it."""
    about: dict[str, list[Json]] = {f"message:{one['id']}": [] for one in evidence["messages"]}
    loose: list[Json] = []
    for one in sorted(evidence["verdicts"], key=lambda one: (one["at"], _stage(one))):
        about.get(one["cause"], loose).append(one)
    lines = [
        *(_inquiry(one, clock) for one in evidence["inquiries"]),
        *(_consent(one, clock) for one in evidence["consents"]),
        *(_received(one, clock) for one in evidence["messages"] if one["direction"] == "in"),
        *(_stop(one, clock) for one in evidence["revocations"]),
        *_asked(loose, clock),
        *(
            _sent(one, about[f"message:{one['id']}"], evidence, clock)
            for one in evidence["messages"]
            if one["direction"] == "out"
        ),
        *(_number_check(one, clock) for one in evidence["number_checks"]),
        *(_call(one, evidence, clock) for one in evidence["attempts"] if one["medium"] == "call"),
        *(line for one in evidence["events"] for line in _event(one, clock)),
    ]
    return sorted(lines, key=lambda one: str(one["order"]))


def consent_name(one: Json) -> str:
    """What they agreed to, and for which number or address."""
    where = address(one["address"])
    if one["status"] == "denied":
        return f"They refused consent for {where}"
    if one["status"] != "granted":
        return f"Nothing is known of their consent for {where}"
    if not one["channels"]:
        return f"A consent of theirs that does not reach {where}"
    return f"They agreed to {listed(one['channels'])} for {where}"


def address(text: str) -> str:
    """A number as people write it, an e-mail address as it is."""
    return text if "@" in text else shown(text)


def named(person: str | None, evidence: Json) -> str:
    """A member of staff by name, and by NMLS ID where they have one."""
    known = evidence["staff"].get(str(person))
    if known is None:
        return "somebody of ours"
    return f"{known['name']} (NMLS {known['nmls_id']})" if known["nmls_id"] else str(known["name"])


def listed(media: Iterable[str]) -> str:
    """Ways of contact in words: `calls, texts and e-mail`."""
    held = set(media)
    words = [said for one, said in MEDIA.items() if one in held]
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _stage(verdict: Json) -> int:
    return [*STAGES].index(verdict["stage"]) if verdict["stage"] in STAGES else len(STAGES)


def _line(at: str, title: str, clock: Clock, **more: Any) -> Json:
    return {
        "order": at,
        "day": clock.day(at),
        "time": clock.time(at),
        "utc": clock.utc(at),
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


def _inquiry(one: Json, clock: Clock) -> Json:
    return _line(one["at"], f"They asked us: inquiry from {one['source']}", clock, tone="theirs")


def _consent(one: Json, clock: Clock) -> Json:
    at = one["captured_at"] or one["recorded_at"]
    return _line(at, consent_name(one), clock, tone="theirs")


def _received(one: Json, clock: Clock) -> Json:
    return _line(
        one["created_at"],
        f"They wrote a{'n e-mail' if one['medium'] == 'email' else ' text'}",
        clock,
        quote="\n".join(part for part in (one["subject"], one["body"]) if part),
        is_ours=False,
        tone="theirs",
    )


def _stop(one: Json, clock: Clock) -> Json:
    notes = [f"It ends {listed(one['media'])}."] if one["media"] else []
    if one["ended_at"]:
        notes.append(f"It was undone {clock.moment(one['ended_at'])}, by {_by(one['ended_by'])}.")
    return _line(
        one["at"],
        STOPS.get(one["kind"], "They may not be contacted"),
        clock,
        quote=one["words"] or "",
        is_ours=False,
        notes=notes,
        tone="stop",
    )


def _by(cause: str) -> str:
    return {
        "start": "their own START",
        "consent": "a new consent of theirs",
        "user": "a member of staff",
    }.get(cause.partition(":")[0], "our system")


def _asked(verdicts: list[Json], clock: Clock) -> Iterator[Json]:
    """What was decided about calls, and about whatever never became a message."""
    for one in verdicts:
        title = f"Asked whether they may be reached by {MEDIA.get(one['medium'], one['medium'])}"
        yield _line(one["at"], title, clock, **_judged([one], clock))


def _sent(one: Json, verdicts: list[Json], evidence: Json, clock: Clock) -> Json:
    kind = "Text" if one["medium"] == "text" else "E-mail"
    fate = FATES.get(one["state"], (one["state"], None))[0]
    notes = [
        *_delivery(one, clock),
        *(f"Made from {name}." for name in _named({one["template_id"]}, evidence, clock)),
    ]
    return _line(
        one["sent_at"] or one["created_at"],
        f"{kind} to {address(one['to_address'])}: {fate}",
        clock,
        by=f"{_author(one, evidence)}; {PURPOSES.get(one['purpose'], one['purpose'])}",
        quote="\n".join(part for part in (one["subject"], one["body"] + one["ending"]) if part),
        notes=notes,
        tone="" if one["state"] in GONE else "stop",
        **_judged(verdicts, clock),
    )


def _author(one: Json, evidence: Json) -> str:
    if one["by_id"]:
        return f"Written by {named(one['by_id'], evidence)}"
    if one["officer_id"]:
        return f"By the program, in the name of {named(one['officer_id'], evidence)}"
    return "By the program, in the company’s name"


def _delivery(one: Json, clock: Clock) -> Iterator[str]:
    if one["sent_at"]:
        to = "the mail server" if one["medium"] == "email" else f"the carrier ({one['carrier']})"
        yield f"Handed to {to} {clock.moment(one['sent_at'])}, under {one['carrier_id']}."
    if one["delivered_at"]:
        yield f"Delivered {clock.moment(one['delivered_at'])}, as the carrier reports."
    if one["opened_at"]:
        yield f"Opened {clock.moment(one['opened_at'])}."
    if one["state"] in ("failed", "cancelled") and one["problem"]:
        yield one["problem"]


def _named(keys: Container[str], evidence: Json, clock: Clock) -> list[str]:
    """Those of the editions in the file that are meant."""
    return [_edition_name(one, clock) for one in evidence["editions"] if one["id"] in keys]


def _edition_name(edition: Json, clock: Clock) -> str:
    """Which wording it was, and who approved it."""
    by = f"approved by {edition['decided_by']}" if edition["decided_by"] else "as supplied"
    language = {"en": "English", "es": "Spanish"}.get(edition["language"], edition["language"])
    name = f"“{edition['key'].replace('_', ' ')}”, {language} edition {edition['version']}"
    return f"{name}, {by}, in use since {clock.moment(edition['from_at'])}"


def _judged(verdicts: list[Json], clock: Clock) -> Json:
    """Each answer of the gate once, with every stage at which it gave it, and its rules."""
    decided = []
    for _, same in groupby(verdicts, key=lambda one: (one["decision"], one["sentence"])):
        group = list(same)
        first = group[0]
        stages = dict.fromkeys(STAGES.get(one["stage"], "when it was asked") for one in group)
        sentence = first["sentence"]
        if first["decision"] == "defer":
            sentence = sentence[0].lower() + sentence[1:]
        decided.append(
            {
                "when": f"{clock.moment(first['at'])}, {', and '.join(stages)}",
                "said": f"{DECISIONS[first['decision']]}{sentence}",
                "where": f"It was then {_where(first, clock)}.",
                "rules": [*map(_rule, _telling(first)), *_changes(first)],
                "asked": f"{len(first['results'])} rules were asked.",
            }
        )
    proof = dict.fromkeys(f"Facts, SHA-256 {one['facts_sha256']}" for one in verdicts)
    return {"decided": decided, "proof": [*proof]}


def _where(verdict: Json, clock: Clock) -> str:
    places = (verdict["facts"] or {}).get("places") or []
    said = dict.fromkeys(clock.there(verdict["at"], one) for one in places)
    return ", ".join(said) or "at no place that we know"


def _telling(verdict: Json) -> list[Json]:
    """The rules that objected; where none did, the one whose reason is the answer."""
    against = [one for one in verdict["results"] if one["decision"] != "allow"]
    same = [one for one in verdict["results"] if one["reason"] == verdict["reason"]]
    return against or same[:1]


def _changes(verdict: Json) -> Iterator[str]:
    """The company's own changes of rules that it rests on, and what it were without each."""
    for one in counted(verdict["facts"]):
        without = one.without or "the answer is the same."
        yield f"Rule change {one.amendment.number}, {one.says}. Without it: {without}"


def _rule(rule: Json) -> str:
    words = MESSAGES.get(rule["reason"]) or spelled(rule["reason"])
    cite = OUR_CFR.sub(r"12 CFR \1", rule["cite"])
    return f"{rule['id']}: {words[0].upper()}{words[1:]} ({cite})"


def _call(one: Json, evidence: Json, clock: Clock) -> Json:
    way = "Call to" if one["direction"] == "out" else "Call from"
    result = CALLS.get(one["result"], ("",))[0]
    who = f"By {named(one['by_id'], evidence)}" if one["by_id"] else ""
    where = address(one["address"]) if one["address"] else "them"
    notes = (
        [f"What came of it: {result.lower()}."] if result else ["What came of it was not recorded."]
    )
    words = _named(_opened_with(one["id"], evidence), evidence, clock)
    notes += [f"Words before whoever called: {name}." for name in words]
    about = (it for it in evidence["recordings"] if it["attempt_id"] == one["id"])
    notes += [said for it in about for said in recording_in_words(it, clock.moment)]
    return _line(one["at"], f"{way} {where}", clock, by=who, notes=notes)


def _opened_with(attempt: str, evidence: Json) -> set[str]:
    """The edition of the opening words that the ledger names for a call."""
    about = [one["data"] for one in evidence["events"] if one["data"].get("attempt") == attempt]
    return {one["opening"] for one in about if "opening" in one}


def _number_check(one: Json, clock: Clock) -> Json:
    """What a vendor was asked about the number, and what it said."""
    number = address(one["number"])
    if one["kind"] == "reassigned":
        since = clock.day(f"{one['since']}T12:00:00+00:00")
        title = f"Asked whether {number} changed hands after {since}"
        answer = one["response"].replace("_", " ")
    else:
        title = f"Asked which do-not-call lists {number} is on"
        on, of = (", ".join(map(list_name, one[key])) for key in ("listed", "covers"))
        answer = on or f"none of {of}"
    return _line(one["answered_at"], title, clock, notes=[f"{one['service']} answered: {answer}."])


def list_name(registry: str) -> str:
    """A do-not-call list by name."""
    return LISTS.get(registry) or f"the do-not-call list of {STATES.get(registry, registry)}"


def _event(one: Json, clock: Clock) -> Iterator[Json]:
    at = one["occurred_at"]
    if one["kind"] == "los.milestone.reached":
        reached = str(one["data"].get("milestone", "")).replace("_", " ")
        yield _line(at, f"Their loan: {reached}", clock)
    elif said := EVENTS.get(one["kind"]):
        yield _line(at, said, clock)

"""The chronology of an evidence file, in words and in order."""

from datetime import datetime
from typing import Any

from rooftree.compliance.amending.counted import counted
from rooftree.compliance.reasons import MESSAGES, spelled

type Json = dict[str, Any]
DECISIONS = {"allow": "Allowed", "defer": "Held", "require": "Needs a person", "block": "Never"}
STAGES = ("planned", "shown", "dequeued", "handoff")
STOPS = {
    "stop": "They asked us to stop",
    "unsubscribe": "They unsubscribed",
    "do_not_contact": "Put on our own do-not-contact list",
    "wrong_person": "The number is somebody else's",
    "vendor": "The source passed on a do-not-contact",
    "review": "Their words waited for a person",
}


def chronology(evidence: Json) -> Json:
    """They are the parts of the document, every value a string."""
    verdicts = {one["id"]: one for one in evidence["verdicts"]}
    editions = {one["id"]: one for one in evidence["editions"]}
    lines = [
        *(_consent(one) for one in evidence["consents"]),
        *(_stop(one) for one in evidence["revocations"]),
        *(_verdict(one) for one in sorted(evidence["verdicts"], key=_stage)),
        *(
            _message(one, verdicts, editions.get(one["template_id"]))
            for one in evidence["messages"]
        ),
        *(_number_check(one) for one in evidence["number_checks"]),
        *(_attempt(one) for one in evidence["attempts"] if one["medium"] == "call"),
    ]
    return {
        "subject": evidence["subject"],
        "made_at": _moment(evidence["made_at"]),
        "company": " · NMLS ".join(
            one
            for one in (evidence["company"]["legal_name"], evidence["company"]["nmls_id"])
            if one
        ),
        "people": ", ".join(_name(one) for one in evidence["people"]) or "Nobody on file",
        "rules_version": evidence["rules_version"],
        "counts": _counts(evidence),
        "consents": [_wording(one) for one in evidence["consents"]],
        "lists": [_list(one) for one in evidence["lists"]],
        "lines": sorted(lines, key=lambda one: one["order"]),  # of one moment: as they are here
        "complete": _complete(evidence),
    }


def _stage(verdict: Json) -> int:
    return STAGES.index(verdict["stage"]) if verdict["stage"] in STAGES else len(STAGES)


def _name(person: Json) -> str:
    return f"{person['first_name']} {person['last_name']}".strip() or "No name yet"


def _counts(evidence: Json) -> list[list[str]]:
    named = (
        ("Consents", "consents"),
        ("Stops and other suppressions", "revocations"),
        ("Messages, both ways", "messages"),
        ("Verdicts of the gate", "verdicts"),
        ("Ledger entries", "events"),
    )
    return [[title, str(len(evidence[key]))] for title, key in named]


def _wording(one: Json) -> Json:
    record = one["record"] or {}
    proof = [
        f"{key.replace('_', ' ')}: {_plain(value)}"
        for key, value in sorted(record.items())
        if value not in (None, "", [])
    ]
    return {
        "title": f"{_status(one)} for {one['address']}",
        "at": _moment(one["captured_at"] or one["recorded_at"]),
        "wording": one["wording"] or "No wording was kept.",
        "sha256": one["wording_sha256"] or "none",
        "proof": "; ".join(proof) or "none",
    }


def _status(one: Json) -> str:
    if one["status"] == "granted":
        return f"Consent to {', '.join(one['channels']) or 'nothing named'}"
    return "Consent refused" if one["status"] == "denied" else "Consent not known"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _list(one: Json) -> str:
    name = "National do-not-call registry" if one["list"] == "US" else f"List {one['list']}"
    copy = f"{one['by']}'s answer" if one.get("by") else "copy"
    return f"{name}, {copy} of {one['dated']}: {'listed' if one['is_listed'] else 'not listed'}"


def _consent(one: Json) -> Json:
    return _line(one["captured_at"] or one["recorded_at"], _status(one), one["address"], one["id"])


def _stop(one: Json) -> Json:
    words = f"“{one['words']}”" if one["words"] else ""
    ended = f"Ended {_moment(one['ended_at'])} by {one['ended_by']}" if one["ended_at"] else ""
    media = ", ".join(one["media"])
    detail = ". ".join(part for part in (words, f"Ends: {media}", ended) if part)
    return _line(one["at"], STOPS[one["kind"]], detail, one["id"])


def _message(one: Json, verdicts: Json, edition: Json | None) -> Json:
    kind = "Text" if one["medium"] == "text" else "E-mail"
    if one["direction"] == "in":
        return _line(one["created_at"], f"{kind} from them", one["body"], one["id"])
    judged = verdicts.get(one["verdict_id"] or "", {}).get("sentence", "")
    proof = f"{one['carrier']} {one['carrier_id']}".strip()
    said = f"{kind} to {one['to_address']}: {one['state']}"
    parts = (one["subject"], one["body"], judged, _made_from(edition) if edition else "")
    detail = "\n".join(part for part in parts if part)
    return _line(one["sent_at"] or one["created_at"], said, detail, proof or one["id"])


def _made_from(edition: Json) -> str:
    """The wording a message was made from, and who approved it."""
    by = f"approved by {edition['decided_by']}" if edition["decided_by"] else "as supplied"
    name = f"{edition['key'].replace('_', ' ')}, {edition['language']} v{edition['version']}"
    return f"Made from {name}, {by}, in use since {_moment(edition['from_at'])}."


def _attempt(one: Json) -> Json:
    way = "Call to" if one["direction"] == "out" else "Call from"
    return _line(one["at"], f"{way} {one['address'] or 'them'}", one["result"], one["id"])


def _number_check(one: Json) -> Json:
    """What a vendor was asked about the number, and what it said."""
    if one["kind"] == "reassigned":
        said = f"Asked whether {one['number']} changed hands after {one['since']}"
        detail = f"{one['service']} answered: {one['response'].replace('_', ' ')}"
    else:
        said = f"Asked which do-not-call lists {one['number']} is on"
        on = ", ".join(one["listed"]) or f"none of {', '.join(one['covers']) or 'those it has'}"
        detail = f"{one['service']} answered: {on}"
    return _line(one["answered_at"], said, detail, one["id"])


def _verdict(one: Json) -> Json:
    against = [
        f"{rule['id']}: {MESSAGES.get(rule['reason']) or spelled(rule['reason'])} ({rule['cite']})"
        for rule in one["results"]
        if rule["decision"] != "allow"
    ]
    changes = [
        f"Rule change {each.amendment.number}, {each.says}. "
        + (f"Without it: {each.without}" if each.without else "Without it the answer is the same.")
        for each in counted(one["facts"])
    ]
    asked = f"{len(one['results'])} rules asked, {one['rules_version']}"
    detail = "\n".join([one["sentence"], *against, *changes, asked])
    said = f"{DECISIONS[one['decision']]}: {one['medium']}, {one['purpose']} ({one['stage']})"
    return _line(one["at"], said, detail, f"facts {one['facts_sha256']}")


def _line(at: str, said: str, detail: str, proof: str) -> Json:
    return {"order": at, "at": _moment(at), "said": said, "detail": detail, "proof": proof}


def _moment(text: str | None) -> str:
    return f"{datetime.fromisoformat(text):%b %d, %Y %H:%M:%S} UTC" if text else "not known"


def _complete(evidence: Json) -> list[str]:
    ledger, events = evidence["ledger"], evidence["events"]
    places = [one["sequence"] for one in events if one["sequence"] is not None]
    span = f" (from {places[0]} to {places[-1]})" if places else ""
    under = sum("head" in one for one in events)
    return [
        f"The ledger holds {ledger['entries']} entries about these people{span}; all "
        "of them are in this file, each with the hash of the entry before it.",
        "They are numbered for each person, and the numbers have no gap: "
        + (", ".join(f"1 to {last}" for last in ledger["of_each"].values() if last) or "none yet")
        + ".",
        f"{ledger['not_sealed_yet']} of them had no place in the chain yet when this was made.",
        f"{under} are proved to be under a head of the ledger that was signed: "
        + ("; ".join(_head(one) for one in evidence["heads"]) or "none was signed yet")
        + ".",
        f"The chain's head was then entry {ledger['head_sequence']}, {ledger['head_hash']}. "
        "Compare the heads with copies that were kept elsewhere.",
        "The file is signed. Anybody can check it with: rooftree evidence verify FILE.zip",
    ]


def _head(one: Json) -> str:
    return f"entry {one['sequence']} on {_moment(one['at'])}, root {one['root'][:16]}…"

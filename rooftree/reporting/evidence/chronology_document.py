"""The evidence file as somebody reads it on paper: what it comes to, then each part of it."""

from typing import Any

from rooftree.compliance.consent.source_terms import SIGNATURES
from rooftree.reporting.evidence.chronology_lines import (
    SENT_STATES,
    build_lines,
    consent_title,
    dnc_list_name,
    format_address,
)
from rooftree.reporting.evidence.company_clock import CompanyClock

type Json = dict[str, Any]
KINDS = {
    "written": "In writing",
    "oral": "Spoken",
    "number_provided": "They gave the number, and no more",
}
PROOFS = {
    "text_hash": "the wording word for word",
    "page_url": "the page’s address",
    "ip": "their network address",
    "user_agent": "their browser",
    "session_cert": "a certificate of the session",
    "leadid": "a LeadiD",
    "form_record": "our form’s own record",
}
CONFIRMATION = "confirmation"


def build_chronology(evidence: Json) -> Json:
    """They are the parts of the document; every value is a string, or a list of them."""
    clock, company = CompanyClock(evidence["company"]["zone"]), evidence["company"]
    return {
        "subject": format_address(evidence["subject"]),
        "made_at": clock.format_moment(evidence["made_at"]),
        "company": company["legal_name"],
        "company_about": f"NMLS {company['nmls_id']} · {company['postal_address']}",
        "people": "; ".join(_person_name(one) for one in evidence["people"]) or "Nobody on file",
        "zone": clock.name,
        "rules_version": evidence["rules_version"],
        "summary": _summary_sentences(evidence, clock),
        "counts": _section_counts(evidence),
        "consents": [_consent_section(one, evidence, clock) for one in evidence["consents"]],
        "pages": [
            f"{form_page_filename(nth)}, first shown {clock.format_moment(page['shown_at'])}, "
            f"SHA-256 {page['sha256']}"
            for nth, page in enumerate(evidence["form_pages"], start=1)
        ],
        "lists": [_list_sentence(one, clock) for one in evidence["lists"]],
        "lines": build_lines(evidence, clock),
        "complete": _completeness_sentences(evidence, clock),
        "heads": [_head_line(one, clock) for one in evidence["heads"]],
    }


def form_page_filename(nth: int) -> str:
    """Under which name a page as shown lies in the archive."""
    return f"page as shown {nth}.html"


def _person_name(person: Json) -> str:
    return f"{person['first_name']} {person['last_name']}".strip() or "No name yet"


def _summary_sentences(evidence: Json, clock: CompanyClock) -> list[str]:
    """What an examiner asks first: since when, by what right, how often, and what a stop did."""
    said = []
    if evidence["inquiries"]:
        first = evidence["inquiries"][0]
        said.append(
            f"They first asked us {clock.format_moment(first['at'])}, through {first['source']}."
        )
    given = [one for one in evidence["consents"] if one["status"] == "granted" and one["channels"]]
    said += [
        f"{consent_title(one)}, {clock.format_moment(one['captured_at'] or one['recorded_at'])}."
        for one in given
    ] or ["No consent that covers a way of contact is on file."]
    said.append(_contact_counts_sentence(evidence))
    stops = [one for one in evidence["revocations"] if one["kind"] != "review"]
    said += [_after_stop_sentence(stop, evidence, clock) for stop in stops]
    return said if stops else [*said, "They have not asked us to stop."]


def _contact_counts_sentence(evidence: Json) -> str:
    ours = [one for one in evidence["messages"] if one["direction"] == "out"]
    gone = [one["medium"] for one in ours if one["state"] in SENT_STATES]
    calls = sum(
        one["medium"] == "call" and one["direction"] == "out" for one in evidence["attempts"]
    )
    counts = (
        _count_noun(gone.count("text"), "text"),
        _count_noun(gone.count("email"), "e-mail"),
        _count_noun(calls, "call"),
    )
    stopped = _count_noun(len(ours) - len(gone), "message")
    theirs = _count_noun(len(evidence["messages"]) - len(ours), "message")
    return (
        f"We sent {counts[0]} and {counts[1]} and made {counts[2]}; {stopped} that were prepared "
        f"did not go. They wrote us {theirs}."
    )


def _after_stop_sentence(stop: Json, evidence: Json, clock: CompanyClock) -> str:
    """What a stop did, from what was sent after it."""
    ours = [one for one in evidence["messages"] if one["direction"] == "out"]
    until = stop["ended_at"] or evidence["made_at"]
    reached = [
        one
        for one in ours
        if one["medium"] in stop["media"]
        and one["state"] in SENT_STATES
        and stop["at"] < (one["sent_at"] or "") < until
    ]
    kept = sum(one["purpose"] == CONFIRMATION for one in reached)
    rest = len(reached) - kept
    confirmed = f", but for {_count_noun(kept, 'confirmation')} of it" if kept else ""
    what = (
        f"{_count_noun(rest, 'message')} of that kind went" if rest else "nothing of that kind went"
    )
    title = "They asked us to stop" if stop["kind"] in ("stop", "unsubscribe") else "Suppressed"
    return f"{title} {clock.format_moment(stop['at'])}. After that {what} to them{confirmed}."


def _count_noun(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"


def _section_counts(evidence: Json) -> list[list[str]]:
    named = (
        ("Consents", "consents"),
        ("Stops and other suppressions", "revocations"),
        ("Messages, both ways", "messages"),
        ("Decisions of the gate", "verdicts"),
        ("Ledger entries", "events"),
    )
    return [[title, str(len(evidence[key]))] for title, key in named]


def _consent_section(one: Json, evidence: Json, clock: CompanyClock) -> Json:
    return {
        "title": consent_title(one),
        "at": clock.format_moment(one["captured_at"] or one["recorded_at"]),
        "wording": one["wording"] or "No wording was kept.",
        "sha256": one["wording_sha256"] or "none",
        "facts": [list(pair) for pair in _consent_proofs(one, evidence) if pair[1]],
    }


def _consent_proofs(one: Json, evidence: Json) -> list[tuple[str, str]]:
    """How they agreed, where and at which machine, and what of it is proven."""
    record = one["record"] or {}
    touch = one["cause"].removeprefix("touch:").partition(":")[0]
    asked: Json = next((it for it in evidence["inquiries"] if it["id"] == touch), {})
    given = asked.get("consent") or {}
    signed = SIGNATURES.get(record.get("signature", ""), str(record.get("signature", "")))
    return [
        ("Given to", str(record.get("seller", ""))),
        ("How", KINDS.get(record.get("type", ""), "Not known")),
        ("Signed with", signed if record.get("signature") else ""),
        ("Came by", str(asked.get("source", ""))),
        ("Page", str(given.get("page_url", ""))),
        ("Network address", str(given.get("ip", ""))),
        ("Browser", str(given.get("user_agent", ""))),
        ("Machines may be used", _yes_no(record.get("autodial_disclosure"))),
        ("A condition of a purchase", _yes_no(record.get("condition_of_purchase"))),
        ("Signed by whoever has it", _yes_no(record.get("signer_is_subscriber"))),
        ("Proof on file", ", ".join(PROOFS.get(key, key) for key in record.get("evidence", []))),
    ]


def _yes_no(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"


def _list_sentence(one: Json, clock: CompanyClock) -> str:
    name = dnc_list_name(one["list"])
    dated = clock.format_day(f"{one['dated']}T12:00:00+00:00")
    copy = f"answer of {one['by']}, " if one["by"] else "copy of "
    is_on = "listed" if one["is_listed"] else "not listed"
    return f"{name[0].upper()}{name[1:]}, {copy}{dated}: {is_on}"


def _completeness_sentences(evidence: Json, clock: CompanyClock) -> list[str]:
    ledger, events = evidence["ledger"], evidence["events"]
    places = [event["sequence"] for event in events if event["sequence"] is not None]
    span = f", from entry {places[0]} to entry {places[-1]} of all" if places else ""
    under = sum("head" in event for event in events)
    numbers = ", ".join(f"1 to {last}" for last in ledger["of_each"].values() if last)
    return [
        f"Our ledger has {ledger['entries']} entries about these people{span}. All of them are "
        "in this file, each with the hash of the entry before it, so none can have been changed.",
        "Those that have their place in the chain are numbered for each person, and the numbers "
        f"have no gap: {numbers or 'none yet'}. So none can have been left out.",
        f"{under} of them are proved to be under a head of the ledger that was signed (below), "
        f"and {ledger['not_sealed_yet']} had no place in the chain yet when this was made.",
        "Whoever kept a copy of a signed head elsewhere can compare it with the one here.",
        "The whole file is signed. Anybody can check it, without our system or our word, with: "
        "rooftree evidence verify FILE.zip",
    ]


def _head_line(one: Json, clock: CompanyClock) -> Json:
    return {
        "said": f"Entry {one['sequence']}, signed {clock.format_moment(one['at'])}",
        "proof": f"root {one['root']}",
    }

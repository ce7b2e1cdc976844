"""The content of the printed evidence file: summary, consents, timeline and completeness."""

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
    "number_provided": "Only a phone number provided",
}
PROOFS = {
    "text_hash": "exact wording",
    "page_url": "page address",
    "ip": "IP address",
    "user_agent": "browser",
    "session_cert": "session certificate",
    "leadid": "LeadiD",
    "form_record": "record of our form",
}
CONFIRMATION = "confirmation"


def build_chronology(evidence: Json) -> Json:
    """Build the parts of the document; each value is a string, or a list of strings and dicts."""
    clock, company = CompanyClock(evidence["company"]["zone"]), evidence["company"]
    names = [
        f"{person['first_name']} {person['last_name']}".strip() or "No name yet"
        for person in evidence["people"]
    ]
    return {
        "subject": format_address(evidence["subject"]),
        "made_at": clock.format_moment(evidence["made_at"]),
        "company": company["legal_name"],
        "company_about": f"NMLS {company['nmls_id']} · {company['postal_address']}",
        "people": "; ".join(names) or "No person on file",
        "zone": clock.name,
        "rules_version": evidence["rules_version"],
        "summary": _summary_sentences(evidence, clock),
        "counts": _section_counts(evidence),
        "consents": [
            _consent_section(consent, evidence, clock) for consent in evidence["consents"]
        ],
        "pages": [
            f"{form_page_filename(number)}, first shown {clock.format_moment(page['shown_at'])}, "
            f"SHA-256 {page['sha256']}"
            for number, page in enumerate(evidence["form_pages"], start=1)
        ],
        "lists": [_list_sentence(listing, clock) for listing in evidence["lists"]],
        "lines": build_lines(evidence, clock),
        "complete": _completeness_sentences(evidence),
        "heads": [
            {
                "title": f"Entry {head['sequence']}, signed {clock.format_moment(head['at'])}",
                "proof": f"root {head['root']}",
            }
            for head in evidence["heads"]
        ],
    }


def form_page_filename(number: int) -> str:
    """Return the archive filename of a form page as it was shown, counted from 1."""
    return f"page as shown {number}.html"


def _summary_sentences(evidence: Json, clock: CompanyClock) -> list[str]:
    """Answer an examiner's first questions: since when, which consent, how often, after a stop."""
    sentences = []
    if evidence["inquiries"]:
        first = evidence["inquiries"][0]
        sentences.append(
            f"First inquiry {clock.format_moment(first['at'])}, from {first['source']}."
        )
    granted = [
        row for row in evidence["consents"] if row["status"] == "granted" and row["channels"]
    ]
    sentences += [
        f"{consent_title(row)}, {clock.format_moment(row['captured_at'] or row['recorded_at'])}."
        for row in granted
    ] or ["No consent to contact is on file."]
    sentences.append(_contact_counts_sentence(evidence))
    stops = [row for row in evidence["revocations"] if row["kind"] != "review"]
    sentences += [_after_stop_sentence(stop, evidence, clock) for stop in stops]
    return sentences if stops else [*sentences, "The borrower has not opted out."]


def _contact_counts_sentence(evidence: Json) -> str:
    outbound = [row for row in evidence["messages"] if row["direction"] == "out"]
    sent = [row["medium"] for row in outbound if row["state"] in SENT_STATES]
    calls = sum(
        row["medium"] == "call" and row["direction"] == "out" for row in evidence["attempts"]
    )
    texts, emails = (
        _count_noun(sent.count("text"), "text"),
        _count_noun(sent.count("email"), "email"),
    )
    unsent = _count_noun(len(outbound) - len(sent), "prepared message")
    received = _count_noun(len(evidence["messages"]) - len(outbound), "message")
    return (
        f"We sent {texts} and {emails} and made {_count_noun(calls, 'call')}. Not sent: {unsent}. "
        f"The borrower sent us {received}."
    )


def _after_stop_sentence(stop: Json, evidence: Json, clock: CompanyClock) -> str:
    """Describe a stop and the messages it covers that were sent after it."""
    until = stop["ended_at"] or evidence["made_at"]
    later = [
        row
        for row in evidence["messages"]
        if row["direction"] == "out"
        and row["medium"] in stop["media"]
        and row["state"] in SENT_STATES
        and stop["at"] < (row["sent_at"] or "") < until
    ]
    confirmations = sum(row["purpose"] == CONFIRMATION for row in later)
    others = len(later) - confirmations
    verb = "was" if others == 1 else "were"
    sentence = f"After that, {_count_noun(others, 'message')} of that kind {verb} sent"
    if confirmations:
        joint = "in addition to" if others else "except"
        sentence += f", {joint} {_count_noun(confirmations, 'confirmation')}"
    is_opt_out = stop["kind"] in ("stop", "unsubscribe")
    title = "Borrower opted out" if is_opt_out else "Contact stopped"
    return f"{title} {clock.format_moment(stop['at'])}. {sentence}."


def _count_noun(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def _section_counts(evidence: Json) -> list[list[str]]:
    sections = (
        ("Consents", "consents"),
        ("Opt-outs and other suppressions", "revocations"),
        ("Messages, both directions", "messages"),
        ("Contact decisions", "verdicts"),
        ("Ledger entries", "events"),
    )
    return [[title, str(len(evidence[key]))] for title, key in sections]


def _consent_section(consent: Json, evidence: Json, clock: CompanyClock) -> Json:
    return {
        "title": consent_title(consent),
        "at": clock.format_moment(consent["captured_at"] or consent["recorded_at"]),
        "wording": consent["wording"] or "No wording on file.",
        "sha256": consent["wording_sha256"] or "none",
        "facts": [list(pair) for pair in _consent_proofs(consent, evidence) if pair[1]],
    }


def _consent_proofs(consent: Json, evidence: Json) -> list[tuple[str, str]]:
    """Return the label and value of each fact about how and where a consent was given."""
    record = consent["record"] or {}
    touch_id = consent["idempotency_key"].removeprefix("touch:").partition(":")[0]
    inquiry: Json = next((row for row in evidence["inquiries"] if row["id"] == touch_id), {})
    context = inquiry.get("consent") or {}
    signature = SIGNATURES.get(record.get("signature", ""), str(record.get("signature", "")))
    return [
        ("Given to", str(record.get("seller", ""))),
        ("Type", KINDS.get(record.get("type", ""), "Unknown")),
        ("Signature", signature if record.get("signature") else ""),
        ("Source", str(inquiry.get("source", ""))),
        ("Page", str(context.get("page_url", ""))),
        ("IP address", str(context.get("ip", ""))),
        ("Browser", str(context.get("user_agent", ""))),
        ("Autodialing disclosed", _yes_no(record.get("autodial_disclosure"))),
        ("Condition of a purchase", _yes_no(record.get("condition_of_purchase"))),
        ("Signer is the subscriber", _yes_no(record.get("signer_is_subscriber"))),
        ("Proof on file", ", ".join(PROOFS.get(key, key) for key in record.get("evidence", []))),
    ]


def _yes_no(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"


def _list_sentence(listing: Json, clock: CompanyClock) -> str:
    name = dnc_list_name(listing["list"])
    dated = clock.format_day(f"{listing['dated']}T12:00:00+00:00")
    origin = f"answer from {listing['by']}, " if listing["by"] else "copy of "
    is_listed = "listed" if listing["is_listed"] else "not listed"
    return f"{name[0].upper()}{name[1:]}, {origin}{dated}: {is_listed}"


def _completeness_sentences(evidence: Json) -> list[str]:
    ledger, events = evidence["ledger"], evidence["events"]
    places = [event["sequence"] for event in events if event["sequence"] is not None]
    span = f", between entry {places[0]} and entry {places[-1]} of the ledger" if places else ""
    proved = sum("head" in event for event in events)
    numbers = ", ".join(f"1 to {last}" for last in ledger["of_each"].values() if last)
    return [
        f"Our ledger has {ledger['entries']} entries about these people{span}. This file contains "
        "all of them, each with the hash of the entry before it, so no entry can have been "
        "changed.",
        "The entries in the hash chain are numbered for each person, without gaps: "
        f"{numbers or 'none yet'}. So no entry can have been left out.",
        f"{proved} of them are proved to be under a signed head of the ledger (see below). "
        f"{ledger['not_sealed_yet']} had no place in the chain yet when this file was created.",
        "Anyone with a copy of a signed head can compare it with the head in this file.",
        "The whole file is signed. Anyone can check it without our system: "
        "rooftree evidence verify FILE.zip",
    ]

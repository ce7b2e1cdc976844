"""An independent check of stored verdicts: plain arithmetic on the stored facts.

This module reads the stored JSON and imports nothing from the gate. It has its own small reading
of hours, consent, opt-outs, caps, licenses and the company's rule changes, and of license wording
in `license_wording_check`, so that a mistake in the gate can't hide itself. It checks the hash,
that each allowed message was allowed rightly, and that each deferral ends at an allowed hour.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from rooftree.compliance.evidence.license_wording_check import has_license_wording

type Json = Mapping[str, Any]

RULE_TABLE: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[1] / "gate" / "rules.yaml").read_text(encoding="utf-8")
)
STATE_ROWS: dict[str, Any] = {**RULE_TABLE["states"], **RULE_TABLE["territories"]}
WRITTEN_MEDIA = ("text", "email", "mail")
UNMAPPED_PAUSES = {"marketing", "informational", "transactional"}  # by an unmapped status
PHONE_MEDIA = ("call", "text", "voicemail_drop")
REQUIRED_EVIDENCE = {"text_hash", "page_url", "ip", "user_agent"}
SESSION_EVIDENCE = {"session_cert", "leadid", "form_record"}
WEEKDAY_KEYS = ("mon_fri",) * 5 + ("sat", "sun")


def find_problems(stored: Json) -> list[str]:
    """Return all problems of a stored verdict; empty when it follows from its facts.

    Args:
        stored: `facts` (JSON), `facts_sha256`, `decision`, `reason`,
            `next_allowed_at` (ISO or None).
    """
    facts, problems = stored["facts"], []
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if hashlib.sha256(text.encode("utf-8")).hexdigest() != stored["facts_sha256"]:
        problems.append("the facts have changed since they were hashed")
    if facts.get("asks") is not None:
        problems.append("the facts name only some of the gates")
    if stored["decision"] == "allow":
        problems += [f"allowed, but {objection}" for objection in find_objections(facts)]
    if stored["decision"] == "defer":
        problems += _deferral_problems(facts, stored)
    is_stop_reason = stored["decision"] == "block" and stored["reason"] in STOP_REASONS
    if is_stop_reason and not _is_stopped(facts):
        problems.append("blocked as opted out, but there is no opt-out")
    return problems


STOP_REASONS = ("revoked", "revoked_everything", "house_revoke_all", "revoke_all_in_force")


def find_objections(facts: Json) -> list[str]:
    """Return the objections to sending that follow from the facts, in words."""
    try:
        return [
            words
            for words, applies in (
                ("the borrower opted out", _is_stopped(facts)),
                (
                    "it is the wrong person or a reply is unread",
                    facts["is_wrong_person"] or _has_unread_reply(facts),
                ),
                ("it is outside hours", _is_outside_hours(facts, _parse_moment(facts["at"]))),
                (
                    "the borrower's location is unknown",
                    _is_phone_marketing(facts) and not _candidate_places(facts),
                ),
                ("written consent is missing", _lacks_consent(facts)),
                ("the application's status ends marketing", _is_stopped_by_credit_file(facts)),
                ("a state cap is reached", _cap_ends_at(facts) is not None),
                ("the license is missing", _lacks_license(facts)),
                ("the state's license wording is missing", _lacks_words(facts)),
                ("a credit bureau's lead has no basis", _lacks_basis(facts)),
                ("the decision was not recorded", not facts["has_audit_row"]),
            )
            if applies
        ]
    except (KeyError, TypeError, ValueError) as problem:
        return [f"a fact is missing or unreadable ({problem})"]


def _parse_moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _is_marketing(facts: Json) -> bool:
    return bool(facts["purpose"] == "marketing" or facts["has_promo"])


def _is_phone_marketing(facts: Json) -> bool:
    return facts["medium"] in PHONE_MEDIA and _is_marketing(facts)


def _candidate_places(facts: Json) -> list[Json]:
    kinds = ("area_code", "residence", "property", "stated")
    return [
        place
        for place in facts["places"]
        if place["kind"] in kinds
        and place["state"] in STATE_ROWS
        and not (place["kind"] == "property" and place["is_home"] is False)
    ]


def _is_outside_hours(facts: Json, at: datetime) -> bool:
    """Return whether any place is outside the hours of its state on its local date.

    Of holidays, only proclaimed ones count. Consumer-requested calls and prompt replies can be
    outside hours; they are not checked here.
    """
    requested = facts.get("requested_at")
    is_requested = requested and abs(at - _parse_moment(requested)) <= timedelta(minutes=15)
    if not _is_phone_marketing(facts) or is_requested or facts["purpose"] == "reply":
        return False
    return any(_is_place_closed(place, facts, at) for place in _candidate_places(facts))


def _is_place_closed(place: Json, facts: Json, at: datetime) -> bool:
    local = at.astimezone(ZoneInfo(place["zone"]))
    row = _state_row(place["state"], local.date(), facts)
    federal = _changed_values("US", local.date(), facts).get(
        "telemarketing_window", {"mon_fri": ["08:00", "21:00"]}
    )
    windows = [federal, *_hours_windows(row, facts, local)]
    key = WEEKDAY_KEYS[local.weekday()]
    for week in windows:
        hours = week.get(key, week["mon_fri"] if len(week) == 1 else None)
        if hours is None or not hours[0] <= local.strftime("%H:%M") < hours[1]:
            return True
    return local.date() in row["proclaimed"]


def _state_row(state: str, day: date, facts: Json) -> Json:
    """Return a state's row of the table with the rule changes in force on a local date."""
    row = {**STATE_ROWS[state], "proclaimed": RULE_TABLE["proclaimed_holidays"].get(state, [])}
    for item, value in _changed_values(state, day, facts).items():
        row[item] = value
        if item == "live":
            row.pop("versions", None)
        if item == "proclaimed":
            row[item] = [date.fromisoformat(text) for text in value]
    return row


def _changed_values(place: str, day: date, facts: Json) -> dict[str, Any]:
    """Return, by item, the value of the newest rule change in force."""
    in_force = [
        change
        for change in facts.get("amendments", [])
        if change["place"] == place
        and date.fromisoformat(change["from_date"]) <= day
        and (not change["until_date"] or change["until_date"] > day.isoformat())
    ]
    in_force.sort(key=lambda change: (change["from_date"], change["number"]))
    return {change["item"]: json.loads(change["value"]) for change in in_force}


def _hours_windows(row: Json, facts: Json, local: datetime) -> list[Json]:
    weeks = [row.get("live")]
    for version in row.get("versions", []):
        ends = version.get("effective_to")
        if version["effective_from"] <= local.date() and (ends is None or local.date() < ends):
            weeks.append(version["live"])
    if local.dst() and row.get("dst_live"):
        weeks = [row["dst_live"]]
    if facts["is_automated"]:
        weeks.append(row.get("auto"))
    return [week for week in weeks if isinstance(week, dict)]


def _is_stopped(facts: Json) -> bool:
    """Return whether an opt-out for this medium applies, not undone by a later consent or START."""
    is_service = facts["purpose"] in ("informational", "transactional", "legal_notice")
    is_pure_service = is_service and not facts["has_promo"]
    if facts["purpose"] == "confirmation":
        return False
    is_automated = bool(facts["is_automated"] or facts["medium"] in ("text", "voicemail_drop"))
    if is_pure_service and (facts["medium"] == "email" or not is_automated):
        return False
    at = _parse_moment(facts["at"])
    return any(
        facts["medium"] in stop["media"]
        and _parse_moment(stop["at"]) <= at
        and not _is_stop_undone(_parse_moment(stop["at"]), facts)
        for stop in facts["revocations"]
    )


def _has_unread_reply(facts: Json) -> bool:
    """Return whether marketing is on hold and nobody read the newest reply and allowed it."""
    if not (facts["is_held"] and _is_marketing(facts)):
        return False
    inbound_at = _parse_moment(facts["inbound_at"] or "0001-01-01T00:00:00+00:00")
    return not any(
        decision["reason"] == "hold_for_human_review"
        and decision["by"]
        and inbound_at <= _parse_moment(decision["at"]) <= _parse_moment(facts["at"])
        for decision in facts.get("answers", [])
    )


def _is_stopped_by_credit_file(facts: Json) -> bool:
    """Return whether the application's status ends marketing; calls by hand are still allowed."""
    statuses = set(facts.get("credit_stop", "").split("+")) - {""}
    by_hand = not facts["is_automated"]
    if "unmapped" in statuses and not by_hand and facts["purpose"] in UNMAPPED_PAUSES:
        return True
    statuses.discard("unmapped")
    is_exempt = by_hand and (facts["medium"] == "call" or statuses == {"suspended"})
    return bool(statuses and _is_marketing(facts) and not is_exempt)


def _is_stop_undone(stop: datetime, facts: Json) -> bool:
    at = _parse_moment(facts["at"])
    is_phone = facts["medium"] in PHONE_MEDIA
    has_new_consent = any(
        consent["type"] == "written"
        and (not is_phone or _is_valid_consent(consent, facts))
        and consent["captured_at"]
        and stop < _parse_moment(consent["captured_at"]) <= at
        for consent in facts["consents"]
    )
    has_restarted = any(
        restart["has_prior_written_consent"] and stop < _parse_moment(restart["at"]) <= at
        for restart in facts["restarts"]
    )
    return has_new_consent or (has_restarted and is_phone)


def _lacks_consent(facts: Json) -> bool:
    """Return whether automated marketing by phone lacks a complete written consent."""
    if not (_is_phone_marketing(facts) and facts["is_automated"]) or facts["purpose"] == "reply":
        return False
    return not any(_is_valid_consent(consent, facts) for consent in facts["consents"])


def _is_valid_consent(consent: Json, facts: Json) -> bool:
    sellers = {_letters_only(name) for name in facts["seller_names"]}
    channels = {"text": {"text"}, "call": {"call", "autodial_call"}}.get(
        facts["medium"], {"call", "prerecorded", "voicemail_drop"}
    )
    return bool(
        consent["type"] == "written"
        and consent["signature"] not in (None, "prechecked_box")
        and consent["phone"] == facts["recipient"]
        and _letters_only(consent["seller"] or "") in sellers
        and consent["condition_of_purchase"] is False
        and consent["autodial_disclosure"] is True
        and channels & set(consent["channels"])
        and consent["signer_is_subscriber"] is True
        and consent["captured_at"]
        and _parse_moment(consent["captured_at"]) <= _parse_moment(facts["at"])
        and set(consent["evidence"]) >= REQUIRED_EVIDENCE
        and SESSION_EVIDENCE & set(consent["evidence"])
    )


def _letters_only(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _cap_ends_at(facts: Json) -> datetime | None:
    """Return when the last reached state cap ends; None when none is reached."""
    if not _is_phone_marketing(facts):
        return None
    at, ends = _parse_moment(facts["at"]), []
    for cap in _state_caps(facts):
        span = timedelta(hours=cap.get("hours", 0), days=cap.get("days", 0))
        recent = sorted(
            moment
            for contact in facts["contacts"]
            if contact["medium"] in (*PHONE_MEDIA, None)
            and at - span < (moment := _parse_moment(contact["at"])) <= at
        )
        if len(recent) >= cap["n"]:
            ends.append(recent[len(recent) - cap["n"]] + span)
    return max(ends, default=None)


def _state_caps(facts: Json) -> Iterable[Json]:
    at = _parse_moment(facts["at"])
    for place in _candidate_places(facts):
        row = _state_row(place["state"], at.astimezone(ZoneInfo(place["zone"])).date(), facts)
        if place["state"] != "OR":  # Oregon exempts customers; not repeated here
            yield from row.get("caps", [])
        if facts["is_automated"]:
            yield from row.get("auto_caps", [])


def _lacks_license(facts: Json) -> bool:
    """Return whether officer or company isn't licensed in the property's state."""
    state, company, officer = facts["property_state"], facts["company"], facts["officer"]
    if state is None:  # a call by hand can ask for it
        asks_state = facts.get("activity") == "ask_property_state" and facts["medium"] == "call"
        return not asks_state or facts["is_automated"]
    if company["is_depository"]:
        return officer is not None and not (officer["is_registered"] and officer["is_sponsored"])
    if state not in company["licensed_states"]:
        return True
    return officer is not None and not (
        officer["is_sponsored"] and _has_active_license(officer, facts)
    )


def _lacks_words(facts: Json) -> bool:
    """Return whether the text lacks the license wording of the property's state."""
    company, state = facts["company"], facts["property_state"]
    is_exempt = facts["medium"] not in WRITTEN_MEDIA or facts["purpose"] in (
        "reply",
        "confirmation",
    )
    if is_exempt or company["is_depository"] or "license_there" not in company:
        return False  # the key is absent in facts from before this rule
    return not has_license_wording(facts, today=_latest_local_date(state, facts))


def _lacks_basis(facts: Json) -> bool:
    """Return whether a bureau's lead lacks a firm offer, or authorization and relationship.

    Authorization or relationship is required for leads since 2026-03-04 (PL 119-36).
    """
    lead = facts["provenance"]
    if lead["source_class"] != "cra_trigger":
        return False
    relationships = ["current_servicer", "originated_current_loan", "current_originator"]
    if str(lead["entity"]).startswith("insured_"):
        relationships.append("current_account")
    has_basis = lead["is_authorized_to_cra"] or lead["relationship"] in relationships
    is_older = lead["acquired_on"] < "2026-03-04"
    return not lead["is_firm_offer"] or not (has_basis or is_older)


def _has_active_license(officer: Json, facts: Json) -> bool:
    state = facts["property_state"]
    today = _latest_local_date(state, facts)
    return any(
        row["state"] == state
        and row["status"] in ("Approved", "Temporary Authority")
        and (row["expires_on"] is None or row["expires_on"] >= today)
        for row in officer["licenses"]
    )


def _latest_local_date(state: str, facts: Json) -> str:
    """Return the latest date in any zone of the state."""
    return max(
        _parse_moment(facts["at"]).astimezone(ZoneInfo(zone)).date().isoformat()
        for zone in STATE_ROWS[state]["zones"]
    )


def _deferral_problems(facts: Json, stored: Json) -> list[str]:
    """Check that a deferral ends at a later moment when every place is open."""
    if not stored.get("next_allowed_at"):
        return ["deferred without an end"]
    until = _parse_moment(stored["next_allowed_at"])
    problems = []
    if until <= _parse_moment(facts["at"]):
        problems.append("deferred to a moment in the past")
    if _is_outside_hours(facts, until):
        problems.append("deferred to a moment outside hours")
    ends = _cap_ends_at(facts)
    if ends is not None and until < ends:
        problems.append("deferred to a moment before a cap ends")
    return problems

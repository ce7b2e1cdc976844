"""A second opinion on stored verdicts: plain arithmetic on the stored facts.

It reads the JSON that was stored, imports nothing of the gate, its rules or
its facts, and keeps its own small reading of hours, consent, stops, caps and
licenses, and of the company's changes of rules among the facts, so that a mistake in the
gate does not excuse itself. It proves the hash, that whatever was allowed was allowed
rightly, and that an hour held was rightly held.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

type Json = Mapping[str, Any]

RULE_TABLE: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[1] / "gate" / "rules.yaml").read_text(encoding="utf-8")
)
STATE_ROWS: dict[str, Any] = {**RULE_TABLE["states"], **RULE_TABLE["territories"]}
LICENSE_WORDING: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[1] / "gate" / "license_wording.yaml").read_text(encoding="utf-8")
)["states"]
WRITTEN_MEDIA = ("text", "email", "mail")
PHONE_MEDIA = ("call", "text", "voicemail_drop")
REQUIRED_EVIDENCE = {"text_hash", "page_url", "ip", "user_agent"}
SESSION_EVIDENCE = {"session_cert", "leadid", "form_record"}
WEEKDAY_KEYS = ("mon_fri",) * 5 + ("sat", "sun")


def find_problems(stored: Json) -> list[str]:
    """They are all the ways in which a stored verdict does not follow from its facts.

    Args:
        stored: `facts` (JSON), `facts_sha256`, `decision`, `reason`,
            `next_allowed_at` (ISO or None).

    Returns an empty list for a sound verdict.
    """
    facts = stored["facts"]
    found = []
    if _facts_hash(facts) != stored["facts_sha256"]:
        found.append("the facts have changed since they were hashed")
    if facts.get("asks") is not None:
        found.append("the facts ask only some of the gates")
    if stored["decision"] == "allow":
        found += [f"allowed, but {why}" for why in find_objections(facts)]
    if stored["decision"] == "defer":
        found += _deferral_problems(facts, stored)
    if (
        stored["decision"] == "block"
        and stored["reason"] in STOP_REASONS
        and not _is_stopped(facts)
    ):
        found.append("blocked as stopped, but no stop stands")
    return found


STOP_REASONS = ("revoked", "revoked_everything", "house_revoke_all", "revoke_all_in_force")


def find_objections(facts: Json) -> list[str]:
    """They are the reasons against sending that these facts hold, in words."""
    try:
        return [
            words
            for words, stands in (
                ("a stop stands", _is_stopped(facts)),
                ("the person is wrong or held", facts["is_wrong_person"] or _is_held(facts)),
                ("it is outside hours", _is_outside_hours(facts, _parse_moment(facts["at"]))),
                (
                    "nobody knows where they are",
                    _is_phone_marketing(facts) and not _candidate_places(facts),
                ),
                ("written consent is missing", _lacks_consent(facts)),
                ("their file ended marketing", _is_stopped_by_credit_file(facts)),
                ("a state cap is reached", _cap_ends_at(facts) is not None),
                ("the license is missing", _lacks_license(facts)),
                ("its state's wording is missing", _lacks_words(facts)),
                ("a credit bureau's lead has no basis", _lacks_basis(facts)),
                ("the decision was not recorded", not facts["has_audit_row"]),
            )
            if stands
        ]
    except (KeyError, TypeError, ValueError) as missing:
        return [f"a fact is missing or unreadable ({missing})"]


def _facts_hash(facts: Json) -> str:
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _parse_moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _is_marketing(facts: Json) -> bool:
    return bool(facts["purpose"] == "marketing" or facts["has_promo"])


def _is_phone_marketing(facts: Json) -> bool:
    return facts["medium"] in PHONE_MEDIA and _is_marketing(facts)


def _candidate_places(facts: Json) -> list[Json]:
    kinds = ("area_code", "residence", "property", "stated")
    return [
        one
        for one in facts["places"]
        if one["kind"] in kinds
        and one["state"] in STATE_ROWS
        and not (one["kind"] == "property" and one["is_home"] is False)
    ]


def _is_outside_hours(facts: Json, at: datetime) -> bool:
    """Any place is outside the hours of its state on its own date (holidays by proclamation only).

    Consumer-requested calls and prompt replies may be later; they are not judged here.
    """
    asked = facts.get("requested_at")
    is_asked_for = asked and abs(at - datetime.fromisoformat(asked)) <= timedelta(minutes=15)
    if not _is_phone_marketing(facts) or is_asked_for or facts["purpose"] == "reply":
        return False
    return any(
        _is_place_closed(candidate_place, facts, at) for candidate_place in _candidate_places(facts)
    )


def _is_place_closed(place: Json, facts: Json, at: datetime) -> bool:
    local = at.astimezone(ZoneInfo(place["zone"]))
    row = _state_row(place["state"], local.date(), facts)
    windows = [_federal_hours(local.date(), facts), *_hours_windows(row, facts, local)]
    key = WEEKDAY_KEYS[local.weekday()]
    for week in windows:
        hours = week.get(key, week["mon_fri"] if len(week) == 1 else None)
        if hours is None or not hours[0] <= local.strftime("%H:%M") < hours[1]:
            return True
    return local.date() in row["proclaimed"]


def _state_row(state: str, day: date, facts: Json) -> Json:
    """The table's row of a state, with what the company changed of it in force on a local date."""
    row = {**STATE_ROWS[state], "proclaimed": RULE_TABLE["proclaimed_holidays"].get(state, [])}
    for item, value in _changed_values(state, day, facts).items():
        row[item] = value
        if item == "live":
            row.pop("versions", None)
        if item == "proclaimed":
            row[item] = [date.fromisoformat(one) for one in value]
    return row


def _federal_hours(day: date, facts: Json) -> Json:
    """The federal hours on a local date."""
    shipped = {"mon_fri": ["08:00", "21:00"]}
    window: Json = _changed_values("US", day, facts).get("telemarketing_window", shipped)
    return window


def _changed_values(place: str, day: date, facts: Json) -> dict[str, Any]:
    """By item, the value of the change that began last of those in force."""
    here = [one for one in facts.get("amendments", []) if one["place"] == place]
    begun = [one for one in here if date.fromisoformat(one["from_date"]) <= day]
    left = [one for one in begun if not one["until_date"] or one["until_date"] > day.isoformat()]
    left.sort(key=lambda one: (one["from_date"], one["number"]))
    return {one["item"]: json.loads(one["value"]) for one in left}


def _hours_windows(row: Json, facts: Json, local: datetime) -> list[Json]:
    found = [row.get("live")]
    for version in row.get("versions", []):
        ends = version.get("effective_to")
        if version["effective_from"] <= local.date() and (ends is None or local.date() < ends):
            found.append(version["live"])
    if local.dst() and row.get("dst_live"):
        found = [row["dst_live"]]
    if facts["is_automated"]:
        found.append(row.get("auto"))
    return [one for one in found if isinstance(one, dict)]


def _is_stopped(facts: Json) -> bool:
    """A stop of this medium stands, not undone by a later written consent or START."""
    is_service = facts["purpose"] in ("informational", "transactional", "legal_notice")
    is_spared = is_service and not facts["has_promo"]
    if facts["purpose"] == "confirmation":
        return False
    if is_spared and (facts["medium"] == "email" or not _is_automated_contact(facts)):
        return False
    at = _parse_moment(facts["at"])
    return any(
        facts["medium"] in one["media"]
        and _parse_moment(one["at"]) <= at
        and not _is_stop_undone(_parse_moment(one["at"]), facts)
        for one in facts["revocations"]
    )


def _is_automated_contact(facts: Json) -> bool:
    return bool(facts["is_automated"] or facts["medium"] in ("text", "voicemail_drop"))


def _is_held(facts: Json) -> bool:
    return bool(facts["is_held"]) and _is_marketing(facts) and not _was_hold_read(facts)


def _was_hold_read(facts: Json) -> bool:
    """A named person read their newest answer before this and let the message go."""
    wrote = _parse_moment(facts["inbound_at"] or "0001-01-01T00:00:00+00:00")
    return any(
        one["reason"] == "hold_for_human_review"
        and one["by"]
        and wrote <= _parse_moment(one["at"]) <= _parse_moment(facts["at"])
        for one in facts.get("answers", [])
    )


def _is_stopped_by_credit_file(facts: Json) -> bool:
    """Their file stands so that nothing may be sold to them, but by a person who calls them."""
    stands = facts.get("credit_stop", "")
    by_hand = not facts["is_automated"]
    is_spared = by_hand and (facts["medium"] == "call" or stands == "suspended")
    return bool(stands and _is_marketing(facts) and not is_spared)


def _is_stop_undone(stop: datetime, facts: Json) -> bool:
    at = _parse_moment(facts["at"])
    fresh = [
        one
        for one in facts["consents"]
        if one["type"] == "written"
        and (facts["medium"] not in PHONE_MEDIA or _is_valid_consent(one, facts))
        and one["captured_at"]
        and stop < _parse_moment(one["captured_at"]) <= at
    ]
    started = [
        one
        for one in facts["restarts"]
        if one["has_prior_written_consent"] and stop < _parse_moment(one["at"]) <= at
    ]
    return bool(fresh or (started and facts["medium"] in PHONE_MEDIA))


def _lacks_consent(facts: Json) -> bool:
    """An automated marketing text or call without one whole written consent."""
    if not (_is_phone_marketing(facts) and facts["is_automated"]) or facts["purpose"] == "reply":
        return False
    return not any(_is_valid_consent(one, facts) for one in facts["consents"])


def _is_valid_consent(one: Json, facts: Json) -> bool:
    names = {_letters_only(name) for name in facts["seller_names"]}
    wanted = {"text": {"text"}, "call": {"call", "autodial_call"}}.get(
        facts["medium"], {"call", "prerecorded", "voicemail_drop"}
    )
    return bool(
        one["type"] == "written"
        and one["signature"] not in (None, "prechecked_box")
        and one["phone"] == facts["recipient"]
        and _letters_only(one["seller"] or "") in names
        and one["condition_of_purchase"] is False
        and one["autodial_disclosure"] is True
        and wanted & set(one["channels"])
        and one["signer_is_subscriber"] is True
        and one["captured_at"]
        and _parse_moment(one["captured_at"]) <= _parse_moment(facts["at"])
        and set(one["evidence"]) >= REQUIRED_EVIDENCE
        and SESSION_EVIDENCE & set(one["evidence"])
    )


def _letters_only(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _cap_ends_at(facts: Json) -> datetime | None:
    """It is when the last reached state cap lets go, None when none is reached."""
    if not _is_phone_marketing(facts):
        return None
    at, ends = _parse_moment(facts["at"]), []
    for cap in _state_caps(facts):
        span = timedelta(hours=cap.get("hours", 0), days=cap.get("days", 0))
        recent = sorted(
            moment
            for one in facts["contacts"]
            if one["medium"] in (*PHONE_MEDIA, None)
            and at - span < (moment := _parse_moment(one["at"])) <= at
        )
        if len(recent) >= cap["n"]:
            ends.append(recent[len(recent) - cap["n"]] + span)
    return max(ends, default=None)


def _state_caps(facts: Json) -> Iterable[Json]:
    at = _parse_moment(facts["at"])
    for place in _candidate_places(facts):
        row = _state_row(place["state"], at.astimezone(ZoneInfo(place["zone"])).date(), facts)
        if place["state"] != "OR":  # Oregon exempts customers; that reading is not repeated here
            yield from row.get("caps", [])
        if facts["is_automated"]:
            yield from row.get("auto_caps", [])


def _lacks_license(facts: Json) -> bool:
    """Officer or company is not entitled in the property's state."""
    state, company, officer = facts["property_state"], facts["company"], facts["officer"]
    if state is None:
        return True
    if company["is_depository"]:
        return officer is not None and not (officer["is_registered"] and officer["is_sponsored"])
    if state not in company["licensed_states"]:
        return True
    return officer is not None and not (
        officer["is_sponsored"] and _has_active_license(officer, facts)
    )


def _lacks_words(facts: Json) -> bool:
    """What the property's state wants said of our license there is not in the text."""
    company, state = facts["company"], facts["property_state"]
    is_bare = facts["medium"] not in WRITTEN_MEDIA or facts["purpose"] in ("reply", "confirmation")
    if is_bare or company["is_depository"] or "license_there" not in company:
        return False  # the last: judged before this was asked
    today = _latest_local_date(state, facts)
    known = LICENSE_WORDING.get(state, [])
    rows = [r for r in known if str(r["from"]) <= today < str(r.get("until", "9999-12-31"))]
    there = company["license_there"] or {"number": "", "license": ""}
    if not rows:
        return False
    chosen = rows[0].get("licenses", {there["license"]: rows[0]}).get(there["license"])
    if chosen is None:
        return True
    form = chosen.get("text") if facts["medium"] == "text" else None
    said = _fill_wording(form or chosen["says"], facts, there["number"])
    return said is None or _normalize_spaces(said) not in _normalize_spaces(facts["text"])


def _fill_wording(form: str, facts: Json, number: str) -> str | None:
    """It is the wording with our own facts in it, None when one that it names is not there."""
    company, digits = facts["company"], facts["company"]["phone"][-10:]
    ours = {
        "{number}": number,
        "{nmls_id}": company["nmls_id"],
        "{website}": company["website"].removeprefix("https://").removeprefix("http://"),
        "{phone}": f"({digits[:3]}) {digits[3:6]}-{digits[6:]}" if digits else "",
        "{address}": facts["postal_address"] or "",
    }
    for name, value in ours.items():
        if name in form and not value:
            return None
        form = form.replace(name, value.rstrip("/"))
    return form


def _normalize_spaces(text: str) -> str:
    return " ".join(text.split()).casefold()


def _lacks_basis(facts: Json) -> bool:
    """A bureau's lead without a firm offer, or since the law without authorization and tie."""
    lead = facts["provenance"]
    if lead["source_class"] != "cra_trigger":
        return False
    ties = ["current_servicer", "originated_current_loan", "current_originator"]
    if str(lead["entity"]).startswith("insured_"):
        ties.append("current_account")
    is_tied = lead["is_authorized_to_cra"] or lead["relationship"] in ties
    is_older = lead["acquired_on"] < "2026-03-04"
    return not lead["is_firm_offer"] or not (is_tied or is_older)


def _has_active_license(officer: Json, facts: Json) -> bool:
    state = facts["property_state"]
    today = _latest_local_date(state, facts)
    return any(
        one["state"] == state
        and one["status"] in ("Approved", "Temporary Authority")
        and (one["expires_on"] is None or one["expires_on"] >= today)
        for one in officer["licenses"]
    )


def _latest_local_date(state: str, facts: Json) -> str:
    """It is the latest date in any zone of the state."""
    return max(
        _parse_moment(facts["at"]).astimezone(ZoneInfo(zone)).date().isoformat()
        for zone in STATE_ROWS[state]["zones"]
    )


def _deferral_problems(facts: Json, stored: Json) -> list[str]:
    """A held message has a moment, later than now, at which no place is shut."""
    if not stored.get("next_allowed_at"):
        return ["held, but until no moment"]
    until = _parse_moment(stored["next_allowed_at"])
    found = []
    if until <= _parse_moment(facts["at"]):
        found.append("held until a moment that is past")
    if _is_outside_hours(facts, until):
        found.append("held until a moment outside hours")
    ends = _cap_ends_at(facts)
    if ends is not None and until < ends:
        found.append("held until before a cap lets go")
    return found

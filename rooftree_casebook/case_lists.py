"""The facts of a case about opt-outs, do-not-call lists and email setup."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from rooftree.compliance.consent.reply_classifier import ReplyMeaning, classify_reply
from rooftree.compliance.gate.facts import PHONE_MEDIA as PHONE
from rooftree.compliance.gate.facts import (
    Emergency,
    Medium,
    Purpose,
    Relationship,
    Restart,
    Revocation,
    StateList,
)
from rooftree.compliance.gate.rulebook import RULES_AS_OF
from rooftree_casebook.case_words import hard_opt_out, is_stated

type Given = Mapping[str, Any]

STOP_KEYS = ("stop_received_at", "stop_at", "stopped_at", "revoked_at")
UNSUBSCRIBE_LINK_KEYS = ("unsubscribe_link", "has_unsubscribe", "has_unsubscribe_link")
# The one-click headers count only when DKIM signs them (RFC 8058).
SIGNED_HEADER_KEYS = ("unsubscribe_headers_signed", "signature_covers_unsubscribe")
LISTED_ON_KEYS = ("state_listed_on", "listed_on", "state_list_since", "on_state_list_since")
SORTED_PHONE_MEDIA = tuple(sorted(PHONE))
EMAIL_MEDIA = (Medium.EMAIL,)
ALL_MEDIA = (*SORTED_PHONE_MEDIA, Medium.EMAIL, Medium.MAIL)


def parse_day(value: Any) -> date | None:
    """Return the date of an ISO date or moment; None for an empty value."""
    return date.fromisoformat(str(value)[:10]) if value else None


def case_today(given: Given) -> date:
    """Return the day of a case, or the rulebook's date without one."""
    return parse_day(given.get("today") or given.get("on") or given.get("now")) or RULES_AS_OF


def is_authentication_key(key: str) -> bool:
    """Return whether a key of a case is about SPF, DKIM or DMARC."""
    return any(word in key for word in ("spf", "dkim", "dmarc", "authenticat", "aligned"))


def stop_facts(given: Given, at: datetime) -> dict[str, Any]:
    """Return the facts about opt-outs and the borrower's last message."""
    meaning = ReplyMeaning.NONE
    if isinstance(given.get("inbound_text"), str):
        meaning = classify_reply(given["inbound_text"]).meaning
    reply_to = str(given.get("stop_reply_to") or given.get("reply_to") or "").partition("_")[0]
    about = Purpose(reply_to) if reply_to in tuple(Purpose) else None
    has_prior_consent = bool(given.get("prior_pewc_same_seller"))
    restart = Restart(at=at, has_prior_written_consent=has_prior_consent)
    return {
        "revocations": _case_revocations(given, at, meaning, about),
        "restarts": (restart,) if meaning is ReplyMeaning.OPTIN else (),
        "inbound_meaning": meaning.value,
        "is_held": meaning is ReplyMeaning.HOLD,
        "is_wrong_person": meaning is ReplyMeaning.WRONG_PERSON or bool(given.get("wrong_party")),
    }


def _case_revocations(
    given: Given, at: datetime, meaning: ReplyMeaning, about: Purpose | None
) -> tuple[Revocation, ...]:
    moments = [datetime.fromisoformat(given[key]) for key in STOP_KEYS if key in given]
    stops = [_build_stop(moment, SORTED_PHONE_MEDIA, about) for moment in moments]
    if given.get("stop_reply_to"):
        stops.append(_build_stop(at, SORTED_PHONE_MEDIA, about))
    elif meaning is ReplyMeaning.REVOKE and not moments:
        stops.append(_build_stop(at, SORTED_PHONE_MEDIA, None))
    words = given.get("email_request")
    if words and classify_reply(words).meaning is ReplyMeaning.REVOKE:
        stops.append(_build_stop(at, ALL_MEDIA, None))
    if given.get("unsubscribed_at"):
        unsubscribed_at = datetime.fromisoformat(given["unsubscribed_at"])
        stops.append(_build_stop(unsubscribed_at, EMAIL_MEDIA, None))
    consent = given.get("consent")
    if isinstance(consent, dict) and consent.get("withdrawn_at"):
        stops.append(_build_stop(datetime.fromisoformat(consent["withdrawn_at"]), ALL_MEDIA, None))
    if given.get("email_opted_out"):
        stops.append(_build_stop(at, EMAIL_MEDIA, None))
    return tuple(stops)


def _build_stop(at: datetime, media: tuple[Medium, ...], about: Purpose | None) -> Revocation:
    return Revocation(at=at, media=media, about=about, by_text=True)


def list_facts(given: Given, at: datetime) -> dict[str, Any]:
    """Return the facts about do-not-call lists, relationships and emergencies."""
    is_listed = bool(given.get("on_national")) or given.get("dnc") == "listed"
    is_clear = given.get("dnc") == "clear"
    # A case that leaves the day of the list's copy out has a current one.
    registry_on = parse_day(given.get("registry_version_date", at.date()))
    state_copy_on = parse_day(given.get("state_list_version_date")) or registry_on
    state = given.get("state")
    state_list = StateList(
        state=state or "",
        version_date=at.date() if is_clear else state_copy_on,
        is_listed=bool(given.get("on_state_list")),
        listed_on=parse_day(next((given[key] for key in LISTED_ON_KEYS if key in given), None)),
    )
    return {
        "registry_date": at.date() if is_clear else registry_on,
        "is_on_registry": is_listed,
        "state_lists": (state_list,) if state else (),
        "relationships": _case_relationships(given, at),
        "internal_dnc_on": parse_day(given.get("internal_dnc_since")),
        "emergencies": tuple(
            Emergency(
                state=emergency["state"],
                county=emergency.get("county", "*"),
                from_date=date.fromisoformat(emergency["from"]),
                until_date=parse_day(emergency.get("to")),
            )
            for emergency in given.get("declared_emergencies", ())
        ),
        "emergencies_read_at": at - timedelta(hours=given.get("feed_age_hours", 0)),
    }


def _case_relationships(given: Given, at: datetime) -> tuple[Relationship, ...]:
    """Return the relationship with us; one that a case only names is of the case's own day."""
    ebr = given.get("ebr")
    if not ebr or given.get("ebr_terminated"):
        return ()  # an opt-out ends the relationship
    if not isinstance(ebr, Mapping):
        kind = ebr if ebr in ("inquiry", "application") else "transaction"
        return (Relationship(kind=kind, on=at.date(), with_us=is_stated(ebr)),)
    if ebr.get("terminated") or not ebr.get("date"):
        return ()
    on, with_us = date.fromisoformat(ebr["date"]), ebr.get("party") == "us"
    return (Relationship(kind=ebr["kind"], on=on, with_us=with_us),)


def email_facts(given: Given) -> dict[str, Any]:
    """Return the facts about an email and its stream."""
    passing = (True, "pass", "aligned", "ok")
    address = given.get("postal_address", "ok")
    is_link_missing = any(given.get(key) is False for key in UNSUBSCRIBE_LINK_KEYS)
    is_signed = not any(given.get(key) is False for key in SIGNED_HEADER_KEYS)
    return {
        "postal_address": address if is_stated(address) else "",
        "has_one_click": is_stated(given.get("list_unsubscribe_post", True)) and is_signed,
        "is_authenticated": all(
            given[key] in passing for key in given if is_authentication_key(key)
        ),
        "has_prior_thread": bool(given.get("prior_thread", False)),
        "unsubscribe_days": 0 if is_link_missing else given.get("unsubscribe_link_ttl_days", 30),
        "unsubscribe_needs": hard_opt_out(given.get("unsubscribe_requires")),
        "spam_percent": given.get("spam_rate_pct"),
    }

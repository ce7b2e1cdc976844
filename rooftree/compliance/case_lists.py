"""The parts of a case's facts that come from stops, lists and mail set-up."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from rooftree.compliance.facts import (
    PHONE,
    Emergency,
    Medium,
    Purpose,
    Relationship,
    Restart,
    Revocation,
    StateList,
)
from rooftree.compliance.optout import Meaning, classify
from rooftree.compliance.rulebook import AS_OF

type Given = Mapping[str, Any]

STOPS = ("stop_received_at", "stop_at", "stopped_at", "revoked_at")
LISTED_ON = ("state_listed_on", "listed_on", "state_list_since", "on_state_list_since")
PHONE_MEDIA = tuple(sorted(PHONE))
EMAIL_MEDIA = (Medium.EMAIL,)
ALL_MEDIA = (*PHONE_MEDIA, Medium.EMAIL, Medium.MAIL)


def day(value: Any) -> date | None:
    """It is the date of an ISO date or moment, None for nothing."""
    return date.fromisoformat(str(value)[:10]) if value else None


def today(given: Given) -> date:
    """It is the day of a case, or the rulebook's own."""
    return day(given.get("today") or given.get("on") or given.get("now")) or AS_OF


def is_signature(key: str) -> bool:
    """The key of a case is about SPF, DKIM or DMARC."""
    return any(word in key for word in ("spf", "dkim", "dmarc", "authenticat", "aligned"))


def stops(given: Given, at: datetime) -> dict[str, Any]:
    meaning = Meaning.NONE
    if isinstance(given.get("inbound_text"), str):
        meaning = classify(given["inbound_text"]).meaning
    about = _about(given.get("stop_reply_to") or given.get("reply_to"))
    return {
        "revocations": _revocations(given, at, meaning, about),
        "restarts": _restarts(given, at) if meaning is Meaning.OPTIN else (),
        "inbound_meaning": meaning.value,
        "is_held": meaning is Meaning.HOLD,
        "is_wrong_person": meaning is Meaning.WRONG_PERSON or bool(given.get("wrong_party")),
    }


def _revocations(
    given: Given, at: datetime, meaning: Meaning, about: Purpose | None
) -> tuple[Revocation, ...]:
    moments = [datetime.fromisoformat(given[key]) for key in STOPS if key in given]
    found = [_stop(one, PHONE_MEDIA, about) for one in moments]
    if given.get("stop_reply_to"):
        found.append(_stop(at, PHONE_MEDIA, about))
    elif meaning is Meaning.REVOKE and not moments:
        found.append(_stop(at, PHONE_MEDIA, None))
    words = given.get("email_request")
    if words and classify(words).meaning is Meaning.REVOKE:
        found.append(_stop(at, ALL_MEDIA, None))
    if given.get("unsubscribed_at"):
        found.append(_stop(datetime.fromisoformat(given["unsubscribed_at"]), EMAIL_MEDIA, None))
    consent = given.get("consent")
    if isinstance(consent, dict) and consent.get("withdrawn_at"):
        found.append(_stop(datetime.fromisoformat(consent["withdrawn_at"]), ALL_MEDIA, None))
    if given.get("email_opted_out"):
        found.append(_stop(at, EMAIL_MEDIA, None))
    return tuple(found)


def _restarts(given: Given, at: datetime) -> tuple[Restart, ...]:
    has_prior = bool(given.get("prior_pewc_same_seller"))
    return (Restart(at=at, has_prior_written_consent=has_prior),)


def _stop(at: datetime, media: tuple[Medium, ...], about: Purpose | None) -> Revocation:
    return Revocation(at=at, media=media, about=about, by_text=True)


def _about(reply_to: str | None) -> Purpose | None:
    name = (reply_to or "").partition("_")[0]
    return Purpose(name) if name in tuple(Purpose) else None


def lists(given: Given, at: datetime) -> dict[str, Any]:
    is_listed = bool(given.get("on_national")) or given.get("dnc") == "listed"
    is_clear = given.get("dnc") == "clear"
    version = given.get("state_list_version_date") or given.get("registry_version_date")
    state = given.get("state")
    lists = StateList(
        state=state or "",
        version_date=at.date() if is_clear else day(version),
        is_listed=bool(given.get("on_state_list")),
        listed_on=day(next((given[key] for key in LISTED_ON if key in given), None)),
    )
    ebr = given.get("ebr")
    if ebr and (ebr.get("terminated") or given.get("ebr_terminated")):
        ebr = None  # it ends when they say stop
    return {
        "registry_date": at.date() if is_clear else day(given.get("registry_version_date")),
        "is_on_registry": is_listed,
        "state_lists": (lists,) if state else (),
        "relationships": (_relationship(ebr),) if ebr else (),
        "internal_dnc_on": day(given.get("internal_dnc_since")),
        "emergencies": tuple(
            Emergency(
                state=one["state"],
                county=one.get("county", "*"),
                from_date=date.fromisoformat(one["from"]),
                until_date=day(one.get("to")),
            )
            for one in given.get("declared_emergencies", ())
        ),
        "emergencies_read_at": at - timedelta(hours=given.get("feed_age_hours", 0)),
    }


def _relationship(ebr: Given) -> Relationship:
    return Relationship(
        kind=ebr["kind"], on=date.fromisoformat(ebr["date"]), with_us=ebr.get("party") == "us"
    )


def mail(given: Given) -> dict[str, Any]:
    good = (True, "pass", "aligned", "ok")
    return {
        "postal_address": given.get("postal_address", "ok"),
        "has_one_click": bool(given.get("list_unsubscribe_post", True)),
        "is_authenticated": all(given[key] in good for key in given if is_signature(key)),
        "has_prior_thread": bool(given.get("prior_thread", False)),
        "unsubscribe_days": given.get("unsubscribe_link_ttl_days", 30),
        "unsubscribe_needs": given.get("unsubscribe_requires"),
        "spam_percent": given.get("spam_rate_pct"),
    }

"""Settings of generic webhook sources: channel, proof of the sender, and answers."""

import ipaddress
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.transaction import atomic

from rooftree.capture.parsing.sender_proof import PROOF_LABELS
from rooftree.capture.source_setup.manage_sources import BadSource, save_adapter_setup
from rooftree.leads.models import Source
from rooftree.leads.vocabulary import Channel
from rooftree.org.models import User

ANSWER_FORMATS = {"json": "JSON", "xml": "XML", "plain": "Plain text"}
CHANNELS = {
    Channel.AGGREGATOR: "Aggregator: sells an inquiry to several lenders",
    Channel.MARKETPLACE: "Marketplace: consumers compare lenders there",
    Channel.WEBSITE: "Our own website or form",
    Channel.PAID_SEARCH: "Our own paid search",
    Channel.PAID_SOCIAL: "Our own paid social",
    Channel.REFERRAL: "Referral partner",
    Channel.PHONE: "Call service",
    Channel.CHAT: "Chat",
    Channel.EMAIL: "Email",
}
POST_SETTINGS = (
    "channel",
    "proof",
    "header",
    "user",
    "networks",
    "answer",
    "status",
    "success",
    "failure",
)
_HEADER = re.compile(r"[A-Za-z0-9-]{1,60}")
_MAX_ANSWER_LENGTH = 2_000
_RESERVED_HEADERS = frozenset({"content-type", "content-length", "host", "cookie", "origin"})


def save_post_settings(
    *, source_id: UUID, details: Mapping[str, Any], by: User, at: datetime
) -> Source:
    """Save how a source proves its identity and how it is answered. Raises `BadSource`.

    Args:
        details: keys of POST_SETTINGS; an empty one returns to its default.
    """
    values = {name: details[name] for name in POST_SETTINGS if name in details}
    _check_settings(values)
    with atomic():
        source = Source.objects.select_for_update().get(pk=source_id)
        save_adapter_setup(source, values, by=by, at=at)
    return source


def _check_settings(values: Mapping[str, Any]) -> None:
    for name, choices, message in (
        ("channel", CHANNELS, "Choose a kind of sender."),
        ("proof", PROOF_LABELS, "Choose how the sender proves its identity."),
        ("answer", ANSWER_FORMATS, "Choose an answer format."),
    ):
        if values.get(name) and values[name] not in choices:
            raise BadSource(name, message)
    header = str(values.get("header") or "")
    if header and (not _HEADER.fullmatch(header) or header.lower() in _RESERVED_HEADERS):
        raise BadSource("header", "Enter only a header name, like X-Api-Key.")
    for network in values.get("networks") or []:
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError as error:
            message = f"{network} is not an IP address. Enter 203.0.113.7 or 203.0.113.0/24."
            raise BadSource("networks", message) from error
    for name in ("success", "failure"):
        _check_answer(name, str(values.get(name) or ""), str(values.get("answer") or "json"))


def _check_answer(name: str, text: str, answer_format: str) -> None:
    if len(text) > _MAX_ANSWER_LENGTH:
        raise BadSource(name, f"Enter at most {_MAX_ANSWER_LENGTH:,} characters.")
    if text and answer_format == "json":
        try:
            json.loads(text.replace("{id}", "0").replace("{error}", "0"))
        except ValueError as error:
            raise BadSource(name, "This is not JSON. Put {id} and {error} in quotes.") from error

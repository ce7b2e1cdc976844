"""How a source that may post anything proves itself, what it is answered, and what it is."""

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
    Channel.AGGREGATOR: "An aggregator: sells an inquiry to several lenders",
    Channel.MARKETPLACE: "A marketplace: the consumer compares lenders there",
    Channel.WEBSITE: "A website or form of ours",
    Channel.PAID_SEARCH: "Our own paid search",
    Channel.PAID_SOCIAL: "Our own paid social",
    Channel.REFERRAL: "A referral partner",
    Channel.PHONE: "A call service",
    Channel.CHAT: "A chat",
    Channel.EMAIL: "E-mail",
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
    """Set how a source proves itself and is answered. Raises `BadSource`.

    Args:
        details: keys of TOLD; what is empty goes back to the usual.
    """
    wanted = {name: details[name] for name in POST_SETTINGS if name in details}
    _check_settings(wanted)
    with atomic():
        source = Source.objects.select_for_update().get(pk=source_id)
        save_adapter_setup(source, wanted, by=by, at=at)
    return source


def _check_settings(wanted: Mapping[str, Any]) -> None:
    for name, known, said in (
        ("channel", CHANNELS, "Choose what kind of sender this is."),
        ("proof", PROOF_LABELS, "Choose how it proves itself."),
        ("answer", ANSWER_FORMATS, "Choose how it is answered."),
    ):
        if wanted.get(name) and wanted[name] not in known:
            raise BadSource(name, said)
    header = str(wanted.get("header") or "")
    if header and (not _HEADER.fullmatch(header) or header.lower() in _RESERVED_HEADERS):
        raise BadSource("header", "Write the header's name alone, as X-Api-Key.")
    for one in wanted.get("networks") or []:
        _check_network(one)
    for name in ("success", "failure"):
        _check_answer(name, str(wanted.get(name) or ""), str(wanted.get("answer") or "json"))


def _check_network(one: str) -> None:
    try:
        ipaddress.ip_network(one, strict=False)
    except ValueError as bad:
        said = f"{one} is no address; write 203.0.113.7 or 203.0.113.0/24."
        raise BadSource("networks", said) from bad


def _check_answer(name: str, text: str, kind: str) -> None:
    if len(text) > _MAX_ANSWER_LENGTH:
        raise BadSource(name, f"At most {_MAX_ANSWER_LENGTH:,} characters.")
    if text and kind == "json":
        try:
            json.loads(text.replace("{id}", "0").replace("{error}", "0"))
        except ValueError as bad:
            raise BadSource(name, "This is not JSON; quote {id} and {error}.") from bad

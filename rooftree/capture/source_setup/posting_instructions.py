"""What a sender must know to post to a source, made from its set-up and its adapter.

The answers are not written down anywhere: the adapter is asked for them.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.transaction import atomic

from rooftree.capture.bidding import placed_bids
from rooftree.capture.intake.receive_delivery import adapter_of, endpoint_of
from rooftree.capture.intake.source_limits_check import apply_source_limits, rejection_answer_for
from rooftree.capture.parsing.envelope import MAX_BODY_BYTES, Answer, Envelope, IncomingDelivery
from rooftree.capture.parsing.sender_proof import Proof, proof_header
from rooftree.capture.parsing.target_fields import TARGET_FIELDS, FieldKind
from rooftree.capture.source_setup import publish_field_map
from rooftree.capture.source_setup.acceptance_limits import REFUSAL_REASONS
from rooftree.capture.source_setup.manage_sources import (
    ADAPTERS_WITH_PROOF_CHOICE,
    source_addresses,
    source_paths,
)
from rooftree.leads.models import Source

EXAMPLE_LEAD = {  # what a made-up lead says; nobody has this number or address
    "first_name": "Test",
    "last_name": "Borrower",
    "name": "Test Borrower",
    "email": "test@example.com",
    "vendor_lead_id": "test-1",
    "loan_purpose": "purchase",
    "property_state": "FL",
    "property_zip": "33602",
    "state": "FL",
    "zip": "33602",
}
EXAMPLE_PING = {  # what a made-up ping says: nobody at all
    "ping_id": "test-1",
    "loan_purpose": "purchase",
    "state": "FL",
    "zip": "33602",
    "loan_amount": "350000",
    "credit_rating": "good",
}
EXAMPLE_BY_KIND = {
    FieldKind.PHONE: "8135550142",
    FieldKind.EMAIL: "test@example.com",
    FieldKind.MONEY: "350000",
    FieldKind.PERCENT: "6.5",
    FieldKind.STATE: "FL",
}
KIND_DESCRIPTIONS = {
    FieldKind.TEXT: "text",
    FieldKind.NAME: "first and last name",
    FieldKind.PHONE: "a US number, in any writing",
    FieldKind.EMAIL: "an address",
    FieldKind.MONEY: "dollars: 350000, $350,000, 350k",
    FieldKind.PERCENT: "percent: 6.5",
    FieldKind.NUMBER: "a number",
    FieldKind.MOMENT: "a date and time: 2026-11-27T15:04:05Z",
    FieldKind.CHOICE: "a word",
    FieldKind.YES: "yes or no",
    FieldKind.STATE: "a state: FL",
}
SAMPLE_ID, SAMPLE_REFERENCE = "019a20bc-7e11-7000-8000-5c0ffee5eed5", "7A31C09F2E"
_HMAC = """$(printf '%s' "$BODY" | openssl dgst -sha256 -hmac "$SECRET" -r | cut -d' ' -f1)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One of our fields, and where a sender puts it; of several names the first counts."""

    label: str
    group: str  # of our fields, as “The home”
    names: tuple[str, ...]
    value_description: str
    known_words: tuple[str, ...]  # theirs that are known, where it is a word
    is_required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleReply:
    """What a sender hears, and when."""

    when: str
    answer: Answer

    @property
    def body(self) -> str:
        filled = self.answer.with_values(lead_id=SAMPLE_ID, reference=SAMPLE_REFERENCE)
        return filled.to_bytes().decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class PostingInstructions:
    """All of it."""

    addresses: tuple[str, ...]
    methods: tuple[str, ...]
    kind: str  # of the example
    proof: str
    fields: tuple[Field, ...]  # none: the sender has a format of its own
    example: str
    curl: str
    test_flag: str
    replies: tuple[SampleReply, ...]


def has_instructions(source: Source) -> bool:
    """Whether somebody can be told how to post to it; others have a set-up at their vendor."""
    return source.adapter in ADAPTERS_WITH_PROOF_CHOICE or hasattr(adapter_of(source), "EXAMPLE")


def build_instructions(source: Source, *, at: datetime) -> PostingInstructions:
    """The instructions as its set-up is now; secrets are left out."""
    addresses = source_addresses(source)
    body = build_example_post(source)
    return PostingInstructions(
        addresses=tuple(addresses),
        methods=tuple(getattr(adapter_of(source), "METHODS", ("POST",))),
        kind=guess_content_type(body),
        proof=_describe_proof(source),
        fields=_list_fields(source),
        example=body,
        curl=curl_commands(source, addresses[0]),
        test_flag=_test_flag(source),
        replies=tuple(_sample_replies(source, at)),
    )


def preview_post(source: Source, body: bytes, *, at: datetime) -> Envelope:
    """What a post would be understood as, and whether it would be taken. Nothing is stored.

    It is read by the same code as a real one; only its proof is taken as given.
    """
    incoming = _build_incoming(source, body, at)
    with atomic():
        return apply_source_limits(adapter_of(source).read(incoming), source, incoming, at)


def build_example_post(source: Source) -> str:
    """A made-up post, in the source's own format."""
    own: str = getattr(adapter_of(source), "EXAMPLE", "")
    return own.strip() or json.dumps(_build_mapped_example(source))


def guess_content_type(body: str) -> str:
    """The content type a body looks like."""
    first = body.lstrip()[:1]
    if first in ("{", "["):
        return "application/json"
    return "text/xml" if first == "<" else "application/x-www-form-urlencoded"


def curl_commands(source: Source, address: str, secret: str = "") -> str:
    """Commands that post the example, for a shell; without its secret, a place for it."""
    body = build_example_post(source)
    header, kind = _header_and_proof(source)
    quoted = body.replace("'", "'\\''")
    before = [] if kind == Proof.ADDRESS else [f"SECRET='{secret or '<secret>'}'"]
    lines = [f"curl -X POST '{address}'", f"  -H 'Content-Type: {guess_content_type(body)}'"]
    if kind == Proof.HEADER:
        shown = "Bearer $SECRET" if header.lower() == "authorization" else "$SECRET"
        lines.append(f'  -H "{header}: {shown}"')
    if kind == Proof.BASIC:
        lines.append(f'  -u "{source.setup.get("user") or "vendor"}:$SECRET"')
    if kind == Proof.HMAC:
        lines.append(f'  -H "{header}: sha256={_HMAC}"')
    posts = " \\\n".join([*lines, '  --data-binary "$BODY"'])
    return "\n".join([*before, f"BODY='{quoted}'", posts])


def default_proof(source: Source) -> Proof:
    """How its posts are proven where staff chose nothing."""
    usual: Proof = getattr(adapter_of(source), "PROOF", Proof.ADDRESS)
    return usual


def _header_and_proof(source: Source) -> tuple[str, Proof]:
    """The header a sender proves itself by, and how."""
    if signature := getattr(adapter_of(source), "SIGNATURE", None):
        return signature, Proof.HMAC
    usual = default_proof(source)
    kind = Proof(source.setup.get("proof") or usual)
    return proof_header(source.setup, default_proof=usual), kind


def _describe_proof(source: Source) -> str:
    header, kind = _header_and_proof(source)
    return {
        Proof.ADDRESS: "The address is the secret: nobody can guess it, so show it to nobody.",
        Proof.HEADER: f"The secret in the header {header}, or as a bearer token there.",
        Proof.BASIC: "HTTP basic: the user name agreed on, and the secret as the password.",
        Proof.HMAC: f"The header {header}: sha256= and the HMAC-SHA256 of the raw body with the "
        "secret, in hex.",
    }[kind]


def _build_incoming(source: Source, body: bytes, at: datetime) -> IncomingDelivery:
    kind = guess_content_type(body.decode(errors="replace"))
    return IncomingDelivery(
        path=source_paths(source, source.token)[0],
        headers={"Content-Type": kind},
        body=body,
        remote_addr=None,
        received_at=at,
        endpoint=endpoint_of(source),
        is_verified=True,
        market=placed_bids.market_of(source, at=at),
    )


def _sample_replies(source: Source, at: datetime) -> Iterable[SampleReply]:
    """The adapter's own answers to the example, well and badly sent."""
    adapter, body = adapter_of(source), build_example_post(source).encode()
    incoming = _build_incoming(source, body, at)
    with atomic():
        good = adapter.read(incoming)
    yield SampleReply(when="It was taken", answer=good.http)
    if not good.placed_bid:
        yield SampleReply(when="The same again", answer=good.as_duplicate().http)
    if tell := rejection_answer_for(source):
        answer = tell(REFUSAL_REASONS["duplicate"], incoming)
        yield SampleReply(when="It is outside of what we take; the reason says why", answer=answer)
    yield from (
        SampleReply(when=when, answer=answer)
        for when, answer in {
            "The secret is wrong or missing": _unauthorized_answer(source, incoming),
            "It cannot be read": adapter.read(replace(incoming, body=b"{")).http,
            f"It is larger than {MAX_BODY_BYTES // 1024} KB": adapter.read(
                replace(incoming, body=b" " * (MAX_BODY_BYTES + 1))
            ).http,
        }.items()
        if answer.status >= 400
    )
    known_by_name = source.adapter == "website_form"
    yield SampleReply(
        when="Nobody has this address", answer=Answer(status=404 if known_by_name else 401)
    )
    yield SampleReply(
        when="Too many a minute: come again after Retry-After", answer=Answer(status=429)
    )
    yield SampleReply(when="Nothing can be kept now: the same", answer=Answer(status=503))


def _unauthorized_answer(source: Source, incoming: IncomingDelivery) -> Answer:
    header, _ = _header_and_proof(source)
    wrong = {**incoming.headers, header: "wrong"}
    return adapter_of(source).read(replace(incoming, headers=wrong, is_verified=False)).http


def _list_fields(source: Source) -> tuple[Field, ...]:
    """Our fields in the order of the map; where there is none yet they are known by their names."""
    if source.adapter not in ADAPTERS_WITH_PROOF_CHOICE:
        return ()
    names: dict[str, list[str]] = {}
    words: dict[str, list[str]] = {}
    required: set[str] = set()
    for line in publish_field_map.current_map_lines(source):
        if line.path and line.field in TARGET_FIELDS:
            names.setdefault(line.field, []).append(line.path)
            words.setdefault(line.field, []).extend(line.words)
            required |= {line.field} if line.is_required else set()
    if not names:
        names = {key: [key] for key in TARGET_FIELDS}
    return tuple(
        Field(
            label=TARGET_FIELDS[key].label,
            group=TARGET_FIELDS[key].group,
            names=tuple(found),
            value_description=KIND_DESCRIPTIONS[TARGET_FIELDS[key].kind],
            known_words=tuple(dict.fromkeys(filter(None, words.get(key, ())))),
            is_required=key in required,
        )
        for key, found in names.items()
    )


def _test_flag(source: Source) -> str:
    told: str = getattr(adapter_of(source), "TEST_FLAG", "")
    line = next(
        (
            current_map_line
            for current_map_line in publish_field_map.current_map_lines(source)
            if current_map_line.field == "is_test"
        ),
        None,
    )
    if line and line.path:
        yes = next((theirs for theirs, ours in line.words.items() if ours == "yes"), "true")
        return f"{line.path} = {yes}"
    return told


def _build_mapped_example(source: Source) -> Mapping[str, str]:
    """A made-up lead in the places the source's map reads, else under our own names; a ping
    where it is bid to."""
    if source.adapter == "ping_post":
        return EXAMPLE_PING
    lines = publish_field_map.current_map_lines(source)
    if not lines:
        keys = ("vendor_lead_id", "name", "phone", "email", "loan_purpose", "property_state")
        return {key: _example_value(key) for key in keys}
    said: dict[str, str] = {}
    for line in lines:
        word = next(iter(line.words), "")
        if line.path and line.field in TARGET_FIELDS and (word or _example_value(line.field)):
            said.setdefault(line.path, word or _example_value(line.field))
    return said


def _example_value(key: str) -> str:
    return EXAMPLE_LEAD.get(key) or EXAMPLE_BY_KIND.get(TARGET_FIELDS[key].kind, "")

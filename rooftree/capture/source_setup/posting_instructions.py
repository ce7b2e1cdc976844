"""Posting instructions for a source's sender, built from its setup and its adapter.

The sample answers are produced by the adapter itself, so they cannot become outdated.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db.transaction import atomic

from rooftree.capture.bidding import placed_bids
from rooftree.capture.intake.receive_delivery import adapter_of, endpoint_of, takes_bids
from rooftree.capture.intake.source_limits_check import apply_source_limits, rejection_answer_for
from rooftree.capture.own_form import form_wording
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
from rooftree.org.models import Company

EXAMPLE_LEAD = {  # fictional; nobody has this phone number or email address
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
    # A consent whose wording, once the borrower agreed to it, can earn an automatic text.
    "consent_checked": "yes",
    "consent_text": "CONSENT_WORDING",
    "consent_at": "2026-11-27T15:04:05Z",
    "consent_method": "checkbox",
    "consent_ip": "203.0.113.7",
    "consent_page": "https://www.example.com/quote",
    "consent_seller": "LEGAL_NAME",
    "user_agent": "Mozilla/5.0",
}
EXAMPLE_PING = {  # fictional, and names nobody
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
    FieldKind.PHONE: "a US phone number, in any format",
    FieldKind.EMAIL: "an email address",
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
    """One of our fields and the sender's names for it; if several are sent, the first counts."""

    label: str
    group: str  # group of our fields, like “The home”
    names: tuple[str, ...]
    value_description: str
    known_words: tuple[str, ...]  # the sender's words that are mapped, for a choice field
    is_required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleReply:
    """One sample answer, and when the sender gets it."""

    when: str
    answer: Answer

    @property
    def body(self) -> str:
        """The answer's body, with a sample id and reference."""
        answer = self.answer.with_values(lead_id=SAMPLE_ID, reference=SAMPLE_REFERENCE)
        return answer.to_bytes().decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class PostingInstructions:
    """The posting instructions of one source."""

    addresses: tuple[str, ...]
    methods: tuple[str, ...]
    kind: str  # content type of the example
    proof: str
    fields: tuple[Field, ...]  # empty: the sender has its own format
    example: str
    curl: str
    test_flag: str
    replies: tuple[SampleReply, ...]


def has_instructions(source: Source) -> bool:
    """Decide whether a source has posting instructions; others are set up at their vendor."""
    return source.adapter in ADAPTERS_WITH_PROOF_CHOICE or hasattr(adapter_of(source), "EXAMPLE")


def build_instructions(source: Source, *, at: datetime) -> PostingInstructions:
    """Build the instructions from the source's current setup, without secrets."""
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
    """Return how a post would be read and whether it would be accepted; nothing is stored.

    The post is read by the same code as a real one, but its proof is not checked.
    """
    incoming = _build_incoming(source, body, at)
    with atomic():
        return apply_source_limits(adapter_of(source).read(incoming), source, incoming, at)


def build_example_post(source: Source) -> str:
    """Build a fictional post in the source's format."""
    adapter_example: str = getattr(adapter_of(source), "EXAMPLE", "")
    example = adapter_example.strip() or json.dumps(_build_mapped_example(source))
    company = Company.objects.first()
    legal_name = company.legal_name if company else "your company"
    wording = form_wording.current_edition("en", on=date.max).render(legal_name)
    for placeholder, value in (("CONSENT_WORDING", wording), ("LEGAL_NAME", legal_name)):
        example = example.replace(placeholder, json.dumps(value, ensure_ascii=False)[1:-1])
    return example


def guess_content_type(body: str) -> str:
    """Return the content type that a body's first character suggests."""
    first_char = body.lstrip()[:1]
    if first_char in ("{", "["):
        return "application/json"
    return "text/xml" if first_char == "<" else "application/x-www-form-urlencoded"


def curl_commands(source: Source, address: str, secret: str = "") -> str:
    """Return shell commands that post the example, with a placeholder if `secret` is empty."""
    body = build_example_post(source)
    header, proof = _header_and_proof(source)
    quoted_body = body.replace("'", "'\\''")
    secret_line = [] if proof == Proof.ADDRESS else [f"SECRET='{secret or '<secret>'}'"]
    lines = [f"curl -X POST '{address}'", f"  -H 'Content-Type: {guess_content_type(body)}'"]
    if proof == Proof.HEADER:
        value = "Bearer $SECRET" if header.lower() == "authorization" else "$SECRET"
        lines.append(f'  -H "{header}: {value}"')
    if proof == Proof.BASIC:
        lines.append(f'  -u "{source.setup.get("user") or "vendor"}:$SECRET"')
    if proof == Proof.HMAC:
        lines.append(f'  -H "{header}: sha256={_HMAC}"')
    command = " \\\n".join([*lines, '  --data-binary "$BODY"'])
    return "\n".join([*secret_line, f"BODY='{quoted_body}'", command])


def default_proof(source: Source) -> Proof:
    """Return the proof that a source's posts use unless staff chose another."""
    proof: Proof = getattr(adapter_of(source), "PROOF", Proof.ADDRESS)
    return proof


def _header_and_proof(source: Source) -> tuple[str, Proof]:
    """Return the header that carries the proof, and the kind of proof."""
    if signature := getattr(adapter_of(source), "SIGNATURE", None):
        return signature, Proof.HMAC
    default = default_proof(source)
    proof = Proof(source.setup.get("proof") or default)
    return proof_header(source.setup, default_proof=default), proof


def _describe_proof(source: Source) -> str:
    header, proof = _header_and_proof(source)
    return {
        Proof.ADDRESS: "The address contains a secret. Don't share it.",
        Proof.HEADER: f"Send the secret in the {header} header, or there as a bearer token.",
        Proof.BASIC: "HTTP basic authentication: the agreed user name, and the secret as password.",
        Proof.HMAC: f"Send the {header} header: sha256= followed by the HMAC-SHA256 of the raw "
        "body, keyed with the secret, in hex.",
    }[proof]


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
        market=placed_bids.SourceMarket(source=source, at=at) if takes_bids(source) else None,
    )


def _sample_replies(source: Source, at: datetime) -> Iterable[SampleReply]:
    """Yield the adapter's own answers to the example, sent correctly and incorrectly."""
    adapter, body = adapter_of(source), build_example_post(source).encode()
    incoming = _build_incoming(source, body, at)
    with atomic():
        envelope = adapter.read(incoming)
    yield SampleReply(when="Accepted", answer=envelope.http)
    if not envelope.placed_bid:
        yield SampleReply(when="Repeated post", answer=envelope.as_duplicate().http)
    if build_answer := rejection_answer_for(source):
        answer = build_answer(REFUSAL_REASONS["duplicate"], incoming)
        yield SampleReply(when="Rejected by our acceptance rules, with the reason", answer=answer)
    header, _ = _header_and_proof(source)
    unproven = replace(incoming, headers={**incoming.headers, header: "wrong"}, is_verified=False)
    yield from (
        SampleReply(when=when, answer=answer)
        for when, answer in {
            "The secret is wrong or missing": adapter.read(unproven).http,
            "The body cannot be read": adapter.read(replace(incoming, body=b"{")).http,
            f"The body is larger than {MAX_BODY_BYTES // 1024} KB": adapter.read(
                replace(incoming, body=b" " * (MAX_BODY_BYTES + 1))
            ).http,
        }.items()
        if answer.status >= 400
    )
    is_public_address = source.adapter == "website_form"
    yield SampleReply(
        when="The address does not exist", answer=Answer(status=404 if is_public_address else 401)
    )
    yield SampleReply(
        when="Too many posts per minute: post again after Retry-After", answer=Answer(status=429)
    )
    yield SampleReply(
        when="We cannot store leads right now: post again after Retry-After",
        answer=Answer(status=503),
    )


def _list_fields(source: Source) -> tuple[Field, ...]:
    """Return our fields in the field map's order; without a map, under our own names."""
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
            names=tuple(paths),
            value_description=KIND_DESCRIPTIONS[TARGET_FIELDS[key].kind],
            known_words=tuple(dict.fromkeys(filter(None, words.get(key, ())))),
            is_required=key in required,
        )
        for key, paths in names.items()
    )


def _test_flag(source: Source) -> str:
    """Return how a sender marks a test lead: by the field map, else by the adapter."""
    lines = publish_field_map.current_map_lines(source)
    line = next((line for line in lines if line.field == "is_test"), None)
    if line and line.path:
        yes = next((word for word, meaning in line.words.items() if meaning == "yes"), "true")
        return f"{line.path} = {yes}"
    adapter_flag: str = getattr(adapter_of(source), "TEST_FLAG", "")
    return adapter_flag


def _build_mapped_example(source: Source) -> Mapping[str, str]:
    """Build a fictional lead by the source's field map, else under our names; or a ping."""
    if source.adapter == "ping_post":
        return EXAMPLE_PING
    lines = publish_field_map.current_map_lines(source)
    if not lines:
        keys = (
            *("vendor_lead_id", "name", "phone", "email", "loan_purpose", "property_state"),
            *(key for key in EXAMPLE_LEAD if key.startswith("consent_")),
            "user_agent",
        )
        return {key: _example_value(key) for key in keys}
    example: dict[str, str] = {}
    for line in lines:
        word = next(iter(line.words), "")
        if line.path and line.field in TARGET_FIELDS and (word or _example_value(line.field)):
            example.setdefault(line.path, word or _example_value(line.field))
    return example


def _example_value(key: str) -> str:
    return EXAMPLE_LEAD.get(key) or EXAMPLE_BY_KIND.get(TARGET_FIELDS[key].kind, "")

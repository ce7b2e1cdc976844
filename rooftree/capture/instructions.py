"""What a sender must know to post to a source, made from its set-up and its adapter.

The answers are not written down anywhere: the adapter is asked for them.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.transaction import atomic

from rooftree.capture import auction, publish_map
from rooftree.capture.acceptance import WHY_NOT
from rooftree.capture.envelope import LARGEST_BODY, Answer, Envelope, Incoming
from rooftree.capture.judge import answers_of, judged
from rooftree.capture.proof import Proof, header_of
from rooftree.capture.receive import adapter_of, endpoint_of
from rooftree.capture.source_setup import PROVEN_AS_CHOSEN, addresses_of, paths_of
from rooftree.capture.targets import TARGETS, Kind
from rooftree.leads.models import Source

EXAMPLES = {  # what a made-up lead says; nobody has this number or address
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
PING = {  # what a made-up ping says: nobody at all
    "ping_id": "test-1",
    "loan_purpose": "purchase",
    "state": "FL",
    "zip": "33602",
    "loan_amount": "350000",
    "credit_rating": "good",
}
BY_KIND = {
    Kind.PHONE: "8135550142",
    Kind.EMAIL: "test@example.com",
    Kind.MONEY: "350000",
    Kind.PERCENT: "6.5",
    Kind.STATE: "FL",
}
HOLDS = {
    Kind.TEXT: "text",
    Kind.NAME: "first and last name",
    Kind.PHONE: "a US number, in any writing",
    Kind.EMAIL: "an address",
    Kind.MONEY: "dollars: 350000, $350,000, 350k",
    Kind.PERCENT: "percent: 6.5",
    Kind.NUMBER: "a number",
    Kind.MOMENT: "a date and time: 2026-11-27T15:04:05Z",
    Kind.CHOICE: "a word",
    Kind.YES: "yes or no",
    Kind.STATE: "a state: FL",
}
SAMPLE_ID, SAMPLE_REFERENCE = "019a20bc-7e11-7000-8000-5c0ffee5eed5", "7A31C09F2E"
_HMAC = """$(printf '%s' "$BODY" | openssl dgst -sha256 -hmac "$SECRET" -r | cut -d' ' -f1)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One of our fields, and where a sender puts it; of several names the first counts."""

    label: str
    group: str  # of our fields, as “The home”
    names: tuple[str, ...]
    holds: str
    words: tuple[str, ...]  # theirs that are known, where it is a word
    is_required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a sender hears, and when."""

    when: str
    answer: Answer

    @property
    def body(self) -> str:
        filled = self.answer.filled(lead_id=SAMPLE_ID, reference=SAMPLE_REFERENCE)
        return filled.to_bytes().decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Instructions:
    """All of it."""

    addresses: tuple[str, ...]
    methods: tuple[str, ...]
    kind: str  # of the example
    proof: str
    fields: tuple[Field, ...]  # none: the sender has a format of its own
    example: str
    curl: str
    test_flag: str
    replies: tuple[Reply, ...]


def are_there(source: Source) -> bool:
    """Whether somebody can be told how to post to it; others have a set-up at their vendor."""
    return source.adapter in PROVEN_AS_CHOSEN or hasattr(adapter_of(source), "EXAMPLE")


def of(source: Source, *, at: datetime) -> Instructions:
    """The instructions as its set-up is now; secrets are left out."""
    addresses = addresses_of(source)
    body = example_of(source)
    return Instructions(
        addresses=tuple(addresses),
        methods=tuple(getattr(adapter_of(source), "METHODS", ("POST",))),
        kind=kind_of(body),
        proof=_proof_words(source),
        fields=_fields(source),
        example=body,
        curl=curl(source, addresses[0]),
        test_flag=_test_flag(source),
        replies=tuple(_replies(source, at)),
    )


def read(source: Source, body: bytes, *, at: datetime) -> Envelope:
    """What a post would be understood as, and whether it would be taken. Nothing is stored.

    It is read by the same code as a real one; only its proof is taken as given.
    """
    incoming = _incoming(source, body, at)
    with atomic():
        return judged(adapter_of(source).read(incoming), source, incoming, at)


def example_of(source: Source) -> str:
    """A made-up post, in the source's own format."""
    own: str = getattr(adapter_of(source), "EXAMPLE", "")
    return own.strip() or json.dumps(_mapped_example(source))


def kind_of(body: str) -> str:
    """The content type a body looks like."""
    first = body.lstrip()[:1]
    if first in ("{", "["):
        return "application/json"
    return "text/xml" if first == "<" else "application/x-www-form-urlencoded"


def curl(source: Source, address: str, secret: str = "") -> str:
    """Commands that post the example, for a shell; without its secret, a place for it."""
    body = example_of(source)
    header, kind = _proof(source)
    quoted = body.replace("'", "'\\''")
    before = [] if kind == Proof.ADDRESS else [f"SECRET='{secret or '<secret>'}'"]
    lines = [f"curl -X POST '{address}'", f"  -H 'Content-Type: {kind_of(body)}'"]
    if kind == Proof.HEADER:
        shown = "Bearer $SECRET" if header.lower() == "authorization" else "$SECRET"
        lines.append(f'  -H "{header}: {shown}"')
    if kind == Proof.BASIC:
        lines.append(f'  -u "{source.setup.get("user") or "vendor"}:$SECRET"')
    if kind == Proof.HMAC:
        lines.append(f'  -H "{header}: sha256={_HMAC}"')
    posts = " \\\n".join([*lines, '  --data-binary "$BODY"'])
    return "\n".join([*before, f"BODY='{quoted}'", posts])


def proof_of(source: Source) -> Proof:
    """How its posts are proven where staff chose nothing."""
    usual: Proof = getattr(adapter_of(source), "PROOF", Proof.ADDRESS)
    return usual


def _proof(source: Source) -> tuple[str, Proof]:
    """The header a sender proves itself by, and how."""
    if signature := getattr(adapter_of(source), "SIGNATURE", None):
        return signature, Proof.HMAC
    usual = proof_of(source)
    kind = Proof(source.setup.get("proof") or usual)
    return header_of(source.setup, usual=usual), kind


def _proof_words(source: Source) -> str:
    header, kind = _proof(source)
    return {
        Proof.ADDRESS: "The address is the secret: nobody can guess it, so show it to nobody.",
        Proof.HEADER: f"The secret in the header {header}, or as a bearer token there.",
        Proof.BASIC: "HTTP basic: the user name agreed on, and the secret as the password.",
        Proof.HMAC: f"The header {header}: sha256= and the HMAC-SHA256 of the raw body with the "
        "secret, in hex.",
    }[kind]


def _incoming(source: Source, body: bytes, at: datetime) -> Incoming:
    kind = kind_of(body.decode(errors="replace"))
    return Incoming(
        path=paths_of(source, source.token)[0],
        headers={"Content-Type": kind},
        body=body,
        remote_addr=None,
        received_at=at,
        endpoint=endpoint_of(source),
        is_verified=True,
        market=auction.market_of(source, at=at),
    )


def _replies(source: Source, at: datetime) -> Iterable[Reply]:
    """The adapter's own answers to the example, well and badly sent."""
    adapter, body = adapter_of(source), example_of(source).encode()
    incoming = _incoming(source, body, at)
    with atomic():
        good = adapter.read(incoming)
    yield Reply(when="It was taken", answer=good.http)
    if not good.offer:
        yield Reply(when="The same again", answer=good.repeated().http)
    if tell := answers_of(source):
        answer = tell(WHY_NOT["duplicate"], incoming)
        yield Reply(when="It is outside of what we take; the reason says why", answer=answer)
    yield from (
        Reply(when=when, answer=answer)
        for when, answer in {
            "The secret is wrong or missing": _unproven(source, incoming),
            "It cannot be read": adapter.read(replace(incoming, body=b"{")).http,
            f"It is larger than {LARGEST_BODY // 1024} KB": adapter.read(
                replace(incoming, body=b" " * (LARGEST_BODY + 1))
            ).http,
        }.items()
        if answer.status >= 400
    )
    known_by_name = source.adapter == "website_form"
    yield Reply(when="Nobody has this address", answer=Answer(status=404 if known_by_name else 401))
    yield Reply(when="Too many a minute: come again after Retry-After", answer=Answer(status=429))
    yield Reply(when="Nothing can be kept now: the same", answer=Answer(status=503))


def _unproven(source: Source, incoming: Incoming) -> Answer:
    header, _ = _proof(source)
    wrong = {**incoming.headers, header: "wrong"}
    return adapter_of(source).read(replace(incoming, headers=wrong, is_verified=False)).http


def _fields(source: Source) -> tuple[Field, ...]:
    """Our fields in the order of the map; where there is none yet they are known by their names."""
    if source.adapter not in PROVEN_AS_CHOSEN:
        return ()
    names: dict[str, list[str]] = {}
    words: dict[str, list[str]] = {}
    required: set[str] = set()
    for line in publish_map.in_force(source):
        if line.path and line.field in TARGETS:
            names.setdefault(line.field, []).append(line.path)
            words.setdefault(line.field, []).extend(line.words)
            required |= {line.field} if line.is_required else set()
    if not names:
        names = {key: [key] for key in TARGETS}
    return tuple(
        Field(
            label=TARGETS[key].label,
            group=TARGETS[key].group,
            names=tuple(found),
            holds=HOLDS[TARGETS[key].kind],
            words=tuple(dict.fromkeys(filter(None, words.get(key, ())))),
            is_required=key in required,
        )
        for key, found in names.items()
    )


def _test_flag(source: Source) -> str:
    told: str = getattr(adapter_of(source), "TEST_FLAG", "")
    line = next((one for one in publish_map.in_force(source) if one.field == "is_test"), None)
    if line and line.path:
        yes = next((theirs for theirs, ours in line.words.items() if ours == "yes"), "true")
        return f"{line.path} = {yes}"
    return told


def _mapped_example(source: Source) -> Mapping[str, str]:
    """A made-up lead in the places the source's map reads, else under our own names; a ping
    where it is bid to."""
    if source.adapter == "ping_post":
        return PING
    lines = publish_map.in_force(source)
    if not lines:
        keys = ("vendor_lead_id", "name", "phone", "email", "loan_purpose", "property_state")
        return {key: _example(key) for key in keys}
    said: dict[str, str] = {}
    for line in lines:
        word = next(iter(line.words), "")
        if line.path and line.field in TARGETS and (word or _example(line.field)):
            said.setdefault(line.path, word or _example(line.field))
    return said


def _example(key: str) -> str:
    return EXAMPLES.get(key) or BY_KIND.get(TARGETS[key].kind, "")

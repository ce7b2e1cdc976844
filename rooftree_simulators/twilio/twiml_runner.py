"""Running of the product's TwiML on an answered leg, against the callee's behavior.

Every step is a generator that yields the simulated seconds it takes.
"""

from collections.abc import Generator
from dataclasses import dataclass
from urllib.parse import urljoin
from xml.etree.ElementTree import Element

from rooftree_simulators.twilio import twiml_reader
from rooftree_simulators.twilio.call_leg import (
    CallLeg,
    callee_behavior,
    change_status,
    end_leg,
    open_leg,
    request_fields,
)
from rooftree_simulators.twilio.twilio_account import TwilioAccount, is_valid_number

_MAX_DOCUMENTS = 30
_KEY_SECONDS = 1.0  # from the end of the question to the key
_WORDS_PER_S = 2.5
_SPEECH_VERBS = {"Say", "Play", "Pause"}
_ANSWERING_VERBS = {*_SPEECH_VERBS, "Gather", "Dial"}  # verbs that answer an inbound call


@dataclass(frozen=True, slots=True, kw_only=True)
class NextDocument:
    """The next document: fetched, or already written in the request that started the call."""

    url: str = ""
    written: bytes = b""
    method: str = "POST"
    fields: tuple[tuple[str, str], ...] = ()


type VerbRun = Generator[float, None, NextDocument | None]


def run_documents(
    account: TwilioAccount, call: CallLeg, first: NextDocument
) -> Generator[float, None, None]:
    """Run documents until one has no successor, then leave the leg as it is."""
    following: NextDocument | None = first
    for _ in range(_MAX_DOCUMENTS):
        if following is None or call.is_over:
            return
        document = _fetch_document(account, call, following)
        if document is None:
            end_leg(account, call)
            return
        try:
            following = yield from _run_verbs(account, call, document, following.url)
        except twiml_reader.InvalidTwiml as problem:
            account.record_warning(12200, str(problem), call=call.sid)
            end_leg(account, call)
            return
    account.record_warning(11205, "too many documents", call=call.sid)


def _fetch_document(account: TwilioAccount, call: CallLeg, target: NextDocument) -> Element | None:
    """Fetch a document; record an unusable answer in the debugger and return None."""
    if target.written:
        return _parse_document(account, call, target.written, "")
    fields = [*request_fields(account, call), *target.fields]
    answer = account.post_signed(target.url, fields, method=target.method)
    if not 200 <= answer.status < 300:
        account.record_warning(
            11200, f"the URL answered {answer.status}", url=target.url, call=call.sid
        )
        return None
    if "xml" not in answer.content_type:
        account.record_warning(
            12300, f"content type {answer.content_type}", url=target.url, call=call.sid
        )
        return None
    return _parse_document(account, call, answer.body, target.url)


def _parse_document(
    account: TwilioAccount, call: CallLeg, document: bytes, url: str
) -> Element | None:
    try:
        return twiml_reader.parse_twiml(document)
    except twiml_reader.InvalidTwiml as problem:
        account.record_warning(12100, str(problem), url=url, call=call.sid)
        return None


def _run_verbs(account: TwilioAccount, call: CallLeg, document: Element, base: str) -> VerbRun:
    for verb in document:
        if call.is_over:
            return None
        if call.redirect or call.redirect_twiml:
            redirected = NextDocument(url=call.redirect, written=call.redirect_twiml)
            call.redirect, call.redirect_twiml = "", b""
            return redirected
        if verb.tag in _ANSWERING_VERBS and verb.get("answerOnBridge") != "true":
            _answer_call(account, call)
        if verb.tag in _SPEECH_VERBS:
            yield from _run_speech(call, verb)
        elif verb.tag in _VERB_RUNNERS:
            following = yield from _VERB_RUNNERS[verb.tag](account, call, verb, base)
            if following is not None:
                return following
        else:
            account.record_warning(12200, f"unexpected verb {verb.tag}", call=call.sid)
    return None


def _answer_call(account: TwilioAccount, call: CallLeg) -> None:
    if call.status == "ringing":
        change_status(account, call, "in-progress", "answered")


def _run_speech(call: CallLeg, verb: Element) -> Generator[float, None, None]:
    text = (verb.text or "").strip()
    if verb.tag == "Pause":
        length = twiml_reader.read_number(verb, "length", 1)
        call.spoken.append({"verb": "Pause", "text": f"{length:g}"})
        yield length
        return
    call.spoken.append({"verb": verb.tag, "text": text, "language": verb.get("language", "")})
    yield len(text.split()) / _WORDS_PER_S


def _run_gather(account: TwilioAccount, call: CallLeg, verb: Element, base: str) -> VerbRun:
    for inner in verb:
        if inner.tag in _SPEECH_VERBS:
            yield from _run_speech(call, inner)
    keys = call.digits.pop(0) if call.digits else ""
    most = int(twiml_reader.read_number(verb, "numDigits", len(keys)))
    ending = verb.get("finishOnKey", "#")
    keys = keys[:most].partition(ending)[0] if ending else keys[:most]
    if keys:
        yield _KEY_SECONDS
    else:
        yield twiml_reader.read_number(verb, "timeout", 5)
    if call.is_over:
        return None
    if not keys and verb.get("actionOnEmptyResult") != "true":
        return None
    call.pressed.append(keys)
    return NextDocument(
        url=urljoin(base, verb.get("action", base)),
        method=verb.get("method", "POST"),
        fields=(("Digits", keys), ("FinishedOnKey", "")),
    )


def _run_redirect(account: TwilioAccount, call: CallLeg, verb: Element, base: str) -> VerbRun:
    yield 0.0
    url = urljoin(base, (verb.text or "").strip())
    return NextDocument(url=url, method=verb.get("method", "POST"))


def _run_hangup(account: TwilioAccount, call: CallLeg, verb: Element, base: str) -> VerbRun:
    yield 0.0
    end_leg(account, call, "busy" if verb.tag == "Reject" and not call.answered_at else "completed")
    return None


def _run_dial(account: TwilioAccount, call: CallLeg, verb: Element, base: str) -> VerbRun:
    timeout = twiml_reader.read_number(verb, "timeout", 30)
    children = _open_child_legs(account, call, verb, base)
    if not children:
        account.record_warning(13224, "no number that can be dialed", call=call.sid)
        return None
    bridged = False
    for child, _ in children:
        change_status(account, child, "initiated", "initiated")
        change_status(account, child, "ringing", "ringing")
    winner = _first_to_answer(account, children, timeout)
    if winner is None:
        yield from _ring_unanswered(account, children, timeout)
        last = children[-1][0]
    else:
        last, whisper = winner
        yield callee_behavior(account, last).answer_after_s
        for leg, _ in children:
            if leg is not last:
                end_leg(account, leg, "canceled")
        bridged = yield from _bridge_calls(account, call, last, whisper)
    return _dial_action(call, verb, base, last, bridged=bridged)


def _open_child_legs(
    account: TwilioAccount, call: CallLeg, verb: Element, base: str
) -> list[tuple[CallLeg, NextDocument | None]]:
    """Open a leg for each number of a Dial, with its whisper document if it has one."""
    sender = verb.get("callerId") or call.person
    if sender != call.person and sender not in account.lines:
        account.record_warning(
            13214, f"callerId {sender} is not a number of this account", call=call.sid
        )
        return []
    nouns = list(verb) or [verb]
    children = []
    for noun in nouns:
        number = (noun.text or "").strip()
        if noun.tag not in {"Number", "Dial"} or not is_valid_number(number):
            account.record_warning(13224, f"cannot dial {noun.tag} {number}", call=call.sid)
            continue
        child = open_leg(account, to=number, sender=sender, direction="outbound-dial")
        child.parent = call.sid
        child.callback = urljoin(base, noun.get("statusCallback", "")) if noun is not verb else ""
        child.callback = child.callback if noun.get("statusCallback") else ""
        child.events = frozenset(noun.get("statusCallbackEvent", "completed").split())
        url = noun.get("url") if noun.tag == "Number" else None
        whisper = (
            NextDocument(url=urljoin(base, url), method=noun.get("method", "POST")) if url else None
        )
        children.append((child, whisper))
    return children


def _first_to_answer(
    account: TwilioAccount, children: list[tuple[CallLeg, NextDocument | None]], timeout: float
) -> tuple[CallLeg, NextDocument | None] | None:
    willing = [
        pair
        for pair in children
        if callee_behavior(account, pair[0]).voice == "answer"
        and callee_behavior(account, pair[0]).answer_after_s <= timeout
    ]
    return min(
        willing, key=lambda pair: callee_behavior(account, pair[0]).answer_after_s, default=None
    )


def _ring_unanswered(
    account: TwilioAccount, children: list[tuple[CallLeg, NextDocument | None]], timeout: float
) -> Generator[float, None, None]:
    quick = {"busy", "failed"}
    plans = [callee_behavior(account, child).voice for child, _ in children]
    yield 1.0 if all(plan in quick for plan in plans) else timeout
    for (child, _), plan in zip(children, plans, strict=True):
        end_leg(account, child, plan if plan in quick else "no-answer")


def _bridge_calls(
    account: TwilioAccount, call: CallLeg, child: CallLeg, whisper: NextDocument | None
) -> Generator[float, None, bool]:
    """Play the whisper to the child that answered, then connect the two legs."""
    change_status(account, child, "in-progress", "answered")
    if whisper is not None:
        yield from run_documents(account, child, whisper)
    if child.is_over or call.is_over:
        end_leg(account, child)
        return False
    _answer_call(account, call)
    call.bridged_to, child.bridged_to = child.sid, call.sid
    yield callee_behavior(account, child).talk_s
    end_leg(account, child)
    return True


def _dial_action(
    call: CallLeg, verb: Element, base: str, last: CallLeg, *, bridged: bool
) -> NextDocument | None:
    if call.is_over or not verb.get("action"):
        return None
    return NextDocument(
        url=urljoin(base, verb.get("action", "")),
        method=verb.get("method", "POST"),
        fields=(
            ("DialCallSid", last.sid),
            ("DialCallStatus", last.status),
            ("DialCallDuration", str(last.seconds)),
            ("DialBridged", "true" if bridged else "false"),
        ),
    )


_VERB_RUNNERS = {
    "Gather": _run_gather,
    "Redirect": _run_redirect,
    "Hangup": _run_hangup,
    "Reject": _run_hangup,
    "Dial": _run_dial,
}

"""What happens on an answered leg: our TwiML carried out against a person's behaviour.

Everything here is a generator that yields the simulated seconds it takes.
"""

from collections.abc import Generator
from dataclasses import dataclass
from urllib.parse import urljoin
from xml.etree.ElementTree import Element

from rooftree_simulators.twilio import twiml
from rooftree_simulators.twilio.account import Account, is_number
from rooftree_simulators.twilio.call import Call, behaviour, facts, finish, open_call, turn

_MOST_DOCUMENTS = 30
_KEY_S = 1.0  # from the end of the question to the key
_WORDS_PER_S = 2.5
_SPOKEN = {"Say", "Play", "Pause"}
_ANSWERING = {*_SPOKEN, "Gather", "Dial"}  # what answers a call that came in


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """The document to go on with."""

    url: str
    method: str = "POST"
    fields: tuple[tuple[str, str], ...] = ()


type Going = Generator[float, None, Next | None]


def perform(account: Account, call: Call, first: Next) -> Generator[float, None, None]:
    """Carry out documents until one says no more, then leave the leg as it is."""
    following: Next | None = first
    for _ in range(_MOST_DOCUMENTS):
        if following is None or call.over:
            return
        document = _fetched(account, call, following)
        if document is None:
            finish(account, call)
            return
        try:
            following = yield from _verbs(account, call, document, following.url)
        except twiml.NotTwiml as problem:
            account.warn(12200, str(problem), call=call.sid)
            finish(account, call)
            return
    account.warn(11205, "too many documents", call=call.sid)


def _fetched(account: Account, call: Call, wanted: Next) -> Element | None:
    """Our document; anything unusable goes to the debugger and gives None."""
    fields = [*facts(account, call), *wanted.fields]
    answer = account.post(wanted.url, fields, method=wanted.method)
    if not 200 <= answer.status < 300:
        account.warn(11200, f"the URL answered {answer.status}", url=wanted.url, call=call.sid)
        return None
    if "xml" not in answer.content_type:
        account.warn(12300, f"content type {answer.content_type}", url=wanted.url, call=call.sid)
        return None
    try:
        return twiml.parse(answer.body)
    except twiml.NotTwiml as problem:
        account.warn(12100, str(problem), url=wanted.url, call=call.sid)
        return None


def _verbs(account: Account, call: Call, document: Element, base: str) -> Going:
    for verb in document:
        if call.over:
            return None
        if call.redirect:
            url, call.redirect = call.redirect, ""
            return Next(url=url)
        if verb.tag in _ANSWERING and verb.get("answerOnBridge") != "true":
            _pick_up(account, call)
        if verb.tag in _SPOKEN:
            yield from _speak(call, verb)
        elif verb.tag in _STEPS:
            following = yield from _STEPS[verb.tag](account, call, verb, base)
            if following is not None:
                return following
        else:
            account.warn(12200, f"unexpected verb {verb.tag}", call=call.sid)
    return None


def _pick_up(account: Account, call: Call) -> None:
    if call.status == "ringing":
        turn(account, call, "in-progress", "answered")


def _speak(call: Call, verb: Element) -> Generator[float, None, None]:
    text = (verb.text or "").strip()
    if verb.tag == "Pause":
        length = twiml.number_of(verb, "length", 1)
        call.heard.append({"verb": "Pause", "text": f"{length:g}"})
        yield length
        return
    call.heard.append({"verb": verb.tag, "text": text, "language": verb.get("language", "")})
    yield len(text.split()) / _WORDS_PER_S


def _gather(account: Account, call: Call, verb: Element, base: str) -> Going:
    for inner in verb:
        if inner.tag in _SPOKEN:
            yield from _speak(call, inner)
    keys = call.digits.pop(0) if call.digits else ""
    most = int(twiml.number_of(verb, "numDigits", len(keys)))
    ending = verb.get("finishOnKey", "#")
    keys = keys[:most].partition(ending)[0] if ending else keys[:most]
    if keys:
        yield _KEY_S
    else:
        yield twiml.number_of(verb, "timeout", 5)
    if call.over:
        return None
    if not keys and verb.get("actionOnEmptyResult") != "true":
        return None
    call.pressed.append(keys)
    return Next(
        url=urljoin(base, verb.get("action", base)),
        method=verb.get("method", "POST"),
        fields=(("Digits", keys), ("FinishedOnKey", "")),
    )


def _redirect(account: Account, call: Call, verb: Element, base: str) -> Going:
    yield 0.0
    return Next(url=urljoin(base, (verb.text or "").strip()), method=verb.get("method", "POST"))


def _hangup(account: Account, call: Call, verb: Element, base: str) -> Going:
    yield 0.0
    finish(account, call, "busy" if verb.tag == "Reject" and not call.answered_at else "completed")
    return None


def _dial(account: Account, call: Call, verb: Element, base: str) -> Going:
    timeout = twiml.number_of(verb, "timeout", 30)
    children = _children(account, call, verb, base)
    if not children:
        account.warn(13224, "no number that can be dialled", call=call.sid)
        return None
    bridged = False
    for child, _ in children:
        turn(account, child, "initiated", "initiated")
        turn(account, child, "ringing", "ringing")
    winner = _first_to_answer(account, children, timeout)
    if winner is None:
        yield from _unanswered(account, children, timeout)
        last = children[-1][0]
    else:
        last, whisper = winner
        yield behaviour(account, last).answer_after_s
        for other, _ in children:
            if other is not last:
                finish(account, other, "canceled")
        bridged = yield from _connected(account, call, last, whisper)
    return _after_dial(call, verb, base, last, bridged=bridged)


def _children(
    account: Account, call: Call, verb: Element, base: str
) -> list[tuple[Call, Next | None]]:
    """A leg for each number of a Dial, with its whisper if it has one."""
    sender = verb.get("callerId") or call.person
    if sender != call.person and sender not in account.lines:
        account.warn(13214, f"callerId {sender} is not ours", call=call.sid)
        return []
    nouns = list(verb) or [verb]
    children = []
    for noun in nouns:
        number = (noun.text or "").strip()
        if noun.tag not in {"Number", "Dial"} or not is_number(number):
            account.warn(13224, f"cannot dial {noun.tag} {number}", call=call.sid)
            continue
        child = open_call(account, to=number, sender=sender, direction="outbound-dial")
        child.parent = call.sid
        child.callback = urljoin(base, noun.get("statusCallback", "")) if noun is not verb else ""
        child.callback = child.callback if noun.get("statusCallback") else ""
        child.events = frozenset(noun.get("statusCallbackEvent", "completed").split())
        url = noun.get("url") if noun.tag == "Number" else None
        whisper = Next(url=urljoin(base, url), method=noun.get("method", "POST")) if url else None
        children.append((child, whisper))
    return children


def _first_to_answer(
    account: Account, children: list[tuple[Call, Next | None]], timeout: float
) -> tuple[Call, Next | None] | None:
    willing = [
        pair
        for pair in children
        if behaviour(account, pair[0]).voice == "answer"
        and behaviour(account, pair[0]).answer_after_s <= timeout
    ]
    return min(willing, key=lambda pair: behaviour(account, pair[0]).answer_after_s, default=None)


def _unanswered(
    account: Account, children: list[tuple[Call, Next | None]], timeout: float
) -> Generator[float, None, None]:
    quick = {"busy", "failed"}
    plans = [behaviour(account, child).voice for child, _ in children]
    yield 1.0 if all(plan in quick for plan in plans) else timeout
    for (child, _), plan in zip(children, plans, strict=True):
        finish(account, child, plan if plan in quick else "no-answer")


def _connected(
    account: Account, call: Call, child: Call, whisper: Next | None
) -> Generator[float, None, bool]:
    """The child has answered: whisper to it, then let the two talk."""
    turn(account, child, "in-progress", "answered")
    if whisper is not None:
        yield from perform(account, child, whisper)
    if child.over or call.over:
        finish(account, child)
        return False
    _pick_up(account, call)
    call.bridged_to, child.bridged_to = child.sid, call.sid
    yield behaviour(account, child).talk_s
    finish(account, child)
    return True


def _after_dial(call: Call, verb: Element, base: str, last: Call, *, bridged: bool) -> Next | None:
    if call.over or not verb.get("action"):
        return None
    return Next(
        url=urljoin(base, verb.get("action", "")),
        method=verb.get("method", "POST"),
        fields=(
            ("DialCallSid", last.sid),
            ("DialCallStatus", last.status),
            ("DialCallDuration", str(last.seconds)),
            ("DialBridged", "true" if bridged else "false"),
        ),
    )


_STEPS = {
    "Gather": _gather,
    "Redirect": _redirect,
    "Hangup": _hangup,
    "Reject": _hangup,
    "Dial": _dial,
}

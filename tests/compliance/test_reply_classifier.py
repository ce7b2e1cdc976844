"""Replies that ask to stop, and replies that don't."""

import re
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooftree.compliance.consent.reply_classifier import (
    OPT_OUT_RULES,
    STOP_KEYWORDS,
    ReplyMeaning,
    classify_reply,
)
from rooftree.compliance.consent.reply_spelling import (
    OPT_OUT_DATA,
    _edit_distance,
    correct_spelling,
)
from tests.compliance.test_optout_recall import MESSAGES

STOPS = [
    "STOP",
    "stop.",
    "Stop!!!",
    "S T O P",
    "st​op",
    "🛑 STOP 🛑",
    "Opt out",
    "opt-out",
    "OPTOUT",
    "unsubscribe",
    "stopall",
    "END",
    "cancel",
    "quit",
    "revoke",
    "REMOVE ME",
    "no more",
    "stop please",
    "Please stop now thanks",
    "STOP texting me",
    "quit calling",
    "Don’t call me again",
    "do not contact me",
    "never text this number",
    "take me off your list",
    "please remove me from your list",
    "leave me alone",
    "lose my number",
    "I will report you for harassment",
    "my attorney will be in touch about these texts you send",
    "no more texts",
    "I revoke my consent",
    "dont text me",
    "I don't want any messages",
    "put me on your do not call list",
    "ALTO",
    "Parar",
    "basta",
    "No más",
    "no mas por favor",
    "cancelar",
    "No me llame más",
    "no me llamen",
    "no me escriban",
    "ya no me manden mensajes",
    "no quiero más mensajes",
    "dejen de llamar",
    "quítenme de su lista",
    "borren mi número",
    "darme de baja",
    "déjenme en paz",
]
READ_FIRST = [
    "I'll quit my job Friday, does that matter?",
    "cancel Tuesday, I can do Wednesday",
    "Can I stop by the branch at 3?",
    "Quiero cancelar la cita del martes y cambiarla",
]
FINE = [
    "Thanks, at the end of the week is fine",
    "By the end of the month",
    "year-end works",
    "What is my rate?",
    "Call me after 5",
    "My last day of work is Friday",
    "I don't want to refinance yet, maybe spring",
    "Gracias, llámeme mañana",
    "ok",
]


def test_opt_out_words_are_recognized() -> None:
    assert [text for text in STOPS if classify_reply(text).meaning is not ReplyMeaning.REVOKE] == []


@pytest.mark.parametrize("text", READ_FIRST)
def test_ambiguous_word_is_held_for_a_person(text: str) -> None:
    assert classify_reply(text).meaning is ReplyMeaning.HOLD


@pytest.mark.parametrize("text", FINE)
def test_ordinary_reply_stops_nothing(text: str) -> None:
    reading = classify_reply(text)
    assert (reading.meaning, reading.matched_words) == (ReplyMeaning.NONE, None)


def test_words_that_only_look_like_a_stop_are_taken_out_within_one_sentence() -> None:
    read = {
        text: classify_reply(text).meaning.value
        for text in (
            "Please don't stop texting me, it helps",
            "Please don't. Stop texting me.",
            "Please DON'T STOP the updates",
            "Take my ex off the mortgage",
            "Take my ex off the mortgage and take me off your list",
            "that's the second time I've told you",
            "Don't call me at work",
            "Don't call me at work or anywhere, never text me again",
        )
    }
    assert list(read.values()) == [
        *("none", "revoke", "none", "none", "revoke", "hold", "hold", "revoke")
    ], read


@pytest.mark.parametrize(
    "text",
    ["wrong number", "You have the wrong person", "Número equivocado", "this is not him"],
)
def test_wrong_person_is_distinguished(text: str) -> None:
    assert classify_reply(text).meaning is ReplyMeaning.WRONG_PERSON


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("HELP", "help"),
        ("info", "help"),
        ("Ayuda", "help"),
        ("START", "optin"),
        ("unstop", "optin"),
    ],
)
def test_help_and_start_have_their_own_meaning(text: str, meaning: str) -> None:
    assert classify_reply(text).meaning == meaning


@given(
    keyword=st.sampled_from(sorted(STOP_KEYWORDS)),
    before=st.sampled_from(["", " ", "\n", "¡", "...", "🛑 "]),
    after=st.sampled_from(["", "!", " .", " 🙏", "​", " please"]),
    upper=st.booleans(),
)
def test_keyword_stops_messages_in_any_form(
    keyword: str, before: str, after: str, upper: bool
) -> None:
    word = keyword.upper() if upper else keyword
    assert classify_reply(f"{before}{word}{after}").meaning is ReplyMeaning.REVOKE


@given(st.text(max_size=200))
def test_any_text_is_classified(text: str) -> None:
    assert classify_reply(text).text == text
    assert classify_reply(text) == classify_reply(text)


def test_long_text_takes_linear_time() -> None:
    began = process_time()
    for words in ("again next ", "report me ", "that name "):
        classify_reply(words * 8_000)
    assert process_time() - began < 20  # reading on to the end at each word took minutes


# One message for each pattern and spelling of the data that no labeled message covers alone.
EXAMPLES: list[tuple[str, str]] = [
    ("f off", "revoke"),
    ("I am serious, cease and desist", "revoke"),
    ("never ever reach out to us", "revoke"),
    ("I would appreciate it if you didn't text", "revoke"),
    ("I already told you guys to quit", "revoke"),
    ("yes stop sir", "revoke"),
    ("you really need to quit already", "revoke"),
    ("can someone quit bugging my wife", "revoke"),
    ("how do I make the madness stop", "revoke"),
    ("well I typed stop", "revoke"),
    ("no llame nunca", "revoke"),
    ("como hago para salir de la lista", "revoke"),
    ("I said no more", "revoke"),
    ("delete these from everything", "revoke"),
    ("how could we end getting these", "revoke"),
    ("quitenme de su lista", "revoke"),
]


def test_patterns_match_their_examples() -> None:
    wrong = [text for text, meaning in EXAMPLES if classify_reply(text).meaning.value != meaning]
    assert wrong == []


def _words_we_know() -> set[str]:
    """Return the words of the labeled messages and of the patterns."""
    texts = [message["text"].lower() for message in MESSAGES] + [text for text, _ in EXAMPLES]
    sources = [
        *OPT_OUT_DATA["words"].values(),
        *OPT_OUT_RULES["free_text_patterns"],
        *STOP_KEYWORDS,
    ]
    sources += [
        word_known
        for kind in ("short", "ordinary", "limits", "revoke", "wrong_person", "hold")
        for word_known in OPT_OUT_DATA[kind]
    ]
    return set(re.findall(r"[a-z'ñáéíóú]+", " ".join([*texts, *sources])))


def test_corrected_spellings_are_recognized_words() -> None:
    known = _words_we_know()
    spelled = OPT_OUT_DATA["spelled"]
    assert [typed for typed, words in spelled.items() if not set(words.split()) <= known] == []


def test_fuzzy_targets_are_recognized_words() -> None:
    near = OPT_OUT_DATA["near"]
    assert sorted(set(near) - _words_we_know()) == []
    slips = {word: word[:2] + word[3:] for word in near}
    put_right = {word: correct_spelling(slip, STOP_KEYWORDS) for word, slip in slips.items()}
    assert put_right == {word: word for word in near}


def test_exempt_words_would_otherwise_be_misread() -> None:
    near, real = OPT_OUT_DATA["near"], OPT_OUT_DATA["real"]
    assert [word for word in real if correct_spelling(word, STOP_KEYWORDS) != word] == []
    assert [
        word for word in real if all(_edit_distance(word, word_known) != 1 for word_known in near)
    ] == []

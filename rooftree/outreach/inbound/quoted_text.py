"""Cuts what a mail program quotes from a reply, so that only the borrower's own words are left."""

import re
from itertools import takewhile
from typing import Any

from rooftree.core import read_html

_MAX_START_LINES = 8  # lines read to recognize the start of a quotation
_MAX_START_WIDTH = 200  # characters read of each
_WROTE = r"(?:wrote|escribi[oó]|a écrit|écrit|schrieb|escreveu|ha scritto)"
_QUOTE_START = re.compile(
    r"^(?:>.*|_{8,}"
    r"|[-_]{2,} ?(?:(?:original|forwarded|reply) message|mensaje (?:original|reenviado)"
    r"|ursprüngliche nachricht|message (?:d'origine|transféré)|mensagem original) ?[-_]{2,}"
    r"|(?:begin forwarded message|inicio del mensaje reenviado):"
    rf"|(?:on .{{6,160}}(?<! i) wrote|(?:el|le|am|em|il) .{{6,160}} {_WROTE}.{{0,60}}):?"
    rf"|-{{2,}} ?(?:on|el) .{{6,160}} {_WROTE} ?-{{2,}}"  # Zoho Mail
    rf"|[^<>]{{1,80}}<[^<>@\s]{{1,64}}@[^<>@\s]{{1,255}}>,? {_WROTE}.{{0,60}}:"
    r"|\d{4}-\d\d-\d\d .{0,60}<[^<>@\s]{1,64}@[^<>@\s]{1,255}>:"
    rf"|in a message dated .{{6,120}}{_WROTE[:-1]}|writes):"  # AOL
    r"|[*_]*(?:from|de|von):.+@.+)$",
    re.IGNORECASE,
)
# "On Mon, Nov 23, 2026 at 12:01 PM Dana Lee <dana@lender.example> wrote:" in several lines. It has
# a date, ends with a colon, and no other line starts like it.
_WRAPPED_ATTRIBUTION = re.compile(
    rf"^(?:on|el|le|am|in a message dated) (?=.{{0,80}}\d)(?!.*\n(?:on|el) ).{{6,}}\s"
    rf"(?:{_WROTE}|writes):(?:\n|$)",
    re.IGNORECASE | re.DOTALL,
)
_CLOCK_OR_YEAR = re.compile(r"\d:\d\d|\b\d{4}\b")
# The first lines of Outlook's and Windows Mail's header, also without an address: a sender, and
# next a recipient or a date.
_SENDER_LINE = re.compile(r"^[*_]*(?:from|de|von|expéditeur)[*_]* ?:", re.IGNORECASE)
_HEADER_LINE = re.compile(
    r"^[*_]*(?:sent|date|to|cc|subject|enviado(?: el)?|enviada|fecha|para|asunto"
    r"|gesendet|an|betreff|envoyé|à|obje[t]|reply-to)[*_]* ?:",
    re.IGNORECASE,
)
_START_LETTERS = ("on ", "el ", "le ", "am ", "in a", "from", "de", "von", "exp", "*", "_")
# Elements at which the pages of mail programs begin their quotation.
_QUOTE_ELEMENTS = (
    "//*[@id='appendonsend' or @id='divRplyFwdMsg' or @id='mail-editor-reference-message-container'"
    " or @id='OLK_SRC_BODY_SECTION' or @id='zwchr' or @data-marker='__DIVIDER__'"
    " or contains(@class, 'gmail_quote') or contains(@class, 'yahoo_quoted')"
    " or contains(@class, 'moz-cite-prefix') or contains(@class, 'protonmail_quote')"
    " or contains(@class, 'zmail_extra')]"
)
_QUOTE_LINE = "_" * 32
_LETTERS = re.compile(r"\W+")
_MIN_LINE_LENGTH = 20  # letters and digits of a line that nobody types by chance
_MIN_PART_LENGTH = 40  # of a part of a line, which a mail program wrapped


def strip_quotes(text: str) -> str:
    """Return the text before the first line that starts a quotation."""
    lines = [line.rstrip() for line in text.splitlines()]
    kept = []
    for number, line in enumerate(lines):
        if _starts_quotation(lines[number : number + _MAX_START_LINES]):
            break
        kept.append(line)
    return "\n".join(kept).strip()


def _starts_quotation(lines: list[str]) -> bool:
    """Return whether the first of these lines starts a quotation, alone or with the others."""
    first = lines[0].strip()
    if not first or _QUOTE_START.match(first[: _MAX_START_WIDTH * 2]):
        return bool(first)
    if not first.lower().startswith(_START_LETTERS):
        return False
    stripped = [line.strip()[:_MAX_START_WIDTH] for line in lines]
    block = [*takewhile(lambda line: line and not line.startswith(">"), stripped)]
    if not _CLOCK_OR_YEAR.search(first) and any(map(_QUOTE_START.match, block[1:])):
        return False  # own words, right above the line that starts the quotation
    if _WRAPPED_ATTRIBUTION.match("\n".join(block)):
        return True
    below = [line for line in stripped[1:] if line][:3]  # blank lines can stand between
    return bool(_SENDER_LINE.match(stripped[0])) and any(map(_HEADER_LINE.match, below))


def html_words(page: str) -> str:
    """Return the text of an HTML reply, with a line where its mail program begins a quotation."""
    hidden = "//script|//style|//head|//blockquote"
    tree: Any = read_html.parse_html(page, without=hidden, joins_lines=True)
    if tree is None:
        return ""
    for element in tree.xpath(_QUOTE_ELEMENTS):
        element.text = f"\n{_QUOTE_LINE}\n{element.text or ''}"
    return str(tree.text_content())


def remove_own_message(words: str, sent_text: str) -> str:
    """Return the words before the first line of our message, where a reply quotes it unmarked.

    Our footer says how to stop, so it must never count as the borrower's request. A quotation
    has at least two whole lines of our message; a borrower's own "stop these emails" is neither.
    """
    own_lines = [squashed for line in sent_text.splitlines() if (squashed := _squash(line))]
    own_text, own_links = (
        "".join(own_lines),
        [word for word in sent_text.split() if word.startswith("http")],
    )
    long_lines = {line for line in own_lines if len(line) >= _MIN_LINE_LENGTH}
    lines = words.splitlines()
    squashed_lines = [_squash(line) for line in lines]
    quoted = [
        position
        for position, squashed in enumerate(squashed_lines)
        if squashed in long_lines
        or (len(squashed) >= _MIN_PART_LENGTH and squashed in own_text)
        or any(link in lines[position] for link in own_links)
    ]
    if len(quoted) < 2:
        return words
    end = quoted[0]
    nth = own_lines.index(squashed_lines[end]) if squashed_lines[end] in long_lines else 0
    for position in range(end - 1, -1, -1):  # the short lines before it, such as "Hi Ben,"
        if nth and squashed_lines[position] == own_lines[nth - 1]:
            end, nth = position, nth - 1
        elif squashed_lines[position]:
            break
    return "\n".join(lines[:end]).strip()


def _squash(text: str) -> str:
    return _LETTERS.sub("", text.lower())

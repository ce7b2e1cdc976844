"""Stops in the words that arrive with an inquiry: a form's comment, a chat, a vendor's note.

Every channel's words are read by the one reply classifier, before anything is sent.
"""

from collections.abc import Iterator

from rooftree.compliance.consent.reply_classifier import (
    ClassifiedReply,
    ReplyMeaning,
    classify_reply,
)
from rooftree.leads.canonical import CanonicalLead
from rooftree.leads.vocabulary import Channel, Speaker

COMMENT_KEYS = ("comment", "message", "note", "remark", "question", "mensaje", "comentario")
MAX_WORDS_LENGTH = 4_000  # characters read of one comment
# The strictest first: a stop anywhere in the words counts.
MEANINGS_THAT_COUNT = (ReplyMeaning.REVOKE, ReplyMeaning.WRONG_PERSON, ReplyMeaning.HOLD)


def classify_inquiry(inquiry: CanonicalLead) -> ClassifiedReply | None:
    """Classify the strictest of the borrower's words in an inquiry; None without a doubt.

    A note in an imported file is our own staff's: only a plain stop in it counts.
    """
    replies = [classify_reply(words[:MAX_WORDS_LENGTH]) for words in _borrower_words(inquiry)]
    meanings = MEANINGS_THAT_COUNT[:1] if inquiry.channel is Channel.IMPORT else MEANINGS_THAT_COUNT
    return next(
        (reply for meaning in meanings for reply in replies if reply.meaning is meaning), None
    )


def _borrower_words(inquiry: CanonicalLead) -> Iterator[str]:
    if inquiry.message:
        yield inquiry.message
    if inquiry.interaction:
        for utterance in inquiry.interaction.transcript:
            if utterance.role is Speaker.CONSUMER and utterance.text != inquiry.message:
                yield utterance.text
    for name, value in inquiry.extras.items():
        if any(key in name.lower() for key in COMMENT_KEYS):
            yield str(value)

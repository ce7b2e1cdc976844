"""Sample texts of invented borrowers and officers."""

import random

BORROWER_REPLIES = {
    "en": (
        "Hi, yes still looking. Can you call after 5?",
        "What rate could I get with 10% down?",
        "Thanks! Is a pre-approval letter possible this week?",
        "We are under contract, closing in 30 days. Can you make that?",
        "ok 👍 call me tomorrow morning",
        "Do you do VA loans?",
        "How much are closing costs roughly?",
        "I already have a quote at 6.25, can you beat it",
    ),
    "es": (
        "Hola, sí. ¿Me puede llamar después de las 5?",
        "¿Qué documentos necesito?",
        "Gracias. Prefiero hablar en español por favor",
        "¿Cuánto sería el pago mensual?",
    ),
}
CHAT_QUESTIONS = {
    "en": (
        "Hi! Can I buy with 5% down in my area?",
        "Is it worth refinancing from 7.1% right now?",
        "How long does a pre-approval take? We want to make an offer this weekend.",
        "Do you lend on condos?",
    ),
    "es": (
        "Hola, ¿puedo comprar con 5% de enganche?",
        "¿Cuánto tarda una preaprobación?",
    ),
}
CALL_TRANSCRIPTS = (
    "Agent: Lindenfield Mortgage, good day. Caller: Hi, this is {name}, I saw your ad about "
    "refinancing. Agent: Thank you, {name}. What is the rate now? Caller: Seven and a quarter.",
    "Agent: Lindenfield Mortgage, how can I help? Caller: My name is {name}, we found a house and "
    "need a pre-approval. Agent: Congratulations, {name}. When do you want to make the offer? "
    "Caller: Saturday, if we can.",
)
STOP_MESSAGES = ("STOP", "Stop", "stop please", "ALTO", "unsubscribe")
OFFICER_ANSWERS = {
    "en": (
        "Good question. I will call you and go through it with you.",
        "Happy to help. I have your details here and will call you shortly.",
        "Yes, we can look at that together. I will call you at the time you said.",
    ),
    "es": (
        "Con gusto. Le llamo en un momento para revisarlo juntos.",
        "Claro que sí. Tengo sus datos y le llamo pronto.",
    ),
}


def borrower_reply(rng: random.Random, language: str) -> str:
    """Choose a borrower's reply to a text."""
    return rng.choice(BORROWER_REPLIES.get(language, BORROWER_REPLIES["en"]))


def officer_answer(rng: random.Random, language: str) -> str:
    """Choose an officer's answer to a borrower."""
    return rng.choice(OFFICER_ANSWERS.get(language, OFFICER_ANSWERS["en"]))


def chat_question(rng: random.Random, language: str) -> str:
    """Choose a visitor's question in a chat."""
    return rng.choice(CHAT_QUESTIONS.get(language, CHAT_QUESTIONS["en"]))


def call_transcript(rng: random.Random, name: str) -> str:
    """Choose the transcript of an answered call."""
    return rng.choice(CALL_TRANSCRIPTS).format(name=name)


def stop_message(rng: random.Random) -> str:
    """Choose the text of a borrower who opts out."""
    return rng.choice(STOP_MESSAGES)

"""What invented borrowers and officers write to each other."""

import random

REPLIES = {
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
STOPS = ("STOP", "Stop", "stop please", "ALTO", "unsubscribe")
ANSWERS = {
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


def reply(rng: random.Random, language: str) -> str:
    """Something a borrower writes back."""
    return rng.choice(REPLIES.get(language, REPLIES["en"]))


def answer(rng: random.Random, language: str) -> str:
    """Something an officer answers."""
    return rng.choice(ANSWERS.get(language, ANSWERS["en"]))


def stop(rng: random.Random) -> str:
    """A borrower who wants no more texts."""
    return rng.choice(STOPS)

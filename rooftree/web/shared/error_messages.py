"""What is said when something cannot be shown: to staff, and to borrowers in their language."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorMessage:
    """One failure in words: a title, a sentence or two, and the short form for a toast."""

    icon: str
    title: str
    text: str
    toast: str = ""


RETRY_AFTER_SECONDS = 10  # seconds after which a browser or a vendor may ask again
STAFF_MESSAGES = {
    "400": ErrorMessage(
        icon="warn",
        title="The request could not be read",
        text="Go back, and send it again.",
        toast="The request could not be read. Reload the page.",
    ),
    "403": ErrorMessage(
        icon="ban",
        title="This page is not yours",
        text="You are signed in, but your role does not open this page. If it should, ask your "
        "administrator.",
        toast="Your role does not allow this.",
    ),
    "stale": ErrorMessage(
        icon="clock",
        title="This page was open for too long",
        text="For safety nothing was done. Go back, reload the page, and do it again; copy what "
        "you typed first.",
        toast="This page was open for too long. Reload it, then do that again.",
    ),
    "404": ErrorMessage(
        icon="search",
        title="Nothing is here",
        text="The address leads nowhere, or to something you may not see.",
        toast="It is not there any more, or not yours to see.",
    ),
    "405": ErrorMessage(
        icon="ban",
        title="This address is not a page",
        text="It does something when a button is pressed, and shows nothing by itself. Nothing "
        "was done.",
        toast="That cannot be done here. Reload the page.",
    ),
    "408": ErrorMessage(
        icon="clock",
        title="It did not arrive in time",
        text="The connection was too slow, and nothing was kept. Go back, and send it again.",
        toast="It did not arrive in time, and nothing was kept. Send it again.",
    ),
    "413": ErrorMessage(
        icon="warn",
        title="That is too large",
        text="It is larger than we take at once, and nothing was kept.",
        toast="That is too large, and nothing was kept.",
    ),
    "500": ErrorMessage(
        icon="warn",
        title="Something broke on our side",
        text="What you did may not have been kept. It is written down, and an administrator can "
        "look it up. Try again in a moment.",
        toast="Something broke on our side. Look whether it was kept before you do it again.",
    ),
    "503": ErrorMessage(
        icon="clock",
        title="Back in a moment",
        text="The database does not take anything just now. What you did was not kept; nothing "
        "that was kept before is lost. Try again in a minute.",
        toast="The database does not take anything just now. It was not kept; try again shortly.",
    ),
}
BORROWER_MESSAGES = {
    "en": {
        "404": ErrorMessage(
            icon="search",
            title="This page is not here",
            text="The link is incomplete, or what it led to has ended. Open it again from where "
            "you found it.",
        ),
        "400": ErrorMessage(
            icon="warn",
            title="We could not read that",
            text="Nothing was kept. Please go back, and send it again.",
        ),
        "408": ErrorMessage(
            icon="clock",
            title="That took too long",
            text="Nothing was kept. Please go back, and send it again when your connection is "
            "better.",
        ),
        "413": ErrorMessage(
            icon="warn",
            title="That is too much at once",
            text="Nothing was kept. Please go back, and send it again in fewer words.",
        ),
        "500": ErrorMessage(
            icon="warn",
            title="Something went wrong on our side",
            text="We may not have got what you sent. Please try again in a minute.",
        ),
        "503": ErrorMessage(
            icon="clock",
            title="Please try again in a minute",
            text="We cannot take anything just now, so what you sent was not kept.",
        ),
    },
    "es": {
        "404": ErrorMessage(
            icon="search",
            title="Esta página no está aquí",
            text="El enlace está incompleto, o lo que mostraba ya terminó. Ábralo otra vez desde "
            "donde lo encontró.",
        ),
        "400": ErrorMessage(
            icon="warn",
            title="No pudimos leerlo",
            text="No se guardó nada. Por favor, regrese y envíelo otra vez.",
        ),
        "408": ErrorMessage(
            icon="clock",
            title="Tardó demasiado",
            text="No se guardó nada. Por favor, regrese y envíelo otra vez cuando su conexión "
            "sea mejor.",
        ),
        "413": ErrorMessage(
            icon="warn",
            title="Es demasiado de una sola vez",
            text="No se guardó nada. Por favor, regrese y envíelo otra vez con menos palabras.",
        ),
        "500": ErrorMessage(
            icon="warn",
            title="Algo salió mal de nuestro lado",
            text="Es posible que no hayamos recibido lo que envió. Por favor, inténtelo otra vez "
            "en un minuto.",
        ),
        "503": ErrorMessage(
            icon="clock",
            title="Por favor, inténtelo en un minuto",
            text="En este momento no podemos recibir nada, así que lo que envió no se guardó.",
        ),
    },
}
BORROWER_FALLBACKS = {
    "403": "404",
    "405": "400",
    "stale": "400",
}  # a borrower need not know the difference
BORROWER_PATHS = ("/forms/", "/unsubscribe/")  # where borrowers are; everywhere else are staff


def staff_message(kind: str) -> ErrorMessage:
    """What a member of staff reads; `kind` is a status or `stale`."""
    return STAFF_MESSAGES[kind]


def borrower_message(kind: str, language: str) -> ErrorMessage:
    """What a borrower reads, in English or Spanish."""
    return BORROWER_MESSAGES[language][BORROWER_FALLBACKS.get(kind, kind)]


def is_borrower_path(path: str) -> bool:
    """Whether an address is one that borrowers are given."""
    return path.startswith(BORROWER_PATHS)


def preferred_language(accepted: str, query: str = "") -> str:
    """`es` or `en`: as the address says, else as the browser prefers."""
    for language in ("es", "en"):
        if f"lang={language}" in query:
            return language
    return "es" if accepted.lower().startswith("es") else "en"

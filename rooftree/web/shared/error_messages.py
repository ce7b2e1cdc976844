"""Error messages: for staff, for borrowers in English and Spanish, and for API clients."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorMessage:
    """One error: a title, a sentence or two, and a short form for a toast."""

    icon: str
    title: str
    text: str
    toast: str = ""


RETRY_AFTER_SECONDS = 10  # seconds after which a browser or a vendor may ask again
STAFF_MESSAGES = {
    "400": ErrorMessage(
        icon="warn",
        title="We couldn’t read that request",
        text="Go back and try again.",
        toast="We couldn’t read that request. Reload the page and try again.",
    ),
    "403": ErrorMessage(
        icon="ban",
        title="You don’t have access to this page",
        text="Your role can’t open it. If you need access, ask your administrator.",
        toast="Your role doesn’t allow this.",
    ),
    "stale": ErrorMessage(
        icon="clock",
        title="This page expired",
        text="Nothing was changed. Go back, copy what you typed, reload the page and try again.",
        toast="This page expired. Reload it and try again.",
    ),
    "404": ErrorMessage(
        icon="search",
        title="Page not found",
        text="The link may be wrong, or you may not have access.",
        toast="This no longer exists, or you don’t have access to it.",
    ),
    "405": ErrorMessage(
        icon="ban",
        title="This link isn’t a page",
        text="It only works from a button in Rooftree. Nothing was changed.",
        toast="That can’t be done here. Reload the page.",
    ),
    "408": ErrorMessage(
        icon="clock",
        title="The request timed out",
        text="Your connection was too slow, and nothing was saved. Go back and try again.",
        toast="The request timed out and nothing was saved. Try again.",
    ),
    "413": ErrorMessage(
        icon="warn",
        title="That’s too large",
        text="It’s over the size limit, and nothing was saved.",
        toast="That’s over the size limit. Nothing was saved.",
    ),
    "500": ErrorMessage(
        icon="warn",
        title="Something went wrong",
        text="Your last change may not have been saved. The error was logged for your "
        "administrator. Try again in a moment.",
        toast="Something went wrong. Check whether your change was saved before you try again.",
    ),
    "503": ErrorMessage(
        icon="clock",
        title="Back in a moment",
        text="The database is unavailable. Your last change wasn’t saved; earlier work is safe. "
        "Try again in a minute.",
        toast="The database is unavailable and your change wasn’t saved. Try again in a minute.",
    ),
}
BORROWER_MESSAGES = {
    "en": {
        "404": ErrorMessage(
            icon="search",
            title="Page not found",
            text="The link may be incomplete or expired. Please open it again from where you "
            "found it.",
        ),
        "400": ErrorMessage(
            icon="warn",
            title="We couldn’t read that",
            text="Nothing was saved. Please go back and send it again.",
        ),
        "408": ErrorMessage(
            icon="clock",
            title="That took too long",
            text="Nothing was saved. Please go back and send it again when your connection is "
            "better.",
        ),
        "413": ErrorMessage(
            icon="warn",
            title="That’s too long",
            text="Nothing was saved. Please go back, shorten it and send it again.",
        ),
        "500": ErrorMessage(
            icon="warn",
            title="Something went wrong",
            text="We may not have received what you sent. Please try again in a minute.",
        ),
        "503": ErrorMessage(
            icon="clock",
            title="Please try again in a minute",
            text="We’re unable to accept anything right now, so what you sent wasn’t saved.",
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
API_ERRORS = {  # code and text, by the same keys
    "400": ("unreadable", "The request can't be read."),
    "403": ("forbidden", "This isn't allowed."),
    "404": ("not_found", "There is nothing at this address. /api/v1/docs/ lists the addresses."),
    "405": ("method", "Use a method that the Allow header names."),
    "408": ("timeout", "The request did not arrive in time."),
    "413": ("too_large", "The request is too large."),
    "500": ("server_error", "Something went wrong, and the error was logged."),
    "503": ("unavailable", "Try again after the seconds in Retry-After."),
}
BORROWER_FALLBACKS = {"403": "404", "405": "400", "stale": "400"}  # same message for borrowers
BORROWER_PATHS = ("/forms/", "/unsubscribe/")
API_PATH = "/api/"  # all other paths are for staff


def staff_message(kind: str) -> ErrorMessage:
    """Return the staff message of an error; `kind` is a status code or `stale`."""
    return STAFF_MESSAGES[kind]


def borrower_message(kind: str, language: str) -> ErrorMessage:
    """Return the borrower message of an error; `language` is `en` or `es`."""
    return BORROWER_MESSAGES[language][BORROWER_FALLBACKS.get(kind, kind)]


def api_error_body(kind: str) -> dict[str, dict[str, str]]:
    """Return the JSON body of an error for an API client, in the shape of `api.api_errors`."""
    code, text = API_ERRORS[kind]
    return {"error": {"code": code, "text": text}}


def is_borrower_path(path: str) -> bool:
    """Return True if a path is for borrowers."""
    return path.startswith(BORROWER_PATHS)


def preferred_language(accepted: str, query: str = "") -> str:
    """Return `es` or `en`: from `lang=` in the query, else from the Accept-Language header."""
    for language in ("es", "en"):
        if f"lang={language}" in query:
            return language
    return "es" if accepted.lower().startswith("es") else "en"

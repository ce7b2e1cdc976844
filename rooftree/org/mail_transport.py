"""Hand emails to the mail server or provider, and say in plain sentences why it failed.

Borrowers' and staff mail both go through `send_mail`, to the server that `mail_setup` names.
"""

import smtplib
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parseaddr
from ipaddress import ip_address
from typing import Any

import requests
import urllib3
from anymail.exceptions import AnymailError, AnymailRecipientsRefused
from django.core.mail import EmailMessage, mailers
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend as SmtpBackend
from django.utils.module_loading import import_string

from rooftree.core.vendor_errors import Misconfigured, OutcomeUnknown, RequestRejected, RetryLater
from rooftree.org import mail_providers

NOT_SENT_ERRORS = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
# Errors of connecting and signing in, the first match counts: types, words in the error, and what
# staff read.
CONNECTION_FAILURES: tuple[
    tuple[tuple[type[Exception], ...], str, type[Misconfigured | RetryLater], str], ...
] = (
    ((socket.gaierror, UnicodeError), "", RetryLater,
     "No server is named {host}. Check the server name."),
    ((ssl.SSLCertVerificationError,), "", Misconfigured,
     "The certificate of {where} is not trusted. Use the server name your provider gives."),
    ((ssl.SSLError,), "", Misconfigured,
     "{where} did not answer with TLS. Choose STARTTLS with port 587, or TLS with port 465."),
    ((ConnectionRefusedError,), "", RetryLater,
     "{where} refused the connection. Check the port; 587 is usual."),
    ((smtplib.SMTPAuthenticationError,), "", Misconfigured,
     "{host} refused the user name or the password. "
     "If the account uses two-step sign-in, create an app password."),
    ((smtplib.SMTPNotSupportedError,), "STARTTLS", Misconfigured,
     "{where} does not support STARTTLS. Choose TLS with port 465."),
    ((smtplib.SMTPNotSupportedError,), "", Misconfigured,
     "{where} accepts no password on this connection. Choose STARTTLS or TLS, or leave the user "
     "name and the password empty."),
    ((smtplib.SMTPServerDisconnected,), "", RetryLater,
     "{where} closed the connection. Check the port and the encryption."),
    ((smtplib.SMTPException,), "", RetryLater, "{where} did not answer as a mail server."),
    ((OSError,), "", RetryLater, "{where} does not answer."),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """The mail server or provider in use, and the sender of our mail."""

    sender: str  # "Name <address>"
    service: str = ""  # "smtp", a key of PROVIDERS; "": as the environment says
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def sender_address(self) -> str:
        """The sender's bare address."""
        return parseaddr(self.sender)[1]

    def create_mailer(self) -> BaseEmailBackend:
        """Create the connection, not opened yet."""
        if not self.service:
            return mailers.create_connection("default")
        if self.service == "smtp":
            return SmtpBackend(alias="setup", **self.options)
        provider = mail_providers.PROVIDERS[self.service]
        backend: BaseEmailBackend = import_string(provider.backend)(
            alias="setup", api_url=mail_providers.api_url(self.service), **self.options
        )
        return backend

    def describe(self) -> str:
        """Return the server as staff read it, with the account; never with a secret."""
        if self.service in mail_providers.PROVIDERS:
            domain = self.options.get("sender_domain")
            name = mail_providers.PROVIDERS[self.service].name
            return f"{name}, {domain}" if domain else name
        mailer = self.create_mailer()
        if not isinstance(mailer, SmtpBackend):
            return f"{type(mailer).__module__}.{type(mailer).__qualname__}"
        account = f" as {mailer.username}" if mailer.username else ""
        return f"{mailer.host}:{mailer.port}{account}"

    @property
    def is_encrypted(self) -> bool:
        """True if mail leaves this machine over TLS, or not at all."""
        mailer = self.create_mailer()
        if not isinstance(mailer, SmtpBackend):
            return True
        return bool(mailer.use_tls or mailer.use_ssl)


class UncheckableServer(Misconfigured):
    """The configured backend has no sign-in to try; only a test email can tell."""


def is_local_host(host: str) -> bool:
    """Return True if the host is this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def send_mail(mail: EmailMessage, server: MailServer) -> None:
    """Hand one email over.

    Raises `RequestRejected` if the address or the message is refused for good, `Misconfigured` if
    the account doesn't work, `RetryLater` if nothing was handed over, `OutcomeUnknown` if the
    connection broke after the message was written.
    """
    mailer = server.create_mailer()
    try:
        with _explain_connection_errors(mailer):
            mailer.open()
        mailer.send_messages([mail])
    except smtplib.SMTPRecipientsRefused as problem:
        code = next(iter(problem.recipients.values()))[0]
        raise _refusal(code, "The address was refused.") from problem
    except smtplib.SMTPResponseException as problem:
        raise _refusal(problem.smtp_code, "The mail server refused the message.") from problem
    except AnymailError as problem:
        raise _provider_failure(problem) from problem
    except (OSError, smtplib.SMTPException) as problem:
        raise OutcomeUnknown("The connection broke while sending the message.") from problem
    finally:
        mailer.close()


def check_server(server: MailServer) -> None:
    """Connect, sign in and name the sender to the server; no email is sent.

    Raises `Misconfigured`, `RetryLater` or `RequestRejected`, which say what to change;
    `UncheckableServer` for another backend.
    """
    if server.service in mail_providers.PROVIDERS:
        key = server.options[mail_providers.PROVIDERS[server.service].key_option]
        domain = str(server.options.get("sender_domain", ""))
        mail_providers.check_key(server.service, str(key), domain=domain)
        return
    mailer = server.create_mailer()
    if not isinstance(mailer, SmtpBackend):
        raise UncheckableServer("Send yourself an email: this backend has no sign-in to try.")
    with _explain_connection_errors(mailer):
        try:
            mailer.open()
            _offer_sender(mailer, server.sender_address)
        finally:
            mailer.close()


def _offer_sender(mailer: SmtpBackend, sender: str) -> None:
    """Begin an email from the sender and take it back."""
    connection = mailer.connection
    assert connection is not None
    connection.ehlo_or_helo_if_needed()
    code, text = connection.mail(sender)
    if code >= 400:
        answer = text.decode(errors="replace")[:120]
        raise Misconfigured(
            f"{mailer.host} does not accept email from {sender} ({code} {answer}). "
            "Sign in with the account of that address."
        )
    connection.rset()


@contextmanager
def _explain_connection_errors(mailer: BaseEmailBackend) -> Iterator[None]:
    """Translate the standard library's errors into sentences that say what to change."""
    try:
        yield
    except (OSError, UnicodeError) as problem:  # SMTPException is an OSError
        host, port = getattr(mailer, "host", ""), getattr(mailer, "port", "")
        kind, sentence = next(
            (kind, sentence)
            for types, words, kind, sentence in CONNECTION_FAILURES
            if isinstance(problem, types) and words in str(problem)
        )
        raise kind(sentence.format(host=host, where=f"{host}, port {port},")) from problem


def _refusal(code: int, text: str) -> RetryLater | RequestRejected:
    if 400 <= code < 500:  # RFC 5321: transient
        return RetryLater(text)
    return RequestRejected(text, code=str(code))


def _provider_failure(
    problem: AnymailError,
) -> RequestRejected | Misconfigured | RetryLater | OutcomeUnknown:
    """Return the kind of a provider's failure; its text could contain the address."""
    status = problem.status_code
    if isinstance(problem, AnymailRecipientsRefused):
        return RequestRejected("The address was refused.")
    if isinstance(problem, requests.RequestException) and status is None:
        cause = problem.__cause__.args[0] if problem.__cause__ and problem.__cause__.args else None
        if isinstance(getattr(cause, "reason", None), NOT_SENT_ERRORS):
            return RetryLater("The mail provider does not answer.")
        return OutcomeUnknown("The connection broke while sending the message.")
    if status in {401, 403}:
        return Misconfigured("The mail provider refused the API key.")
    if status == 429:
        return RetryLater("The mail provider is busy.")
    if status is not None and status >= 500:
        return OutcomeUnknown(f"The mail provider failed ({status}) after it got the message.")
    # An account without credit or with an unconfirmed sender: the message must not be lost.
    return Misconfigured(f"The mail provider refused to send ({status or 'no code'}).")

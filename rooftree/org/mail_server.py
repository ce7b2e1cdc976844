"""The mail server in use: what the environment sets, otherwise what Setup stores."""

from email.utils import formataddr

from django.conf import settings

from rooftree.db.prepared_queries import PreparedQuery
from rooftree.org.mail_providers import PROVIDERS
from rooftree.org.mail_transport import MailServer
from rooftree.org.models import MailSetup

TIMEOUT_SECONDS = 10
_SETUP_QUERY = PreparedQuery(MailSetup.objects.all)


def stored_setup() -> MailSetup | None:
    """Return the stored row; None before anybody used the page."""
    return _SETUP_QUERY.first()


def active_mail_server() -> MailServer:
    """Return the server and the sender of all our mail, as they are now."""
    if settings.MAIL_SERVER_IN_ENVIRONMENT and settings.MAIL_FROM_IN_ENVIRONMENT:
        return build_server(None)
    return build_server(stored_setup())


def build_server(row: MailSetup | None) -> MailServer:
    """Return the server that a row and the environment make together."""
    sender = str(settings.DEFAULT_FROM_EMAIL)
    if row and row.sender_address and not settings.MAIL_FROM_IN_ENVIRONMENT:
        sender = formataddr((row.sender_name, row.sender_address))
    if row is None or not row.service or settings.MAIL_SERVER_IN_ENVIRONMENT:
        return MailServer(sender=sender)
    if row.service == "smtp":
        options = {
            "host": row.host,
            "port": row.port,
            "username": row.user,
            "password": row.secret,
            "use_tls": row.security == "starttls",
            "use_ssl": row.security == "tls",
            "timeout": TIMEOUT_SECONDS,
        }
        return MailServer(sender=sender, service="smtp", options=options)
    options = {PROVIDERS[row.service].key_option: row.secret, "timeout": TIMEOUT_SECONDS}
    if PROVIDERS[row.service].region:  # the other providers' backends refuse the option
        options["sender_domain"] = row.provider_domain
    return MailServer(sender=sender, service=row.service, options=options)

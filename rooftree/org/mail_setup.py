"""Outgoing email as Setup shows it: the stored account, its checks, and the sender's domain.

A check counts only for the server or the domain that it was made of.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from rooftree.core.email_addresses import parse_email_address
from rooftree.core.user_errors import InvalidField
from rooftree.core.uuid7 import uuid7_at
from rooftree.core.vendor_errors import VendorError
from rooftree.ledger.write_events import write_event
from rooftree.org import mail_dns, mail_transport, staff_mail
from rooftree.org.mail_dns import DnsUnavailable, MailRecord, SenderDomain
from rooftree.org.mail_providers import PROVIDERS
from rooftree.org.mail_server import active_mail_server, build_server, stored_setup
from rooftree.org.mail_transport import MailServer, UncheckableServer, is_local_host
from rooftree.org.models import MailSetup, User

SENDER_COLUMNS = ("sender_name", "sender_address")
SERVER_COLUMNS = ("service", "host", "port", "security", "user", "secret", "provider_domain")
DESTINATION_COLUMNS = ("service", "host", "provider_domain")  # a secret belongs to one of them
TRIAL_SUBJECT = "Your test email from Rooftree"
TRIAL_TEXT = """This is the test email you sent yourself under Setup, Email.

It took the same way as every email to borrowers and staff. If it landed in spam, check the SPF,
DKIM and DMARC records on the same page.
"""


class BadMailAccount(InvalidField):
    """The account can't be used with these settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailState:
    """The state of outgoing email now."""

    server: MailServer
    row: MailSetup | None
    description: str  # of the server
    domain: str  # of the sender
    is_set_up: bool  # on the page or in the environment
    is_checked: bool  # this server was tried
    problem: str  # of the last try; "": it worked
    is_looked_up: bool  # this domain was looked up, and DNS answered
    is_authenticated: bool  # by the look-up, or by a person where DNS did not answer

    @property
    def works(self) -> bool:
        """True if the server in use accepted the last sign-in."""
        return self.is_checked and not self.problem

    @property
    def next_step(self) -> str:
        """The one sentence on what to do next; "" if nothing is left."""
        if not self.is_set_up and not self.works:
            return (
                "No mail server is set up. Borrowers get no email, and staff get no password links"
            )
        if not self.is_checked:
            return f"{self.description} was never tried"
        if self.problem:
            return self.problem
        if self.is_authenticated:
            return ""
        if not self.is_looked_up:
            return f"SPF, DKIM and DMARC of {self.domain} were not looked up"
        missing = [record["name"] for record in self.row.records if record["problem"]]  # type: ignore[union-attr]
        return f"{' and '.join(missing)} of {self.domain} need work"


def read_state() -> MailState:
    """Return the state of the server and the domain in use."""
    row = stored_setup()
    server = build_server(row)
    description, domain = server.describe(), server.sender_address.partition("@")[2].lower()
    is_checked = row is not None and row.checked_server == description
    is_same_domain = row is not None and row.looked_up_domain == domain
    is_looked_up = bool(is_same_domain and row and row.records)
    are_records_well = is_looked_up and not any(record["problem"] for record in row.records)  # type: ignore[union-attr]
    return MailState(
        server=server,
        row=row,
        description=description,
        domain=domain,
        is_set_up=bool(server.service) or settings.MAIL_SERVER_IN_ENVIRONMENT,
        is_checked=is_checked,
        problem=row.problem if row and is_checked else "",
        is_looked_up=is_looked_up,
        is_authenticated=are_records_well
        or bool(is_same_domain and row and row.lookup_problem and row.confirmed_at),
    )


def save_account(typed: Mapping[str, Any], *, by: User, at: datetime) -> MailSetup:
    """Try the account and use it from now on; columns that are absent keep their value.

    An empty secret keeps the stored one, as long as it goes to the same server. Raises
    `BadMailAccount`. Must not run in a transaction.

    Args:
        typed: columns of SENDER_COLUMNS and SERVER_COLUMNS.
    """
    stored = stored_setup()
    row = stored_setup() or MailSetup(id=uuid7_at(at))
    for name in (*SENDER_COLUMNS, *SERVER_COLUMNS):
        if name in typed and name != "secret":
            setattr(row, name, typed[name])
    if "service" in typed:
        _set_secret(row, str(typed.get("secret", "")), stored)
    _check_account(row)
    server = build_server(row)
    try:
        mail_transport.check_server(server)
    except UncheckableServer:
        pass  # only the sender was typed; a test email tells
    except VendorError as problem:
        raise BadMailAccount("", str(problem)) from problem
    else:
        row.checked_at, row.checked_server, row.problem = at, server.describe(), ""
    with transaction.atomic():
        row.save(force_insert=stored is None)
        write_event(
            "org.mail.account_saved", at=at, actor=f"user:{by.pk}", server=server.describe()
        )
    return row


def check_active_server(*, at: datetime) -> str:
    """Try the server in use and store the result; return "" or what to change."""
    server, problem = active_mail_server(), ""
    try:
        mail_transport.check_server(server)
    except UncheckableServer as uncheckable:
        return str(uncheckable)
    except VendorError as failure:
        problem = str(failure)
    _store_result(at=at, checked_at=at, checked_server=server.describe(), problem=problem[:300])
    return problem


def send_trial(*, user: User, at: datetime) -> str:
    """Send the user a test email, as all staff mail goes; return "" or the problem."""
    server, problem = active_mail_server(), ""
    try:
        staff_mail.mail_users(user_ids=[user.pk], subject=TRIAL_SUBJECT, text=TRIAL_TEXT)
    except VendorError as failure:
        problem = str(failure)
    # A server that took an email works; one that can't be checked shows it only this way.
    columns: dict[str, Any] = {
        "trial_at": at,
        "trial_to": user.email,
        "trial_problem": problem[:300],
    }
    if not problem:
        columns |= {"checked_at": at, "checked_server": server.describe(), "problem": ""}
    _store_result(at=at, **columns)
    return problem


def look_up_domain(*, selector: str, at: datetime, by: User | None) -> MailState:
    """Look up the sender's domain in DNS and store the result.

    What DNS said before stays when it doesn't answer now. Raises `InvalidField` for a selector
    that can't be one, or without a domain.
    """
    server, row = active_mail_server(), stored_setup()
    domain = server.sender_address.partition("@")[2].lower()
    if "." not in domain:
        raise InvalidField("selector", "Save a sender address at your own domain first.")
    provider = PROVIDERS.get(server.service)
    include = provider.spf_include if provider else ""
    host = "" if provider else str(getattr(server.create_mailer(), "host", ""))
    sender = SenderDomain(
        domain=domain,
        selector=selector,
        sender_address=server.sender_address,
        spf_source=mail_dns.spf_source(include=include, host=host),
    )
    columns: dict[str, Any] = {"dkim_selector": selector, "looked_up_at": at}
    try:
        records: list[MailRecord] = mail_dns.look_up_records(sender)
    except DnsUnavailable as problem:
        columns |= {"lookup_problem": str(problem)[:300], "looked_up_domain": domain}
        if row is None or (row.looked_up_domain, row.dkim_selector) != (domain, selector):
            columns |= {"records": [], "confirmed_at": None, "confirmed_by": None}
    else:
        columns |= {
            "records": [asdict(record) for record in records],
            "looked_up_domain": domain,
            "lookup_problem": "",
            "confirmed_at": None,
            "confirmed_by": None,
        }
    _store_result(at=at, **columns)
    if by is not None:
        write_event("org.mail.domain_looked_up", at=at, actor=f"user:{by.pk}", domain=domain)
    return read_state()


def confirm_domain(*, by: User, at: datetime) -> MailState:
    """Store that a person checked the records, as DNS could not be asked.

    Raises `InvalidField` where DNS did answer: then its answer counts.
    """
    state = read_state()
    row = state.row
    if row is None or not row.lookup_problem or row.looked_up_domain != state.domain:
        raise InvalidField(
            "", "Check DNS first. You can confirm the records only if the lookup fails."
        )
    with transaction.atomic():
        MailSetup.objects.filter(pk=row.pk).update(confirmed_at=at, confirmed_by=by)
        write_event("org.mail.confirmed", at=at, actor=f"user:{by.pk}", domain=state.domain)
    return read_state()


def _store_result(*, at: datetime, **columns: Any) -> None:
    with transaction.atomic():
        if not MailSetup.objects.update(**columns):
            MailSetup.objects.create(id=uuid7_at(at), **columns)


def _set_secret(row: MailSetup, secret: str, stored: MailSetup | None) -> None:
    """Take the secret typed, or keep the stored one for the server it was given for."""
    if secret:
        row.secret = secret
        return
    is_same = stored is not None and all(
        getattr(row, name) == getattr(stored, name) for name in DESTINATION_COLUMNS
    )
    if is_same:
        return
    row.secret = ""
    if row.service in PROVIDERS:
        raise BadMailAccount("secret", "Enter the API key.")
    if row.user:  # else a new server could be used to steal the password
        raise BadMailAccount("secret", "Enter the password for this server.")


def _check_account(row: MailSetup) -> None:
    if not settings.MAIL_FROM_IN_ENVIRONMENT:
        address = parse_email_address(row.sender_address)
        if address is None:
            raise BadMailAccount("sender_address", "Enter an email address of your own domain.")
        row.sender_address = address
    if row.service == "smtp" and row.security == "none" and not is_local_host(row.host):
        raise BadMailAccount(
            "security", "Choose STARTTLS or TLS: without it emails and password go unencrypted."
        )
    if not all(text.isascii() and text.isprintable() for text in (row.user, row.secret)):
        raise BadMailAccount(
            "secret", "User name, password and key can contain only plain letters and symbols."
        )

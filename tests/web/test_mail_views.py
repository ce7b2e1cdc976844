"""Outgoing email in Setup: tried against a real server, looked up in a real DNS."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from django.db import connection

from rooftree.flow import mail_checks
from rooftree.management import doctor_machine_checks
from rooftree.org import mail_setup
from rooftree.org.mail_providers import PROVIDERS
from rooftree.org.models import Company, MailSetup, StaffNotice
from rooftree.web.setup import mail_views
from rooftree_simulators.simulated_clock import SimulatedClock
from rooftree_simulators.smtp_mailbox import SmtpMailbox
from rooftree_simulators.start_simulators import find_free_port
from rooftree_simulators.vendor_base import SimulatorSetup
from tests import make
from tests.dns_server import start_dns_server

pytestmark = pytest.mark.django_db
PAGE, DOMAIN = "/setup/mail/", "lindenfield.example"
USER, PASSWORD = "leads@lindenfield.example", "app-pass-4711"


@pytest.fixture
def server():
    """Serve SMTP that wants a password, on this machine."""
    setup = SimulatorSetup(clock=SimulatedClock(at=make.NOON, speed=0))
    mailbox = SmtpMailbox(setup)
    state = SimpleNamespace(mailbox=mailbox, port=find_free_port(), password=PASSWORD)

    def authenticate(server, session, envelope, mechanism, login):
        is_right = (login.login.decode(), login.password.decode()) == (USER, state.password)
        return AuthResult(success=is_right, handled=False)

    controller = Controller(
        mailbox, hostname="127.0.0.1", port=state.port, authenticator=authenticate,
        auth_require_tls=False, auth_required=True,
    )  # fmt: skip
    controller.start()
    yield state
    controller.stop()
    setup.clock.stop()


@pytest.fixture
def names(settings):
    with start_dns_server() as running:
        settings.UPSTREAMS = {"dns": running.url}
        yield running


@pytest.fixture
def admin(db):
    make.company()
    return make.user("administrator", email="ada@lindenfield.example")


@pytest.fixture
def browser(admin, signed_in):
    return signed_in(admin)


def form_data(server, **changes):
    return {
        "sender_name": "Lindenfield Mortgage", "sender_address": USER, "service": "smtp",
        "host": "127.0.0.1", "port": server.port, "security": "none", "user": USER,
        "secret": PASSWORD, **changes,
    }  # fmt: skip


def test_account_is_tried_then_used_at_once_and_its_password_never_shown(browser, server):
    assert "Borrowers get no email" in browser.get("/setup/").text
    assert browser.post(PAGE, form_data(server)).status_code == 303

    assert server.mailbox.messages == []  # a check sends nothing
    page = browser.get(PAGE).text
    assert f"127.0.0.1:{server.port} as {USER}" in page
    assert PASSWORD not in page
    with connection.cursor() as cursor:
        cursor.execute("select secret from mail_setup")
        assert PASSWORD not in cursor.fetchone()[0]

    browser.post(f"{PAGE}trial/")
    (email,) = server.mailbox.messages
    assert (email["to"], email["from"]) == (["ada@lindenfield.example"], USER)
    assert "Sent to ada@lindenfield.example" in browser.get(PAGE).text
    assert browser.post(PAGE, form_data(server, secret="")).status_code == 303
    assert MailSetup.objects.get().secret == PASSWORD


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"secret": "guessed"}, "refused the user name or the password"),
        ({"port": 9}, "refused the connection"),
        ({"host": "smtp.nobody.invalid", "security": "starttls"}, "No server is named"),
        ({"security": "starttls"}, "does not support STARTTLS"),
        ({"security": "tls"}, "did not answer with TLS"),
        ({"host": "smtp.lindenfield.example"}, "without it emails and password go unencrypted"),
        ({"user": "", "secret": ""}, "does not accept email from"),
        ({"sender_address": "leads"}, "Enter an email address of your own domain"),
        ({"service": "postmark", "secret": ""}, "Enter the API key"),
    ],
)
def test_account_that_does_not_work_is_refused_with_what_to_change(
    browser, server, changes, sentence
):
    answer = browser.post(PAGE, form_data(server, **changes))

    assert answer.status_code == 422
    assert sentence in answer.text
    assert not MailSetup.objects.exists()


def test_stored_password_is_not_sent_to_another_server(browser, server):
    browser.post(PAGE, form_data(server))
    answer = browser.post(PAGE, form_data(server, host="localhost", secret=""))

    assert "Enter the password for this server." in answer.text
    assert MailSetup.objects.get().host == "127.0.0.1"


def test_environment_wins_over_the_page(browser, server, settings):
    browser.post(PAGE, form_data(server))
    settings.MAIL_SERVER_IN_ENVIRONMENT = settings.MAIL_FROM_IN_ENVIRONMENT = True
    settings.DEFAULT_FROM_EMAIL = "Other <hello@other.example>"

    page = browser.get(PAGE).text
    assert "The environment sets the server and the sender." in page
    assert "hello@other.example" in page
    assert 'name="secret"' not in page
    assert not mail_setup.read_state().works  # the check was of another server


def test_lookup_says_what_is_missing_and_marketing_email_follows_it(browser, server, names):
    refused = browser.post(f"{PAGE}domain/", {"selector": "s1"}, follow=True)
    assert "Save a sender address at your own domain first." in refused.text
    browser.post(PAGE, form_data(server))
    names.texts = {DOMAIN: ["v=spf1 +all"]}
    browser.post(f"{PAGE}domain/", {"selector": "s1"})
    page = browser.get(PAGE).text
    assert "It lets any server in the world send for your domain." in page
    assert "v=spf1 ~all" in page
    assert f"s1._domainkey.{DOMAIN}" in page
    assert f"v=DMARC1; p=none; rua=mailto:{USER}" in page
    assert not Company.objects.get().mail_is_authenticated
    assert "SPF and DKIM and DMARC of lindenfield.example need work" in browser.get("/setup/").text

    names.texts = {
        DOMAIN: ["google-site-verification=1", "v=spf1 include:mail.example ~all"],
        f"s1._domainkey.{DOMAIN}": ["v=DKIM1; k=rsa; p=MIIB"],
        f"_dmarc.{DOMAIN}": ["v=DMARC1; p=none"],
    }
    browser.post(f"{PAGE}domain/", {"selector": "s1"})
    assert Company.objects.get().mail_is_authenticated
    assert mail_setup.read_state().next_step == ""

    browser.post(PAGE, form_data(server, sender_address="leads@other.example"))
    assert not Company.objects.get().mail_is_authenticated  # nobody looked up the new domain


def test_person_confirms_only_while_dns_does_not_answer(browser, server, names):
    browser.post(PAGE, form_data(server))
    browser.post(f"{PAGE}confirmation/")
    assert not Company.objects.get().mail_is_authenticated

    names.is_failing = True
    browser.post(f"{PAGE}domain/", {"selector": "s1"})
    assert "DNS could not be asked." in browser.get(PAGE).text
    browser.post(f"{PAGE}confirmation/")
    assert Company.objects.get().mail_is_authenticated

    names.is_failing = False
    browser.post(f"{PAGE}domain/", {"selector": "s1"})
    assert not Company.objects.get().mail_is_authenticated  # DNS answered, and has nothing


def test_daily_check_and_doctor_tell_when_the_password_no_longer_works(
    browser, server, settings, monkeypatch
):
    settings.IS_DEMO = False
    monkeypatch.setattr(doctor_machine_checks.settings, "IS_DEMO", False)
    browser.post(PAGE, form_data(server))
    MailSetup.objects.update(checked_at=make.NOON - make.DAY)
    server.password = "changed"

    mail_checks.recheck_mail(at=make.NOON)

    assert "refused the user name or the password" in browser.get(PAGE).text
    assert "refused the user name" in StaffNotice.objects.get(kind="mail_setup").text
    finding = doctor_machine_checks.check_mail_server()
    assert not finding.is_ok
    assert "refused the user name or the password" in finding.text


def test_doctor_says_that_no_mail_server_is_set_up(settings, monkeypatch):
    settings.MAIL_SERVER_IN_ENVIRONMENT = False
    smtp = "django.core.mail.backends.smtp.EmailBackend"
    local = {"host": "localhost", "port": find_free_port(), "timeout": 2}
    settings.MAILERS = {"default": {"BACKEND": smtp, "OPTIONS": local}}
    monkeypatch.setattr(doctor_machine_checks.settings, "IS_DEMO", False)

    for _ in range(2):  # the first run tries the server and stores that it refused
        finding = doctor_machine_checks.check_mail_server()
        assert finding.text.startswith("No mail server is set up")


class _Postmark(BaseHTTPRequestHandler):
    """Postmark's two addresses: the server of a token, and one email."""

    def do_GET(self):
        self._answer(200 if self.headers["X-Postmark-Server-Token"] == "token-1" else 401, {})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.emails.append(body)
        answer = {"To": body["To"], "MessageID": "m-1", "ErrorCode": 0, "Message": "OK"}
        self._answer(200, answer)

    def _answer(self, status, body):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *args):
        """Stay silent."""


def test_provider_key_is_tried_then_its_api_takes_the_email(browser, server, settings):
    postmark = ThreadingHTTPServer(("127.0.0.1", 0), _Postmark)
    postmark.emails = []
    Thread(target=postmark.serve_forever, daemon=True).start()
    settings.UPSTREAMS = {"postmark": f"http://127.0.0.1:{postmark.server_port}/"}
    account = {"sender_name": "Lindenfield", "sender_address": USER, "service": "postmark"}

    refused = browser.post(PAGE, account | {"secret": "token-2"})
    assert "Postmark refused the API key. Copy it again." in refused.text
    assert browser.post(PAGE, account | {"secret": "token-1"}).status_code == 303
    browser.post(f"{PAGE}trial/")
    postmark.shutdown()
    postmark.server_close()

    (email,) = postmark.emails
    assert (email["From"], email["To"]) == (f"Lindenfield <{USER}>", "ada@lindenfield.example")
    assert "token-1" not in browser.get(PAGE).text
    browser.post(f"{PAGE}trial/")
    assert "The mail provider does not answer." in browser.get(PAGE).text


class _MailgunEurope(BaseHTTPRequestHandler):
    """Mailgun's domain look-up in its EU region, for one key and one domain."""

    def do_GET(self):
        is_known = self.path == "/domains/mg.lindenfield.example"
        body = json.dumps({"domain": {"state": "active"}}).encode()
        self.send_response(200 if is_known else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def test_mailgun_domain_is_checked_in_its_own_region(browser, settings):
    europe = ThreadingHTTPServer(("127.0.0.1", 0), _MailgunEurope)
    Thread(target=europe.serve_forever, daemon=True).start()
    settings.UPSTREAMS = {"mailgun_eu": f"http://127.0.0.1:{europe.server_port}/"}
    account = {
        "sender_name": "Lindenfield", "sender_address": USER, "service": "mailgun_eu",
        "secret": "key-1", "provider_domain": "mg.elsewhere.example",
    }  # fmt: skip

    refused = browser.post(PAGE, account)
    saved = browser.post(PAGE, account | {"provider_domain": "mg.lindenfield.example"})
    europe.shutdown()
    europe.server_close()

    assert refused.status_code == 422
    assert "Mailgun has no domain mg.elsewhere.example in its EU region" in refused.text
    assert saved.status_code == 303
    state = mail_setup.read_state()
    assert (state.works, state.description) == (True, "Mailgun EU, mg.lindenfield.example")
    assert PROVIDERS["mailgun_eu"].api_url == "https://api.eu.mailgun.net/v3/"
    assert state.server.create_mailer().sender_domain == "mg.lindenfield.example"


def test_amazon_ses_is_the_mail_server_of_its_region(browser, monkeypatch):
    form = {
        "sender_name": "Lindenfield", "sender_address": USER, "service": "ses",
        "region": "us-west-2", "user": "AKIA", "secret": "smtp-password",
    }  # fmt: skip
    MailSetup.objects.create(
        service="smtp", host="email-smtp.us-west-2.amazonaws.com", port=587, security="starttls",
        user="AKIA", secret="smtp-password", sender_address=USER,
    )  # fmt: skip

    page = browser.get(PAGE).text
    monkeypatch.setattr(mail_views, "SES_HOST", "email-smtp.{region}.invalid")
    refused = browser.post(PAGE, form)

    assert '<a href="?service=ses#account" aria-current="page">Amazon SES</a>' in page
    assert '<option value="us-west-2" selected>' in page
    assert "SMTP user name" in page
    assert refused.status_code == 422
    assert "No server is named email-smtp.us-west-2.invalid" in refused.text

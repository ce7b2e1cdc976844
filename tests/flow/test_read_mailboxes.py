"""E-mails from a mailbox over real IMAP: each once and none lost, whatever the server does."""

import random
import socket
import ssl
from email.message import EmailMessage

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from rooftree.capture.intake import imap, mailbox_polling
from rooftree.capture.intake.mailbox_polling import BadMailbox
from rooftree.capture.models import Mailbox
from rooftree.db.db_role import assume_role
from rooftree.flow import read_mailboxes as reading
from rooftree.leads.models import Delivery, Lead, Source
from rooftree.ledger.models import Event
from rooftree.org.models import StaffNotice
from rooftree.outreach.messages import plan_messages
from rooftree.outreach.models import Message
from rooftree_simulators import imap_mailbox
from rooftree_simulators.posters import lead_email
from rooftree_simulators.posters.simulated_borrowers import random_borrower
from tests import make
from tests.flow import journey
from tests.flow.senders import TOKEN, create_source, outcomes

pytestmark = pytest.mark.usefixtures("committed")
LEADS = f"leads+{TOKEN}@inbox.lindenfield.example"


def mailbox_settings(world, **changes):
    return {
        "host": "127.0.0.1",
        "port": world.simulators.ports.imap,
        "security": "none",
        "user": imap_mailbox.USER,
        "password": imap_mailbox.PASSWORD,
        "folder": "INBOX",
        "source_id": None,
    } | changes


@pytest.fixture
def box(world) -> imap_mailbox.ImapMailbox:
    """Return a connected mailbox that receives a vendor's leads."""
    create_source("email_text")
    mailbox_polling.save_mailbox(
        mailbox_settings(world), by=make.user("administrator"), at=make.NOON
    )
    return world.simulators.imap


def lead_email_bytes(seed: int = 5, to: str = LEADS) -> bytes:
    borrower = random_borrower(random.Random(seed))
    return lead_email.text_email_delivery(borrower, random.Random(seed), at=make.NOON, to=to).body


def test_mailbox_lead_is_processed_once_across_reads(world, box):
    box.add_message(lead_email_bytes())
    for minute in (0, 1, 2):
        world.run(minute)

    assert Lead.objects.count() == 1
    assert outcomes() == [("worked", "accepted", "")]
    row = Mailbox.objects.get()
    assert (row.uid, row.taken, row.problem) == (1, 1, "")
    assert row.due_at == journey.later(3)


def test_emails_before_setup_are_left_alone(world):
    create_source("email_text")
    old = world.simulators.imap.add_message(lead_email_bytes(1))
    mailbox_polling.save_mailbox(
        mailbox_settings(world), by=make.user("administrator"), at=make.NOON
    )
    world.simulators.imap.add_message(lead_email_bytes(2))

    world.run()

    assert Lead.objects.count() == 1
    assert Mailbox.objects.get().uid == old + 1


def test_mailbox_is_read_without_marking_or_deleting(world, box):
    box.add_message(lead_email_bytes())

    world.run()

    assert {"SELECT", "UNSELECT", "STORE", "EXPUNGE", "UID STORE"} & set(box.commands) == set()
    assert len(box.letters) == 1


def test_only_the_beginning_of_a_large_email_is_downloaded(world, box):
    box.add_message(lead_email_bytes() + b"x" * 5_000_000)

    world.run()

    assert box.longest_body == imap.MAX_MESSAGE_BYTES


def test_more_emails_than_one_read_are_all_processed(world, box):
    for seed in range(mailbox_polling.MESSAGES_PER_READ * 2 + 3):
        box.add_message(lead_email_bytes(seed))

    world.run()

    assert Delivery.objects.count() == mailbox_polling.MESSAGES_PER_READ * 2 + 3
    assert Mailbox.objects.get().due_at == journey.later(1)


def test_renumbered_mailbox_causes_no_duplicates_and_no_loss(world, box):
    box.add_message(lead_email_bytes(1))
    world.run()
    box.add_message(lead_email_bytes(2))
    box.renumber_messages()

    world.run(2)

    assert Lead.objects.count() == 2
    assert sorted(outcome[0] for outcome in outcomes()) == ["duplicate", "worked", "worked"]
    assert Mailbox.objects.get().validity == box.validity


def test_deleted_email_does_not_block_others(world, box):
    deleted_uid = box.add_message(lead_email_bytes(1))
    box.add_message(lead_email_bytes(2))
    box.delete_message(deleted_uid)

    world.run()

    assert Lead.objects.count() == 1


def test_unknown_email_is_ignored_unless_mailbox_belongs_to_source(world, box):
    box.add_message(lead_email_bytes(1, to="hello@lindenfield.example"))
    world.run()
    assert not Delivery.objects.exists()

    Mailbox.objects.update(source=Source.objects.get(), due_at=make.NOON)
    box.add_message(lead_email_bytes(2, to="hello@lindenfield.example"))
    world.run(2)
    assert Lead.objects.count() == 1


def test_reply_to_our_email_is_stored_as_message(world, box, settings):
    settings.REPLY_DOMAIN = "inbox.lindenfield.example"
    lead = make.lead()
    with assume_role("door"):
        our_email = Message.objects.create(
            lead=lead, person=lead.person, medium="email", purpose="marketing",
            idempotency_key="touch:1",
            to_address="ben@example.com", body="Hi", state="sent", created_at=make.NOON,
            sent_at=make.NOON, carrier="mail",
        )  # fmt: skip
    mail = EmailMessage()
    mail["From"], mail["To"] = "ben@example.com", plan_messages.reply_address(our_email)
    mail["Message-ID"] = "<1@home.example>"
    mail.set_content("After five is fine.")
    mail.add_attachment(b"x" * 2_000_000, maintype="image", subtype="png", filename="house.png")
    box.add_message(mail.as_bytes())

    world.run()

    assert "After five is fine." in Message.objects.get(direction="in").body
    assert not Delivery.objects.exists()


def test_interrupted_mail_server_is_retried_without_duplicates(world, box):
    box.add_message(lead_email_bytes(1))
    world.run()
    box.add_message(lead_email_bytes(2))
    box.switches.update({"hangs_up_at": "UID FETCH"})
    world.run(2)
    row = Mailbox.objects.get()
    assert "closed the connection" in row.problem
    assert row.due_at > journey.later(2)
    assert not StaffNotice.objects.filter(kind="mailbox").exists()

    box.switches.update({"hangs_up_at": ""})
    world.run(10)
    assert Lead.objects.count() == 2
    assert Mailbox.objects.get().problem == ""


def test_changed_mailbox_password_is_reported_once_a_day(world, box):
    make.user("administrator")
    box.password = "another"
    for minute in (0, 5, 20):
        world.run(minute)

    assert "app password" in Mailbox.objects.get().problem
    notices = StaffNotice.objects.filter(kind="mailbox")
    assert notices.count() == len({notice.user_id for notice in notices}) > 0
    assert imap_mailbox.PASSWORD not in " ".join(notice.text for notice in notices)


def test_email_stored_by_another_reader_is_not_stored_again(world, box):
    box.add_message(lead_email_bytes())
    row = mailbox_polling.claim_due_mailbox(at=make.NOON)
    email = next(mailbox_polling.fetch_new_messages(row, at=make.NOON))
    mailbox_polling.claim_due_mailbox(at=journey.later(3))  # the first reader is taken for dead

    with pytest.raises(mailbox_polling.MailboxOvertaken):
        reading._store_email(row, email, make.NOON)
    assert not Delivery.objects.exists()


def test_resumed_mailbox_continues_where_it_stopped(world, box):
    row, by = Mailbox.objects.get(), make.user("administrator")
    mailbox_polling.stop_mailbox(mailbox_id=row.pk, by=by, at=make.NOON)
    mailbox_polling.stop_mailbox(mailbox_id=row.pk, by=by, at=make.NOON)
    box.add_message(lead_email_bytes())
    world.run()
    assert not Delivery.objects.exists()

    mailbox_polling.resume_mailbox(mailbox_id=row.pk, by=by, at=make.NOON)
    world.run(1)
    assert Lead.objects.count() == 1
    kinds = Event.objects.filter(kind__startswith="capture.mailbox.")
    assert sorted(kind.kind.rpartition(".")[2] for kind in kinds) == ["kept", "resumed", "stopped"]


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"password": "guessed"}, "app password"),
        ({"folder": "Leads"}, "has no folder named Leads"),
        ({"password": "pässword-1234"}, "create an app password"),
        ({"user": "a\r\nX1 DELETE INBOX"}, "plain letters"),
        ({"port": unused_port()}, "refused the connection"),
        ({"host": "imap.nobody.invalid", "security": "tls"}, "No server is named"),
        ({"security": "tls"}, "did not answer with TLS"),
        ({"security": "starttls"}, "does not support STARTTLS"),
        ({"host": "imap.lindenfield.example"}, "sent unencrypted"),
    ],
)
def test_unreadable_mailbox_is_refused_with_what_to_change(world, changes, reason):
    with pytest.raises(BadMailbox, match=reason):
        mailbox_polling.save_mailbox(
            mailbox_settings(world, **changes), by=make.user("administrator"), at=make.NOON
        )

    assert not Mailbox.objects.exists()


@pytest.fixture
def encrypted(world, tmp_path):
    """Serve the mailbox over TLS, with an untrusted certificate for `localhost`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = make.datetime.now(make.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(7).not_valid_before(now - make.DAY).not_valid_after(now + make.DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = tmp_path / "localhost.pem"
    key_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(key_pem + certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    listener = imap_mailbox.ImapListener(world.simulators.imap, 0, context=context)
    yield {"host": "localhost", "port": listener.port, "security": "tls"}, file
    listener.stop()


def test_encrypted_mailbox_is_read_with_trusted_certificate(world, encrypted, monkeypatch):
    where, certificate = encrypted
    create_source("email_text")
    by = make.user("administrator")
    with pytest.raises(BadMailbox, match="is not trusted"):
        mailbox_polling.save_mailbox(mailbox_settings(world, **where), by=by, at=make.NOON)

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    mailbox_polling.save_mailbox(mailbox_settings(world, **where), by=by, at=make.NOON)
    world.simulators.imap.add_message(lead_email_bytes())
    world.run()

    assert Lead.objects.count() == 1


def test_stored_password_is_not_sent_to_another_server(world, box):
    row, by = Mailbox.objects.get(), make.user("administrator")
    elsewhere = mailbox_settings(world, host="localhost", password="")

    with pytest.raises(BadMailbox, match="Enter the password again") as problem:
        mailbox_polling.save_mailbox(elsewhere, mailbox_id=row.pk, by=by, at=make.NOON)

    assert problem.value.field == "password"
    assert box.commands.count("LOGIN") == 1  # during setup
    assert Mailbox.objects.get().host == "127.0.0.1"


def test_busy_mail_server_is_reported(world):
    world.simulators.imap.switches.update({"busy": True})

    with pytest.raises(BadMailbox, match="closed the connection"):
        mailbox_polling.save_mailbox(
            mailbox_settings(world), by=make.user("administrator"), at=make.NOON
        )


def test_mailbox_cannot_be_connected_twice(world, box):
    with pytest.raises(BadMailbox, match="already set up"):
        mailbox_polling.save_mailbox(
            mailbox_settings(world), by=make.user("administrator"), at=make.NOON
        )


def test_new_password_keeps_position_and_empty_one_keeps_password(world, box):
    row, by = Mailbox.objects.get(), make.user("administrator")
    box.add_message(lead_email_bytes())
    box.password = "another"
    mailbox_polling.save_mailbox(
        mailbox_settings(world, password="another"), mailbox_id=row.pk, by=by, at=make.NOON
    )
    mailbox_polling.save_mailbox(
        mailbox_settings(world, password=""), mailbox_id=row.pk, by=by, at=make.NOON
    )

    world.run()

    assert Lead.objects.count() == 1
    assert Mailbox.objects.get().password == "another"

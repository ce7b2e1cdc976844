"""Letters out of a mailbox over real IMAP: once each, none lost, whatever its server does."""

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

from rooftree.capture.intake import mailbox_polling
from rooftree.capture.intake.mailbox_polling import BadMailbox
from rooftree.capture.models import Mailbox
from rooftree.db.db_role import assume_role
from rooftree.flow import read_mailboxes as reading
from rooftree.leads.models import Delivery, Lead, Source
from rooftree.ledger.models import Event
from rooftree.org.models import StaffNotice
from rooftree.outreach.messages import sender_identity
from rooftree.outreach.models import Message
from rooftree_simulators import imap_mailbox
from rooftree_simulators.posters import lead_email
from rooftree_simulators.posters.simulated_borrowers import random_borrower
from tests import make
from tests.flow import journey
from tests.flow.senders import TOKEN, outcomes, source

pytestmark = pytest.mark.usefixtures("committed")
LEADS = f"leads+{TOKEN}@inbox.lindenfield.example"


def typed(world, **changes):
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
    """A vendor's leads come to a mailbox that we read."""
    source("email_text")
    mailbox_polling.save_mailbox(typed(world), by=make.user("administrator"), at=make.NOON)
    return world.simulators.imap


def letter(seed: int = 5, to: str = LEADS) -> bytes:
    who = random_borrower(random.Random(seed))
    return lead_email.text_email_delivery(who, random.Random(seed), at=make.NOON, to=to).body


def test_a_lead_in_a_mailbox_is_worked_once_however_often_it_is_looked_into(world, box):
    box.add_message(letter())
    for minute in (0, 1, 2):
        world.run(minute)

    assert Lead.objects.count() == 1
    assert outcomes() == [("worked", "accepted", "")]
    row = Mailbox.objects.get()
    assert (row.uid, row.taken, row.problem) == (1, 1, "")
    assert row.due_at == journey.later(3)


def test_what_stood_in_the_mailbox_before_is_left_alone(world):
    source("email_text")
    old = world.simulators.imap.add_message(letter(1))
    mailbox_polling.save_mailbox(typed(world), by=make.user("administrator"), at=make.NOON)
    world.simulators.imap.add_message(letter(2))

    world.run()

    assert Lead.objects.count() == 1
    assert Mailbox.objects.get().uid == old + 1


def test_nothing_is_marked_or_deleted_there(world, box):
    box.add_message(letter())

    world.run()

    assert {"SELECT", "UNSELECT", "STORE", "EXPUNGE", "UID STORE"} & set(box.asked) == set()
    assert len(box.letters) == 1


def test_more_letters_than_one_look_takes_are_all_taken_in(world, box):
    for seed in range(mailbox_polling.MESSAGES_PER_READ * 2 + 3):
        box.add_message(letter(seed))

    world.run()

    assert Delivery.objects.count() == mailbox_polling.MESSAGES_PER_READ * 2 + 3
    assert Mailbox.objects.get().due_at == journey.later(1)


def test_a_mailbox_that_numbers_its_letters_anew_brings_none_twice_and_none_is_lost(world, box):
    box.add_message(letter(1))
    world.run()
    box.add_message(letter(2))
    box.renumber_messages()

    world.run(2)

    assert Lead.objects.count() == 2
    assert sorted(outcome[0] for outcome in outcomes()) == ["duplicate", "worked", "worked"]
    assert Mailbox.objects.get().validity == box.validity


def test_a_letter_that_somebody_deletes_meanwhile_holds_up_nobody(world, box):
    gone = box.add_message(letter(1))
    box.add_message(letter(2))
    box.delete_message(gone)

    world.run()

    assert Lead.objects.count() == 1


def test_a_letter_of_nobody_we_know_is_passed_by_unless_the_mailbox_is_one_vendors(world, box):
    box.add_message(letter(1, to="hello@lindenfield.example"))
    world.run()
    assert not Delivery.objects.exists()

    Mailbox.objects.update(source=Source.objects.get(), due_at=make.NOON)
    box.add_message(letter(2, to="hello@lindenfield.example"))
    world.run(2)
    assert Lead.objects.count() == 1


def test_an_answer_to_one_of_our_letters_is_read_where_texts_are_read(world, box, settings):
    settings.REPLY_DOMAIN = "inbox.lindenfield.example"
    lead = make.lead()
    with assume_role("door"):
        ours = Message.objects.create(
            lead=lead, person=lead.person, medium="email", purpose="marketing", cause="touch:1",
            to_address="ben@example.com", body="Hi", state="sent", created_at=make.NOON,
            sent_at=make.NOON, carrier="mail",
        )  # fmt: skip
    mail = EmailMessage()
    mail["From"], mail["To"] = "ben@example.com", sender_identity.reply_address(ours)
    mail["Message-ID"] = "<1@home.example>"
    mail.set_content("After five is fine.")
    mail.add_attachment(b"x" * 2_000_000, maintype="image", subtype="png", filename="house.png")
    box.add_message(mail.as_bytes())

    world.run()

    assert "After five is fine." in Message.objects.get(direction="in").body
    assert not Delivery.objects.exists()


def test_a_server_that_hangs_up_in_the_middle_is_asked_again_and_nothing_is_doubled(world, box):
    box.add_message(letter(1))
    world.run()
    box.add_message(letter(2))
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


def test_a_changed_password_is_told_to_somebody_once_a_day(world, box):
    make.user("administrator")
    box.password = "another"
    for minute in (0, 5, 20):
        world.run(minute)

    assert "app password" in Mailbox.objects.get().problem
    told = StaffNotice.objects.filter(kind="mailbox")
    assert told.count() == len({staff_notice.user_id for staff_notice in told}) > 0
    assert imap_mailbox.PASSWORD not in " ".join(staff_notice.text for staff_notice in told)


def test_what_another_reader_took_in_meanwhile_is_not_taken_in_here(world, box):
    box.add_message(letter())
    row = mailbox_polling.claim_due_mailbox(at=make.NOON)
    found = next(mailbox_polling.fetch_new_messages(row, at=make.NOON))
    mailbox_polling.claim_due_mailbox(at=journey.later(3))  # the first was thought dead

    with pytest.raises(mailbox_polling.MailboxOvertaken):
        reading._store_email(row, found, make.NOON)
    assert not Delivery.objects.exists()


def test_a_stopped_mailbox_goes_on_where_it_was_stopped(world, box):
    row, by = Mailbox.objects.get(), make.user("administrator")
    mailbox_polling.stop_mailbox(mailbox_id=row.pk, by=by, at=make.NOON)
    mailbox_polling.stop_mailbox(mailbox_id=row.pk, by=by, at=make.NOON)
    box.add_message(letter())
    world.run()
    assert not Delivery.objects.exists()

    mailbox_polling.resume_mailbox(mailbox_id=row.pk, by=by, at=make.NOON)
    world.run(1)
    assert Lead.objects.count() == 1
    kinds = Event.objects.filter(kind__startswith="capture.mailbox.")
    assert sorted(kind.kind.rpartition(".")[2] for kind in kinds) == ["kept", "resumed", "stopped"]


def nobody_listens() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"password": "guessed"}, "app password"),
        ({"folder": "Leads"}, "has no folder named Leads"),
        ({"password": "pässword-1234"}, "create an app password"),
        ({"user": "a\r\nX1 DELETE INBOX"}, "plain letters"),
        ({"port": nobody_listens()}, "refused the connection"),
        ({"host": "imap.nobody.invalid", "security": "tls"}, "No server is named"),
        ({"security": "tls"}, "did not answer with TLS"),
        ({"security": "starttls"}, "does not support STARTTLS"),
        ({"host": "imap.lindenfield.example"}, "sent unencrypted"),
    ],
)
def test_a_mailbox_that_cannot_be_read_is_not_kept_and_says_what_to_change(world, changes, said):
    with pytest.raises(BadMailbox, match=said):
        mailbox_polling.save_mailbox(
            typed(world, **changes), by=make.user("administrator"), at=make.NOON
        )

    assert not Mailbox.objects.exists()


@pytest.fixture
def encrypted(world, tmp_path):
    """The mailbox behind TLS, with a certificate of `localhost` that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = make.datetime.now(make.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(7).not_valid_before(now - make.DAY).not_valid_after(now + make.DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = tmp_path / "localhost.pem"
    kept = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(kept + made.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    listener = imap_mailbox.ImapListener(world.simulators.imap, 0, context=context)
    yield {"host": "localhost", "port": listener.port, "security": "tls"}, file
    listener.stop()


def test_an_encrypted_mailbox_is_read_when_its_certificate_is_vouched_for(
    world, encrypted, monkeypatch
):
    where, certificate = encrypted
    source("email_text")
    by = make.user("administrator")
    with pytest.raises(BadMailbox, match="is not trusted"):
        mailbox_polling.save_mailbox(typed(world, **where), by=by, at=make.NOON)

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    mailbox_polling.save_mailbox(typed(world, **where), by=by, at=make.NOON)
    world.simulators.imap.add_message(letter())
    world.run()

    assert Lead.objects.count() == 1


def test_a_password_that_is_on_file_is_told_to_no_other_server(world, box):
    row, by = Mailbox.objects.get(), make.user("administrator")
    elsewhere = typed(world, host="localhost", password="")

    with pytest.raises(BadMailbox, match="Enter the password again") as problem:
        mailbox_polling.save_mailbox(elsewhere, mailbox_id=row.pk, by=by, at=make.NOON)

    assert problem.value.field == "password"
    assert box.asked.count("LOGIN") == 1  # as it was set up
    assert Mailbox.objects.get().host == "127.0.0.1"


def test_a_busy_server_is_said_to_be_busy(world):
    world.simulators.imap.switches.update({"busy": True})

    with pytest.raises(BadMailbox, match="closed the connection"):
        mailbox_polling.save_mailbox(typed(world), by=make.user("administrator"), at=make.NOON)


def test_the_same_mailbox_is_not_read_twice(world, box):
    with pytest.raises(BadMailbox, match="already set up"):
        mailbox_polling.save_mailbox(typed(world), by=make.user("administrator"), at=make.NOON)


def test_a_new_password_leaves_the_place_where_it_was_and_none_keeps_the_old_one(world, box):
    row, by = Mailbox.objects.get(), make.user("administrator")
    box.add_message(letter())
    box.password = "another"
    mailbox_polling.save_mailbox(
        typed(world, password="another"), mailbox_id=row.pk, by=by, at=make.NOON
    )
    mailbox_polling.save_mailbox(typed(world, password=""), mailbox_id=row.pk, by=by, at=make.NOON)

    world.run()

    assert Lead.objects.count() == 1
    assert Mailbox.objects.get().password == "another"

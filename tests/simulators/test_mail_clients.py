"""The simulated mailboxes through the mail clients of Python's standard library."""

import imaplib
import smtplib
from email.message import EmailMessage

import pytest

from rooftree_simulators import imap_mailbox, smtp_mailbox


def make_email(subject, sender="leads@vendor.example", text="Hello"):
    message = EmailMessage()
    message["From"], message["To"] = sender, imap_mailbox.USER
    message["Subject"], message["Date"] = subject, "Mon, 23 Nov 2026 10:00:00 -0500"
    message.set_content(text)
    return message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


@pytest.fixture
def inbox(running):
    """Return a listening inbox with three emails, the second of the day before, and its client."""
    box = running.imap
    box.add_message(make_email("New lead: Ana Lugo"))
    running.clock.advance(86_400)
    box.add_message(make_email("Rates", sender="news@rates.example", text="Rates fell"))
    box.add_message(make_email("New lead: Bo O'Neil"))
    client = imaplib.IMAP4("127.0.0.1", running.ports.imap)
    yield client
    client.shutdown()


def ids(answer):
    assert answer[0] == "OK", answer
    return answer[1][0].decode().split()


def test_imaplib_signs_in_lists_and_reads_the_state(running, inbox):
    with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        inbox.login(imap_mailbox.USER, "wrong")
    credentials = f"\0{imap_mailbox.USER}\0{imap_mailbox.PASSWORD}".encode()
    assert inbox.authenticate("PLAIN", lambda _: credentials)[0] == "OK"
    assert b"INBOX" in inbox.list()[1][0]
    status = inbox.status("INBOX", "(MESSAGES UNSEEN UIDNEXT)")[1][0]
    assert b"MESSAGES 3 UNSEEN 3 UIDNEXT 4" in status
    assert inbox.select("Archive")[0] == "NO"
    assert inbox.select("INBOX", readonly=True) == ("OK", [b"3"])


def test_imaplib_searches_by_number_and_uid(running, inbox):
    inbox.login(imap_mailbox.USER, imap_mailbox.PASSWORD)
    inbox.select()
    running.imap.delete_message(1)  # numbers move, UIDs don't
    for criteria, numbers, uids in (
        ("ALL", ["1", "2"], ["2", "3"]),
        ("UNSEEN", ["1", "2"], ["2", "3"]),
        ("2:*", ["2"], ["3"]),
        ('FROM "rates.example"', ["1"], ["2"]),
        ('SUBJECT "o\'neil"', ["2"], ["3"]),
        ('OR SUBJECT "Bo" TEXT "fell"', ["1", "2"], ["2", "3"]),
        ('NOT HEADER Subject "lead"', ["1"], ["2"]),
        ("SINCE 24-Nov-2026", ["1", "2"], ["2", "3"]),
        ("BEFORE 24-Nov-2026", [], []),
        ("SENTSINCE 23-Nov-2026 UID 3", ["2"], ["3"]),
        ("LARGER 100000", [], []),
    ):
        assert ids(inbox.search(None, criteria)) == numbers, criteria
        assert ids(inbox.uid("SEARCH", criteria)) == uids, criteria
    for criteria in ("KEYWORD x", "SINCE yesterday", 'FROM "open'):
        with pytest.raises(imaplib.IMAP4.error):
            inbox.search(None, criteria)


def test_imaplib_fetches_marks_and_removes_emails(running, inbox):
    inbox.login(imap_mailbox.USER, imap_mailbox.PASSWORD)
    inbox.select()
    head = inbox.fetch("1", "(UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1][0]
    assert b"UID 1 FLAGS ()" in head[0] and head[1] == b"Subject: New lead: Ana Lugo\r\n\r\n"
    assert inbox.fetch("2", "(RFC822)")[1][0][1] == running.imap.letters[1].raw
    assert inbox.uid("FETCH", "2", "(FLAGS)")[1][0] == b"2 (UID 2 FLAGS (\\Seen))"
    assert inbox.uid("FETCH", "1:*", "(RFC822.SIZE INTERNALDATE)")[1][2].startswith(b"3 (UID 3")
    partial = inbox.fetch("3", "(BODY.PEEK[]<5.7>)")[1][0]
    assert partial[1] == running.imap.letters[2].raw[5:12]
    assert ids(inbox.search(None, "UNSEEN")) == ["1", "3"]
    assert inbox.store("1:2", "+FLAGS", "\\Deleted")[0] == "OK"
    assert inbox.expunge()[1] == [b"2", b"1"]
    assert len(running.imap.letters) == 1
    with pytest.raises(imaplib.IMAP4.error, match="ENVELOPE isn't supported"):
        inbox.fetch("1", "(ENVELOPE)")
    with pytest.raises(imaplib.IMAP4.error, match="THREAD isn't supported"):
        inbox.thread("REFERENCES", "UTF-8", "ALL")
    assert inbox.close()[0] == "OK"
    inbox.select(readonly=True)
    assert inbox.store("1", "+FLAGS", "\\Seen")[0] == "NO"


def test_smtplib_signs_in_or_is_refused_and_recipients_are_judged_apart(running):
    running.mailbox.treatments["ben@example.com"] = smtp_mailbox.Treatment.REFUSE
    with smtplib.SMTP("127.0.0.1", running.ports.smtp) as server:
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            server.login(smtp_mailbox.USER, "wrong")
        assert refused.value.smtp_code == 535
        assert server.login(smtp_mailbox.USER, smtp_mailbox.PASSWORD)[0] == 235
        refusals = server.sendmail(
            smtp_mailbox.USER, ["ana@example.com", "ben@example.com"], make_email("Rates")
        )
        assert refusals["ben@example.com"][0] == 550
        assert (server.noop()[0], server.rset()[0]) == (250, 250)
        assert server.docmd("TURN")[0] == 500
    assert [row["to"] for row in running.mailbox.messages] == [["ana@example.com"]]

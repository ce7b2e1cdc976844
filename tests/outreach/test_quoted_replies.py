"""Replies by email: the borrower's words are kept, what the mail program quotes is cut."""

import time

import pytest

from rooftree.outreach.inbound.quoted_text import html_words, remove_own_message, strip_quotes

OURS = "Hi Ben,\nthis is Dana.\n\nTo stop these e-mails: https://lindenfield.example/u\nReply STOP"
QUOTED = "\n".join(f"> {line}" for line in OURS.split("\n"))
HEADER = "Sent: Monday, November 23, 2026 12:01 PM\nTo: Ben\nSubject: Your request\n\n" + OURS
HEADER_ES = "Enviado el: lunes, 23 de noviembre de 2026\nPara: Ben\nAsunto: Su solicitud\n\n" + OURS
DANA = "Dana Lee <dana@lindenfield.example>"
GMAIL = f"On Mon, Nov 23, 2026 at 12:01 PM {DANA} wrote:\n\n{QUOTED}"
GMAIL_ES = "El lun, 23 nov 2026 a las 12:01, Dana Lee (<dana@x.example>) escribió:\n\n"
STARTS = {
    "gmail": GMAIL,
    "gmail, wrapped at the address": GMAIL.replace(" <", " <\n"),
    "gmail, wrapped at the verb": GMAIL.replace(" wrote", "\nwrote"),
    "gmail in Spanish": f"{GMAIL_ES}{QUOTED}",
    "gmail in Spanish, wrapped": GMAIL_ES.replace("<", "<\n") + OURS,
    "apple": f"> On Nov 23, 2026, at 12:01 PM, {DANA} wrote:\n> \n{QUOTED}",
    "apple in Spanish": f"> El 23 nov 2026, a las 12:01, {DANA} escribió:\n> \n{QUOTED}",
    "yahoo": f"   On Monday, November 23, 2026 at 12:01:00 PM EST, {DANA} wrote:  \n \n {OURS}",
    "outlook with a line": f"{'_' * 32}\nFrom: {DANA}\n{HEADER}",
    "outlook": f"From: {DANA}\n{HEADER}",
    "outlook without an address": f"From: Dana Lee\n{HEADER}",
    "outlook in bold": f"*From:* {DANA}\n*Sent:* Monday\n*To:* Ben\n\n{OURS}",
    "outlook in Spanish": f"De: {DANA}\n{HEADER_ES}",
    "outlook in Spanish without an address": f"De: Dana Lee\n{HEADER_ES}",
    "original message": f"-----Original Message-----\nFrom: Dana Lee\n{HEADER}",
    "original message in Spanish": f"-----Mensaje original-----\nDe: Dana Lee\n{HEADER_ES}",
    "samsung": f"-------- Original message --------\nFrom: {DANA}\nDate: 11/23/26\n\n{OURS}",
    "quoted lines alone": QUOTED,
    "outlook, a blank line between": f"From: Dana Lee\n\n{HEADER}",
    "outlook, recipient first": f"From: Dana Lee\nTo: Ben\nSubject: Your request\n\n{OURS}",
    "windows mail": f"Sent from Mail for Windows\n\nFrom: Dana Lee\n{HEADER}".split("\n\n", 1)[1],
    "outlook in bold, colon inside": f"**From:** Dana Lee\n**Sent:** Monday\n\n{OURS}",
    "outlook in German": f"Von: Dana Lee\nGesendet: Montag, 23. November 2026\nAn: Ben\n\n{OURS}",
    "outlook in French": f"De : Dana Lee\nEnvoyé : lundi 23 novembre 2026\nÀ : Ben\n\n{OURS}",
    "aol": f"In a message dated 11/23/2026 12:01:00 PM EST, dana@x.example writes:\n{OURS}",
    "zoho": f"---- On Mon, 23 Nov 2026 12:01:00 -0500 {DANA} wrote ---\n{OURS}",
    "gmail, older": f"2026-11-23 12:01 GMT-05:00 {DANA}:\n{OURS}",
    "mobile": f"{DANA} wrote:\n{OURS}",
    "french": f"Le lun. 23 nov. 2026 à 12:01, {DANA} a écrit :\n{OURS}",
    "german": f"Am Mo., 23. Nov. 2026 um 12:01 Uhr schrieb {DANA}:\n{OURS}",
    "reply message": f"----- Reply message -----\nFrom: Dana Lee\n{HEADER}",
    "forwarded": f"---------- Forwarded message ---------\nFrom: {DANA}\n{OURS}",
    "proton": f"On Monday, November 23rd, 2026 at 12:01 PM, {DANA} wrote:\n\n{QUOTED}",
}
LINK = "https://lindenfield.example/unsubscribe/0199c0de-1111-7000-8000-000000000001:abc/"
SENT = f"Hi Ben,\nwe have your request and a first idea.\n--\nLindenfield Mortgage LLC, NMLS 2210\n1 Main Street, Tampa, FL 33602\nTo stop these e-mails: {LINK}\n"  # noqa: E501
PAGES = {  # HTML replies, which have no plain part
    "outlook": '<div style="border-top:solid #E1E1E1 1.0pt"><p><b>From:</b>\nDana Lee <br><b>Sent:'
    "</b>\nMonday, November 23,\n2026 12:01 PM<br><b>To:</b> Ben<br></p></div>{}",
    "outlook on the web": '<div id="appendonsend"></div><div id="divRplyFwdMsg">Von Dana</div>{}',
    "yahoo": '<div class="yahoo_quoted" id="y1"><div>Dana schrieb am 23.11.</div>{}</div>',
    "gmail": '<div class="gmail_quote gmail_quote_container"><div>tor 23 nov. Dana</div>{}</div>',
    "thunderbird": '<div class="moz-cite-prefix">Dana 於 23 日</div><blockquote>{}</blockquote>',
    "proton": '<div class="protonmail_quote">Dana<br>{}</div>',
}
OWN_WORDS = (
    "STOP",
    "Thanks,\nplease stop writing to me",
    "Best,\nBen\n\nSTOP",
    "Hi Dana\n- stop the emails\n- call me instead",
    "After five.\n\n--\nBen Ortiz\n555-0100",
    "Sent from my iPhone",
    "From: my side everything is fine. To: you, thanks.",
    "On Monday I wrote:\nplease stop",
    "On 11/23 please call me.\nThanks",
    "On 11/23 please stop.",
    "El lunes 23 llámeme\na las cinco",
    "From: my side all is fine.\nPlease stop the emails",
    "De: mi parte\nno más correos",
    "Le and I wrote it down, call us",
    "I forwarded the message. In a message I said stop.",
)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("words", ["After five.", "STOP", "On 11/23 please stop."])
def test_quotation_is_removed_and_words_above_it_stay(words, start):
    assert strip_quotes(f"{words}\n{STARTS[start]}") == words
    assert strip_quotes(f"{words}\n\n{STARTS[start]}\n\nSTOP") == words


@pytest.mark.parametrize("words", OWN_WORDS)
def test_own_words_are_kept(words):
    assert strip_quotes(words) == words


@pytest.mark.parametrize("start", PAGES)
def test_quotation_of_an_html_reply_is_removed(start):
    quoted = PAGES[start].format("<br>".join(OURS.split("\n")))
    page = f"<html><body><p>Yes please,\ncall me tomorrow</p><p>Ben</p>{quoted}</body></html>"

    assert strip_quotes(html_words(page)) == "Yes please, call me tomorrow\nBen"


def test_our_own_message_is_removed_where_nothing_marks_it_as_quoted():
    wrapped = SENT.replace("e-mails: ", "e-mails:\n").replace(LINK, f"{LINK}<{LINK}>")
    for quoted in (SENT, wrapped, SENT.replace("\n", "\n\n"), SENT[SENT.index("Linden") :]):
        assert remove_own_message(f"Yes please.\n\n{quoted}", SENT) == "Yes please."
    for words in ("To stop these e-mails", "stop these emails", "STOP", "Hi Ben,", LINK):
        assert remove_own_message(words, SENT) == words


@pytest.mark.parametrize("start", ["gmail", "quoted lines alone"])
def test_words_below_a_quotation_are_not_read(start):
    assert strip_quotes(f"{STARTS[start]}\n\nSTOP") == ""


@pytest.mark.parametrize(
    "piece",
    [
        "\n",
        " \n",
        "On 1\n",
        "On ",
        "El 1 a@\n",
        "From: x\n",
        "Le 1 a <",
        "a <b@c",
        "De:\n",
        "*\n",
        "> ",
        "_",
    ],
)
def test_hostile_text_takes_linear_time(piece):
    began = time.process_time()
    strip_quotes((piece * 1_000_000)[:1_000_000])

    assert time.process_time() - began < 10  # seconds; it takes up to 1.6, and hours if quadratic

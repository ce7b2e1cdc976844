"""Replies by email: the borrower's words are kept, what the mail program quotes is cut."""

import time

import pytest

from rooftree.outreach.inbound.parse_inbound_email import strip_quotes

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
)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("words", ["After five.", "STOP", "On 11/23 please stop."])
def test_quotation_is_removed_and_words_above_it_stay(words, start):
    assert strip_quotes(f"{words}\n{STARTS[start]}") == words
    assert strip_quotes(f"{words}\n\n{STARTS[start]}\n\nSTOP") == words


@pytest.mark.parametrize("words", OWN_WORDS)
def test_own_words_are_kept(words):
    assert strip_quotes(words) == words


@pytest.mark.parametrize("start", ["gmail", "quoted lines alone"])
def test_words_below_a_quotation_are_not_read(start):
    assert strip_quotes(f"{STARTS[start]}\n\nSTOP") == ""


@pytest.mark.parametrize(
    "piece", ["\n", " \n", "On 1\n", "On ", "El 1 a@\n", "From: x\n", "De:\n", "*\n", "> ", "_"]
)
def test_hostile_text_takes_linear_time(piece):
    began = time.process_time()
    strip_quotes((piece * 1_000_000)[:1_000_000])

    assert time.process_time() - began < 10  # seconds; it takes up to 1.6, and hours if quadratic

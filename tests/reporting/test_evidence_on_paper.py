"""The printed evidence file: plain words, in order, on numbered pages."""

import io
import re
import zipfile
from datetime import timedelta

import pytest

from rooftree.ledger import seal
from rooftree.reporting.evidence.chronology_document import build_chronology
from rooftree.reporting.evidence.evidence_archive import CHRONOLOGY, LAYOUT
from rooftree.reporting.evidence.evidence_archive import build_archive as make_file
from rooftree.reporting.evidence.evidence_data import collect_evidence
from rooftree.reporting.evidence.signed_archive import render_pdf, to_printable
from tests import make
from tests.flow import journey
from tests.reporting import whole_life
from tests.reporting.pdf_text import pages, words

pytestmark = pytest.mark.django_db
AT = make.NOON + timedelta(hours=50)
# Words that only a program uses: keys, constants, stored timestamps.
MACHINE_WORDS = re.compile(
    r"[a-z]+_[a-z]+|\bdequeued\b|\bhandoff\b|\bTrue\b|\bNone\b|\bnull\b|\+00:00|\bT\d\d:\d\d"
)
ALLOWED_NAMES = re.compile(r"America/New_York|_[A-Za-z0-9_-]+/")  # a time zone, a signed URL


@pytest.fixture
def lead():
    lead = whole_life.make_whole_life()
    seal.seal_events(at=AT)
    return lead


@pytest.fixture
def paper(lead) -> list[list[str]]:
    archive = zipfile.ZipFile(io.BytesIO(make_file(whole_life.BEN, actor="user:1", at=AT)))
    return pages(archive.read(CHRONOLOGY))


@pytest.fixture
def text(paper) -> str:
    return " ".join(words(page) for page in paper)


def test_first_page_summarizes_the_evidence(paper):
    first = words(paper[0])

    assert first.startswith(
        "Evidence about (813) 555-0142 Lindenfield Mortgage, LLC · NMLS 1204417 · 400 Linden Street"
    )
    assert "People Benjamín Ortíz Núñez" in first
    assert "Times Eastern time (America/New_York), with UTC" in first
    for sentence in (
        "First inquiry Nov 23, 2026, 12:00:00 PM EST, from Our website.",
        "Borrower agreed to calls, autodialed calls and texts for (813) 555-0142, "
        "Nov 23, 2026, 11:59:30 AM EST.",
        "We sent 3 texts and 1 email and made 1 call. Not sent: 3 prepared messages. "
        "The borrower sent us 2 messages.",
        "Borrower opted out Nov 24, 2026, 6:00:00 PM EST. After that, no messages of that kind "
        "were sent, except 1 confirmation.",
    ):
        assert sentence in first
    for heading in ("Consent and the wording shown", "Timeline", "Completeness"):
        assert heading in first  # in the table of contents


def test_every_page_has_its_number_and_the_subject(paper):
    assert 3 <= len(paper) <= 6
    for number, page in enumerate(paper, start=1):
        assert words(page).endswith(f"{number} of {len(paper)}")
        assert "Evidence about (813) 555-0142 · Lindenfield Mortgage, LLC" in words(page)


def test_text_contains_no_machine_words(text):
    machine_words = [match[0] for match in MACHINE_WORDS.finditer(ALLOWED_NAMES.sub("", text))]
    assert machine_words == []


def test_consent_shows_wording_seller_signature_and_origin(text):
    assert f"“{journey.WORDING}”" in text
    for fact in (
        "Given to Lindenfield Mortgage, LLC",
        "Signature Checkbox, not prechecked",
        "Page https://www.lindenfield.example/buy",
        "IP address 203.0.113.10",
        "Browser Mozilla/5.0",
        "Condition of a purchase no",
    ):
        assert fact in text


def test_message_shows_full_text_decision_and_sender(lead, text):
    nmls = lead.officer.nmls_id
    for part in (
        "Text to (813) 555-0142: sent Automated, in the company’s name; marketing "
        "Hi Benjamín, this is Lindenfield Mortgage NMLS 1204417.",
        "Licensed by the CA DFPI under the CRMLA, CO-CA-1",
        "when it was due, and again right before it went to the carrier: Allowed. Valid "
        "written consent for this number.",
        "Borrower’s local time: 12:00 PM Eastern in Florida (by area code), 9:00 AM Pacific in "
        "California (at the property).",
        "CON-01: Valid written consent for this number. (47 CFR 64.1200(a)(2)",
        f"Written by Dana Whitfield (NMLS {nmls}); marketing Aquí está la lista de documentos",
        "Template: “first hello”, English version 1, built-in, in use since Nov 22, 2026",
    ):
        assert part in text


def test_held_and_blocked_messages_show_reason_rule_and_time(text):
    for part in (
        "Nov 23, 2026, 11:00:00 PM EST, when it was due: Allowed from Tue Nov 24, 12:00 PM "
        "Eastern. Florida doesn't allow marketing calls or texts after 8:00 PM Eastern.",
        "HRS-02: Calling hours are over where the borrower might be. (Fla. Stat. 501.616(6)",
        "Blocked. Remove the guarantee: approval can't be promised (“Guaranteed approval”).",
        "CNT-01: Remove the guarantee: approval can't be promised. (12 CFR 1014.3(q); UDAAP)",
        "REV-02: The borrower opted out. (47 CFR 64.1200(a)(10),(d)(3))",
    ):
        assert part in text


def test_timeline_runs_from_first_inquiry_to_funded_loan(text):
    story = [
        "Inquiry from Our website",
        "Text from the borrower Sí, gracias [thumbs up sign] ¿pueden llamarme mañana a las 10?",
        "Call to (813) 555-0142 By Dana Whitfield",
        f"Borrower opted out {whole_life.STOP}",
        "opt-out confirmation",
        "Loan milestone: funded",
    ]
    places = [text.index(part) for part in story]
    assert places == sorted(places)


def test_completeness_section_explains_the_proof(text):
    for part in (
        "This file contains all of them, each with the hash of the entry before it, so no entry",
        "numbered for each person, without gaps: 1 to ",
        "are proved to be under a signed head of the ledger",
        "rooftree evidence verify FILE.zip",
    ):
        assert part in text


def test_long_words_break_inside_the_page(lead):
    document = build_chronology(collect_evidence(whole_life.BEN, at=AT))
    document["lines"][0]["quote"] = "x" * 500
    runs = [run for page in pages(render_pdf(LAYOUT, document)) for run in page]

    assert "x" * 500 in "".join(runs).replace("\u200b", "")
    assert max(map(len, runs)) < 160  # about the length of a line in the smallest print


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("Ana 👍🏽", "Ana [thumbs up sign][emoji modifier fitzpatrick type-4]"),
        ("张伟", "[U+5F20][U+4F1F]"),
        ("Łukasz Ñandú Ωmega Жук — “ok” €5", "Łukasz Ñandú Ωmega Жук — “ok” €5"),
        ("e\u0301", "é"),
        ("a\u200d\ufe0f\x07b\tc\u00a0d\ne", "ab c d\ne"),
        ("\u202eevil", "evil"),
    ],
)
def test_character_missing_in_the_font_is_named_in_brackets(lead, written, printed):
    assert to_printable(written) == printed
    document = build_chronology(collect_evidence(whole_life.BEN, at=AT)) | {"people": written}

    first = words(pages(render_pdf(LAYOUT, document))[0]).replace(
        " ", ""
    )  # characters of another font are another run
    assert printed.partition("\n")[0].replace(" ", "") in first

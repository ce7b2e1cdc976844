"""An evidence file reads well on paper: in order, in plain words, with its pages numbered."""

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
# What only a program says: keys, names of constants, moments as they are stored.
MACHINE_WORDS = re.compile(
    r"[a-z]+_[a-z]+|\bdequeued\b|\bhandoff\b|\bTrue\b|\bNone\b|\bnull\b|\+00:00|\bT\d\d:\d\d"
)
NAMES_OF_ZONES = re.compile(r"America/New_York|_[A-Za-z0-9_-]+/")  # the zone's, a signed address


@pytest.fixture
def lead():
    lived = whole_life.lived()
    seal.seal_events(at=AT)
    return lived


@pytest.fixture
def paper(lead) -> list[list[str]]:
    archive = zipfile.ZipFile(io.BytesIO(make_file(whole_life.BEN, actor="user:1", at=AT)))
    return pages(archive.read(CHRONOLOGY))


@pytest.fixture
def said(paper) -> str:
    return " ".join(words(one) for one in paper)


def test_its_first_page_says_in_short_what_an_examiner_asks_first(paper):
    first = words(paper[0])

    assert first.startswith(
        "Evidence about (813) 555-0142 Lindenfield Mortgage, LLC · NMLS 1204417 · 400 Linden Street"
    )
    assert "People Benjamín Ortíz Núñez" in first
    assert "Times Eastern time (America/New_York), with UTC beside" in first
    for sentence in (
        "They first asked us Nov 23, 2026, 12:00:00 PM EST, through Our website.",
        "They agreed to calls, calls dialed by machines and texts for (813) 555-0142, "
        "Nov 23, 2026, 11:59:30 AM EST.",
        "We sent 3 texts and 1 e-mail and made 1 call; 3 messages that were prepared did not go. "
        "They wrote us 2 messages.",
        "They asked us to stop Nov 24, 2026, 6:00:00 PM EST. After that nothing of that kind went "
        "to them, but for 1 confirmation of it.",
    ):
        assert sentence in first
    for heading in ("What they agreed to", "What happened, in order", "Is this all of it?"):
        assert heading in first  # with the page it begins on


def test_every_page_has_its_number_and_whose_file_it_is(paper):
    assert 3 <= len(paper) <= 6
    for nth, one in enumerate(paper, start=1):
        assert words(one).endswith(f"{nth} of {len(paper)}")
        assert "Evidence about (813) 555-0142 · Lindenfield Mortgage, LLC" in words(one)


def test_no_word_of_a_program_is_left_in_it(said):
    left = [found[0] for found in MACHINE_WORDS.finditer(NAMES_OF_ZONES.sub("", said))]
    assert left == []


def test_a_consent_has_its_wording_and_how_where_and_to_whom_it_was_given(said):
    assert f"“{journey.WORDING}”" in said
    for fact in (
        "Given to Lindenfield Mortgage, LLC",
        "Signed with A box they tick themselves",
        "Page https://www.lindenfield.example/buy",
        "Network address 203.0.113.10",
        "Browser Mozilla/5.0",
        "A condition of a purchase no",
    ):
        assert fact in said


def test_each_message_has_its_words_to_the_last_its_decision_and_who_sent_it(lead, said):
    nmls = lead.officer.nmls_id
    for part in (
        "Text to (813) 555-0142: sent By the program, in the company’s name; advertising "
        "Hi Benjamín, this is Lindenfield Mortgage NMLS 1204417.",
        "Licensed by the CA DFPI under the CRMLA, CO-CA-1",
        "when its turn came, and again just before it was handed to the carrier: allowed. Valid "
        "written consent for this number.",
        "It was then 12:00 PM Eastern in Florida (by the area code), 9:00 AM Pacific in California "
        "(at the property).",
        "CON-01: Valid written consent for this number. (47 CFR 64.1200(a)(2)",
        f"Written by Dana Whitfield (NMLS {nmls}); advertising Aquí está la lista de documentos",
        "Made from “first hello”, English edition 1, as supplied, in use since Nov 22, 2026",
    ):
        assert part in said


def test_what_was_held_or_refused_says_why_by_which_rule_and_until_when(said):
    for part in (
        "Nov 23, 2026, 11:00:00 PM EST, when its turn came: allowed from Tue Nov 24, 12:00 PM "
        "Eastern. Florida doesn't allow marketing calls or texts after 8:00 PM Eastern.",
        "HRS-02: Calling hours are over where the borrower might be. (Fla. Stat. 501.616(6)",
        "refused. Remove the guarantee: approval can't be promised (“Guaranteed approval”).",
        "CNT-01: Remove the guarantee: approval can't be promised. (12 CFR 1014.3(q); UDAAP)",
        "REV-02: The borrower opted out. (47 CFR 64.1200(a)(10),(d)(3))",
    ):
        assert part in said


def test_it_is_told_in_order_from_the_first_request_to_the_funded_loan(said):
    story = [
        "They asked us: inquiry from Our website",
        "They wrote a text Sí, gracias [thumbs up sign] ¿pueden llamarme mañana a las 10?",
        "Call to (813) 555-0142 By Dana Whitfield",
        f"They asked us to stop {whole_life.STOP}",
        "the confirmation of a stop",
        "Their loan: funded",
    ]
    places = [said.index(one) for one in story]
    assert places == sorted(places)


def test_the_statement_of_completeness_can_be_read_aloud(said):
    for part in (
        "All of them are in this file, each with the hash of the entry before it, so none can",
        "numbered for each person, and the numbers have no gap: 1 to ",
        "are proved to be under a head of the ledger that was signed",
        "rooftree evidence verify FILE.zip",
    ):
        assert part in said


def test_nothing_runs_off_the_paper(lead):
    told = build_chronology(collect_evidence(whole_life.BEN, at=AT))
    told["lines"][0]["quote"] = "x" * 500
    runs = [run for page in pages(render_pdf(LAYOUT, told)) for run in page]

    assert "x" * 500 in "".join(runs).replace("\u200b", "")
    assert max(map(len, runs)) < 160  # a line of the smallest print holds about as many


@pytest.mark.parametrize(
    ("written", "on_paper"),
    [
        ("Ana 👍🏽", "Ana [thumbs up sign][emoji modifier fitzpatrick type-4]"),
        ("张伟", "[U+5F20][U+4F1F]"),
        ("Łukasz Ñandú Ωmega Жук — “ok” €5", "Łukasz Ñandú Ωmega Жук — “ok” €5"),
        ("e\u0301", "é"),
        ("a\u200d\ufe0f\x07b\tc\u00a0d\ne", "ab c d\ne"),
        ("\u202eevil", "evil"),
    ],
)
def test_a_sign_that_print_has_no_letter_for_is_named_and_never_ends_the_file(
    lead, written, on_paper
):
    assert to_printable(written) == on_paper
    told = build_chronology(collect_evidence(whole_life.BEN, at=AT)) | {"people": written}

    first = words(pages(render_pdf(LAYOUT, told))[0]).replace(
        " ", ""
    )  # other letters are another run
    assert on_paper.partition("\n")[0].replace(" ", "") in first

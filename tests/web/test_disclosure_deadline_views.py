"""Disclosure deadline pages: the examiner's view, and accepted proof."""

from datetime import date

import pytest

from rooftree.compliance.credit import credit_clocks
from rooftree.compliance.models import CreditClock
from rooftree.flow import clock, credit_notice_triggers, undo_window
from rooftree.leads.models import Task
from rooftree.ledger.models import Event
from tests import make

TODAY = make.NOON.date()
PAPER = {
    "outcome": "sent",
    "on_date": "2026-11-23",
    "reference": "eFolder 118, Adverse action notice",
    "delivery": "mail",
    "is_adverse": "on",
    "reasons": "Income is not enough for the amount requested",
}
BY_WIRE = {"delivery": "electronic", "has_consented": "on", "has_shown_access": "on"}


def start_clock(lead, kind="adverse_action", began_on=TODAY, **changes):
    new_clock = credit_clocks.NewClock(
        lead=lead, kind=kind, began_on=began_on, sentence="Dana told them no.",
        idempotency_key=f"test:{make.number()}", **changes,
    )  # fmt: skip
    return credit_clocks.start_clock(new_clock, at=make.NOON)


@pytest.fixture(autouse=True)
def noon():
    """Freeze the pages' time at noon of the test day."""
    with clock.freeze(make.NOON):
        yield


@pytest.fixture
def ben(cast):
    """Ben's lead, assigned to Dana."""
    make.ownership(cast.ben, cast.dana)
    cast.ben.refresh_from_db()
    return cast.ben


@pytest.fixture
def omar(cast, signed_in):
    return signed_in(cast.omar)


def record(browser, clock, **changes):
    typed = {**PAPER, **changes}
    form = {name: value for name, value in typed.items() if value is not None}
    return browser.post(f"/compliance/clocks/{clock.pk}/proof/", form)


def test_notice_deadline_is_closed_by_its_document_and_reviewer(cast, ben, omar):
    clock = start_clock(ben)

    assert record(omar, clock).status_code == 303

    clock.refresh_from_db()
    assert (clock.outcome, clock.closed_by) == ("sent", cast.omar)
    page = omar.get(f"/compliance/clocks/{clock.pk}/").text
    assert "eFolder 118" in page
    assert cast.omar.name in page
    assert Event.objects.get(kind="compliance.clock.closed").data["outcome"] == "sent"
    assert Task.objects.get(kind="clock:adverse_action").done_at is not None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reference": ""}, "Name the document"),
        ({"delivery": ""}, "by mail or electronically"),
        ({"on_date": "2026-11-24"}, "in the future"),
        ({"on_date": "2026-11-20"}, "before the deadline started"),
        # ESG-01: consent given, demonstrated, not withdrawn
        ({"delivery": "electronic"}, "E-SIGN"),
        ({**BY_WIRE, "has_shown_access": None}, "E-SIGN"),
        ({**BY_WIRE, "is_ended": "on"}, "E-SIGN"),
        # RGB-05: reasons, the score, each consumer
        ({"reasons": ""}, "specific reasons"),
        ({"reasons": "Did not meet internal standards"}, "specific reasons"),
        ({"reports_used": "1", "notices": "1"}, "disclose the score"),
        ({"reports_used": "2", "notices": "1", "score_disclosed": "on"}, "Each person whose"),
    ],
)
def test_insufficient_notice_proof_is_rejected_with_the_next_step(ben, omar, changes, message):
    clock = start_clock(ben)

    answer = record(omar, clock, **changes)

    assert answer.status_code == 422
    assert message in answer.text
    clock.refresh_from_db()
    assert clock.closed_at is None


def test_consented_electronic_delivery_is_proof_of_notice(ben, omar):
    clock = start_clock(ben)
    record(omar, clock, **BY_WIRE, reports_used="2", notices="2", score_disclosed="on")
    clock.refresh_from_db()
    assert clock.outcome == "sent"


def test_closing_as_no_application_needs_a_sentence(ben, omar):
    clock = start_clock(ben)
    bare = {"reference": None, "delivery": None, "outcome": "mistaken"}

    assert record(omar, clock, **bare).status_code == 422
    assert record(omar, clock, **bare, note="They asked about rates only").status_code == 303

    clock.refresh_from_db()
    assert clock.outcome == "mistaken"


def test_disclosure_deadline_is_closed_once(ben, omar):
    clock = start_clock(ben)
    record(omar, clock)
    assert record(omar, clock).status_code == 422


def test_incompleteness_notice_sets_a_date_and_completion_adds_thirty_days(ben, omar):
    record(
        omar, start_clock(ben, "decision"), outcome="incomplete", is_adverse=None, reasons=None,
        reply_by="2026-12-04",
    )  # fmt: skip
    waits = CreditClock.objects.get(kind="reply")
    assert (waits.began_on, waits.due_on) == (date(2026, 11, 23), date(2026, 12, 4))

    record(omar, waits, outcome="completed", note="Pay stubs came", is_adverse=None)

    completed_clock = CreditClock.objects.get(kind="completed")
    assert (completed_clock.began_on, completed_clock.due_on) == (
        date(2026, 11, 23),
        date(2026, 12, 23),
    )


def test_incomplete_application_without_a_reply_closes_automatically(ben, omar):
    record(
        omar, start_clock(ben, "decision"), outcome="incomplete", is_adverse=None, reasons=None,
        reply_by="2026-12-04",
    )  # fmt: skip

    credit_notice_triggers.process_due_clocks(at=make.NOON + 11 * make.DAY)  # on the due date
    assert CreditClock.objects.get(kind="reply").closed_at is None
    credit_notice_triggers.process_due_clocks(at=make.NOON + 12 * make.DAY)

    assert CreditClock.objects.get(kind="reply").outcome == "no_reply"


@pytest.mark.parametrize(("combined", "open_clocks"), [(None, 1), ("on", 0)])
def test_counteroffer_runs_ninety_days_unless_its_letter_was_the_denial(
    ben, omar, combined, open_clocks
):
    record(
        omar, start_clock(ben, "decision"), outcome="counteroffer", is_adverse=None, reasons=None,
        is_combined=combined,
    )  # fmt: skip

    clocks = CreditClock.objects.filter(kind="counteroffer")
    assert clocks.count() == open_clocks
    assert all(credit_clock.due_on == date(2027, 2, 21) for credit_clock in clocks)


def test_deadline_owners_are_reminded_and_managers_of_overdue_ones(cast, ben):
    clock = start_clock(ben)
    users = [cast.dana.user, cast.omar]
    assert [user.notices.filter(kind="clock").count() for user in users] == [1, 1]

    credit_notice_triggers.process_due_clocks(at=make.NOON + 14 * make.DAY)
    assert [user.notices.filter(kind="clock").count() for user in users] == [1, 1]
    credit_notice_triggers.process_due_clocks(at=make.NOON + 15 * make.DAY)
    credit_notice_triggers.process_due_clocks(at=make.NOON + 15 * make.DAY)  # any number of workers

    assert [user.notices.filter(kind="clock").count() for user in users] == [2, 2]
    assert "due in 15 days" in cast.dana.user.notices.latest("at").text
    assert not cast.ruth.notices.filter(kind="clock").exists()
    for day in (20, 25, 30, 31):
        credit_notice_triggers.process_due_clocks(at=make.NOON + day * make.DAY)
    assert "overdue since Dec 23" in cast.ruth.notices.get(kind="clock").text
    clock.refresh_from_db()
    assert clock.alarm_at is not None  # an overdue notice is reminded every day


def test_deadlines_page_separates_open_due_soon_overdue_and_closed(cast, ben, omar):
    start_clock(ben, "estimate", date(2026, 11, 2))
    start_clock(ben, "counteroffer")
    record(omar, start_clock(ben))

    def lines(show):
        page = omar.get("/compliance/clocks/", {"show": show})
        return {row["clock"].kind for row in page.context["lines"]}

    assert lines("open") == {"estimate", "counteroffer"}
    assert lines("overdue") == {"estimate"}
    assert lines("soon") == set()
    assert lines("closed") == {"adverse_action"}


def test_lead_page_shows_each_application_item_with_its_origin(cast, ben, signed_in):
    start_clock(ben)
    make.touch(ben, inquiry={"income": {"annual_cents": 9_600_000}, "message": "I make $96,000"})

    card = signed_in(cast.dana.user).get(
        f"/leads/{ben.pk}/application/", headers={"HX-Request": "true"}
    )

    assert "1 of 6 items" in card.text
    assert "Zillow" in card.text
    assert "Adverse action notice" in card.text


def test_users_see_only_the_deadlines_of_their_leads(cast, ben, signed_in):
    clock = start_clock(ben)
    viewers, others = (cast.dana.user, cast.ruth, cast.omar), (
        cast.sam.user, make.user("manager", branch=cast.austin),
    )  # fmt: skip

    for user in viewers:
        browser = signed_in(user)
        assert browser.get(f"/compliance/clocks/{clock.pk}/").status_code == 200
        assert "Ben Ortiz" in browser.get("/compliance/clocks/").text
    for user in others:
        browser = signed_in(user)
        assert browser.get(f"/compliance/clocks/{clock.pk}/").status_code == 404
        assert "Ben Ortiz" not in browser.get("/compliance/clocks/").text


def test_only_compliance_closes_a_deadline(cast, ben, signed_in):
    clock = start_clock(ben)
    for user in (cast.dana.user, cast.ruth):
        assert record(signed_in(user), clock).status_code == 403
    austin = make.user("compliance", branch=cast.austin)
    assert record(signed_in(austin), clock).status_code == 404
    clock.refresh_from_db()
    assert clock.closed_at is None


def test_does_not_qualify_outcome_opens_the_notice_deadline(cast, ben, signed_in):
    signed_in(cast.dana.user).post(f"/leads/{ben.pk}/attempts/", {"result": "told_no:confirmed"})
    undo_window.settle_due_acts(at=clock.now() + make.MINUTE)

    opened = CreditClock.objects.get(lead=ben)
    assert (opened.kind, opened.due_on) == ("adverse_action", date(2026, 12, 23))


def test_compliance_records_a_credit_data_basis_with_its_proof(cast, ben, omar, signed_in):
    make.terms(ben.source, source_class="cra_trigger", reviewed_at=make.NOON)
    at = f"/leads/{ben.pk}/basis/"
    typed = {"is_authorized": "on", "reference": ""}

    assert signed_in(cast.dana.user).post(at, typed).status_code == 403
    assert "Enter proof on file" in omar.post(at, typed).text
    assert not ben.bases.exists()
    omar.post(at, {**typed, "reference": "EQ-118"})

    assert (ben.bases.get().is_authorized, ben.bases.get().by) == (True, cast.omar)
    assert "EQ-118" in omar.get(f"/leads/{ben.pk}/application/").text


def test_terms_with_a_firm_offer_store_its_criteria(ben, omar):
    at = f"/compliance/sources/{ben.source_id}/"
    typed = {"from_date": "2026-11-24", "source_class": "cra_trigger", "is_firm_offer": "on"}

    assert "criteria that were set before the firm offer" in omar.post(at, typed).text
    assert omar.post(at, {**typed, "criteria": "Score 660 or more"}).status_code == 303

    terms = ben.source.terms.get()
    assert (terms.source_class, terms.criteria) == ("cra_trigger", "Score 660 or more")

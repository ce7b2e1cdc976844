"""Number checks at a vendor over HTTP: reassigned numbers, and lists we do not have."""

import io
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from rooftree.compliance.do_not_call import number_lookup
from rooftree.compliance.do_not_call.load_list import ListUpload, load_file
from rooftree.compliance.gate.facts import Medium, Purpose
from rooftree.compliance.models import Revocation
from rooftree.compliance.numbers import number_questions, vendor_account
from rooftree.compliance.numbers.models import NumberQuestion, NumberService
from rooftree.compliance.numbers.number_questions import NewQuestion
from rooftree.compliance.numbers.number_vendor import QuestionKind
from rooftree.flow import call_events, number_lookups
from rooftree.flow.call_events import CannotCall
from rooftree.leads.models import Lead, Phone, Task
from rooftree.ledger.models import Event
from rooftree.org.models import StaffNotice
from rooftree.outreach.calls import dial_borrower
from rooftree.outreach.facts.message_facts import OutgoingContact, gather_facts
from rooftree.outreach.messages import automatic_messages, send
from rooftree.outreach.models import Message
from rooftree_simulators.numbers import dncscrub
from rooftree_simulators.simulated_clock import SimulatedClock
from rooftree_simulators.vendor_base import SimulatorSetup
from rooftree_simulators.vendor_server import HttpListener
from tests import make
from tests.flow import journey

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("carriers", "dana")]
BEN, TEN = "+18135550142", "8135550142"
LATE = make.NOON + 60 * make.DAY  # too late to assume that the number is still Ben's


@pytest.fixture
def vendor(settings) -> Iterator[dncscrub.DncScrub]:
    setup = SimulatorSetup(clock=SimulatedClock(at=make.NOON, speed=0))
    simulated = dncscrub.DncScrub(setup)
    http = HttpListener(simulated, 0)
    settings.UPSTREAMS = {f"numbers_{kind}": http.url for kind in QuestionKind}
    yield simulated
    http.stop()
    setup.clock.stop()


@pytest.fixture
def checked_vendor(vendor) -> dncscrub.DncScrub:
    """Return the vendor with an account that checks all lists and asks the FCC's database."""
    covers = ["US", "FL", "TX", "LITIGATOR"]
    vendor_account.save_account(
        vendor_account.AccountSettings(
            key=dncscrub.LOGIN_ID, project="", covers=covers, asks_reassigned=True
        ),
        by=make.user("administrator"),
        at=make.NOON,
    )
    vendor.record.clear()
    return vendor


@pytest.fixture
def lead() -> Lead:
    """Return the lead of Ben, who gave written consent with his inquiry."""
    return journey.deliver(journey.create_website(), journey.form_post())


def emergencies_are_known(at) -> None:
    company = make.company()
    company.emergencies_checked_at = at
    company.save()


def write(lead: Lead, *, at) -> Message:
    """Queue an automatic text of a sequence and decide it at once."""
    emergencies_are_known(at)
    (planned,) = automatic_messages.queue_template(
        lead=lead, key="not_reached_1", cause=f"step:{make.number()}", media=["text"], at=at
    )
    send.deliver_messages([planned.pk], at=at)
    planned.refresh_from_db()
    return planned


def answer(at) -> None:
    number_lookups.ask_due_questions(at=at)


def load_national(day: date) -> None:
    file = io.BytesIO(b"813,5550142\n")
    load_file(ListUpload(registry="US", name="us.txt", dated=day, file=file), by=None, at=make.NOON)


def facts(lead: Lead, *, at, medium=Medium.TEXT):
    outgoing = OutgoingContact(
        medium=medium, purpose=Purpose.MARKETING, is_automated=True, to=BEN, text="Hello"
    )
    fresh = Lead.objects.select_related("person", "source").get(pk=lead.pk)
    return gather_facts(outgoing, lead=fresh, company=make.company(), at=at)


def test_old_number_is_checked_and_text_is_sent_when_unchanged(checked_vendor, lead, carriers):
    held_text = write(lead, at=LATE)
    assert (held_text.state, held_text.verdict.reason) == ("held", "rnd_check_stale")
    assert not Task.objects.filter(kind__startswith="require:rnd").exists()

    answer(LATE + make.MINUTE)
    send.deliver_messages(send.find_due_messages(at=LATE + make.MINUTE), at=LATE + make.MINUTE)

    held_text.refresh_from_db()
    assert held_text.state == "sent", held_text.problem
    kept = NumberQuestion.objects.get(kind="reassigned")
    assert (kept.number, kept.since, kept.response) == (BEN, make.NOON.date(), "no")
    assert kept.answer["IsReassigned"] is False
    assert kept.answered_at == LATE + make.MINUTE
    check = held_text.verdict.facts["number_check"]
    assert check == {"response": "no", "checked_on": "2027-01-22", "since": "2026-11-23"}
    event = Event.objects.filter(kind="compliance.numbers.answered").latest("occurred_at")
    assert event.data["questions"] == [str(kept.pk)]


def test_reassigned_number_is_unlinked_and_creates_officer_task(checked_vendor, lead):
    checked_vendor.disconnected[TEN] = date(2026, 12, 15)
    held_text = write(lead, at=LATE)

    answer(LATE + make.MINUTE)
    send.deliver_messages(send.find_due_messages(at=LATE + make.MINUTE), at=LATE + make.MINUTE)

    held_text.refresh_from_db()
    assert held_text.state == "blocked"
    assert Phone.objects.get(e164=BEN).unlinked_at == LATE + make.MINUTE
    assert Revocation.objects.get(kind="wrong_person").address == BEN
    assert "ask for the new one" in Task.objects.get(kind="new_number").title
    assert facts(lead, at=LATE + make.HOUR).number_check.response == "yes"


@pytest.mark.parametrize("spoil", ["no_safe_harbor", "before_the_data"])
def test_inconclusive_number_check_creates_task(checked_vendor, lead, spoil):
    if spoil == "no_safe_harbor":
        checked_vendor.is_authorized = False
    else:
        checked_vendor.data_begins = date(2027, 1, 1)
    held_text = write(lead, at=LATE)
    answer(LATE + make.MINUTE)
    send.deliver_messages(send.find_due_messages(at=LATE + make.MINUTE), at=LATE + make.MINUTE)

    held_text.refresh_from_db()
    assert (held_text.state, held_text.verdict.reason) == ("review", "rnd_no_data_reverify")
    assert Task.objects.filter(kind="require:rnd_no_data_reverify").exists()


def test_recently_used_number_is_not_checked(checked_vendor, lead):
    assert write(lead, at=make.NOON + make.DAY).state == "sent"
    assert not NumberQuestion.objects.filter(kind="reassigned").exists()


def test_number_check_without_vendor_creates_task_and_sends_nothing(lead):
    stopped = write(lead, at=LATE)

    assert (stopped.state, stopped.verdict.reason) == ("review", "rnd_check_stale")
    assert Task.objects.filter(kind="require:rnd_check_stale").exists()
    assert not NumberQuestion.objects.exists()


def test_waiting_number_is_checked_once_vendor_is_connected(vendor, lead):
    stopped = write(lead, at=LATE)
    assert stopped.state == "review"
    account = vendor_account.AccountSettings(
        key=dncscrub.LOGIN_ID, project="", covers=[], asks_reassigned=True
    )

    number_lookups.save_number_service(
        account, by=make.user("administrator"), at=LATE + make.MINUTE
    )
    send.deliver_messages(send.find_due_messages(at=LATE + make.MINUTE), at=LATE + make.MINUTE)
    answer(LATE + 2 * make.MINUTE)
    send.deliver_messages(
        send.find_due_messages(at=LATE + 2 * make.MINUTE), at=LATE + 2 * make.MINUTE
    )

    stopped.refresh_from_db()
    assert stopped.state == "sent", stopped.problem
    task = Task.objects.get(kind="require:rnd_check_stale")
    assert task.cancel_reason == "A vendor can check this now."


def test_number_check_answer_covers_only_days_it_implies(checked_vendor, lead):
    def store_answer(response: str, since: date) -> None:
        NumberQuestion.objects.all().delete()
        NumberQuestion.objects.create(
            kind="reassigned", number=BEN, since=since, asked_at=LATE, answered_at=LATE,
            response=response, answer={}, service="dncscrub",
        )  # fmt: skip

    known_on = make.NOON.date()
    before, after = known_on - timedelta(days=1), known_on + timedelta(days=1)
    for response, since, counts in [
        ("no", before, True), ("no", known_on, True), ("no", after, False),
        ("yes", before, False), ("yes", known_on, True), ("yes", after, True),
        ("no_data", before, False), ("no_data", known_on, True), ("no_data", after, False),
    ]:  # fmt: skip
        store_answer(response, since)
        assert (facts(lead, at=LATE).number_check is not None) is counts, (response, since)


def test_number_check_is_retried_and_reported_while_vendor_is_down(checked_vendor, lead):
    admin = make.user("administrator")
    held_text = write(lead, at=LATE)
    checked_vendor.faults.add_fault({"action": "status:500"})
    for minute in (1, 3, 14):
        answer(LATE + timedelta(minutes=minute))

    open_question = NumberQuestion.objects.get(kind="reassigned")
    assert open_question.answered_at is None
    assert open_question.attempts == 3
    assert "failed (500)" in NumberService.objects.get().problem
    assert NumberService.objects.get().failing_since == LATE + make.MINUTE
    assert "Number checks fail" in StaffNotice.objects.get(kind="numbers", user=admin).text
    send.deliver_messages([held_text.pk], at=LATE + 16 * make.MINUTE)
    held_text.refresh_from_db()
    assert held_text.state == "held"

    checked_vendor.faults.clear_faults()
    answer(LATE + make.HOUR)
    assert NumberQuestion.objects.get(kind="reassigned").response == "no"
    assert NumberService.objects.get().failing_since is None


def test_wrong_vendor_key_is_reported_at_once(checked_vendor, lead):
    write(lead, at=LATE)
    row = NumberService.objects.get()
    row.key = "another"
    row.save()
    make.user("administrator")

    answer(LATE + make.MINUTE)

    assert "rejected our credentials" in StaffNotice.objects.filter(kind="numbers")[0].text


def test_concurrent_number_checks_ask_vendor_once(checked_vendor, lead):
    write(lead, at=LATE)
    write(lead, at=LATE)

    answer(LATE + make.MINUTE)

    assert NumberQuestion.objects.filter(kind="reassigned").count() == 1
    assert (
        len([entry for entry in checked_vendor.record.requests_since(0) if entry.op == "query"])
        == 1
    )


def test_batch_of_numbers_is_one_request_and_bad_number_affects_no_other(checked_vendor):
    own = {NewQuestion(kind=QuestionKind.LISTS, number=f"+1813555{n:04}") for n in range(100, 105)}
    number_questions.enqueue_questions(own, at=make.NOON)
    answer(make.NOON)
    assert len(checked_vendor.record.requests_since(0)) == 1
    assert NumberQuestion.objects.filter(answered_at=make.NOON).count() == 5

    bad = "+18132550142"
    NumberQuestion.objects.create(
        kind="lists", number="+18131110", asked_at=make.NOON, due_at=make.NOON
    )
    number_questions.enqueue_questions(
        {NewQuestion(kind=QuestionKind.LISTS, number=bad)}, at=make.NOON
    )
    answer(make.NOON)
    assert NumberQuestion.objects.get(number=bad).answered_at == make.NOON
    left = NumberQuestion.objects.get(number="+18131110")
    assert "rejected" in left.problem
    assert NumberService.objects.get().failing_since is None


# ------------------------------------------------------------------ lists


def test_new_leads_number_is_scrubbed_before_call(checked_vendor, lead, dana):
    assert NumberQuestion.objects.get(kind="lists").number == BEN
    listings = {entry.registry: entry.is_listed for entry in number_lookup.look_up_number(BEN)}
    assert listings == {"US": False, "FL": False, "TX": False, "LITIGATOR": False}
    assert facts(lead, at=make.NOON + make.HOUR).registry_date == make.NOON.date()


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        ("D", "National (USA) 2003-06-01;;;", {"US": True}),
        ("D", "Litigator", {"LITIGATOR": True}),
        ("D", ";Florida (USA) 2019-04-02;;", {"FL": True}),
        (
            "O",
            "National (USA) 2003-06-01;;;",
            {"US": True},
        ),  # the exemption of others does not apply to us
        ("P", "", {"INTERNAL": True}),
        ("D", "Something new", {"US": True, "FL": True, "TX": True, "LITIGATOR": True}),
        ("W", ";;;W", {"US": False, "FL": False, "TX": False, "LITIGATOR": False}),
        ("B", "", {}),
        ("?", "", {}),
    ],
)
def test_documented_results_are_read_and_unknown_results_block(
    checked_vendor, code, reason, expected
):
    checked_vendor.results[TEN] = (code, reason)
    number_questions.enqueue_questions(
        {NewQuestion(kind=QuestionKind.LISTS, number=BEN)}, at=make.NOON
    )
    answer(make.NOON)

    assert {
        entry.registry: entry.is_listed for entry in number_lookup.look_up_number(BEN)
    } == expected


def test_newer_list_copy_counts_and_listing_wins_on_same_day(checked_vendor, lead):
    load_national(date(2026, 11, 20))
    assert not facts(
        lead, at=make.NOON + make.HOUR
    ).is_on_registry  # the vendor's copy is of the 23rd
    load_national(date(2026, 11, 23))
    assert facts(lead, at=make.NOON + make.HOUR).is_on_registry


def test_call_waits_a_minute_for_unknown_number(checked_vendor, dana):
    own = make.lead(officer=dana, person=make.person(phone=BEN), last_inquiry_at=make.NOON)
    with pytest.raises(CannotCall, match="Try again in a minute"):
        call_events.start_call(lead_id=own.pk, by=dana.user, at=make.NOON)

    answer(make.NOON)

    begun = dial_borrower.begin_call(lead_id=own.pk, by=dana.user, at=make.NOON + make.MINUTE)
    assert isinstance(begun, dial_borrower.DialedCall)


def test_number_check_answer_is_valid_for_31_days(checked_vendor, dana):
    own = make.lead(officer=dana, person=make.person(phone=BEN))
    number_questions.enqueue_questions(
        {NewQuestion(kind=QuestionKind.LISTS, number=BEN)}, at=make.NOON
    )
    answer(make.NOON)
    last, after = make.NOON + 31 * make.DAY, make.NOON + 32 * make.DAY
    emergencies_are_known(last)
    assert isinstance(
        dial_borrower.begin_call(lead_id=own.pk, by=dana.user, at=last), dial_borrower.DialedCall
    )

    emergencies_are_known(after)
    with pytest.raises(CannotCall, match=r"too old.* We are checking this number now"):
        call_events.start_call(lead_id=own.pk, by=dana.user, at=after)
    answer(after)

    begun = dial_borrower.begin_call(lead_id=own.pk, by=dana.user, at=after + make.MINUTE)
    assert isinstance(begun, dial_borrower.DialedCall), begun.sentence


def test_empty_answer_is_not_requested_again_same_day(checked_vendor, dana):
    checked_vendor.results[TEN] = ("B", "")
    own = make.lead(officer=dana, person=make.person(phone=BEN))
    with pytest.raises(CannotCall):
        call_events.start_call(lead_id=own.pk, by=dana.user, at=make.NOON)
    answer(make.NOON)

    with pytest.raises(CannotCall) as refused:
        call_events.start_call(lead_id=own.pk, by=dana.user, at=make.NOON + make.MINUTE)
    assert "Try again" not in str(refused.value)
    assert NumberQuestion.objects.count() == 1


def test_maine_number_is_checked_before_sales_call(checked_vendor, dana):
    make.company_license("ME")
    make.license_of(dana, "ME")
    company = make.company()
    company.telemarketer_states = [*company.telemarketer_states, "ME"]
    company.save()
    person = make.person(phone="+12075550142")
    own = make.lead(officer=dana, person=person, property_state="ME")
    number_questions.enqueue_questions(
        {NewQuestion(kind=QuestionKind.LISTS, number="+12075550142")}, at=make.NOON
    )
    answer(make.NOON)
    with pytest.raises(CannotCall, match=r"reassigned-number check.*Try again"):
        call_events.start_call(lead_id=own.pk, by=dana.user, at=make.NOON)

    answer(make.NOON)

    begun = dial_borrower.begin_call(lead_id=own.pk, by=dana.user, at=make.NOON + make.MINUTE)
    assert isinstance(begun, dial_borrower.DialedCall), begun.sentence
    kept = NumberQuestion.objects.get(kind="reassigned")
    # The database does not accept today's date.
    assert kept.since == make.NOON.date() - timedelta(days=1)

"""The timeline of a lead: order, texts, marks and the number of queries."""

import pytest

from rooftree.compliance.models import Revocation, Verdict
from rooftree.flow import lead_offers
from rooftree.leads.models import Remark
from rooftree.money.models import Entry
from rooftree.outreach.models import Message, Ring
from rooftree.reporting.timeline import lead_history
from rooftree.reporting.timeline.timeline_entry import EntryGroup, EntryMark
from tests import make


def message(lead, **changes):
    return Message.objects.create(
        **{
            "lead": lead,
            "person": lead.person,
            "medium": "text",
            "purpose": "marketing",
            "idempotency_key": f"test:{make.number()}",
            "to_address": "+18135550142",
            "body": "Hello Ben",
            "created_at": make.NOON,
            **changes,
        }
    )


def test_newest_entry_comes_first(cast):
    make.touch(cast.ben, at=make.NOON)
    message(cast.ben, state="sent", sent_at=make.NOON + make.SECOND)
    Remark.objects.create(
        lead=cast.ben, by=cast.dana.user, text="Called", at=make.NOON + make.MINUTE
    )

    titles = [entry.title for entry in lead_history.build_timeline(cast.ben)]

    assert titles == ["Dana Whitfield", "Text sent", "Inquiry from Zillow"]


def test_inquiry_shows_its_cost(cast):
    touch = make.touch(cast.ben)
    Entry.objects.create(
        kind="cost",
        amount_cents=65_00,
        on_date=make.NOON.date(),
        source=cast.zillow,
        lead=cast.ben,
        delivery=touch.delivery,
        basis="per_lead",
        idempotency_key="test",
        booked_at=make.NOON,
    )

    assert lead_history.build_timeline(cast.ben)[0].cents == 65_00


@pytest.mark.parametrize(
    ("state", "title", "mark"),
    [
        ("delivered", "Text delivered", EntryMark.ACCENT),
        ("held", "Text on hold", EntryMark.HOLD),
        ("blocked", "Text not sent", EntryMark.LATE),
    ],
)
def test_message_shows_its_state(cast, state, title, mark):
    message(cast.ben, state=state)

    entry = lead_history.build_timeline(cast.ben)[0]

    assert (entry.title, entry.mark) == (title, mark)


@pytest.mark.parametrize(
    ("state", "problem", "decision", "said_by_gate", "sentence"),
    [
        ("sent", "Rooftree stopped while sending it.", "allow", "All clear.", "All clear."),
        ("held", "Quiet hours.", "defer", "Quiet hours.", "Quiet hours."),
        ("cancelled", "replied", "defer", "Quiet hours.", "The borrower replied first."),
        ("failed", "No such number (21211).", "allow", "All clear.", "No such number (21211)."),
        ("waiting", "The carrier is busy.", "allow", "All clear.", "The carrier is busy."),
    ],
)
def test_message_explains_its_state_with_one_reason(
    cast, state, problem, decision, said_by_gate, sentence
):
    verdict = Verdict.objects.create(
        lead=cast.ben,
        person=cast.ben.person,
        decision=decision,
        sentence=said_by_gate,
        facts={},
        results=[{"id": "QH-01", "decision": decision, "reason": "quiet_hours"}],
        at=make.NOON,
    )
    message(cast.ben, state=state, problem=problem, verdict=verdict)

    entry = lead_history.build_timeline(cast.ben)[0]

    assert entry.explanation.sentence == sentence
    assert entry.body in ("", sentence)


def test_message_planned_for_morning_says_so(cast):
    message(cast.ben, state="waiting", due_at=make.NOON + 9 * make.HOUR)
    soon = message(cast.ben, state="waiting", due_at=make.NOON, created_at=make.NOON)

    bodies = {entry.key: entry.body for entry in lead_history.build_timeline(cast.ben)}

    assert bodies.pop(f"message:{soon.pk}") == ""
    assert "Scheduled for the borrower’s morning" in bodies.popitem()[1]


def test_inbound_message_is_marked_as_the_borrowers(cast):
    message(cast.ben, direction="in", state="received", body="Can you beat 6.125?")

    entry = lead_history.build_timeline(cast.ben)[0]

    assert entry.title == "Borrower wrote"
    assert not entry.quote.is_ours


def test_opt_out_is_marked_and_quoted(cast):
    Revocation.objects.create(
        person=cast.ben.person,
        address="+18135550142",
        kind="stop",
        media=["text", "call"],
        borrower_words="STOP",
        origin="message",
        at=make.NOON,
        recorded_at=make.NOON,
        idempotency_key="test",
    )

    entry = lead_history.build_timeline(cast.ben)[0]

    assert entry.title == "No more texts and calls"
    assert entry.mark is EntryMark.LATE
    assert entry.quote.text == "STOP"


def test_calls_to_the_officer_are_listed_with_outcome(cast):
    lead_offers.assign_officers(lead_ids=[cast.ben.pk], at=make.NOON)
    rings = Ring.objects.filter(offer__lead=cast.ben)

    texts = []
    for state in (
        {"state": "placed", "placed_at": make.NOON},
        {"answered_at": make.NOON, "pressed": "1"},
        {"state": "failed", "problem": "The carrier refused the number."},
    ):
        rings.update(**state)
        texts += [
            f"{entry.title} {entry.detail}".strip()
            for entry in lead_history.build_timeline(cast.ben)
            if entry.key.startswith("ring:")
        ]

    assert texts == [
        "Rang Dana Whitfield",
        "Rang Dana Whitfield: pressed 1",
        "Could not ring Dana Whitfield The carrier refused the number.",
    ]


def test_consents_of_one_inquiry_are_one_entry(cast):
    delivery = make.touch(cast.ben).delivery
    for channels in (["call", "autodial_call", "text"], ["email"]):
        make.consent(cast.ben.person, delivery=delivery, channels=channels)

    details = [
        entry.detail
        for entry in lead_history.build_timeline(cast.ben)
        if entry.key.startswith("consent:")
    ]

    assert details == ["for calls, autodialed calls, texts and email"]


def test_filter_shows_only_its_group(cast):
    make.touch(cast.ben)
    message(cast.ben, state="sent")

    shown = lead_history.build_timeline(cast.ben, group=EntryGroup.MESSAGES)

    assert [entry.group for entry in shown] == [EntryGroup.MESSAGES]


@pytest.mark.parametrize("length", [1, 25])
def test_each_table_is_read_once_for_any_length(cast, django_assert_num_queries, length):
    for number in range(length):
        at = make.NOON + number * make.MINUTE
        make.touch(cast.ben, at=at)
        message(cast.ben, state="sent", officer=cast.dana)
        make.consent(cast.ben.person, at=at)

    with django_assert_num_queries(21):
        lead_history.build_timeline(cast.ben)

import pytest

from rooftree.compliance.models import Revocation
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
            "cause": f"test:{make.number()}",
            "to_address": "+18135550142",
            "body": "Hello Ben",
            "created_at": make.NOON,
            **changes,
        }
    )


def test_the_newest_comes_first(cast):
    make.touch(cast.ben, at=make.NOON)
    message(cast.ben, state="sent", sent_at=make.NOON + make.SECOND)
    Remark.objects.create(
        lead=cast.ben, by=cast.dana.user, text="Called", at=make.NOON + make.MINUTE
    )

    titles = [entry.title for entry in lead_history.build_timeline(cast.ben)]

    assert titles == ["Dana Whitfield", "Text sent", "Inquiry from Zillow"]


def test_an_inquiry_shows_what_it_cost(cast):
    touch = make.touch(cast.ben)
    Entry.objects.create(
        kind="cost",
        amount_cents=65_00,
        on_date=make.NOON.date(),
        source=cast.zillow,
        lead=cast.ben,
        delivery=touch.delivery,
        basis="per_lead",
        cause="test",
        booked_at=make.NOON,
    )

    assert lead_history.build_timeline(cast.ben)[0].cents == 65_00


@pytest.mark.parametrize(
    ("state", "title", "mark"),
    [
        ("delivered", "Text delivered", EntryMark.ACCENT),
        ("held", "Text held", EntryMark.HOLD),
        ("blocked", "Text not sent", EntryMark.LATE),
    ],
)
def test_a_message_says_what_became_of_it(cast, state, title, mark):
    message(cast.ben, state=state)

    entry = lead_history.build_timeline(cast.ben)[0]

    assert (entry.title, entry.mark) == (title, mark)


def test_a_message_for_the_morning_says_so(cast):
    message(cast.ben, state="waiting", due_at=make.NOON + 9 * make.HOUR)
    soon = message(cast.ben, state="waiting", due_at=make.NOON, created_at=make.NOON)

    said = {entry.key: entry.body for entry in lead_history.build_timeline(cast.ben)}

    assert said.pop(f"message:{soon.pk}") == ""
    assert "in their morning" in said.popitem()[1]


def test_their_words_are_told_from_ours(cast):
    message(cast.ben, direction="in", state="received", body="Can you beat 6.125?")

    entry = lead_history.build_timeline(cast.ben)[0]

    assert entry.title == "They wrote"
    assert not entry.quote.is_ours


def test_a_stop_stands_in_red_with_its_words(cast):
    Revocation.objects.create(
        person=cast.ben.person,
        address="+18135550142",
        kind="stop",
        media=["text", "call"],
        words="STOP",
        origin="message",
        at=make.NOON,
        recorded_at=make.NOON,
        cause="test",
    )

    entry = lead_history.build_timeline(cast.ben)[0]

    assert entry.title == "No more texts and calls"
    assert entry.mark is EntryMark.LATE
    assert entry.quote.text == "STOP"


def test_the_officers_phone_is_part_of_the_story(cast):
    lead_offers.assign_officers(lead_ids=[cast.ben.pk], at=make.NOON)
    heard = Ring.objects.filter(offer__lead=cast.ben)

    said = []
    for state in (
        {"state": "placed", "placed_at": make.NOON},
        {"answered_at": make.NOON, "pressed": "1"},
        {"state": "failed", "problem": "The carrier refused the number."},
    ):
        heard.update(**state)
        said += [
            f"{entry.title} {entry.detail}".strip()
            for entry in lead_history.build_timeline(cast.ben)
            if entry.key.startswith("ring:")
        ]

    assert said == [
        "Rang Dana Whitfield",
        "Rang Dana Whitfield who pressed 1",
        "Could not ring Dana Whitfield The carrier refused the number.",
    ]


def test_the_consent_of_one_inquiry_is_one_entry_whatever_numbers_it_covers(cast):
    delivery = make.touch(cast.ben).delivery
    for channels in (["call", "autodial_call", "text"], ["email"]):
        make.consent(cast.ben.person, delivery=delivery, channels=channels)

    said = [
        one.detail
        for one in lead_history.build_timeline(cast.ben)
        if one.key.startswith("consent:")
    ]

    assert said == ["for calls, dialed calls, texts and e-mail"]


def test_a_filter_shows_its_group_alone(cast):
    make.touch(cast.ben)
    message(cast.ben, state="sent")

    shown = lead_history.build_timeline(cast.ben, group=EntryGroup.MESSAGES)

    assert [entry.group for entry in shown] == [EntryGroup.MESSAGES]


@pytest.mark.parametrize("length", [1, 25])
def test_each_table_is_read_once_however_long_the_history(cast, django_assert_num_queries, length):
    for number in range(length):
        at = make.NOON + number * make.MINUTE
        make.touch(cast.ben, at=at)
        message(cast.ben, state="sent", officer=cast.dana)
        make.consent(cast.ben.person, at=at)

    with django_assert_num_queries(19):
        lead_history.build_timeline(cast.ben)

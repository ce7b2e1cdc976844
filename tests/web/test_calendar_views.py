"""The calendar feed: its secret address, what it says of borrowers, and its format."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from rooftree.core.icalendar_text import CalendarEvent, escape_text, fold_line, write_calendar
from rooftree.core.log_formatting import redact_log_text
from rooftree.flow import appointments as flow
from rooftree.flow import clock
from rooftree.leads.appointments import AppointmentDetails
from rooftree.leads.models import CalendarFeed
from rooftree.org.models import User
from tests import make


@pytest.fixture
def booked(cast, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: make.NOON)
    person = make.person(first_name="Ben", last_name="Ortiz", phone="+18135550142")
    lead = make.lead(officer=cast.dana, person=person, amount_cents=400_000_00)
    details = AppointmentDetails(
        meeting="office", starts_at=make.NOON + make.DAY, minutes=45, note="Divorce papers"
    )
    flow.book_appointment(details, lead=lead, by=cast.dana.user, at=make.NOON)
    return lead


def create_address(browser):
    page = browser.post(reverse("calendar_address")).text
    return re.search(r"/calendar/[\w-]+\.ics", page)[0]


def test_feed_shows_appointments_with_as_little_of_the_borrower_as_possible(
    cast, booked, signed_in
):
    address = create_address(signed_in(cast.dana.user))

    answer = Client().get(address)

    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    text = answer.content.decode()
    assert "SUMMARY:Office appointment: Ben O.\r\n" in text
    assert f"DTSTART:{make.NOON + make.DAY:%Y%m%dT%H%M%SZ}\r\n" in text
    assert f"DTEND:{make.NOON + make.DAY + 45 * make.MINUTE:%Y%m%dT%H%M%SZ}\r\n" in text
    assert str(booked.pk) in text.replace("\r\n ", "")
    for private in ("Ortiz", "555", "Divorce", "400"):
        assert private not in text.replace(str(booked.pk), "")
    assert CalendarFeed.objects.get().read_at == make.NOON


def test_assistant_sees_the_officers_appointments_and_another_officer_does_not(
    cast, booked, signed_in
):
    for user, is_shown in ((make.assistant(cast.dana), True), (cast.sam.user, False)):
        text = Client().get(create_address(signed_in(user))).content.decode()
        assert ("Ben O." in text) is is_shown


def test_replaced_address_ends_the_old_one(cast, booked, signed_in):
    browser = signed_in(cast.dana.user)
    old = create_address(browser)

    new = create_address(browser)

    assert old != new
    assert (Client().get(old).status_code, Client().get(new).status_code) == (404, 200)
    browser.post(reverse("calendar_off"))
    assert Client().get(new).status_code == 404
    assert "You have no address yet" in browser.get(reverse("calendar")).text


def test_address_is_shown_once_and_stored_as_a_hash(cast, booked, signed_in):
    browser = signed_in(cast.dana.user)
    token = create_address(browser).split("/")[-1].removesuffix(".ics")

    assert token not in browser.get(reverse("calendar")).text
    assert token not in str(CalendarFeed.objects.values().get())
    assert token not in redact_log_text(f"GET /calendar/{token}.ics 200")


def test_deactivated_users_feed_ends(cast, booked, signed_in):
    address = create_address(signed_in(cast.dana.user))
    User.objects.filter(pk=cast.dana.user_id).update(is_active=False)

    assert Client().get(address).status_code == 404


def test_text_is_escaped_and_lines_are_folded_between_characters():
    assert escape_text("a;b,c\\d\r\ne\x07") == "a\\;b\\,c\\\\d\\ne"

    line = f"SUMMARY:{'é' * 100}"
    pieces = fold_line(line).split("\r\n")
    assert all(len(piece.encode()) <= 75 for piece in pieces)
    assert all(piece.startswith(" ") for piece in pieces[1:])
    assert fold_line(line).replace("\r\n ", "") == line


def test_hostile_title_adds_no_line_to_the_calendar():
    event = CalendarEvent(
        uid="1@example", starts_at=make.NOON, length=make.HOUR,
        title="x\r\nEND:VEVENT\r\nBEGIN:VEVENT",
    )  # fmt: skip

    text = write_calendar([event], name="A, B; C", at=make.NOON)

    assert text.count("\r\nBEGIN:VEVENT\r\n") == 1
    assert "X-WR-CALNAME:A\\, B\\; C\r\n" in text
    assert text.startswith("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:")
    assert text.endswith("END:VEVENT\r\nEND:VCALENDAR\r\n")

"""Borrower text is shown as text on every page, to every role, and in every file."""

import csv
import io
import re
from html.parser import HTMLParser

import pytest
from django.db import transaction
from django.urls import reverse

from rooftree.core.person_names import clean_text
from rooftree.leads.models import Delivery, Lead, Person, Remark, Touch
from rooftree.outreach.models import Message
from tests import make
from tests.web.test_page_access import (
    ROLE_LETTERS,
    TABLE,
    fill_route,
    request_status,
    shared_world,
    visitors,
    world,
)

__all__ = ["shared_world", "world"]  # fixtures
SCRIPT = "<script>steal()</script>"
IMAGE = '"><img src=x onerror=steal()>'
QUOTE = "' onmouseover='steal()"
FORMULA = '=HYPERLINK("http://evil.example","x")'
TEMPLATE = "{{ settings.SECRET_KEY }}{% debug %}"
ALL = (SCRIPT, IMAGE, QUOTE, FORMULA, TEMPLATE, "🦄‍🔥", "שלום", "a" * 400)

pytestmark = pytest.mark.django_db


class Elements(HTMLParser):
    """Collects every tag and attribute that a browser would read in a page."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def harm(page):
    """Return the elements of a page that a browser would run or load."""
    harmful = []
    for tag, attrs in Elements(page).found:
        if any(name.startswith("on") for name in attrs):
            harmful.append((tag, attrs))
        if tag == "script" and not (attrs.get("src") or attrs.get("nonce") or attrs.get("type")):
            harmful.append((tag, attrs))
        if tag == "img" and attrs.get("src") == "x":
            harmful.append((tag, attrs))
        if str(attrs.get("href", "")).lower().startswith(("javascript:", "data:")):
            harmful.append((tag, attrs))
    return harmful


@pytest.fixture
def hostile(world):
    """The test world with hostile text in every lead, person, note and message."""
    for number, person in enumerate(Person.objects.order_by("pk")):
        person.first_name = ALL[number % len(ALL)][:100]
        person.last_name = SCRIPT + IMAGE
        person.save()
    Lead.objects.update(property_city=IMAGE[:60])
    details = {"message": SCRIPT + QUOTE, "borrower": {"first_name": SCRIPT}}
    Lead.objects.update(details=details)
    Touch.objects.update(inquiry=details)
    body = f'{{"first_name": "{SCRIPT}", "message": "{FORMULA}"}}'.encode()
    Delivery.objects.update(body=body, headers={"User-Agent": SCRIPT}, path=f"/in/{SCRIPT}")
    for lead in Lead.objects.all():
        Message.objects.create(
            lead=lead, person=lead.person, direction="in", medium="text", state="received",
            purpose="reply", idempotency_key=f"in:{lead.pk}", to_address="+15125550100",
            from_address="+18135550142", body=SCRIPT + IMAGE, created_at=make.NOON,
        )  # fmt: skip
        Remark.objects.create(
            lead=lead, by=world.cast.dana.user, text=SCRIPT + TEMPLATE, at=make.NOON
        )
    return world


def test_harm_detector_finds_harm():
    for text in (SCRIPT, f"<b title='{QUOTE}'>", f'<a href="{IMAGE}">', "<a href=javascript:x>"):
        assert harm(f"<p>{text}</p>"), text


@pytest.mark.parametrize("letter", ROLE_LETTERS)
def test_no_page_of_any_role_runs_borrower_text(letter, hostile, signed_in):
    browser = signed_in(visitors(hostile)[letter])
    pages_with_text = 0
    for route, line in TABLE.items():
        if line.post or line.public or letter not in line.roles:
            continue
        address = "/" + fill_route(
            route, [hostile.things[attribute] for attribute in line.args.split()]
        )
        with transaction.atomic():
            answer = browser.get(address)
            transaction.set_rollback(True)
        if answer.streaming or "text/html" not in answer.get("Content-Type", ""):
            continue
        assert answer.status_code < 500, address
        page = answer.content.decode()
        assert harm(page) == [], address
        assert "SECRET_KEY" not in page or TEMPLATE[:5] in page, address
        pages_with_text += "steal()" in page
    assert pages_with_text, "no page showed the text, so nothing was proved"


def test_page_walk_reaches_pages_with_hostile_text(hostile, signed_in):
    dana = signed_in(hostile.cast.dana.user)

    assert (
        request_status(dana, TABLE["leads/<uuid:lead_id>/"], "leads/<uuid:lead_id>/", hostile)
        == 200
    )
    page = dana.get(reverse("lead", args=[hostile.things["lead"]])).content.decode()
    assert "&lt;script&gt;steal()&lt;/script&gt;" in page


def test_formula_is_exported_as_text(hostile, signed_in):
    Person.objects.update(first_name=FORMULA, last_name="@SUM(1+1)")
    address = reverse("records_export", args=["leads"]) + "?period=12m-2026-11"

    answer = signed_in(make.user("executive")).post(address, {"reason": "State examination 14"})

    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))[1:]
    assert rows
    cells = [cell for row in rows for cell in row]
    assert any("HYPERLINK" in cell for cell in cells)
    assert not [cell for cell in cells if re.match(r"[=+\-@\t\r]", cell)]


@pytest.mark.parametrize(
    ("typed", "cleaned"),
    [
        ("Ben\u202eztirO", "BenztirO"),  # would reverse the rest of the line
        ("Be\u200bn", "Ben"),
        ("\ufeffBen\u2066", "Ben"),
        ("Ben\0\x1b[31m", "Ben[31m"),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"),  # a family emoji is one character
        ("علی\u200cرضا", "علی\u200cرضا"),  # a name that needs the joiner
        ("שלום", "שלום"),
    ],
)
def test_invisible_characters_are_removed_and_every_script_is_kept(typed, cleaned):
    assert clean_text(typed) == cleaned

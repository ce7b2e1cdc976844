import re

from django.urls import reverse

from rooftree.org.models import ROLES
from rooftree.routing.permissions import ROLES_BY_PERMISSION
from rooftree.web.shared import error_pages, navigation
from tests import make


def everyone(cast):
    """One user of each role."""
    return [
        cast.dana.user,
        make.assistant(cast.dana),
        *(make.user(role) for role in ROLES if role not in ("officer", "assistant")),
    ]


def test_every_page_of_the_rail_asks_a_verb_of_the_table():
    assert {page.permission for page in navigation.PAGES.values()} <= set(ROLES_BY_PERMISSION)


def test_no_link_of_the_rail_leads_to_a_closed_door(cast, signed_in):
    for user in everyone(cast):
        browser = signed_in(user)
        page = browser.get("/more/").text
        links = set(re.findall(r'class="rail__link" href="([^"]+)"', page))

        assert links, user.role
        for link in links:
            assert browser.get(link).status_code == 200, (user.role, link)


def test_the_tab_bar_of_a_phone_has_at_most_five_entries(cast, signed_in):
    for user in everyone(cast):
        page = signed_in(user).get("/more/").text
        bar = page.split('class="tabbar"')[1].split("</nav>")[0]

        assert 1 < bar.count("<a ") <= 5, user.role


def test_pages_are_kept_by_no_shared_cache(cast, signed_in):
    answer = signed_in(cast.dana.user).get("/queue/")

    assert "private" in answer["Cache-Control"]
    assert "no-cache" in answer["Cache-Control"]


def test_times_are_written_by_the_readers_clock(cast, signed_in):
    lead = reverse("lead", args=[cast.mei.pk])
    make.touch(cast.mei, at=make.NOON)
    in_austin = make.user("compliance", branch=None)
    cast.company.zone = "America/Chicago"
    cast.company.save(update_fields=["zone"])

    assert "T11:00:00-06:00" in signed_in(in_austin).get(lead).text

    cast.company.zone = "America/New_York"
    cast.company.save(update_fields=["zone"])
    assert "T12:00:00-05:00" in signed_in(in_austin).get(lead).text


def test_the_page_for_a_broken_server_asks_no_database(cast, rf, django_assert_num_queries):
    for is_part in (False, True):
        request = rf.get("/queue/")
        request.user, request.htmx = cast.dana.user, is_part
        with django_assert_num_queries(0):
            answer = error_pages.server_error(request)

        assert answer.status_code == 500
        assert ("<html" in answer.text) is not is_part


def test_no_page_carries_inline_style_or_script(cast, signed_in):
    for path in ("/queue/", "/conversations/", "/pipeline/", reverse("find")):
        page = signed_in(cast.dana.user).get(path).text

        assert " style=" not in page
        assert not re.search(r"<script(?![^>]* src=)", page)
        assert not re.search(r"\son[a-z]+=", page)

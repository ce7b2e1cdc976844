import re

from django.urls import reverse

from rooftree.org.models import ROLES
from rooftree.routing import lead_ownership
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


def test_every_navigation_page_requires_a_known_permission():
    assert {page.permission for page in navigation.PAGES.values()} <= set(ROLES_BY_PERMISSION)


def test_no_navigation_link_leads_to_a_forbidden_page(cast, signed_in):
    for user in everyone(cast):
        browser = signed_in(user)
        page = browser.get("/more/").text
        links = set(re.findall(r'class="rail__link" href="([^"]+)"', page))

        assert links, user.roles
        for link in links:
            assert browser.get(link).status_code == 200, (user.roles, link)


def test_owner_with_several_roles_has_all_their_pages_and_starts_on_the_primary_one(
    cast, signed_in
):
    owner = make.user(branch=None, roles=["officer", "administrator", "manager"])
    make.officer(user=owner, branch=cast.tampa)
    browser = signed_in(owner)

    page = browser.get("/", follow=True)

    assert page.redirect_chain[-1][0] == "/queue/"
    hrefs = [link.href for link in page.context["own_links"]]
    assert hrefs[:3] == ["/queue/", "/setup/", "/team/"]
    every = [*hrefs, *(link.href for link in page.context["closer_links"])]
    assert len(every) == len(set(every))
    assert {"/conversations/", "/pipeline/", "/money/", "/access-log/"} <= {*every}
    for href in every:
        assert browser.get(href).status_code == 200, href


def test_phone_tab_bar_has_at_most_five_entries(cast, signed_in):
    for user in everyone(cast):
        page = signed_in(user).get("/more/").text
        bar = page.split('class="tabbar"')[1].split("</nav>")[0]

        assert 1 < bar.count("<a ") <= 5, user.roles


def test_pages_are_not_stored_in_shared_caches(cast, signed_in):
    answer = signed_in(cast.dana.user).get("/queue/")

    assert "private" in answer["Cache-Control"]
    assert "no-cache" in answer["Cache-Control"]


def test_times_are_shown_in_the_readers_time_zone(cast, signed_in):
    lead = reverse("lead", args=[cast.mei.pk])
    make.touch(cast.mei, at=make.NOON)
    in_austin = make.user("compliance", branch=None)
    cast.company.zone = "America/Chicago"
    cast.company.save(update_fields=["zone"])

    assert "T11:00:00-06:00" in signed_in(in_austin).get(lead).text

    cast.company.zone = "America/New_York"
    cast.company.save(update_fields=["zone"])
    assert "T12:00:00-05:00" in signed_in(in_austin).get(lead).text


def test_server_error_page_needs_no_database(cast, rf, django_assert_num_queries):
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


def test_way_back_from_a_lead_names_the_page_the_user_came_from(cast, signed_in):
    lead_ownership.give_lead(lead_id=cast.ben.pk, officer_id=cast.dana.pk, by=None, at=make.NOON)
    browser = signed_in(cast.dana.user)
    address = reverse("lead", args=[cast.ben.pk])

    def back_link(came_from):
        page = browser.get(address, headers={"referer": came_from}).text
        return page.split('aria-label="Back"')[1].split("</nav>")[0]

    assert '<a href="/pipeline/?state=new">Pipeline</a>' in back_link(
        "http://testserver/pipeline/?state=new"
    )
    for elsewhere in ("", "http://other.example/pipeline/", f"http://testserver{address}"):
        assert '<a href="/queue/">Queue</a>' in back_link(elsewhere)

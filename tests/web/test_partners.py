"""The partner portal, and the staff pages about partners."""

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from rooftree.flow import clock
from rooftree.leads.models import Introduction, Lead, Partner, ThingOfValue
from rooftree.web.partners import views as partner_views
from rooftree.web.server.live_events import authorized_user_id
from tests import make
from tests.flow import journey
from tests.web import visitor

pytestmark = pytest.mark.django_db
COOKIE = settings.SESSION_COOKIE_NAME
TYPED = {
    "first_name": "Ida", "last_name": "Berg", "phone": "(813) 555-0177", "email": "",
    "purpose": "purchase", "property_state": "FL", "note": "",
    "reference": "01a20959-a680-7000-9db6-dc95f4e5368f",
}  # fmt: skip


@pytest.fixture(autouse=True)
def noon(db):
    journey.set_up_company()
    with clock.freeze(make.NOON):
        yield


@pytest.fixture
def ana(noon) -> Partner:
    return make.partner("Ana Ruiz")


@pytest.fixture
def agent(ana, signed_in) -> Client:
    return signed_in(ana.user)


def introduce(agent, **changes):
    return agent.post(reverse("introduce"), TYPED | changes)


def test_new_partner_gets_a_link_and_signs_in_to_their_portal(signed_in):
    marketer = signed_in(make.user("marketing"))
    answer = marketer.post(
        reverse("partners"),
        {"name": "Ana Ruiz", "email": "ana@sunbelt.example", "kind": "real_estate_agent"},
    )

    assert "/set-password/" in answer.content.decode()
    user = Partner.objects.get().user
    user.set_password(make.PASSWORD)
    user.save()
    browser = Client()
    browser.post(reverse("sign_in"), {"username": user.email, "password": make.PASSWORD})
    assert browser.get("/").url == reverse("portal")
    page = browser.get(reverse("portal")).content.decode()
    assert "No referrals yet" in page
    assert 'href="/find/"' not in page
    assert "<live-stream" not in page


def test_partner_sees_nothing_internal(agent, ana, signed_in, monkeypatch):
    monkeypatch.setattr(
        "rooftree.web.server.live_events.close_old_connections", lambda: None
    )  # the test's own user

    def listening_user_id(browser):
        return authorized_user_id(f"{COOKIE}={browser.cookies[COOKIE].value}")

    assert listening_user_id(agent) is None
    assert listening_user_id(signed_in(make.user("operations"))) is not None


def test_partner_introduction_is_submitted_and_shown_as_received(agent):
    answer = introduce(agent)

    assert answer.status_code == 303
    journey.run()
    assert Lead.objects.get().person.name == "Ida Berg"
    page = agent.get(reverse("portal")).content.decode()
    assert "Ida Berg" in page
    assert "Received" in page


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"phone": ""}, "Enter a phone number or an email address"),
        ({"last_name": ""}, "Enter last name"),
        ({"property_state": "Florida"}, "Unknown state: FLORIDA"),
        ({"reference": "x"}, "Reload the page"),
    ],
)
def test_incomplete_introduction_shows_an_error_and_creates_no_lead(agent, change, message):
    answer = introduce(agent, **change)

    assert answer.status_code == 422
    assert message in answer.content.decode()
    assert not Introduction.objects.exists()


def test_lead_officer_records_what_the_borrower_allows_to_share(agent, ana, signed_in):
    introduce(agent)
    journey.run()
    lead = Lead.objects.get()
    Lead.objects.update(first_conversation_at=make.NOON)
    officer = make.officer("Dana Whitfield")
    make.ownership(lead, officer)
    page = reverse("introduction_permission", args=[Introduction.objects.get().pk])
    browser = signed_in(officer.user)

    unsaid = browser.post(page, {"steps": ["contacted"], "said": ""})
    assert unsaid.status_code == 422
    assert "Received" in agent.get(reverse("portal")).content.decode()
    browser.post(page, {"steps": ["contacted"], "said": "On the phone today"})

    assert "Contacted" in agent.get(reverse("portal")).content.decode()
    assert reverse("introduction_permission", args=[Introduction.objects.get().pk]) in (
        browser.get(
            reverse("person", args=[lead.pk]), headers={"HX-Request": "true"}
        ).content.decode()
    )


def test_respa_log_is_for_staff_and_never_shown_to_the_partner(agent, ana, signed_in):
    clerk = signed_in(make.user("compliance"))
    home = reverse("partner", args=[ana.pk])
    typed = {
        "direction": "given", "what": "Tickets to the fair", "fair_value_cents": "84.20",
        "why": "Client evening", "on_date": "2026-11-20", "basis": "gift", "has_happened": "on",
    }  # fmt: skip

    wrong = clerk.post(reverse("partner_value", args=[ana.pk]), typed | {"what": ""})
    assert wrong.status_code == 422
    clerk.post(reverse("partner_value", args=[ana.pk]), typed)

    assert ThingOfValue.objects.get().fair_value_cents == 84_20
    assert "Tickets to the fair" in clerk.get(home).content.decode()
    assert "Tickets" not in agent.get(reverse("portal")).content.decode()


def test_partners_log_has_pages(ana, signed_in, monkeypatch):
    monkeypatch.setattr(partner_views, "PAGE_SIZE", 1)
    clerk, home = signed_in(make.user("compliance")), reverse("partner", args=[ana.pk])
    typed = {
        "direction": "given", "fair_value_cents": "84.20", "why": "Client evening",
        "basis": "gift", "has_happened": "on",
    }  # fmt: skip
    for what, day in (("Older gift", "2026-11-19"), ("Newer gift", "2026-11-20")):
        clerk.post(reverse("partner_value", args=[ana.pk]), typed | {"what": what, "on_date": day})

    assert "Older gift" not in clerk.get(home).text
    assert "Older gift" in clerk.get(home, {"page": 2}).text


def test_inactive_partner_cannot_sign_in(agent, ana, signed_in):
    signed_in(make.user("marketing")).post(reverse("partner_departure", args=[ana.pk]))

    assert agent.get(reverse("portal")).status_code == 302


def test_partner_is_in_no_staff_list(ana, signed_in):
    browser = signed_in(make.user("administrator"))

    assert "Ana Ruiz" not in browser.get(reverse("setup_people")).content.decode()
    assert "Ana Ruiz" not in browser.get(reverse("setup_company")).content.decode()
    assert "Ana Ruiz" not in browser.get(reverse("api_keys")).content.decode()
    assert browser.get(reverse("setup_person", args=[ana.user_id])).status_code == 404


def test_visitor_from_a_partner_link_is_told_so_and_gives_their_own_consent(ana, agent, source):
    page = visitor.open_form(query=f"&partner={ana.slug}")
    assert "Ana Ruiz, Sunbelt Realty" in page
    visitor.send(page, partner=ana.slug)
    journey.run()

    lead = Lead.objects.get()
    assert Introduction.objects.get().partner == ana
    assert lead.source == source
    portal_text = agent.get(reverse("portal")).content.decode()
    assert "Ben O." in portal_text
    assert "Ortiz" not in portal_text
    assert f"/forms/our-site/?partner={ana.slug}" in portal_text


@pytest.mark.parametrize("slug", ["nobody-1", "\x00", "x" * 500])
def test_unknown_partner_link_shows_the_plain_form(source, slug):
    page = visitor.open_form()
    visitor.send(page, partner=slug)

    assert not Introduction.objects.exists()

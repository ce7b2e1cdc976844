"""A lender connects its Encompass through pages alone, with its own names, and gets loans back."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from rooftree.leads.models import Lead, Loan, Milestone
from rooftree.los.models import Connection, Handoff
from rooftree.management import doctor_machine_checks
from rooftree.money.models import Entry
from rooftree.outreach.models import Message
from rooftree.routing import lead_ownership
from rooftree.web.setup import setup_guide
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.usefixtures("committed")

MILESTONES = ["Started", "Kickoff Zeta", "Zeta Desk", "Money Out"]


class SetupPages:
    """An administrator's browser on the LOS pages."""

    def __init__(self, world) -> None:
        self.browser = Client()
        self.browser.force_login(make.user("administrator"))
        enc = world.simulators.encompass.instance
        self.browser.post(
            reverse("setup_los"),
            {
                "name": "Encompass", "instance": "TEBE00000001", "folder": "Prospects",
                "base_url": world.simulators.urls["enc"], "lead_id_field": "CX.ROOFTREELEADID",
                "client_id": "enc-client", "client_secret": "enc-secret",
                "user": "svc_rooftree", "password": enc.tokens.users["svc_rooftree"],
            },
        )  # fmt: skip
        self.connection = Connection.objects.get()

    def post(self, act: str, **typed: str) -> str:
        """Submit one form of the connection's page; return the page as it is after it."""
        answer = self.browser.post(reverse(act, args=[self.connection.pk]), typed, follow=True)
        self.connection.refresh_from_db()
        return answer.text

    def page(self) -> str:
        """Return the connection's page."""
        return self.browser.get(reverse("setup_connection", args=[self.connection.pk])).text

    def officer_form(self, address: str) -> list[tuple[str, str]]:
        """Return the fields of an officer's page with their values."""
        form = self.browser.get(address).context["form"]
        return [(bound.name, bound.value()) for bound in form]

    def map_status(self, status: str, code: str) -> str:
        """Choose the milestone of one status and save the table as the browser would send it."""
        table = self.page().partition('id="milestones"')[2].partition("</table>")[0]
        typed = {}
        for row in re.findall(r"<tr role=\"row\">.*?</tr>", table, re.DOTALL)[1:]:
            name = re.search(r'rowheader">(.*?)<', row)[1]
            key = re.search(r'<select name="([^"]+)"', row)[1]
            chosen = re.search(r'value="([^"]*)" selected', row)
            typed[key] = code if name == status else (chosen[1] if chosen else "")
        return self.post("map_milestones", **typed)


@pytest.fixture
def dana(world):
    return make.officer("Dana Whitfield", licensed=("FL",), text_number="")


@pytest.fixture
def pages(world, dana):
    world.say(
        "enc/seed",
        {
            "milestones": MILESTONES,
            "users": {"dwhit": "x", "gkim": "x"},
            "nmls_ids": {"dwhit": dana.nmls_id},
            "custom_fields": ["CX.LEADSRC", "CX.ORIGFEE", "CX.SRP"],
        },
    )
    return SetupPages(world)


def test_connection_is_proved_against_the_los_before_it_counts_as_done(
    world, dana, pages, monkeypatch
):
    monkeypatch.setattr("rooftree.settings.IS_DEMO", False)
    grace = make.officer("Grace Kim", licensed=("FL",), text_number="")
    assert "The connection works" in pages.post("check_connection")
    assert pages.connection.tested_at

    world.say("enc/switches", {"insecure_ok": False})
    page = pages.post("subscribe_to_changes")
    assert "endpoint must be https" in page
    assert pages.connection.subscribed_at is None
    assert "endpoint must be https" in pages.connection.subscription_problem
    world.say("enc/switches", {"insecure_ok": True})
    pages.post("subscribe_to_changes")
    assert (pages.connection.subscribed_at is not None, pages.connection.subscription_problem) == (
        True, "",
    )  # fmt: skip

    page = pages.post("run_go_live_check")
    for problem in (
        "Kickoff Zeta: unmapped",
        "Dana Whitfield: no user name",
        "Grace Kim: no user name",
    ):
        assert problem in page
    assert pages.connection.check_report["ok"] is False

    assert "4 milestones read from Encompass" in pages.post("read_milestone_names")
    for status, code in zip(MILESTONES[1:], ("processing", "none", "funded"), strict=True):
        pages.map_status(status, code)
    assert pages.connection.milestone_map == {
        "Kickoff Zeta": "processing", "Zeta Desk": None, "Money Out": "funded",
    }  # fmt: skip
    assert "Another officer has this user name" in pages.post(
        "set_officer_logins", **{dana.nmls_id: "dwhit", grace.nmls_id: "dwhit"}
    )
    pages.post("set_officer_logins", **{dana.nmls_id: "dwhit", grace.nmls_id: "nobody"})
    pages.post("set_lender_fields", source="cx.leadsrc", revenue_fields="CX.ORIGFEE\nCX.NOSUCH")
    page = pages.post("run_go_live_check")
    assert "no custom field CX.NOSUCH" in page
    assert "Grace Kim: the LOS has no user nobody" in page

    officer_page = reverse("setup_officer", args=[grace.user_id])
    typed = {name: value for name, value in pages.officer_form(officer_page) if value}
    pages.browser.post(officer_page, typed | {"login-tebe00000001": "gkim"})
    pages.post("set_lender_fields", source="cx.leadsrc", revenue_fields="CX.ORIGFEE\nCX.SRP")
    assert "The go-live check passed" in pages.post("run_go_live_check")
    assert pages.connection.check_report["ok"]
    pages.post("enable_connection")
    assert doctor_machine_checks.check_los().is_ok
    groups = setup_guide.build_groups(make.NOON.date(), make.NOON)
    guide = {step.name: step for group in groups for step in group.steps}
    assert guide[setup_guide.LOS_STEP].is_done

    pages.map_status("Zeta Desk", "submitted_to_underwriting")  # not checked since
    assert "hasn't passed" in doctor_machine_checks.check_los().text
    assert "Settings changed since" in pages.page()


def test_loan_comes_back_under_the_lenders_own_names(world, dana, pages):
    pages.post("check_connection")
    pages.post("subscribe_to_changes")
    pages.post("store_milestone_names", names="\n".join(MILESTONES))
    pages.map_status("Kickoff Zeta", "processing")
    pages.map_status("Money Out", "funded")
    pages.post("set_officer_logins", **{dana.nmls_id: "dwhit"})
    pages.post("set_lender_fields", source="CX.LEADSRC", revenue_fields="CX.ORIGFEE\nCX.SRP")
    pages.post("enable_connection")

    lead = hand_off_lead(world, dana)
    in_los = world.simulators.encompass.state()["loans"][0]
    assert in_los["lo_id"] == "dwhit"
    assert in_los["applications"][0]["borrower"]["homePhoneNumber"] == "813-555-0142"
    assert {"id": "CX.LEADSRC", "fieldName": "CX.LEADSRC", "stringValue": "zillow"} in (
        in_los["customFields"]
    )

    loan = Loan.objects.get()
    finish_milestone(world, loan, "Kickoff Zeta", 10)
    assert Milestone.objects.get(code="processing", is_inferred=False).los_label == "Kickoff Zeta"

    finish_milestone(world, loan, "Zeta Desk", 20)
    finish_milestone(world, loan, "Clear to Close", 21)
    assert loan.unmapped_statuses == ["Zeta Desk"]
    news = Message.objects.filter(
        lead=lead, idempotency_key__startswith="milestone:", medium="email"
    )
    assert news.get().state == "review"
    assert "Messages paused for" in pages.page()
    assert "1 loan paused" in pages.browser.get(reverse("setup_los")).text
    lead_page = reverse("lead", args=[lead.pk])
    assert "Automatic messages are paused." in pages.browser.get(lead_page).text

    pages.map_status("Zeta Desk", "conditional_approval")
    world.run(30)
    loan.refresh_from_db()
    assert loan.unmapped_statuses == []
    assert news.get().state == "sent"
    assert "Automatic messages are paused." not in pages.browser.get(lead_page).text

    finish_milestone(world, loan, "Money Out", 40)
    assert (loan.milestone, loan.revenue_cents) == ("funded", None)
    for minutes, fee in ((50, "5000"), (60, "4500.25"), (70, "4600")):
        field = {"field": "CX.ORIGFEE", "value": fee, "by": "web"}
        world.say(f"enc/loans/{loan.los_loan_id}/field", field)
        run_updates(world, minutes)
    entries = Entry.objects.filter(loan=loan).order_by("booked_at")
    assert [(entry.kind, entry.amount_cents) for entry in entries] == [
        ("revenue", 5000_00), ("reversal", 499_75), ("revenue", 99_75),
    ]  # fmt: skip


def hand_off_lead(world, dana) -> Lead:
    """Deliver a lead with a phone of unknown type to Dana, who hands it off on its page."""
    lead = journey.deliver(journey.create_zillow(), journey.zillow_contact())
    if lead.officer is None:
        lead_ownership.give_lead(lead_id=lead.pk, officer_id=dana.pk, by=None, at=make.NOON)
    officer = Client()
    officer.force_login(dana.user)
    officer.post(reverse("handoff", args=[lead.pk]))
    world.run(2)
    assert Handoff.objects.get().state == "created"
    return lead


def finish_milestone(world, loan: Loan, status: str, minutes: float) -> None:
    """Let staff reach a status in Encompass, and process its webhook."""
    world.say(f"enc/loans/{loan.los_loan_id}/status", {"status": status})
    run_updates(world, minutes)
    loan.refresh_from_db()


def run_updates(world, minutes: float) -> None:
    world.pass_time("PT2M")
    world.run(minutes)

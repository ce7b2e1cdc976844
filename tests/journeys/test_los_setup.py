"""Journey of an administrator who connects the LOS and maps a status that paused a loan."""

from django.urls import reverse
from playwright.sync_api import expect

from rooftree.leads.models import Loan
from rooftree.los.models import Connection, Handoff
from rooftree_simulators.simulated_clock import SimulatedClock
from rooftree_simulators.start_simulators import start_simulators
from tests import make
from tests.web.browser.conftest import check_page, open_as


def test_administrator_connects_the_los_and_maps_a_status(chromium, front, people, noon):
    with start_simulators(clock=SimulatedClock(at=noon, speed=0)) as simulators:
        make.user("administrator")
        page = open_as(chromium, front, "Administrator")
        page.goto(reverse("setup_los"))
        check_page(page, "LOS setup without a connection")
        enc = simulators.encompass.instance
        enc.milestone_names = ["Started", "Processing", "Zeta Desk"]
        for label, typed in (
            ("Instance", "TEBE00000001"), ("API address", simulators.urls["enc"]),
            ("Loan folder", "Prospects"), ("API client ID", "enc-client"),
            ("API client secret", "enc-secret"), ("API user", "svc_rooftree"),
            ("Password", enc.tokens.users["svc_rooftree"]),
        ):  # fmt: skip
            page.get_by_label(label).fill(typed)
        page.get_by_role("button", name="Save and continue").tap()
        page.get_by_role("button", name="Test connection").tap()
        expect(page.get_by_text("Worked")).to_be_visible()
        connection = Connection.objects.get()
        page.get_by_role("button", name="Read from Encompass").tap()
        expect(page.get_by_text("1 not mapped")).to_be_visible()
        loan = Loan.objects.create(
            lead=people.ben, los="encompass", instance="TEBE00000001", los_loan_id="L-1",
            unmapped_statuses=["Zeta Desk"], created_at=noon,
        )  # fmt: skip
        Handoff.objects.create(
            lead=people.ben, connection=connection, state="created", loan=loan, requested_at=noon
        )
        page.get_by_role("button", name="Run check").tap()
        expect(page.get_by_text("Zeta Desk: unmapped")).to_be_visible()
        check_page(page, "LOS connection with problems")

        page.get_by_role("link", name="Dana Whitfield").tap()
        page.get_by_label("User name in Encompass").fill("lofficer")
        check_page(page, "loan officer with a user name in the LOS")
        page.get_by_role("button", name="Save", exact=True).tap()
        expect(page.get_by_text("Dana Whitfield saved")).to_be_visible()
        page.goto(reverse("lead", args=[people.ben.pk]))
        expect(page.get_by_text("Automatic messages are paused.")).to_be_visible()
        check_page(page, "lead whose messages are paused by the LOS")
        page.get_by_role("link", name="Map it").tap()
        page.get_by_label("Meaning of Zeta Desk").select_option("conditional_approval")
        page.get_by_role("button", name="Save milestones").tap()
        expect(page.get_by_text("All mapped")).to_be_visible()

    connection.refresh_from_db()
    assert connection.officer_users == {people.dana.nmls_id: "lofficer"}
    assert connection.milestone_map == {"Zeta Desk": "conditional_approval"}

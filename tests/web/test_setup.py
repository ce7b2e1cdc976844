"""Setup: the guide, the company and its branches, people and licenses, sources."""

import json
from io import BytesIO

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rooftree.compliance.do_not_call.load_list import ListUpload, load_file
from rooftree.leads.models import Source
from rooftree.ledger.models import Event
from rooftree.money.company_day import company_day
from rooftree.org.models import Branch, Company, CompanyLicense, License, LoanOfficer, User
from tests import make

COMPANY = {
    "legal_name": "New Lender, LLC",
    "brand": "New Lender",
    "kind": "nonbank",
    "nmls_id": "12345",
    "postal_address": "1 Main Street, Tampa, FL 33602",
    "phone": "813 555 0100",
    "zone": "America/Chicago",
    "brand_registered": "on",
    "direct_lending": "on",
    "company_kind": "direct_lender",
    "carrier_policy": "any_lender",
    "telemarketer_states": "fl, tx",
}


@pytest.fixture
def admin(db):
    return make.user("administrator", name="Sam Ortiz")


@pytest.fixture
def browser(admin, signed_in):
    return signed_in(admin)


def kinds():
    return list(Event.objects.order_by("id").values_list("kind", flat=True))


def test_empty_installation_shows_the_first_setup_step(browser):
    page = browser.get("/setup/").text

    assert "Go live: 18 steps left" in page
    assert "Enter company details" in page
    assert "1 of 24 verified" in page


def test_setup_guide_checks_off_completed_steps(cast, browser):
    page = browser.get("/setup/").text

    assert "Lindenfield Mortgage, LLC, NMLS 1204417, nonbank" in page
    assert "1 region" in page or "2 branches" in page
    assert "7 of 24 verified" in page
    assert "Go live: 12 steps left" in page
    assert "Missing: the national registry, Florida, Texas" in page
    assert "Needs current do-not-call lists" in page


def test_lists_and_registration_of_its_states_are_two_steps_fewer(cast, browser):
    today = company_day(timezone.now())
    for registry in ("US", "FL", "TX"):
        upload = ListUpload(
            registry=registry, name="list.txt", dated=today, file=BytesIO(b"813,5550101\n")
        )
        load_file(upload, by=None, at=timezone.now())
    Company.objects.update(telemarketer_states=["FL", "TX"])

    page = browser.get("/setup/").text

    assert "All lists that your states need are current" in page
    assert "Go live: 10 steps left" in page  # twelve, before the lists and the registration


def test_setup_guide_names_the_states_without_telemarketer_registration(cast, browser):
    Company.objects.update(telemarketer_states=["TX"])

    page = browser.get("/setup/").text

    assert "Register, or keep an exemption memo on file, in FL" in page


def test_naming_the_company_creates_and_logs_it(browser, admin):
    assert (
        'href="https://www.nmlsconsumeraccess.org/"' in browser.get(reverse("setup_company")).text
    )
    answer = browser.post(reverse("setup_company"), COMPANY | {"alarm_user_id": str(admin.pk)})

    company = Company.objects.get()
    page = browser.get(reverse("setup_company")).text
    assert f"nmlsconsumeraccess.org/EntityDetails.aspx/COMPANY/{company.nmls_id}" in page
    assert reverse("setup_licenses_file") in page
    assert answer.status_code == 303
    assert (company.legal_name, company.phone) == ("New Lender, LLC", "+18135550100")
    assert company.telemarketer_states == ["FL", "TX"]
    assert company.texting["attributes"] == ["direct_lending"]
    assert company.alarm_user == admin
    assert "org.company.named" in kinds()


def test_invalid_company_detail_is_reported_at_its_field(browser):
    answer = browser.post(reverse("setup_company"), COMPANY | {"nmls_id": "12-34"})

    assert answer.status_code == 422
    assert "An NMLS ID is a number." in answer.text
    assert 'value="12-34"' in answer.text
    assert not Company.objects.exists()


def test_changed_company_detail_is_the_only_one_logged(browser):
    browser.post(reverse("setup_company"), COMPANY)
    browser.post(reverse("setup_company"), COMPANY | {"brand": "Newer"})

    assert Company.objects.get().brand == "Newer"
    assert Event.objects.get(kind="org.company.changed").data["changed"] == ["brand"]


def test_branch_moves_with_its_children_and_never_below_itself(cast, browser):
    team = make.branch("Night team", parent=cast.tampa, kind="team")
    north = make.branch("North", kind="region")
    typed = {"name": "Tampa", "kind": "branch", "zone": "America/New_York"}

    loop = browser.post(
        reverse("setup_branch", args=[cast.tampa.pk]), typed | {"parent": str(team.pk)}
    )
    assert loop.status_code == 422

    browser.post(reverse("setup_branch", args=[cast.tampa.pk]), typed | {"parent": str(north.pk)})
    team.refresh_from_db()
    assert team.path == f"/{north.pk}/{cast.tampa.pk}/{team.pk}/"
    assert "org.branch.changed" in kinds()


def test_new_branch_has_the_chosen_parent(cast, browser):
    browser.post(
        reverse("setup_branches"),
        {"name": "Miami", "kind": "branch", "zone": "America/New_York", "parent": cast.region.pk},
    )

    assert Branch.objects.get(name="Miami").path.startswith(cast.region.path)


def test_new_user_sets_a_password_with_a_link_shown_once(cast, browser):
    page = browser.post(
        reverse("setup_people"),
        {"name": "Ana Diaz", "email": "Ana@Lindenfield.example", "role": "manager",
         "branch": str(cast.tampa.pk)},
    )  # fmt: skip
    ana = User.objects.get(email="ana@lindenfield.example")
    link = page.context["link"]
    assert link in page.text
    assert not ana.has_usable_password()
    assert link not in browser.get(reverse("setup_person", args=[ana.pk])).text

    visitor = Client()
    path = link.partition("//")[2].partition("/")[2]
    door = visitor.get(f"/{path}", follow=True)
    assert "Welcome, Ana Diaz" in door.text
    weak = visitor.post(door.request["PATH_INFO"], {"new_password1": "a", "new_password2": "a"})
    assert "too short" in weak.text
    chosen = "five yellow kites on a line"
    visitor.post(door.request["PATH_INFO"], {"new_password1": chosen, "new_password2": chosen})

    assert Client().login(username="ana@lindenfield.example", password=chosen)
    assert "no longer works" in Client().get(f"/{path}", follow=True).text
    assert kinds().count("org.user.password_set") == 1
    assert mail.outbox == []


def test_two_users_cannot_share_an_email_address(cast, browser):
    answer = browser.post(
        reverse("setup_people"), {"name": "Other", "email": cast.ruth.email, "role": "marketing"}
    )

    assert answer.status_code == 422
    assert "A user with this email address already exists." in answer.text


def test_user_becomes_a_loan_officer_with_hours_caps_and_languages(cast, browser):
    nora = make.user("officer", name="Nora", branch=cast.tampa)
    url = reverse("setup_officer", args=[nora.pk])
    typed = {
        "nmls_id": "998877", "phone": "(813) 555-0177", "languages": ["en", "es"],
        "products": ["fha"], "zone": "America/New_York", "daily_cap": "5", "open_cap": "30",
        "mon_from": "09:00", "mon_until": "17:00", "backup": str(cast.dana.pk),
    }  # fmt: skip

    wrong = browser.post(url, typed | {"mon_until": "08:00"})
    assert wrong.status_code == 422
    assert "an opening time and a later closing time for Monday" in wrong.text
    browser.post(url, typed)

    officer = LoanOfficer.objects.get(user=nora)
    assert (officer.nmls_id, officer.phone, officer.daily_cap) == ("998877", "+18135550177", 5)
    assert officer.hours == {"mon": ["09:00", "17:00"]}
    assert officer.backup == cast.dana

    browser.post(url, typed | {"daily_cap": "7"})
    officer.refresh_from_db()
    assert officer.daily_cap == 7
    assert Event.objects.get(kind="org.officer.changed").data["changed"] == ["daily_cap"]


def test_assistant_is_assigned_to_officers(cast, browser):
    helper = make.assistant(cast.dana, name="Lee")
    typed = {"name": "Lee", "role": "assistant", "branch": str(cast.tampa.pk)}

    browser.post(reverse("setup_person", args=[helper.pk]), typed | {"assists": [str(cast.sam.pk)]})

    assert [assist.officer for assist in helper.assists.all()] == [cast.sam]
    assert "org.assistant.assigned" in kinds()


def test_administrator_adds_roles_and_becomes_a_loan_officer_in_a_branch(cast, browser, admin):
    page, url = reverse("setup_person", args=[admin.pk]), reverse("setup_officer", args=[admin.pk])
    typed = {"name": "Sam Ortiz", "role": "administrator", "more_roles": ["manager", "compliance"]}

    refused = browser.post(page, typed)
    assert refused.status_code == 422
    assert "Compliance can’t be combined with branch manager" in refused.text
    browser.post(page, typed | {"more_roles": ["manager", "officer", "administrator"]})
    browser.force_login(admin)  # another role ends all sessions
    number = {"nmls_id": "998877", "phone": "(813) 555-0177", "languages": ["en"],
              "zone": "America/New_York", "daily_cap": "5", "open_cap": "30"}  # fmt: skip
    assert "needs a branch" in browser.post(url, number).text
    browser.post(url, number | {"branch": str(cast.tampa.pk)})

    admin.refresh_from_db()
    assert (admin.roles, admin.branch) == (["administrator", "manager", "officer"], None)
    assert LoanOfficer.objects.get(user=admin).branch == cast.tampa
    assert "Administrator, branch manager, loan officer" in browser.get(page).text
    managers = browser.get(reverse("setup_people"), {"role": "manager"}).text
    assert "Sam Ortiz" in managers
    assert cast.dana.user.email not in managers
    assert reverse("setup_person", args=[cast.dana.user_id]) not in managers


def test_last_administrator_cannot_be_removed(admin, browser):
    answer = browser.post(
        reverse("setup_person", args=[admin.pk]), {"name": "New name", "role": "marketing"}
    )

    admin.refresh_from_db()
    assert answer.status_code == 422
    assert "There must be at least one administrator" in answer.text
    assert (admin.roles, admin.name) == (["administrator"], "Sam Ortiz")


def test_deactivated_user_cannot_sign_in_and_their_leads_are_unassigned(cast, browser):
    lead = make.lead(officer=cast.dana)

    browser.post(reverse("setup_departure", args=[cast.dana.user.pk]))

    lead.refresh_from_db()
    assert lead.officer is None
    assert not User.objects.get(pk=cast.dana.user.pk).is_active


def test_departure_page_previews_who_gets_the_leads(cast, browser):
    kofi = make.officer("Kofi Mensah", licensed=("FL",), branch=cast.tampa)
    LoanOfficer.objects.filter(pk=cast.dana.pk).update(backup=kofi)
    lead = make.lead(officer=cast.dana, state="nurture", property_state="FL")
    address = reverse("setup_departure", args=[cast.dana.user.pk])

    page = browser.get(address).text
    browser.post(address, {"successor": str(kofi.pk)})

    lead.refresh_from_db()
    assert "Deactivate and reassign 1 lead" in " ".join(page.split())
    assert f'<option value="{kofi.pk}" selected' in page  # the backup
    assert lead.officer == kofi


def test_license_is_added_with_its_last_day(cast, browser):
    typed = {"officer": str(cast.sam.pk), "state": "FL", "number": "FL-9",
             "from_date": "2026-01-01", "last_date": "2026-12-31"}  # fmt: skip

    browser.post(reverse("setup_licenses"), typed)
    repeated = browser.post(reverse("setup_licenses"), typed)

    license_row = License.objects.get(officer=cast.sam, state="FL")
    assert license_row.until_date.isoformat() == "2027-01-01"
    assert repeated.status_code == 422
    assert "There is already a license in FL for these dates" in repeated.text


def test_company_license_is_added_and_ended(cast, browser):
    browser.post(
        reverse("setup_licenses"),
        {"officer": "", "state": "NV", "number": "NV-1", "from_date": "2026-01-01"},
    )
    license_row = CompanyLicense.objects.get(state="NV")
    browser.post(
        reverse("setup_company_license", args=[license_row.pk]),
        {"number": "NV-1", "from_date": "2026-01-01", "last_date": "2026-06-30"},
    )

    license_row.refresh_from_db()
    assert license_row.until_date.isoformat() == "2026-07-01"
    assert {"org.company_license.added", "org.company_license.changed"} <= set(kinds())


def test_ending_a_license_unassigns_its_leads(cast, browser):
    lead = make.lead(officer=cast.dana)
    license_row = License.objects.get(officer=cast.dana, state="FL")

    browser.post(
        reverse("setup_license", args=[license_row.pk]),
        {"number": license_row.number, "status": "Expired", "from_date": "2020-01-01"},
    )

    lead.refresh_from_db()
    assert lead.officer is None


@pytest.mark.parametrize("last_day", ["", "2026-05-01"])
def test_temporary_authority_needs_a_last_day_within_120_days(cast, browser, last_day):
    license_row = License.objects.get(officer=cast.dana, state="FL")
    typed = {"number": "TA-1", "status": "Temporary Authority", "from_date": "2026-01-01"}
    address = reverse("setup_license", args=[license_row.pk])

    refused = browser.post(address, {**typed, "last_date": last_day})
    assert refused.status_code == 422
    assert "Its last day must be Apr 30, 2026 or earlier" in refused.text
    browser.post(address, {**typed, "last_date": "2026-04-30"})
    license_row.refresh_from_db()
    assert (license_row.status, license_row.until_date.isoformat()) == (
        "Temporary Authority",
        "2026-05-01",
    )


def test_new_source_shows_its_address_once_and_accepts_leads_there(cast, browser):
    page = browser.post(
        reverse("setup_sources"),
        {"adapter": "lendingtree", "name": "LendingTree refi", "zone": "America/New_York",
         "cost_cents": "42.50", "expected_gap": "12"},
    )  # fmt: skip

    source = Source.objects.get(slug="lendingtree-refi")
    address = page.context["address"]
    assert address.endswith(source.token) and address in page.text
    assert source.cost_cents == 42_50
    assert source.token not in browser.get(reverse("setup_source", args=[source.pk])).text
    path = "/" + address.partition("//")[2].partition("/")[2]
    assert Client().post(path, b"<x", content_type="text/xml").status_code != 401

    renewed = browser.post(reverse("setup_source_secrets", args=[source.pk]))
    assert renewed.context["address"] != address
    assert Client().post(path, b"<x", content_type="text/xml").status_code == 401
    assert "capture.source.secrets_renewed" in kinds()


def test_form_source_names_its_website(cast, browser):
    typed = {"adapter": "website_form", "name": "Our site", "zone": "America/New_York"}

    nowhere = browser.post(reverse("setup_sources"), typed)
    assert "Enter the form&#x27;s website" in nowhere.text
    label = nowhere.text.partition('<label for="allowed_origins">')[2].partition("</label>")[0]
    assert label.strip() == "Websites with the form"
    wrong = browser.post(reverse("setup_sources"), typed | {"allowed_origins": "our site"})
    assert "our site is not a website address" in wrong.text
    page = browser.post(
        reverse("setup_sources"), typed | {"allowed_origins": "https://www.example.com/contact"}
    )

    source = Source.objects.get(slug="our-site")
    assert source.allowed_origins == ["https://www.example.com"]
    assert source.secret in page.text


def test_paused_source_accepts_no_leads(cast, browser):
    browser.post(reverse("setup_source_pause", args=[cast.zillow.pk]), {"to": "off"})
    cast.zillow.refresh_from_db()
    assert cast.zillow.paused_at is not None

    browser.post(reverse("setup_source_pause", args=[cast.zillow.pk]), {"to": "on"})
    cast.zillow.refresh_from_db()
    assert cast.zillow.paused_at is None


def test_failed_job_is_listed_and_can_be_retried(browser):
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into oban_jobs (state, queue, worker, args, errors, attempt, max_attempts, "
            "discarded_at) values ('discarded', 'soon', 'w', %s, %s, 3, 3, now()) returning id",
            [
                json.dumps(
                    {"task": "rooftree.flow.lead_arrival.assign_lead", "kwargs": {"lead_id": "7"}}
                ),
                json.dumps([{"error": "Twilio did not answer."}]),
            ],
        )
        (job,) = cursor.fetchone()

    page = browser.get(reverse("dead_letters")).text
    assert "Assign lead" in page
    assert "Twilio did not answer." in page

    browser.post(reverse("dead_letter_retry", args=[job]))
    assert "No failed jobs" in browser.get(reverse("dead_letters")).text


def test_nmls_file_is_previewed_before_it_is_imported(cast, signed_in):
    browser = signed_in(cast.omar)
    license_row = License.objects.filter(officer=cast.dana).first()
    row = (
        f"{cast.dana.nmls_id},{license_row.state},{license_row.number},"
        "Approved - Inactive,01/01/2020,"
    )
    body = f"NMLS ID,State,License Number,Status,Original Issue Date,Expires\n{row}".encode()

    def submit(act):
        file = SimpleUploadedFile("nmls.csv", body)
        return browser.post(reverse("setup_licenses_file"), {"file": file, "act": act})

    assert "status Approved → Approved - Inactive" in submit("look").text
    license_row.refresh_from_db()
    assert license_row.status == "Approved"
    assert submit("take").status_code == 303
    license_row.refresh_from_db()
    assert license_row.status == "Approved - Inactive"
    assert "Choose a file." in browser.post(reverse("setup_licenses_file")).text

"""Access to every address of the site: by each role, signed out, and from another branch.

The site must answer exactly as the access table says. An address
that is not in the table fails: add each new page to it with its roles.
"""

from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from rooftree.capture.identity import merge_people
from rooftree.capture.imports import import_staging
from rooftree.capture.parsing import field_map
from rooftree.capture.partners import agreements, partner_accounts
from rooftree.capture.source_setup import publish_field_map
from rooftree.compliance.consent import store_revocation
from rooftree.compliance.credit import credit_clocks
from rooftree.compliance.fair_lending import officer_pay_plans
from rooftree.compliance.models import Finding
from rooftree.compliance.rule_changes import change_approval
from rooftree.leads import lead_tasks
from rooftree.leads.models import (
    Introduction,
    Partner,
    Person,
    PossibleDuplicate,
    UndoableAct,
)
from rooftree.los.models import Connection
from rooftree.money import return_claims, vendor_contracts
from rooftree.money.models import Claim, Entry, VendorInvoice
from rooftree.money.return_grounds import ReturnGround, ReturnReason
from rooftree.nurture import sequence_enrollment
from rooftree.nurture.models import Sequence
from rooftree.org import api_keys
from rooftree.org.models import ROLES, License, ShadowPeriod, StaffNotice, User
from rooftree.outreach.messages import contact_permissions
from rooftree.outreach.models import Message, Template, UnmatchedText
from rooftree.outreach.releases import release_drafts as releases
from rooftree.outreach.wording import message_templates
from rooftree.outreach.wording.models import Snippet
from rooftree.rates.models import RateWatch
from rooftree.reporting.controls import security_incidents
from rooftree.reporting.models import ExportRequest, FairLendingReport, Incident, StatusFile
from rooftree.retention import legal_holds, privacy_requests
from rooftree.retention.models import Purge
from rooftree.routing import assign_leads, call_hours, rule_sets, time_off
from rooftree.routing.models import Offer, RoutingDecision
from rooftree.routing.permissions import leads_visible_to
from rooftree.routing.routing_rules import Rule
from tests import make
from tests.capture import form_version
from tests.cast import gather as the_cast
from tests.web.access_table import ANSWERED, BRANCH_BOUND, ROLE_LETTERS, TABLE, AccessRow

STAFF_ROUTES = [route for route, line in TABLE.items() if not line.public]
PUBLIC_ROUTES = [route for route, line in TABLE.items() if line.public]


def routes() -> Iterator[tuple[str, URLPattern]]:
    """Yield every address of the site with its full pattern."""
    todo = [("", url_pattern) for url_pattern in get_resolver().url_patterns]
    while todo:
        before, resolver = todo.pop()
        route = f"{before}{resolver.pattern}"
        if isinstance(resolver, URLPattern):
            yield route, resolver
        else:
            todo += [(route, inner) for inner in resolver.url_patterns]


@pytest.fixture(scope="module")
def shared_world(django_db_setup, django_db_blocker):
    """The test world, built once; each test's changes end with its own savepoint."""
    with django_db_blocker.unblock(), transaction.atomic():
        world = build_world(the_cast())
        world.browsers = {letter: signed_in_as(user) for letter, user in visitors(world).items()}
        User.objects.update(overrides_limits_from=make.NOON)  # a grant alone gives no role access
        yield world
        transaction.set_rollback(True)


@pytest.fixture
def world(shared_world, db):
    return shared_world


def signed_in_as(user):
    browser = Client()
    browser.force_login(user)
    return browser


def build_world(cast):
    """Build the world: Dana has Ben's lead; everything that an address can name exists once."""
    rule_sets.publish_rules([Rule(name="Everyone")], by=None, at=make.NOON)
    assign_leads.assign_to_best_officer(lead_id=cast.ben.pk, at=make.NOON)
    offer = Offer.objects.get(lead=cast.ben)
    owned = make.lead(officer=cast.dana)
    task = lead_tasks.add_task(
        lead_id=owned.pk, user_id=None, title="Call", due_at=make.NOON, at=make.NOON
    )
    hour = lead_tasks.add_or_update_task(
        lead_tasks.SystemTask(kind=call_hours.TASK_KIND, title="Approve", due_at=make.NOON),
        lead_id=owned.pk, at=make.NOON,
    )  # fmt: skip
    days_off = time_off.add_time_off(
        officer_id=cast.dana.pk, first=make.NOON.date(), last=make.NOON.date(), note="",
        by=cast.omar, at=make.NOON,
    )  # fmt: skip
    touch = make.touch(owned)
    hold = store_revocation.store_revocation(
        person_id=None, address="+15125550111", kind="review", media=["text"],
        origin="message:1", idempotency_key="text:1", at=make.NOON,
    )  # fmt: skip
    lost = security_incidents.open_incident(
        Incident(
            description="A laptop", discovered_on=make.NOON.date(), consumers=3, is_encrypted=True,
            was_key_exposed=False,
        ),
        by=cast.omar, at=make.NOON,
    )  # fmt: skip
    connected = Connection.objects.create(
        los="encompass", name="Encompass", slug="enc", base_url="http://localhost", instance="BE1"
    )
    form = make.source("website_form", slug="our-form")
    make.license_of(cast.sam, "FL")
    posts, books = make.source("generic"), make.source("csv_import")
    lines = [field_map.MapLine(field=name, path=name) for name in ("name", "phone")]
    publish_field_map.publish_field_map(lines, source_id=posts.pk, by=cast.omar, at=make.NOON)
    sheet, _ = import_staging.store_upload(
        source_id=books.pk, name="a.csv", body=b"Name\nAna", by=cast.omar, at=make.NOON
    )
    notice = StaffNotice.objects.create(
        user=make.user("marketing"), idempotency_key="test", kind="test", text="Hello", at=make.NOON
    )
    merged = merge_people.merge_people(
        survivor_id=owned.person_id,
        duplicate_id=make.person().pk,
        reason="said",
        by=None,
        at=make.NOON,
    )
    alike = PossibleDuplicate.objects.create(
        older=owned.person, newer=make.person(), speaks_for="same phone", found_at=make.NOON
    )
    decision = RoutingDecision.objects.get(lead=cast.ben)
    key, _ = api_keys.create_api_key(
        name="Site", user=cast.omar, scopes=["leads:read"], lasts=make.DAY, by=cast.omar,
        at=make.NOON,
    )  # fmt: skip
    message_templates.ensure_default_templates(at=make.NOON)
    sequence_enrollment.ensure_first_sequence(at=make.NOON)
    seller = make.source("ping_post", name="An auction", slug="auction")
    judged = contact_permissions.decide_call(lead_id=owned.pk, cause="test:1", at=make.NOON)
    claim = sent_claim(touch, by=cast.omar)
    ana = make.partner()
    introduction = Introduction.objects.create(
        partner=ana, delivery=touch.delivery, name="Ida Berg", at=make.NOON
    )
    typed = {
        "direction": "received", "what": "A desk", "why": "A talk", "fair_value_cents": 4000,
    }  # fmt: skip
    gift = partner_accounts.record_thing_of_value(
        partner_id=ana.pk, typed={**typed, "on_date": make.NOON.date()}, by=cast.omar, at=make.NOON
    )
    keeping = retention_records(owned, by=cast.omar)
    agreed = agreements.enter_agreement(typed=agreement_with(ana), by=cast.omar, at=make.NOON)
    plan = officer_pay_plans.propose_plan(typed=plan_of(cast.dana), by=cast.omar, at=make.NOON)
    FairLendingReport.objects.create(
        month=date(2026, 10, 1), measure="worked", groups={}, at=make.NOON
    )
    finding = Finding.objects.create(
        rule="FLR-01",
        idempotency_key="test",
        sentence="A ratio.",
        link="/compliance/",
        found_at=make.NOON,
    )
    release = releases.create_draft(kind="written", title="Hello", about={}, by=None, at=make.NOON)
    act = UndoableAct.objects.create(
        lead=owned, result="voicemail", attempt_id=owned.pk, changes=[], by=cast.dana.user,
        at=make.NOON, settles_at=make.NOON,
    )  # fmt: skip
    snippet = Snippet.objects.create(title="Hello", body="Hi", written_at=make.NOON)
    unknown_text = UnmatchedText.objects.create(
        carrier="twilio", carrier_id="SM1", from_address="+15125550155", body="Hello",
        meaning="none", at=make.NOON,
    )  # fmt: skip
    form_version.propose(form, at=make.NOON)
    things = {
        "unknown_text": unknown_text.pk,
        "act": act.pk, "snippet": snippet.pk,
        **keeping, "identity": "identity",
        "state": "FL", "rule": "caps", "trial": "trial", "change": rule_change(by=cast.omar).pk,
        "finding": finding.pk, "agreement": agreed.pk, "plan": plan.pk, "drop": "drop",
        "likeness": alike.pk, "partner": ana.pk, "introduction": introduction.pk, "thing": gift.pk,
        "touch": touch.pk, "claim": claim.pk, "return_file": claim.file_id, "note": "note",
        "long_reason": "A copy for the vendor",
        "entry": claim.entry_id,
        "report_figure": "leads",
        "file_kind": "csv",
        "invoice": VendorInvoice.objects.create(
            source=touch.source, number="7", month=make.NOON.date(), amount_cents=1,
            made_by=cast.omar, made_at=make.NOON,
        ).pk,
        "status_file": StatusFile.objects.create(
            source=touch.source, number=1, made_by=cast.omar, made_at=make.NOON
        ).pk,
        "clock": credit_clocks.start_clock(
            credit_clocks.NewClock(
                lead=owned, kind="estimate", began_on=make.NOON.date(), sentence="All six.",
                idempotency_key="test:1",
            ),
            at=make.NOON,
        ).pk,
        "watch": RateWatch.objects.create(
            lead=owned, product="30yr_fixed", target_pct=6, set_at=make.NOON
        ).pk,
        "lead": owned.pk, "message": message_in_review(owned).pk,
        "offer": offer.pk, "task": task.pk, "call_hour": hour.pk, "time_off": days_off.pk,
        "decision": decision.pk, "verdict": judged.pk,
        "hold": hold.pk, "incident": lost.pk, "key": key.pk,
        "source": cast.zillow.pk, "post_source": posts.pk,
        "seller": seller.pk,
        "mailbox": make.mailbox().pk,
        "sheet": sheet.pk, "branch": cast.tampa.pk,
        "user": cast.sam.user.pk, "license": License.objects.first().pk,
        "company_license": make.company_license("NV").pk, "connection": connected.pk,
        "delivery": touch.delivery_id, "form_slug": form.slug, "one": 1, "word": "unknown",
        "shadow_period": ShadowPeriod.objects.create(
            from_at=make.NOON - make.DAY, started_by=make.user("administrator"),
            ended_at=make.NOON - make.DAY / 2,
        ).pk,
        "form_source": form.pk,
        "setup_step": "check-licenses",
        "zillow": "zillow", "ping": "ping", "up": "up", "text": "text", "field": "city",
        "release": release.pk,
        "merge": merged.pk, "wording": Template.objects.get(**FIRST_TEXT).pk,
        "sequence": Sequence.objects.get().pk,
        **{name: name for name in ("first_hello", "any", "not_reached", "withdrawal")},
        "notice": notice.pk, "officer": cast.dana.pk, "number": "leads", "nobody": hold.pk,
    }  # fmt: skip
    return SimpleNamespace(cast=cast, things=things)


def agreement_with(partner):
    return {
        "with_whom": f"partner:{partner.pk}", "what": "Open houses", "basis": "msa_fixed_price",
        "cents": 900_00, "document": "Contract 7", "from_date": make.NOON.date(),
        "until_date": make.NOON.date(),
    }  # fmt: skip


def rule_change(*, by):
    """Propose a rule change that waits for a second person."""
    why = change_approval.ChangeGrounds(
        from_date=make.NOON.date() + make.DAY, cite="Fla. HB 761", why="It begins"
    )
    return change_approval.propose_change(
        place="FL", item="caps", value=[{"n": 2, "days": 1}], grounds=why, by=by, at=make.NOON
    )


def plan_of(officer):
    return {
        "officer": officer.pk, "basis": "flat_per_loan", "percent": None, "cents": 1_500_00,
        "least_cents": None, "most_cents": None, "bonus_pct": None, "is_paid_by_creditor": True,
        "is_paid_by_consumer": False, "from_date": make.NOON.date(),
    }  # fmt: skip


def retention_records(lead, *, by):
    """Create a waiting legal hold, privacy request, purge and export; return their ids by name."""
    hold = legal_holds.place_hold(
        legal_holds.HoldScope(person_id=lead.person_id),
        matter="Matter 1",
        why="A complaint of May",
        by=by,
        at=make.NOON,
    )
    new_request = privacy_requests.NewRequest(
        kind="access", address="+18135550142", person_id=lead.person_id, state="",
        received_via="letter", received_date=make.NOON.date(),
    )  # fmt: skip
    request = privacy_requests.receive_request(new_request, owner=by, by=by, at=make.NOON)
    purge = Purge.objects.create(
        reason="schedule", on_date=make.NOON.date(), counts={}, counted=1, rules_version="1",
        planned_at=make.NOON,
    )  # fmt: skip
    ask = ExportRequest.objects.create(
        subject="records:leads", number=50, reason="An examination",
        requested_by=make.user("manager"),
        requested_at=make.NOON,
    )  # fmt: skip
    return {"legal_hold": hold.pk, "request": request.pk, "purge": purge.pk, "ask": ask.pk}


FIRST_TEXT = {
    "key": "first_hello", "medium": "text", "language": "en", "loan_kind": "", "hours": "",
}  # fmt: skip


def message_in_review(lead):
    return Message.objects.create(
        lead=lead, person=lead.person, medium="text", purpose="marketing", idempotency_key="test:1",
        to_address="+18135550142", body="Hello", state="review", created_at=make.NOON,
    )  # fmt: skip


def sent_claim(touch, *, by):
    """Create a return claim of the touch and send it to its vendor."""
    paid = Entry.objects.create(
        kind="cost", amount_cents=65_50, on_date=make.NOON.date(), source=touch.source,
        lead=touch.lead, basis="per_lead", idempotency_key=f"touch:{touch.pk}", booked_at=make.NOON,
    )  # fmt: skip
    contract = vendor_contracts.record_contract(
        source_id=touch.source_id, from_date=make.LICENSED_FROM, by=by, at=make.NOON,
        terms=vendor_contracts.ContractTerms(
            window_days=14, warn_days=3, reasons={"out_of_area": ""}, watcher_id=by.pk
        ),
    )  # fmt: skip
    why = ReturnGround(reason=ReturnReason.OUT_OF_AREA, sentence="Out of area.")
    return_claims.draft_claim(
        return_claims.PaidArrival(touch=touch, entry=paid, left_cents=65_50),
        why,
        contract=contract,
        at=make.NOON,
    )
    return_claims.send_claims(Claim.objects.all(), source_id=touch.source_id, by=by, at=make.NOON)
    return Claim.objects.get()


def visitors(world) -> dict[str, object]:
    """Return one user per role letter; branch roles belong to Dana and Tampa."""
    cast = world.cast
    cast_users = {
        "o": cast.dana.user,
        "a": make.assistant(cast.dana),
        "m": cast.ruth,
        "c": cast.omar,
    }
    return cast_users | {
        letter: make.user(role) for letter, role in ROLE_LETTERS.items() if letter not in cast_users
    }


def request_status(browser: Client, line: AccessRow, route: str, world) -> int:
    """Return the answer's status (-1: sent to sign-in); undo its changes, in the browser too."""
    address = "/" + fill_route(route, [world.things[name] for name in line.args.split()])
    cookies = copy(browser.cookies)
    with transaction.atomic():
        data = dict(part.split("=") for part in line.data.split())
        data = {key: world.things[name] for key, name in data.items()}
        answer = browser.post(address, data) if line.post else browser.get(address)
        transaction.set_rollback(True)
    browser.cookies = cookies
    if answer.status_code == 302 and answer.url.startswith("/sign-in/?next="):
        return -1  # sent to sign-in
    return answer.status_code


def fill_route(route: str, values: list) -> str:
    """Return the pattern with its placeholders filled in order."""
    for value in values:
        start, end = route.index("<"), route.index(">")
        route = f"{route[:start]}{value}{route[end + 1 :]}"
    return route


def test_access_table_lists_exactly_the_sites_addresses():
    assert sorted(TABLE) == sorted({route for route, _ in routes()})
    assert set(ROLE_LETTERS.values()) == set(ROLES)


@pytest.mark.parametrize("letter", ROLE_LETTERS)
def test_each_role_gets_the_access_in_the_table(letter, world):
    wrong = {}
    for route in STAFF_ROUTES:
        line = TABLE[route]
        status = request_status(world.browsers[letter], line, route, world)
        expected = ANSWERED if letter in line.roles else {line.others}
        if letter in line.roles and not line.post and route:
            expected = expected & {200, 302}
        if status not in expected:
            wrong[route] = status

    assert not wrong, f"{ROLE_LETTERS[letter]} got {wrong}"


def test_signed_out_visitor_is_sent_to_sign_in(world):
    stranger = Client()

    statuses = {
        route: request_status(stranger, TABLE[route], route, world) for route in STAFF_ROUTES
    }

    assert [route for route, status in statuses.items() if status != -1] == []


def test_public_pages_do_not_require_sign_in(world):
    stranger = Client()

    statuses = {
        route: request_status(stranger, TABLE[route], route, world) for route in PUBLIC_ROUTES
    }

    assert {route: status for route, status in statuses.items() if not 0 < status < 500} == {}


@pytest.mark.parametrize("route", [route for route in TABLE if TABLE[route].of_lead])
def test_another_branchs_lead_is_not_found(route, world, signed_in):
    cast = world.cast
    strangers = [
        cast.sam.user,
        make.assistant(cast.sam),
        *(make.user(role, branch=cast.austin) for role in list(ROLES)[2:]),
    ]  # fmt: skip

    statuses = {
        user.primary_role: request_status(signed_in(user), TABLE[route], route, world)
        for user in strangers
    }

    assert statuses == dict.fromkeys(ROLES, 404)


@pytest.mark.parametrize(
    "route",
    [
        "sources/deliveries/<uuid:delivery_id>/",
        "returns/<uuid:claim_id>/",
        "returns/<uuid:claim_id>/note/",
        "returns/files/<uuid:file_id>/copies/",
    ],
)
def test_another_branchs_delivery_and_return_are_not_found(route, world, signed_in):
    stranger = make.user("operations", branch=world.cast.austin)

    assert request_status(signed_in(stranger), TABLE[route], route, world) == 404


def test_branch_bound_user_of_every_role_does_nothing_for_the_whole_company(world):
    user = make.user("operations", branch=world.cast.austin)
    roles = ["operations", "marketing", "compliance", "executive", "administrator"]
    User.objects.filter(pk=user.pk).update(roles=roles)
    browser = signed_in_as(user)
    reached: dict[str, list[str]] = {}

    for route in STAFF_ROUTES:
        line = TABLE[route]
        if line.of_lead or not set("pkced") & set(line.roles):
            continue  # leads of another branch are tried below
        for verb in ("write",) if line.post else ("read", "write"):
            tried = replace(line, post=verb == "write")
            if request_status(browser, tried, route, world) in ANSWERED - {404, 405}:
                reached.setdefault(route, []).append(verb)

    assert {route: " ".join(verbs) for route, verbs in reached.items()} == BRANCH_BOUND


def test_branch_bound_user_reads_no_borrower_of_another_branch(world):
    user = make.user("operations", branch=world.cast.austin)
    roles = ["operations", "marketing", "compliance", "executive", "administrator"]
    User.objects.filter(pk=user.pk).update(roles=roles)
    browser = signed_in_as(User.objects.get(pk=user.pk))
    assert not leads_visible_to(User.objects.get(pk=user.pk)).exists()
    people = Person.objects.filter(leads__isnull=False).prefetch_related("phones")
    marks = {person.name for person in people}
    marks |= {phone.e164[-4:] for person in people for phone in person.phones.all()}
    assert {"Ben Ortiz", "0142"} <= marks

    for route, verbs in BRANCH_BOUND.items():
        line = TABLE[route]
        if "read" in verbs:
            answer = browser.get(
                "/" + fill_route(route, [world.things[name] for name in line.args.split()])
            )
            text = answer.content.decode(errors="replace")
            assert not [mark for mark in marks if mark and mark in text], route


@pytest.mark.parametrize("role", ROLES)
def test_every_navigation_link_opens_a_page(role, world, signed_in):
    letter = next(key for key, name in ROLE_LETTERS.items() if name == role)
    browser = signed_in(visitors(world)[letter])

    page = browser.get(reverse("more"))

    links = [*page.context["own_links"], *page.context["closer_links"]]
    assert links
    for link in links:
        assert browser.get(link.href).status_code == 200, link.href


PARTNER_ROUTES = {
    "",
    "portal/",
    "portal/introductions/",
    "sign-in/again/",
}  # plus their own sign-in pages


def test_partner_can_open_only_partner_pages(world, signed_in):
    browser = signed_in(Partner.objects.get(pk=world.things["partner"]).user)
    wrong = {}

    for route in STAFF_ROUTES:
        is_partner_page = route in PARTNER_ROUTES or route.startswith("me/sign-in/")
        status = request_status(browser, TABLE[route], route, world)
        if status not in ({200, 302, 303, 404, 422} if is_partner_page else {403}):
            wrong[route] = status

    assert wrong == {}


def test_access_checks_leave_no_changes(world, signed_in):
    browser = signed_in(make.user("administrator"))
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from event")
        before = cursor.fetchone()

        request_status(browser, TABLE["setup/sources/<uuid:source_id>/secrets/"],
              "setup/sources/<uuid:source_id>/secrets/", world)  # fmt: skip

        cursor.execute("select count(*) from event")
        assert cursor.fetchone() == before

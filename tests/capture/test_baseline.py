"""A source in audit, its baseline, and what is held against it once it is launched."""

import json
from datetime import timedelta

import pytest

from rooftree.capture.intake.receive_delivery import endpoint_of
from rooftree.capture.models import Baseline, PlacedBid
from rooftree.capture.parsing.envelope import IncomingDelivery
from rooftree.capture.source_setup import baseline, manage_sources, source_health_alerts
from rooftree.capture.source_setup.manage_sources import BadSource
from rooftree.flow import lead_arrival
from rooftree.leads.models import Delivery, Phone, Source
from rooftree.ledger.models import Event
from rooftree.money import vendor_contracts
from rooftree.money.vendor_contracts import ContractTerms
from rooftree.org.models import StaffNotice
from tests import make
from tests.flow import journey
from tests.make import DAY, HOUR, MINUTE, NOON

FACTS = {
    "per_week": 40, "contactable_pct": 80, "price_cents": 4600, "exclusive": "shared",
    "contact": "Kim, 555-0100",
    "watcher_id": None,
}  # fmt: skip


@pytest.fixture
def clerk(db):
    make.company()
    return make.user("operations")


@pytest.fixture
def source(clerk):
    return make.source("leadconduit", name="LeadConduit", launched_at=None)


def agree(source, by, **changes):
    facts = {**FACTS, "watcher_id": by.pk, **changes}
    return baseline.save_baseline(source_id=source.pk, facts=facts, by=by, at=NOON)


def nothing_goes_back(source, by):
    """A contract by which nothing can be returned."""
    terms = ContractTerms(window_days=0, warn_days=0, reasons={}, watcher_id=by.pk)
    vendor_contracts.record_contract(
        source_id=source.pk, from_date=NOON.date(), terms=terms, by=by, at=NOON
    )


def kinds():
    return list(Event.objects.order_by("id").values_list("kind", flat=True))


def told(user):
    return list(StaffNotice.objects.filter(user=user).order_by("at", "id"))


def arrive(source, *moments):
    for at in moments:
        make.delivery(source, at=at, outcome="accepted", state="worked")


def look(at):
    return source_health_alerts.check_silent_sources(at=at)


def test_a_new_source_is_in_audit_and_one_filled_from_files_is_not(clerk):
    def create(adapter):
        made = manage_sources.create_source(
            adapter=adapter, name=adapter, details={}, by=clerk, at=NOON
        )
        return made.source.launched_at

    assert create("leadconduit") is None
    assert create("csv_import") == NOON


def test_a_source_in_audit_bids_nothing_and_says_so_until_it_is_launched(clerk):
    journey.ready()
    make.officer(licensed=("FL",))
    seller = make.source("ping_post", token="tok", secret="s", launched_at=None,
                         setup={"bids": {"prices": [{"cents": 4600}]}})  # fmt: skip

    def ping(nth):
        body = json.dumps({"ping_id": f"p{nth}", "state": "FL", "loan_purpose": "purchase"})
        answer = post(seller, body)
        return json.loads(answer.to_bytes())

    assert (ping(1)["bid"], ping(1)["reason"]) == (0, "not buying yet")
    agree(seller, clerk)
    nothing_goes_back(seller, clerk)
    baseline.launch_source(source_id=seller.pk, by=clerk, at=NOON)
    seller.refresh_from_db()
    assert ping(2)["bid"] == 46.0
    assert PlacedBid.objects.count() == 2


def post(seller, body):
    incoming = IncomingDelivery(
        path=f"/in/pingpost/{seller.token}/ping",
        headers={"Content-Type": "application/json", "X-Api-Key": "s"},
        body=body.encode(), received_at=NOON, endpoint=endpoint_of(seller),
    )  # fmt: skip
    return lead_arrival.accept_delivery(source=seller, incoming=incoming, at=NOON).answer


def test_in_audit_a_lead_is_captured_and_worked(source):
    site = journey.website(launched_at=None)

    journey.ready()
    lead = journey.deliver(site, journey.form_post())

    assert lead.source == site
    assert Delivery.objects.get().state == "worked"


def test_it_is_launched_when_every_part_is_given_or_waived_by_name(source, clerk):
    agree(source, clerk, contactable_pct=None)
    with pytest.raises(BadSource, match="Fill in or waive first: quality, return terms"):
        baseline.launch_source(source_id=source.pk, by=clerk, at=NOON)

    baseline.waive_part(source_id=source.pk, part="contactable_pct",
                   why="too new to say", by=clerk, at=NOON)  # fmt: skip
    nothing_goes_back(source, clerk)
    baseline.launch_source(source_id=source.pk, by=clerk, at=NOON + HOUR)
    baseline.launch_source(source_id=source.pk, by=clerk, at=NOON + DAY)

    source.refresh_from_db()
    assert source.launched_at == NOON + HOUR
    said = Baseline.objects.get().waived["contactable_pct"]
    assert (said["by"], said["why"]) == (clerk.name, "too new to say")
    assert kinds().count("capture.source.launched") == 1
    assert kinds().count("capture.source.baseline_waived") == 1


def test_nobody_named_to_hear_of_silence_is_no_launch(source, clerk):
    agree(source, clerk, watcher_id=None)
    nothing_goes_back(source, clerk)

    with pytest.raises(BadSource, match="Choose who is notified"):
        baseline.launch_source(source_id=source.pk, by=clerk, at=NOON)


@pytest.mark.parametrize(
    ("part", "why", "said"),
    [
        ("price_cents", "  ", "Enter a reason"),
        ("colour", "x", "Choose"),
        ("contact", "x", "is filled in"),
    ],
)
def test_a_waiver_needs_a_reason_and_something_to_waive(source, clerk, part, why, said):
    agree(source, clerk, price_cents=None)

    with pytest.raises(BadSource, match=said):
        baseline.waive_part(source_id=source.pk, part=part, why=why, by=clerk, at=NOON)
    assert Baseline.objects.get().waived == {}


def steady(source, until, *, every=HOUR, days=21):
    """Inquiries around the clock."""
    count = int(timedelta(days=days) / every)
    arrive(source, *[until - n * every for n in range(count)])


def test_a_silence_is_told_once_to_the_named_person_and_its_end_as_well(source, clerk):
    Source.objects.update(launched_at=NOON - 30 * DAY)
    other = make.user("operations")
    agree(source, clerk)
    steady(source, NOON)

    look(NOON + MINUTE)
    held = Baseline.objects.get()
    assert held.last_at == NOON and not held.silent_at
    assert NOON + 2 * HOUR < held.due_at < NOON + 6 * HOUR
    for later in (HOUR, held.due_at - NOON + MINUTE, 8 * HOUR, 30 * HOUR):
        look(NOON + later)

    alarm = told(clerk)
    assert [one.kind for one in alarm] == ["source_silent"]
    assert alarm[0].text.startswith("LeadConduit is silent: no leads since Mon Nov 23, 12:00 PM.")
    assert not told(other)
    arrive(source, NOON + 31 * HOUR)
    look(NOON + 31 * HOUR + MINUTE)
    look(NOON + 31 * HOUR + 3 * MINUTE)

    assert [one.kind for one in told(clerk)] == ["source_silent", "source_back"]
    assert Baseline.objects.get().silent_at is None
    assert [kind for kind in kinds() if "silent" in kind or "back" in kind] == [
        "capture.source.silent", "capture.source.back",
    ]  # fmt: skip


def test_a_second_silence_is_told_again(source, clerk):
    Source.objects.update(launched_at=NOON - 30 * DAY)
    agree(source, clerk)
    steady(source, NOON)
    look(NOON + 12 * HOUR)
    steady(source, NOON + 3 * DAY, days=2)
    look(NOON + 3 * DAY)
    look(NOON + 6 * DAY)

    assert [one.kind for one in told(clerk)] == ["source_silent", "source_back", "source_silent"]


@pytest.mark.parametrize(
    "changes",
    [{"launched_at": None}, {"paused_at": NOON}, {"is_test": True}, {"adapter": "csv_import"}],
)
def test_what_need_not_bring_anything_is_not_missed(source, clerk, changes):
    Source.objects.update(**{"launched_at": NOON - 30 * DAY, **changes})
    agree(source, clerk)
    steady(source, NOON)

    look(NOON + 30 * DAY)

    assert not told(clerk)


def test_a_launched_source_that_never_brings_anything_is_missed_by_what_was_agreed(source, clerk):
    Source.objects.update(launched_at=NOON)
    agree(source, clerk, per_week=70)

    look(NOON + 12 * HOUR)
    assert not told(clerk)
    look(NOON + 20 * HOUR)
    assert [one.kind for one in told(clerk)] == ["source_silent"]
    assert "since its launch" in told(clerk)[0].text


def test_the_hours_staff_set_count_where_they_are_sooner(source, clerk):
    Source.objects.update(launched_at=NOON - 30 * DAY, expected_gap=90 * MINUTE)
    agree(source, clerk)
    steady(source, NOON)

    look(NOON + 89 * MINUTE)
    assert not told(clerk)
    look(NOON + 91 * MINUTE)
    assert len(told(clerk)) == 1


def test_nobody_named_means_every_administrator_hears(source, clerk):
    Source.objects.update(launched_at=NOON - 30 * DAY)
    chief = make.user("administrator")
    steady(source, NOON)

    look(NOON + 12 * HOUR)

    assert [one.kind for one in told(chief)] == ["source_silent"]


def fresh(source, *, good, bad, at=NOON):
    for nth in range(good + bad):
        lead = make.lead(source=source, at=at)
        if nth < bad:
            Phone.objects.filter(person=lead.person).update(unlinked_at=at)


def test_worse_leads_than_agreed_are_told_once_and_their_end_as_well(source, clerk):
    Source.objects.update(launched_at=NOON - 30 * DAY)
    agree(source, clerk)  # 80 of 100
    fresh(source, good=18, bad=12)

    for hours in (1, 2, 3):
        source_health_alerts.check_lead_quality(at=NOON + hours * HOUR)
    (alarm,) = told(clerk)
    assert alarm.text == (
        "Lead quality of LeadConduit dropped: 60% of 30 leads in 30 days are reachable, 80% agreed."
    )
    fresh(source, good=60, bad=0)
    for hours in (4, 5):
        source_health_alerts.check_lead_quality(at=NOON + hours * HOUR)
    assert [one.kind for one in told(clerk)] == ["source_drifted", "source_steady"]


@pytest.mark.parametrize(("good", "bad"), [(24, 6), (21, 9), (5, 24)])
def test_what_chance_explains_and_too_few_leads_are_no_alarm(source, clerk, good, bad):
    Source.objects.update(launched_at=NOON - 30 * DAY)
    agree(source, clerk)
    fresh(source, good=good, bad=bad)

    source_health_alerts.check_lead_quality(at=NOON + HOUR)

    assert not told(clerk)


def test_the_clock_looks_by_itself(source, clerk):
    journey.ready()
    Source.objects.update(launched_at=NOON - 30 * DAY)
    agree(source, clerk)
    steady(source, NOON)

    journey.run(NOON + 12 * HOUR)

    assert [one.kind for one in told(clerk)] == ["source_silent"]

"""Sources in audit, their agreed baseline, and the alerts against it after launch."""

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
    """Store a contract under which no lead can be returned."""
    terms = ContractTerms(window_days=0, warn_days=0, reasons={}, watcher_id=by.pk)
    vendor_contracts.record_contract(
        source_id=source.pk, from_date=NOON.date(), terms=terms, by=by, at=NOON
    )


def kinds():
    return list(Event.objects.order_by("id").values_list("kind", flat=True))


def notices_to(user):
    return list(StaffNotice.objects.filter(user=user).order_by("at", "id"))


def arrive(source, *moments):
    for at in moments:
        make.delivery(source, at=at, outcome="accepted", state="worked")


def run_checks(at):
    return source_health_alerts.check_silent_sources(at=at)


def test_new_source_starts_in_audit_unless_filled_from_files(clerk):
    def create(adapter):
        made = manage_sources.create_source(
            adapter=adapter, name=adapter, details={}, by=clerk, at=NOON
        )
        return made.source.launched_at

    assert create("leadconduit") is None
    assert create("csv_import") == NOON


def test_source_in_audit_does_not_bid_until_launched(clerk):
    journey.set_up_company()
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


def test_lead_of_source_in_audit_is_captured_and_worked(source):
    site = journey.create_website(launched_at=None)

    journey.set_up_company()
    lead = journey.deliver(site, journey.form_post())

    assert lead.source == site
    assert Delivery.objects.get().state == "worked"


def test_source_launches_when_every_item_is_given_or_waived(source, clerk):
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
    waiver = Baseline.objects.get().waived["contactable_pct"]
    assert (waiver["by"], waiver["why"]) == (clerk.name, "too new to say")
    assert kinds().count("capture.source.launched") == 1
    assert kinds().count("capture.source.baseline_waived") == 1


def test_source_without_silence_contact_cannot_launch(source, clerk):
    agree(source, clerk, watcher_id=None)
    nothing_goes_back(source, clerk)

    with pytest.raises(BadSource, match="Choose who is notified"):
        baseline.launch_source(source_id=source.pk, by=clerk, at=NOON)


@pytest.mark.parametrize(
    ("part", "why", "message"),
    [
        ("price_cents", "  ", "Enter a reason"),
        ("color", "x", "Choose"),
        ("contact", "x", "is filled in"),
    ],
)
def test_waiver_needs_reason_and_known_item(source, clerk, part, why, message):
    agree(source, clerk, price_cents=None)

    with pytest.raises(BadSource, match=message):
        baseline.waive_part(source_id=source.pk, part=part, why=why, by=clerk, at=NOON)
    assert Baseline.objects.get().waived == {}


def deliver_steadily(source, until, *, every=HOUR, days=21):
    """Create inquiries around the clock."""
    count = int(timedelta(days=days) / every)
    arrive(source, *[until - n * every for n in range(count)])


def test_silent_source_alerts_named_user_once_and_again_at_its_end(source, clerk):
    Source.objects.update(launched_at=NOON - 30 * DAY)
    other = make.user("operations")
    agree(source, clerk)
    deliver_steadily(source, NOON)

    run_checks(NOON + MINUTE)
    stored_baseline = Baseline.objects.get()
    assert stored_baseline.last_at == NOON and not stored_baseline.silent_at
    assert NOON + 2 * HOUR < stored_baseline.due_at < NOON + 6 * HOUR
    for later in (HOUR, stored_baseline.due_at - NOON + MINUTE, 8 * HOUR, 30 * HOUR):
        run_checks(NOON + later)

    alarm = notices_to(clerk)
    assert [notice.kind for notice in alarm] == ["source_silent"]
    assert alarm[0].text.startswith("LeadConduit is silent: no leads since Mon Nov 23, 12:00 PM.")
    assert not notices_to(other)
    arrive(source, NOON + 31 * HOUR)
    run_checks(NOON + 31 * HOUR + MINUTE)
    run_checks(NOON + 31 * HOUR + 3 * MINUTE)

    assert [notice.kind for notice in notices_to(clerk)] == ["source_silent", "source_back"]
    assert Baseline.objects.get().silent_at is None
    assert [kind for kind in kinds() if "silent" in kind or "back" in kind] == [
        "capture.source.silent", "capture.source.back",
    ]  # fmt: skip


def test_second_silence_alerts_again(source, clerk):
    Source.objects.update(launched_at=NOON - 30 * DAY)
    agree(source, clerk)
    deliver_steadily(source, NOON)
    run_checks(NOON + 12 * HOUR)
    deliver_steadily(source, NOON + 3 * DAY, days=2)
    run_checks(NOON + 3 * DAY)
    run_checks(NOON + 6 * DAY)

    assert [notice.kind for notice in notices_to(clerk)] == [
        "source_silent",
        "source_back",
        "source_silent",
    ]


@pytest.mark.parametrize(
    "changes",
    [{"launched_at": None}, {"paused_at": NOON}, {"is_test": True}, {"adapter": "csv_import"}],
)
def test_source_not_expected_to_deliver_raises_no_silence_alert(source, clerk, changes):
    Source.objects.update(**{"launched_at": NOON - 30 * DAY, **changes})
    agree(source, clerk)
    deliver_steadily(source, NOON)

    run_checks(NOON + 30 * DAY)

    assert not notices_to(clerk)


def test_launched_source_that_never_delivers_alerts_by_agreed_volume(source, clerk):
    Source.objects.update(launched_at=NOON)
    agree(source, clerk, per_week=70)

    run_checks(NOON + 12 * HOUR)
    assert not notices_to(clerk)
    run_checks(NOON + 20 * HOUR)
    assert [notice.kind for notice in notices_to(clerk)] == ["source_silent"]
    assert "since its launch" in notices_to(clerk)[0].text


def test_silence_hours_set_by_staff_apply_when_sooner(source, clerk):
    Source.objects.update(launched_at=NOON - 30 * DAY, expected_gap=90 * MINUTE)
    agree(source, clerk)
    deliver_steadily(source, NOON)

    run_checks(NOON + 89 * MINUTE)
    assert not notices_to(clerk)
    run_checks(NOON + 91 * MINUTE)
    assert len(notices_to(clerk)) == 1


def test_silence_alert_without_named_user_goes_to_every_admin(source, clerk):
    Source.objects.update(launched_at=NOON - 30 * DAY)
    chief = make.user("administrator")
    deliver_steadily(source, NOON)

    run_checks(NOON + 12 * HOUR)

    assert [notice.kind for notice in notices_to(chief)] == ["source_silent"]


def fresh(source, *, good, bad, at=NOON):
    for nth in range(good + bad):
        lead = make.lead(source=source, at=at)
        if nth < bad:
            Phone.objects.filter(person=lead.person).update(unlinked_at=at)


def test_lead_quality_below_agreement_alerts_once_and_again_at_its_end(source, clerk):
    Source.objects.update(launched_at=NOON - 30 * DAY)
    agree(source, clerk)  # 80 of 100
    fresh(source, good=18, bad=12)

    for hours in (1, 2, 3):
        source_health_alerts.check_lead_quality(at=NOON + hours * HOUR)
    (alarm,) = notices_to(clerk)
    assert alarm.text == (
        "Lead quality of LeadConduit dropped: 60% of 30 leads in 30 days are reachable, 80% agreed."
    )
    fresh(source, good=60, bad=0)
    for hours in (4, 5):
        source_health_alerts.check_lead_quality(at=NOON + hours * HOUR)
    assert [notice.kind for notice in notices_to(clerk)] == ["source_drifted", "source_steady"]


@pytest.mark.parametrize(("good", "bad"), [(24, 6), (21, 9), (5, 24)])
def test_quality_within_chance_or_on_few_leads_raises_no_alert(source, clerk, good, bad):
    Source.objects.update(launched_at=NOON - 30 * DAY)
    agree(source, clerk)
    fresh(source, good=good, bad=bad)

    source_health_alerts.check_lead_quality(at=NOON + HOUR)

    assert not notices_to(clerk)


def test_scheduler_checks_baselines_on_its_own(source, clerk):
    journey.set_up_company()
    Source.objects.update(launched_at=NOON - 30 * DAY)
    agree(source, clerk)
    deliver_steadily(source, NOON)

    journey.run(NOON + 12 * HOUR)

    assert [notice.kind for notice in notices_to(clerk)] == ["source_silent"]

"""Sources: health, deliveries, and replay of quarantined deliveries."""

import pytest

from rooftree.leads.models import Delivery
from rooftree.ledger.models import Event
from rooftree.org.models import ROLES
from rooftree.reporting.first_screen.source_health import load_source_health
from tests import make
from tests.web.test_home import text

GOOD = (
    b'{"id":"zl-1","sender":{"firstName":"Rosa","lastName":"Salas",'
    b'"emailAddress":"rosa@home.example","phoneNumber":"8135550142"},'
    b'"details":{"loanPurpose":"Purchase","stateAbbreviation":"FL"}}'
)
MAY = {"operations", "marketing", "compliance", "executive", "administrator"}


@pytest.fixture
def zillow(db):
    make.company()
    return make.source("zillow", name="Zillow", slug="zillow")


@pytest.fixture
def operations(client, zillow):
    client.force_login(make.user("operations"))
    return client


def quarantine_delivery(source, **changes):
    return make.delivery(
        source,
        **{
            "state": "quarantined",
            "outcome": "quarantined",
            "reason": "no_contact",
            "body": b'{"id":"zl-9","details":{"stateAbbreviation":"TX"}}',
            **changes,
        },
    )


def test_quarantined_delivery_is_discarded_with_a_reason(operations, zillow):
    delivery = quarantine_delivery(zillow)
    address = f"/sources/deliveries/{delivery.pk}/discard/"

    refused = operations.post(address, {"reason": " "})
    done = operations.post(address, {"reason": "A test of the vendor"}, follow=True)

    assert refused.status_code == 422
    assert "Enter reason." in refused.text
    assert "Delivery discarded" in done.text
    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason, delivery.due_at) == ("closed", "discarded", None)
    page = operations.get(f"/sources/deliveries/{delivery.pk}/").text
    assert "A test of the vendor" in page
    assert "Replay" in page
    assert Event.objects.filter(kind="capture.delivery.discarded").count() == 1


@pytest.mark.parametrize("role", ROLES)
def test_only_permitted_roles_see_sources_and_deliveries(client, zillow, role):
    delivery = quarantine_delivery(zillow)
    client.force_login(make.user(role))

    for address in ("/sources/", f"/sources/{zillow.pk}/", f"/sources/deliveries/{delivery.pk}/"):
        assert client.get(address).status_code == (200 if role in MAY else 403), address


def test_quarantined_deliveries_are_first_with_their_reason(operations, zillow):
    quarantine_delivery(zillow)

    page_text = text(operations.get("/sources/"))

    assert "1 delivery is quarantined. None is lost." in page_text
    assert "There is no valid phone number" in page_text


def test_delivery_page_shows_the_raw_bytes_beside_the_parsed_values(operations, zillow):
    delivery = quarantine_delivery(
        zillow, body=b'{"id":"zl-9","note":"<script>alert(1)</script>\xff"}'
    )

    answer = operations.get(f"/sources/deliveries/{delivery.pk}/")

    assert "&lt;script&gt;" in answer.content.decode()
    assert "<script>alert" not in answer.content.decode()
    assert "\\xff" in answer.content.decode()
    assert "rejected" in text(answer) or "quarantined" in text(answer)


def test_replay_of_a_usable_delivery_processes_it(operations, zillow):
    delivery = quarantine_delivery(zillow, body=GOOD)

    answer = operations.post(f"/sources/deliveries/{delivery.pk}/replay/", follow=True)

    delivery.refresh_from_db()
    assert delivery.state in ("received", "worked")
    assert "can be used now" in text(answer)
    assert Event.objects.filter(kind="capture.delivery.replayed").count() == 1


def test_replay_of_a_still_invalid_delivery_keeps_it_quarantined(operations, zillow):
    delivery = quarantine_delivery(zillow)

    answer = operations.post(f"/sources/deliveries/{delivery.pk}/replay/", follow=True)

    delivery.refresh_from_db()
    assert delivery.state == "quarantined"
    assert "still can’t be used" in text(answer)


def test_all_deliveries_of_a_source_are_replayed_with_one_press(operations, zillow):
    for body in (GOOD, GOOD.replace(b"zl-1", b"zl-2"), b"{"):
        quarantine_delivery(zillow, body=body)

    answer = operations.post(f"/sources/{zillow.pk}/replays/", follow=True)

    assert "2 deliveries can be used now, 1 still can’t" in text(answer)
    assert Delivery.objects.filter(state="quarantined").count() == 1


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"operations", "administrator"}))
def test_other_roles_cannot_replay(client, zillow, role):
    delivery = quarantine_delivery(zillow, body=GOOD)
    client.force_login(make.user(role))

    assert client.post(f"/sources/deliveries/{delivery.pk}/replay/").status_code == 403
    assert client.post(f"/sources/{zillow.pk}/replays/").status_code == 403
    delivery.refresh_from_db()
    assert delivery.state == "quarantined"


def test_branch_user_reads_only_deliveries_of_their_branchs_leads(client, zillow):
    tampa, austin = make.branch("Tampa"), make.branch("Austin")
    unassigned_delivery = quarantine_delivery(zillow)
    own_delivery = make.touch(make.lead(source=zillow, branch=tampa)).delivery
    other_delivery = make.touch(make.lead(source=zillow, branch=austin)).delivery
    client.force_login(make.user("operations", branch=tampa))

    status = {
        d.pk: client.get(f"/sources/deliveries/{d.pk}/").status_code
        for d in (unassigned_delivery, own_delivery, other_delivery)
    }

    assert status == {unassigned_delivery.pk: 404, own_delivery.pk: 200, other_delivery.pk: 404}


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, "new"),
        ({"last": 1}, "well"),
        ({"last": 5, "expected_gap": 2 * make.HOUR}, "quiet"),
        ({"last": 1, "expected_gap": 2 * make.HOUR}, "well"),
        ({"last": 1, "aside": True}, "set_aside"),
        ({"last": 1, "paused_at": make.NOON}, "paused"),
    ],
)
@pytest.mark.django_db
def test_source_health_follows_its_deliveries(changes, word):
    make.company()
    last, aside = changes.pop("last", None), changes.pop("aside", False)
    source = make.source(**changes)
    if last is not None:
        make.delivery(source, at=make.NOON - last * make.HOUR)
    if aside:
        quarantine_delivery(source, at=make.NOON)

    assert load_source_health(at=make.NOON)[0].status == word


def test_source_far_below_its_usual_volume_is_silent(zillow):
    for week in range(1, 7):
        then = make.NOON - week * 7 * make.DAY
        for n in range(6):
            make.delivery(zillow, at=then - 3 * make.HOUR - n * make.MINUTE)
        make.delivery(zillow, at=then + 2 * make.HOUR)  # later that day
    for _ in range(2):
        make.delivery(zillow, at=make.NOON - make.HOUR)

    (health,) = load_source_health(at=make.NOON)

    assert (health.today, health.usual_range, health.status) == (2, (6, 6), "quiet")


def test_query_count_does_not_grow_with_the_sources(
    operations, zillow, django_assert_max_num_queries
):
    for _ in range(5):
        quarantine_delivery(make.source())
    operations.get("/sources/")
    with django_assert_max_num_queries(20):
        operations.get("/sources/")

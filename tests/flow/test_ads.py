"""Leads from ads over real HTTP through the vendors' simulators, including their faults."""

import json
import random

import pytest

from rooftree.capture.intake.claim_due_row import claim_due_row
from rooftree.capture.models import Retrieval
from rooftree.compliance.models import Consent
from rooftree.flow import lead_arrival
from rooftree.leads.models import Delivery, Lead, RejectionCount, Touch
from rooftree.org.models import StaffNotice
from rooftree.reporting import invariants
from rooftree_simulators.ads import linkedin, meta
from rooftree_simulators.posters import google_lead_form, tiktok_lead_gen
from rooftree_simulators.posters.lead_delivery import BadDay, post_delivery
from rooftree_simulators.posters.simulated_borrowers import random_borrower
from tests import make
from tests.flow import journey
from tests.flow.senders import ANDRE, TOKEN, add_fault, create_source, outcomes

pytestmark = pytest.mark.usefixtures("committed")


def test_meta_callback_is_verified_only_with_token(world, facebook):
    assert facebook.verify_callback()
    assert not facebook.verify_callback("guessed-words")


def test_meta_notice_is_looked_up_and_becomes_lead(world, facebook):
    lead_id = facebook.submit_lead(ANDRE, boxes={"tcpa_sms_calls": True})

    answer = facebook.post_notice(lead_id)

    assert (answer.status, answer.body) == (200, b"EVENT_RECEIVED")
    assert not Lead.objects.exists()  # answered before any look-up
    world.run()
    lead = Lead.objects.get()
    assert (lead.person.first_name, lead.credit_band) == ("Andre", "good")
    assert outcomes() == [("worked", "accepted", "")]
    assert Touch.objects.get().vendor_lead_id == lead_id
    assert [letter["to"] for letter in world.letters()] == [["andre@home.example"]]


def test_token_and_app_secret_are_stored_in_no_lead_row(world, facebook):
    facebook.post_notice(facebook.submit_lead(ANDRE))
    world.run()

    for row in (Delivery.objects.get(), Retrieval.objects.get()):
        row_text = repr({name: str(value) for name, value in vars(row).items()})
        assert meta.TOKEN not in row_text
        assert meta.APP_SECRET not in row_text


def test_repeated_meta_notice_creates_no_second_lead(world, facebook):
    lead_id = facebook.submit_lead(ANDRE)
    first = facebook.post_notice(lead_id)
    world.run()
    again = facebook.post_notice(lead_id)
    world.run(1)

    assert (again.status, again.body) == (first.status, first.body)
    assert (Lead.objects.count(), Touch.objects.count()) == (1, 1)


def test_lead_in_two_batches_is_one_touch(world, facebook):
    ids = [
        facebook.submit_lead(ANDRE | {"email": f"a{number}@home.example"}) for number in range(3)
    ]
    facebook.post_notice(ids[1], ids[0])
    world.run()
    facebook.post_notice(ids[2], ids[1])
    world.run(1)

    assert sorted(Touch.objects.values_list("vendor_lead_id", flat=True)) == sorted(ids)


def test_batch_of_known_leads_is_duplicate(world, facebook):
    ids = [
        facebook.submit_lead(ANDRE | {"email": f"a{number}@home.example"}) for number in range(2)
    ]
    facebook.post_notice(*ids)
    world.run()
    facebook.post_notice(*reversed(ids))
    world.run(1)

    assert sorted(outcome[0] for outcome in outcomes()) == ["duplicate", "worked"]
    assert Touch.objects.count() == 2
    assert invariants.check_deliveries_accounted_for(journey.later(1)).holds


def test_lead_waiting_for_meta_is_accounted_for(world, facebook):
    add_fault(facebook, "status:500", match={"op": "read lead"})
    facebook.post_notice(facebook.submit_lead(ANDRE))
    assert invariants.check_deliveries_accounted_for(make.NOON).holds
    world.run()

    assert invariants.check_deliveries_accounted_for(journey.later(1)).holds


def test_forged_signature_stores_nothing(world, facebook):
    answer = facebook.post_notice(facebook.submit_lead(ANDRE), secret="guessed")

    assert answer.status == 401
    assert not Delivery.objects.exists()
    assert RejectionCount.objects.get().reason == "rejected_auth"


def test_lead_waits_while_meta_fails_and_is_processed_later(world, facebook):
    add_fault(facebook, "status:500", count=2, match={"op": "read lead"})
    facebook.post_notice(facebook.submit_lead(ANDRE))
    world.run()

    assert not Lead.objects.exists()
    assert outcomes() == [("received", "accepted", "")]
    world.run(1)
    world.run(3)
    assert Lead.objects.count() == 1
    assert Retrieval.objects.get().attempts == 3


def test_long_unavailable_meta_lead_is_quarantined_and_retried(world, facebook):
    add_fault(facebook, "status:503", count=4, match={"op": "read lead"})
    facebook.post_notice(facebook.submit_lead(ANDRE))
    for minute in (0, 1, 3, 9):
        world.run(minute)

    assert outcomes() == [("quarantined", "accepted", "upstream_unavailable")]
    world.run(40)
    assert outcomes() == [("worked", "accepted", "")]


def test_expired_token_quarantines_lead_until_renewed(world, facebook):
    make.user("administrator")
    facebook.expired = True
    facebook.post_notice(facebook.submit_lead(ANDRE))
    world.run()

    assert outcomes() == [("quarantined", "quarantined", "upstream_auth")]
    assert "the vendor rejected our credentials" in StaffNotice.objects.get(kind="credentials").text
    assert "access token" in Delivery.objects.get().problem
    facebook.expired = False
    world.run(16)
    assert Lead.objects.get().person.last_name == "Whitfield"
    assert outcomes() == [("worked", "accepted", "")]


def test_lead_deleted_at_meta_is_quarantined_and_not_retried(world, facebook):
    lead_id = facebook.submit_lead(ANDRE)
    facebook.post_notice(lead_id)
    facebook.delete_lead(lead_id)
    world.run()

    assert outcomes() == [("quarantined", "quarantined", "upstream_gone")]
    assert Retrieval.objects.get().due_at is None


def test_other_leads_of_batch_are_processed_when_one_is_gone(world, facebook):
    deleted_id, remaining_id = facebook.submit_lead(ANDRE), facebook.submit_lead(ANDRE)
    facebook.post_notice(deleted_id, remaining_id)
    facebook.delete_lead(deleted_id)
    world.run()

    assert Touch.objects.get().vendor_lead_id == remaining_id
    assert [outcome[0] for outcome in outcomes()] == ["quarantined"]


def test_stored_meta_lead_is_replayed_without_network(world, facebook):
    lead_id = facebook.submit_lead({"full_name": "Andre Whitfield"})
    facebook.post_notice(lead_id)
    world.run()
    assert outcomes() == [("quarantined", "quarantined", "no_contact")]
    request_count = len(facebook.record.requests_since())

    retrieval = Retrieval.objects.get()
    full_lead = facebook.leads[lead_id] | {"field_data": [
        {"name": name, "values": [value]} for name, value in ANDRE.items()
    ]}  # fmt: skip
    Retrieval.objects.filter(pk=retrieval.pk).update(body=json.dumps(full_lead).encode())
    lead_arrival.replay_delivery(
        delivery_id=Delivery.objects.get().pk, by=make.user().pk, at=journey.later(5)
    )
    world.run(5)

    assert Lead.objects.count() == 1
    assert len(facebook.record.requests_since()) == request_count


def test_crash_during_lookup_is_retried_without_loss(world, facebook):
    facebook.post_notice(facebook.submit_lead(ANDRE))
    assert claim_due_row(Retrieval.objects.all(), at=make.NOON)  # and the process dies here

    world.run(1)
    assert not Lead.objects.exists()  # another process could still be asking
    world.run(3)
    assert Lead.objects.count() == 1


@pytest.fixture
def business(world) -> linkedin.LinkedIn:
    create_source("linkedin_lead_sync", linkedin.CLIENT_SECRET, access_token=linkedin.TOKEN)
    vendor = world.simulators.linkedin
    vendor.callback = f"{world.url}/in/linkedin_lead_sync/{TOKEN}"
    return vendor


def test_linkedin_challenge_is_answered(world, business):
    assert business.verify_callback()


def test_linkedin_lead_gets_consent_wording_of_its_form(world, business):
    answers = {1: "Graham", 2: "Ashby", 3: "g.ashby@home.example", 4: "+1 512 555 0154"}
    key = business.submit_lead(answers, choice=1, accepts=True)
    assert business.post_notice(key).status == 200
    world.run()

    lead = Lead.objects.get()
    assert (lead.person.last_name, lead.purpose) == ("Ashby", "purchase")
    consent = Consent.objects.get(address="+15125550154")
    assert (consent.status, consent.wording) == ("granted", linkedin.CONSENT_WORDING)
    assert Retrieval.objects.count() == 2


def test_linkedin_test_lead_is_marked_as_test(world, business):
    key = business.submit_lead({1: "Test", 3: "t@linkedin.example"}, accepts=False, is_test=True)
    business.post_notice(key)
    world.run()

    assert Lead.objects.get().is_test
    assert world.letters() == []


def test_linkedin_deletion_notice_changes_nothing(world, business):
    key = business.submit_lead({1: "Graham", 2: "Ashby", 3: "g.ashby@home.example"})
    business.post_notice(key)
    world.run()
    assert business.post_notice(key, "DELETED").status == 200
    world.run(1)

    assert Lead.objects.count() == 1
    assert sorted(outcomes()) == [("closed", "deleted", ""), ("worked", "accepted", "")]


def test_expired_linkedin_token_is_reported_and_retried(world, business):
    business.expired = True
    business.post_notice(business.submit_lead({1: "Graham", 2: "Ashby", 3: "g.ashby@home.example"}))
    world.run()
    assert outcomes() == [("quarantined", "quarantined", "upstream_auth")]
    business.expired = False
    world.run(16)
    world.run(17)
    assert Lead.objects.count() == 1


@pytest.mark.parametrize("bad_day", [None, BadDay.DUPLICATE, BadDay.SLOW])
def test_google_lead_is_processed_once_despite_duplicates_and_delays(world, bad_day):
    create_source("google_lead_form", google_lead_form.WEBHOOK_KEY)
    rng = random.Random(5)
    delivery = google_lead_form.lead_delivery(random_borrower(rng), rng, at=make.NOON)

    posts = post_delivery(delivery, f"{world.url}/in/google_lead_form/{TOKEN}", bad_day=bad_day)
    world.run()

    assert {(post.answer.status, post.answer.body) for post in posts} == {(200, b"{}")}
    assert Touch.objects.get().vendor_lead_id == delivery.vendor_id
    assert google_lead_form.WEBHOOK_KEY.encode() not in bytes(Delivery.objects.earliest("id").body)


def test_google_with_wrong_key_is_told_not_to_retry(world):
    create_source("google_lead_form", google_lead_form.WEBHOOK_KEY)
    rng = random.Random(5)
    delivery = google_lead_form.lead_delivery(
        random_borrower(rng), rng, at=make.NOON, secret="guess"
    )

    [post] = post_delivery(delivery, f"{world.url}/in/google_lead_form/{TOKEN}")

    assert (post.answer.status, post.answer.body) == (400, b'{"message":"invalid key"}')
    assert not Delivery.objects.exists()


def test_tiktok_post_with_two_leads_creates_two_leads(world):
    create_source("tiktok_lead_gen", tiktok_lead_gen.APP_SECRET)
    rng = random.Random(5)
    delivery = tiktok_lead_gen.lead_delivery(
        random_borrower(rng), rng, random_borrower(rng), at=make.NOON
    )

    posts = post_delivery(
        delivery, f"{world.url}/in/tiktok_lead_gen/{TOKEN}", bad_day=BadDay.DUPLICATE
    )
    world.run()

    assert {post.answer.status for post in posts} == {200}
    vendor_ids = Touch.objects.values_list("vendor_lead_id", flat=True)
    assert sorted(vendor_ids) == sorted(delivery.vendor_id.split(","))


def test_tiktok_with_wrong_secret_is_rejected(world):
    create_source("tiktok_lead_gen", tiktok_lead_gen.APP_SECRET)
    rng = random.Random(5)
    delivery = tiktok_lead_gen.lead_delivery(
        random_borrower(rng), rng, at=make.NOON, secret="guess"
    )

    [post] = post_delivery(delivery, f"{world.url}/in/tiktok_lead_gen/{TOKEN}")

    assert post.answer.status == 401

"""Advertised leads over real HTTP: the vendors' simulators, bad days too."""

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
from tests.flow.senders import ANDRE, TOKEN, outcomes, source, strike

pytestmark = pytest.mark.usefixtures("committed")


def test_meta_finds_our_address_and_nobody_else_does(world, facebook):
    assert facebook.verify_callback()
    assert not facebook.verify_callback("guessed-words")


def test_a_meta_lead_is_noticed_asked_for_and_worked(world, facebook):
    lead_id = facebook.submit_lead(ANDRE, boxes={"tcpa_sms_calls": True})

    answer = facebook.post_notice(lead_id)

    assert (answer.status, answer.body) == (200, b"EVENT_RECEIVED")
    assert not Lead.objects.exists()  # answered before anything was asked
    world.run()
    lead = Lead.objects.get()
    assert (lead.person.first_name, lead.credit_band) == ("Andre", "good")
    assert outcomes() == [("worked", "accepted", "")]
    assert Touch.objects.get().vendor_lead_id == lead_id
    assert [letter["to"] for letter in world.letters()] == [["andre@home.example"]]


def test_the_token_and_the_app_secret_are_kept_in_no_row_of_the_lead(world, facebook):
    facebook.post_notice(facebook.submit_lead(ANDRE))
    world.run()

    for row in (Delivery.objects.get(), Retrieval.objects.get()):
        kept = repr({name: str(value) for name, value in vars(row).items()})
        assert meta.TOKEN not in kept
        assert meta.APP_SECRET not in kept


def test_the_notice_of_one_lead_sent_again_makes_no_second_lead(world, facebook):
    lead_id = facebook.submit_lead(ANDRE)
    first = facebook.post_notice(lead_id)
    world.run()
    again = facebook.post_notice(lead_id)
    world.run(1)

    assert (again.status, again.body) == (first.status, first.body)
    assert (Lead.objects.count(), Touch.objects.count()) == (1, 1)


def test_a_lead_that_comes_in_two_batches_is_one_touch(world, facebook):
    ids = [facebook.submit_lead(ANDRE | {"email": f"a{n}@home.example"}) for n in range(3)]
    facebook.post_notice(ids[1], ids[0])
    world.run()
    facebook.post_notice(ids[2], ids[1])
    world.run(1)

    assert sorted(Touch.objects.values_list("vendor_lead_id", flat=True)) == sorted(ids)


def test_a_batch_whose_leads_all_came_before_is_a_repetition(world, facebook):
    ids = [facebook.submit_lead(ANDRE | {"email": f"a{n}@home.example"}) for n in range(2)]
    facebook.post_notice(*ids)
    world.run()
    facebook.post_notice(*reversed(ids))
    world.run(1)

    assert sorted(outcome[0] for outcome in outcomes()) == ["duplicate", "worked"]
    assert Touch.objects.count() == 2
    assert invariants.check_deliveries_accounted_for(journey.later(1)).holds


def test_a_lead_that_waits_for_meta_is_counted_as_waiting(world, facebook):
    strike(facebook, "status:500", match={"op": "read lead"})
    facebook.post_notice(facebook.submit_lead(ANDRE))
    assert invariants.check_deliveries_accounted_for(make.NOON).holds
    world.run()

    assert invariants.check_deliveries_accounted_for(journey.later(1)).holds


def test_with_a_forged_signature_nothing_is_kept(world, facebook):
    answer = facebook.post_notice(facebook.submit_lead(ANDRE), secret="guessed")

    assert answer.status == 401
    assert not Delivery.objects.exists()
    assert RejectionCount.objects.get().reason == "rejected_auth"


def test_while_meta_is_failing_the_lead_waits_and_is_worked_once_meta_answers(world, facebook):
    strike(facebook, "status:500", count=2, match={"op": "read lead"})
    facebook.post_notice(facebook.submit_lead(ANDRE))
    world.run()

    assert not Lead.objects.exists()
    assert outcomes() == [("received", "accepted", "")]
    world.run(1)
    world.run(3)
    assert Lead.objects.count() == 1
    assert Retrieval.objects.get().attempts == 3


def test_a_lead_meta_does_not_give_out_for_long_is_shown_and_still_asked_for(world, facebook):
    strike(facebook, "status:503", count=4, match={"op": "read lead"})
    facebook.post_notice(facebook.submit_lead(ANDRE))
    for minute in (0, 1, 3, 9):
        world.run(minute)

    assert outcomes() == [("quarantined", "accepted", "upstream_unavailable")]
    world.run(40)
    assert outcomes() == [("worked", "accepted", "")]


def test_an_expired_token_sets_the_lead_aside_with_a_sentence_and_a_new_one_works_it(
    world, facebook
):
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


def test_a_lead_that_was_deleted_at_meta_is_set_aside_and_not_asked_for_again(world, facebook):
    lead_id = facebook.submit_lead(ANDRE)
    facebook.post_notice(lead_id)
    facebook.delete_lead(lead_id)
    world.run()

    assert outcomes() == [("quarantined", "quarantined", "upstream_gone")]
    assert Retrieval.objects.get().due_at is None


def test_of_a_batch_the_others_are_worked_when_one_is_gone(world, facebook):
    gone, there = facebook.submit_lead(ANDRE), facebook.submit_lead(ANDRE)
    facebook.post_notice(gone, there)
    facebook.delete_lead(gone)
    world.run()

    assert Touch.objects.get().vendor_lead_id == there
    assert [outcome[0] for outcome in outcomes()] == ["quarantined"]


def test_a_stored_meta_lead_is_read_again_without_the_network(world, facebook):
    lead_id = facebook.submit_lead({"full_name": "Andre Whitfield"})
    facebook.post_notice(lead_id)
    world.run()
    assert outcomes() == [("quarantined", "quarantined", "no_contact")]
    asked = len(facebook.record.requests_since())

    kept = Retrieval.objects.get()
    whole = facebook.leads[lead_id] | {"field_data": [
        {"name": name, "values": [said]} for name, said in ANDRE.items()
    ]}  # fmt: skip
    Retrieval.objects.filter(pk=kept.pk).update(body=json.dumps(whole).encode())
    lead_arrival.replay_delivery(
        delivery_id=Delivery.objects.get().pk, by=make.user().pk, at=journey.later(5)
    )
    world.run(5)

    assert Lead.objects.count() == 1
    assert len(facebook.record.requests_since()) == asked


def test_a_program_that_dies_while_it_asks_loses_nothing_and_asks_again(world, facebook):
    facebook.post_notice(facebook.submit_lead(ANDRE))
    assert claim_due_row(Retrieval.objects.all(), at=make.NOON)  # and the process dies here

    world.run(1)
    assert not Lead.objects.exists()  # somebody else may still be asking
    world.run(3)
    assert Lead.objects.count() == 1


@pytest.fixture
def business(world) -> linkedin.LinkedIn:
    source("linkedin_lead_sync", linkedin.CLIENT_SECRET, access_token=linkedin.TOKEN)
    vendor = world.simulators.linkedin
    vendor.callback = f"{world.url}/in/linkedin_lead_sync/{TOKEN}"
    return vendor


def test_linkedin_finds_our_address_by_its_challenge(world, business):
    assert business.verify_callback()


def test_a_linkedin_lead_is_joined_with_the_words_of_its_form(world, business):
    answers = {1: "Graham", 2: "Ashby", 3: "g.ashby@home.example", 4: "+1 512 555 0154"}
    key = business.submit_lead(answers, choice=1, accepts=True)
    assert business.post_notice(key).status == 200
    world.run()

    lead = Lead.objects.get()
    assert (lead.person.last_name, lead.purpose) == ("Ashby", "purchase")
    given = Consent.objects.get(address="+15125550154")
    assert (given.status, given.wording) == ("granted", linkedin.CONSENT_WORDING)
    assert Retrieval.objects.count() == 2


def test_a_linkedin_test_lead_is_no_lead_of_anybody(world, business):
    key = business.submit_lead({1: "Test", 3: "t@linkedin.example"}, accepts=False, is_test=True)
    business.post_notice(key)
    world.run()

    assert Lead.objects.get().is_test
    assert world.letters() == []


def test_linkedins_notice_that_a_lead_was_deleted_changes_nothing_of_ours(world, business):
    key = business.submit_lead({1: "Graham", 2: "Ashby", 3: "g.ashby@home.example"})
    business.post_notice(key)
    world.run()
    assert business.post_notice(key, "DELETED").status == 200
    world.run(1)

    assert Lead.objects.count() == 1
    assert sorted(outcomes()) == [("closed", "deleted", ""), ("worked", "accepted", "")]


def test_an_ended_linkedin_token_is_told_and_tried_again(world, business):
    business.expired = True
    business.post_notice(business.submit_lead({1: "Graham", 2: "Ashby", 3: "g.ashby@home.example"}))
    world.run()
    assert outcomes() == [("quarantined", "quarantined", "upstream_auth")]
    business.expired = False
    world.run(16)
    world.run(17)
    assert Lead.objects.count() == 1


@pytest.mark.parametrize("bad_day", [None, BadDay.DUPLICATE, BadDay.SLOW])
def test_a_google_lead_is_worked_once_whatever_its_day(world, bad_day):
    source("google_lead_form", google_lead_form.WEBHOOK_KEY)
    rng = random.Random(5)
    made = google_lead_form.lead_delivery(random_borrower(rng), rng, at=make.NOON)

    sent = post_delivery(made, f"{world.url}/in/google_lead_form/{TOKEN}", bad_day=bad_day)
    world.run()

    assert {(one.answer.status, one.answer.body) for one in sent} == {(200, b"{}")}
    assert Touch.objects.get().vendor_lead_id == made.vendor_id
    assert google_lead_form.WEBHOOK_KEY.encode() not in bytes(Delivery.objects.earliest("id").body)


def test_google_with_another_key_is_told_not_to_try_again(world):
    source("google_lead_form", google_lead_form.WEBHOOK_KEY)
    rng = random.Random(5)
    made = google_lead_form.lead_delivery(random_borrower(rng), rng, at=make.NOON, secret="guess")

    [sent] = post_delivery(made, f"{world.url}/in/google_lead_form/{TOKEN}")

    assert (sent.answer.status, sent.answer.body) == (400, b'{"message":"invalid key"}')
    assert not Delivery.objects.exists()


def test_tiktoks_two_leads_of_one_post_are_two_leads(world):
    source("tiktok_lead_gen", tiktok_lead_gen.APP_SECRET)
    rng = random.Random(5)
    made = tiktok_lead_gen.lead_delivery(
        random_borrower(rng), rng, random_borrower(rng), at=make.NOON
    )

    sent = post_delivery(made, f"{world.url}/in/tiktok_lead_gen/{TOKEN}", bad_day=BadDay.DUPLICATE)
    world.run()

    assert {one.answer.status for one in sent} == {200}
    told = Touch.objects.values_list("vendor_lead_id", flat=True)
    assert sorted(told) == sorted(made.vendor_id.split(","))


def test_tiktok_signed_with_another_secret_is_turned_away(world):
    source("tiktok_lead_gen", tiktok_lead_gen.APP_SECRET)
    rng = random.Random(5)
    made = tiktok_lead_gen.lead_delivery(random_borrower(rng), rng, at=make.NOON, secret="guess")

    [sent] = post_delivery(made, f"{world.url}/in/tiktok_lead_gen/{TOKEN}")

    assert sent.answer.status == 401

"""Advertised leads and their certificates over real HTTP: the vendors' simulators, bad days too."""

import hashlib
import json
import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from rooftree.capture import retrieve, sweep
from rooftree.capture.certificates import claim
from rooftree.capture.models import Certificate, Retrieval, Sweep
from rooftree.compliance.models import Consent, Revocation
from rooftree.flow import intake
from rooftree.leads.models import Delivery, Lead, Rejection, Source, Touch
from rooftree.org.models import StaffNotice
from rooftree.outreach.models import Message
from rooftree.reporting import invariants
from rooftree_simulators.ads import linkedin, meta, trustedform
from rooftree_simulators.posters import google_lead_form, tiktok_lead_gen
from rooftree_simulators.posters.delivery import BadDay, deliver
from rooftree_simulators.posters.people import borrower
from tests import make
from tests.flow import journey
from tests.flow.outside_world import World, around

pytestmark = pytest.mark.usefixtures("committed")
TOKEN = "ads-path-token-1"
ANDRE = {
    "full_name": "Andre Whitfield",
    "email": "andre@home.example",
    "phone_number": "+15125550139",
    "state": "TX",
    "which_state_is_the_property_in?": "Texas",
    "are_you_a_veteran?": "yes",
    "what_is_your_estimated_credit_score?": "good_(700-739)",
}


@pytest.fixture
def world(live_server, settings) -> Iterator[World]:
    journey.ready()
    with around(live_server.url.replace("localhost", "127.0.0.1"), settings) as found:
        urls = found.simulators.urls
        settings.UPSTREAMS = {
            "meta_lead_ads": urls["meta"],
            "linkedin_lead_sync": urls["linkedin"],
            "consent_trustedform": urls["trustedform"],
        }
        yield found


def source(adapter: str, secret: str, **credentials: str) -> Source:
    return make.source(
        adapter,
        name=adapter,
        slug=adapter.replace("_", "-"),
        token=TOKEN,
        token_hash=hashlib.sha256(TOKEN.encode()).hexdigest(),
        secret=secret,
        credentials=json.dumps(credentials),
    )


@pytest.fixture
def facebook(world) -> meta.Meta:
    """Meta, subscribed to our address, with a token that works."""
    source("meta_lead_ads", meta.APP_SECRET, verify_token=meta.VERIFY, access_token=meta.TOKEN)
    vendor = world.simulators.meta
    vendor.callback = f"{world.url}/in/meta_lead_ads/{TOKEN}"
    return vendor


@pytest.fixture
def business(world) -> linkedin.LinkedIn:
    source("linkedin_lead_sync", linkedin.CLIENT_SECRET, access_token=linkedin.TOKEN)
    vendor = world.simulators.linkedin
    vendor.callback = f"{world.url}/in/linkedin_lead_sync/{TOKEN}"
    return vendor


def strike(vendor: Any, action: str, **more: Any) -> None:
    vendor.faults.add({"action": action, **more})


def outcomes() -> list[tuple[str, str, str]]:
    rows = Delivery.objects.order_by("received_at", "id")
    return [(one.state, one.outcome, one.reason) for one in rows]


def test_meta_finds_our_address_and_nobody_else_does(world, facebook):
    assert facebook.verify()
    assert not facebook.verify("guessed-words")


def test_a_meta_lead_is_noticed_asked_for_and_worked(world, facebook):
    lead_id = facebook.submit(ANDRE, boxes={"tcpa_sms_calls": True})

    answer = facebook.notify(lead_id)

    assert (answer.status, answer.body) == (200, b"EVENT_RECEIVED")
    assert not Lead.objects.exists()  # answered before anything was asked
    world.run()
    lead = Lead.objects.get()
    assert (lead.person.first_name, lead.credit_band) == ("Andre", "good")
    assert outcomes() == [("worked", "accepted", "")]
    assert Touch.objects.get().vendor_lead_id == lead_id
    assert [one["to"] for one in world.letters()] == [["andre@home.example"]]


def test_the_token_and_the_app_secret_are_kept_in_no_row_of_the_lead(world, facebook):
    facebook.notify(facebook.submit(ANDRE))
    world.run()

    for row in (Delivery.objects.get(), Retrieval.objects.get()):
        kept = repr({name: str(value) for name, value in vars(row).items()})
        assert meta.TOKEN not in kept
        assert meta.APP_SECRET not in kept


def test_the_notice_of_one_lead_sent_again_makes_no_second_lead(world, facebook):
    lead_id = facebook.submit(ANDRE)
    first = facebook.notify(lead_id)
    world.run()
    again = facebook.notify(lead_id)
    world.run(1)

    assert (again.status, again.body) == (first.status, first.body)
    assert (Lead.objects.count(), Touch.objects.count()) == (1, 1)


def test_a_lead_that_comes_in_two_batches_is_one_touch(world, facebook):
    ids = [facebook.submit(ANDRE | {"email": f"a{n}@home.example"}) for n in range(3)]
    facebook.notify(ids[1], ids[0])
    world.run()
    facebook.notify(ids[2], ids[1])
    world.run(1)

    assert sorted(Touch.objects.values_list("vendor_lead_id", flat=True)) == sorted(ids)


def test_a_batch_whose_leads_all_came_before_is_a_repetition(world, facebook):
    ids = [facebook.submit(ANDRE | {"email": f"a{n}@home.example"}) for n in range(2)]
    facebook.notify(*ids)
    world.run()
    facebook.notify(*reversed(ids))
    world.run(1)

    assert sorted(one[0] for one in outcomes()) == ["duplicate", "worked"]
    assert Touch.objects.count() == 2
    assert invariants.conservation(journey.later(1)).holds


def test_a_lead_that_waits_for_meta_is_counted_as_waiting(world, facebook):
    strike(facebook, "status:500", match={"op": "read lead"})
    facebook.notify(facebook.submit(ANDRE))
    assert invariants.conservation(make.NOON).holds
    world.run()

    assert invariants.conservation(journey.later(1)).holds


def test_with_a_forged_signature_nothing_is_kept(world, facebook):
    answer = facebook.notify(facebook.submit(ANDRE), secret="guessed")

    assert answer.status == 401
    assert not Delivery.objects.exists()
    assert Rejection.objects.get().reason == "rejected_auth"


def test_while_meta_is_failing_the_lead_waits_and_is_worked_once_meta_answers(world, facebook):
    strike(facebook, "status:500", count=2, match={"op": "read lead"})
    facebook.notify(facebook.submit(ANDRE))
    world.run()

    assert not Lead.objects.exists()
    assert outcomes() == [("received", "accepted", "")]
    world.run(1)
    world.run(3)
    assert Lead.objects.count() == 1
    assert Retrieval.objects.get().attempts == 3


def test_a_lead_meta_does_not_give_out_for_long_is_shown_and_still_asked_for(world, facebook):
    strike(facebook, "status:503", count=4, match={"op": "read lead"})
    facebook.notify(facebook.submit(ANDRE))
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
    facebook.notify(facebook.submit(ANDRE))
    world.run()

    assert outcomes() == [("quarantined", "quarantined", "upstream_auth")]
    assert "cannot be read, and wait" in StaffNotice.objects.get(kind="credentials").text
    assert "access token" in Delivery.objects.get().problem
    facebook.expired = False
    world.run(16)
    assert Lead.objects.get().person.last_name == "Whitfield"
    assert outcomes() == [("worked", "accepted", "")]


def test_a_lead_that_was_deleted_at_meta_is_set_aside_and_not_asked_for_again(world, facebook):
    lead_id = facebook.submit(ANDRE)
    facebook.notify(lead_id)
    facebook.delete(lead_id)
    world.run()

    assert outcomes() == [("quarantined", "quarantined", "upstream_gone")]
    assert Retrieval.objects.get().due_at is None


def test_of_a_batch_the_others_are_worked_when_one_is_gone(world, facebook):
    gone, there = facebook.submit(ANDRE), facebook.submit(ANDRE)
    facebook.notify(gone, there)
    facebook.delete(gone)
    world.run()

    assert Touch.objects.get().vendor_lead_id == there
    assert [one[0] for one in outcomes()] == ["quarantined"]


def test_a_stored_meta_lead_is_read_again_without_the_network(world, facebook):
    lead_id = facebook.submit({"full_name": "Andre Whitfield"})
    facebook.notify(lead_id)
    world.run()
    assert outcomes() == [("quarantined", "quarantined", "no_contact")]
    asked = len(facebook.record.since())

    kept = Retrieval.objects.get()
    whole = facebook.leads[lead_id] | {"field_data": [
        {"name": name, "values": [said]} for name, said in ANDRE.items()
    ]}  # fmt: skip
    Retrieval.objects.filter(pk=kept.pk).update(body=json.dumps(whole).encode())
    intake.replay(delivery_id=Delivery.objects.get().pk, by=make.user().pk, at=journey.later(5))
    world.run(5)

    assert Lead.objects.count() == 1
    assert len(facebook.record.since()) == asked


def test_linkedin_finds_our_address_by_its_challenge(world, business):
    assert business.verify()


def test_a_linkedin_lead_is_joined_with_the_words_of_its_form(world, business):
    answers = {1: "Graham", 2: "Ashby", 3: "g.ashby@home.example", 4: "+1 512 555 0154"}
    key = business.submit(answers, choice=1, accepts=True)
    assert business.notify(key).status == 200
    world.run()

    lead = Lead.objects.get()
    assert (lead.person.last_name, lead.purpose) == ("Ashby", "purchase")
    given = Consent.objects.get(address="+15125550154")
    assert (given.status, given.wording) == ("granted", linkedin.WORDING)
    assert Retrieval.objects.count() == 2


def test_a_linkedin_test_lead_is_no_lead_of_anybody(world, business):
    key = business.submit({1: "Test", 3: "t@linkedin.example"}, accepts=False, is_test=True)
    business.notify(key)
    world.run()

    assert Lead.objects.get().is_test
    assert world.letters() == []


def test_linkedins_notice_that_a_lead_was_deleted_changes_nothing_of_ours(world, business):
    key = business.submit({1: "Graham", 2: "Ashby", 3: "g.ashby@home.example"})
    business.notify(key)
    world.run()
    assert business.notify(key, "DELETED").status == 200
    world.run(1)

    assert Lead.objects.count() == 1
    assert sorted(outcomes()) == [("closed", "deleted", ""), ("worked", "accepted", "")]


def test_an_ended_linkedin_token_is_told_and_tried_again(world, business):
    business.expired = True
    business.notify(business.submit({1: "Graham", 2: "Ashby", 3: "g.ashby@home.example"}))
    world.run()
    assert outcomes() == [("quarantined", "quarantined", "upstream_auth")]
    business.expired = False
    world.run(16)
    world.run(17)
    assert Lead.objects.count() == 1


@pytest.mark.parametrize("bad_day", [None, BadDay.DUPLICATE, BadDay.SLOW])
def test_a_google_lead_is_worked_once_whatever_its_day(world, bad_day):
    source("google_lead_form", google_lead_form.KEY)
    rng = random.Random(5)
    made = google_lead_form.delivery(borrower(rng), rng, at=make.NOON)

    sent = deliver(made, f"{world.url}/in/google_lead_form/{TOKEN}", bad_day=bad_day)
    world.run()

    assert {(one.answer.status, one.answer.body) for one in sent} == {(200, b"{}")}
    assert Touch.objects.get().vendor_lead_id == made.vendor_id
    assert google_lead_form.KEY.encode() not in bytes(Delivery.objects.earliest("id").body)


def test_google_with_another_key_is_told_not_to_try_again(world):
    source("google_lead_form", google_lead_form.KEY)
    rng = random.Random(5)
    made = google_lead_form.delivery(borrower(rng), rng, at=make.NOON, secret="guess")

    [sent] = deliver(made, f"{world.url}/in/google_lead_form/{TOKEN}")

    assert (sent.answer.status, sent.answer.body) == (400, b'{"message":"invalid key"}')
    assert not Delivery.objects.exists()


def test_tiktoks_two_leads_of_one_post_are_two_leads(world):
    source("tiktok_lead_gen", tiktok_lead_gen.SECRET)
    rng = random.Random(5)
    made = tiktok_lead_gen.delivery(borrower(rng), rng, borrower(rng), at=make.NOON)

    sent = deliver(made, f"{world.url}/in/tiktok_lead_gen/{TOKEN}", bad_day=BadDay.DUPLICATE)
    world.run()

    assert {one.answer.status for one in sent} == {200}
    told = Touch.objects.values_list("vendor_lead_id", flat=True)
    assert sorted(told) == sorted(made.vendor_id.split(","))


def test_tiktok_signed_with_another_secret_is_turned_away(world):
    source("tiktok_lead_gen", tiktok_lead_gen.SECRET)
    rng = random.Random(5)
    made = tiktok_lead_gen.delivery(borrower(rng), rng, at=make.NOON, secret="guess")

    [sent] = deliver(made, f"{world.url}/in/tiktok_lead_gen/{TOKEN}")

    assert sent.answer.status == 401


# Certificates


@pytest.fixture
def witness(world) -> trustedform.TrustedForm:
    claim.set_key(trustedform.KEY, by=make.user("compliance").pk, at=make.NOON)
    return world.simulators.trustedform


def submitted(world: World, url: str, **changes: Any) -> Lead:
    """A visitor's form with a certificate, worked."""
    site = Source.objects.filter(adapter="website_form").first() or journey.website(
        secret="site-secret"
    )
    form = journey.form_post(**changes) | {"xxTrustedFormCertUrl": url}
    assert world.submit(site, form).status_code == 200
    world.run()
    return Lead.objects.get()


def test_a_certificate_is_claimed_at_once_and_proves_the_consent(world, witness):
    url = witness.certify(phone="8135550142", email="ben.ortiz@home.example")
    submitted(world, url)

    row = Certificate.objects.get()
    assert (row.state, row.phone_match, row.email_match) == ("retained", True, True)
    assert row.wanted_at == row.settled_at == make.NOON
    assert row.expires_at is not None
    assert b"previously_retained" in bytes(row.answer)
    assert witness.sessions[url.rpartition("/")[2]]["retained"]
    proven = Consent.objects.get(address="+18135550142", cause__endswith=":certificate")
    assert "session_cert" in proven.record["evidence"]


def test_a_certificate_of_somebody_elses_session_stops_automatic_contact(world, witness):
    make.user("administrator")
    url = witness.certify(phone="3105550111", email="other@home.example")
    submitted(world, url)

    assert Certificate.objects.get().state == "retained_mismatch"
    assert Revocation.objects.get().kind == "review"
    assert StaffNotice.objects.filter(kind="certificate").count() == 1


def test_a_certificate_with_their_email_and_another_number_proves_nothing_for_the_number(
    world, witness
):
    url = witness.certify(phone="3105550111", email="ben.ortiz@home.example")
    submitted(world, url)

    row = Certificate.objects.get()
    assert (row.state, row.phone_match, row.email_match) == ("retained_mismatch", False, True)
    assert Revocation.objects.get().address == "+18135550142"
    proofs = Consent.objects.filter(address="+18135550142")
    assert not any("session_cert" in one.record.get("evidence", ()) for one in proofs)


def test_while_trustedform_is_failing_the_claim_is_tried_until_it_is_kept(world, witness):
    url = witness.certify(phone="8135550142", email="ben.ortiz@home.example")
    strike(witness, "html_maintenance", count=3)
    submitted(world, url)
    assert Certificate.objects.get().state == "pending"
    for minute in (1, 2, 4, 9):
        world.run(minute)

    assert Certificate.objects.get().state == "retained"
    assert Certificate.objects.get().attempts == 4


def test_an_expired_certificate_is_an_alarm_and_not_asked_for_again(world, witness):
    make.user("administrator")
    url = witness.certify(phone="8135550142", email="", created=make.NOON - timedelta(hours=73))
    submitted(world, url)

    row = Certificate.objects.get()
    assert (row.state, row.status, row.due_at) == ("failed", 410, None)
    assert "expired" in StaffNotice.objects.get(kind="certificate").text


def test_without_a_key_the_claim_waits_for_it_and_somebody_is_told(world):
    make.user("administrator")
    witness = world.simulators.trustedform
    url = witness.certify(phone="8135550142", email="ben.ortiz@home.example")
    submitted(world, url)
    assert Certificate.objects.get().state == "pending"
    assert "key is missing" in StaffNotice.objects.get(kind="certificate").text

    claim.set_key(trustedform.KEY, by=make.user("compliance").pk, at=journey.later(2))
    world.run(2)

    assert Certificate.objects.get().state == "retained"


def test_what_nobody_could_claim_in_time_is_lost_and_told(world):
    make.user("administrator")
    url = world.simulators.trustedform.certify(phone="8135550142", email="")
    submitted(world, url)
    for hours in (24, 48, 71.95):
        world.run(60 * hours)

    assert Certificate.objects.get().state == "failed"
    assert StaffNotice.objects.filter(cause__startswith="certificate:").count() == 1


def test_a_text_that_waited_for_the_proof_goes_once_the_certificate_is_claimed(world, witness):
    url = witness.certify(phone="8135550142", email="ben.ortiz@home.example")
    strike(witness, "status:503", count=1)
    submitted(world, url)
    world.run(2)

    assert Certificate.objects.get().state == "retained"
    assert Message.objects.get(medium="text").state in ("sent", "delivered")


# What never reached us


def gone_through(world: World, minutes: float) -> Sweep:
    world.run(minutes)
    return Sweep.objects.latest("began_at")


def test_a_lead_meta_never_told_us_of_is_found_in_its_list_and_worked(world, facebook):
    Source.objects.update(created_at=make.NOON - make.HOUR)
    told, untold = facebook.submit(ANDRE), facebook.submit(ANDRE | {"email": "b@home.example"})
    facebook.notify(told)
    world.run()

    row = gone_through(world, 1)
    assert (row.listed, row.missed, row.problem) == (2, 1, "")
    assert row.ended_at is not None
    assert sorted(Touch.objects.values_list("vendor_lead_id", flat=True)) == [told, untold]
    missed = Delivery.objects.get(method="LIST")
    assert (missed.state, missed.verification) == ("worked", "the vendor's own list")


def test_the_next_look_through_the_list_finds_nothing_missing(world, facebook):
    Source.objects.update(created_at=make.NOON - make.HOUR)
    facebook.submit(ANDRE)
    gone_through(world, 0)

    row = gone_through(world, 16)
    assert (row.listed, row.missed) == (1, 0)
    assert Sweep.objects.count() == 2
    assert row.since <= Sweep.objects.earliest("began_at").began_at
    assert Touch.objects.count() == 1


def test_a_notice_that_comes_after_the_list_told_the_lead_is_a_repetition(world, facebook):
    Source.objects.update(created_at=make.NOON - make.HOUR)
    lead_id = facebook.submit(ANDRE)
    gone_through(world, 0)
    assert Touch.objects.count() == 1

    assert facebook.notify(lead_id).status == 200
    world.run(1)

    assert Touch.objects.count() == 1


def test_more_leads_than_one_page_of_the_list_are_all_found(world, facebook):
    Source.objects.update(created_at=make.NOON - make.HOUR)
    for n in range(105):
        form = "991122334455668" if n % 35 == 0 else meta.FORM
        facebook.submit({"full_name": "Nobody Known"}, form=form)

    row = gone_through(world, 0)

    assert (row.listed, row.missed) == (105, 105)
    assert Delivery.objects.filter(method="LIST").count() == 105


def test_leads_older_than_the_source_are_not_fetched(world, facebook):
    Source.objects.update(created_at=make.NOON)
    facebook.submit(ANDRE, at=make.NOON - make.DAY)

    row = gone_through(world, 0)

    assert (row.listed, row.missed) == (0, 0)
    assert not Lead.objects.exists()


def test_while_the_list_cannot_be_read_nothing_is_said_to_be_whole(world, facebook):
    Source.objects.update(created_at=make.NOON - make.HOUR)
    facebook.submit(ANDRE)
    facebook.expired = True
    row = gone_through(world, 0)
    assert row.ended_at is None
    assert "access token" in sweep.so_far(row.source).problem
    assert sweep.so_far(row.source).until is None

    facebook.expired = False
    world.run(16)
    row.refresh_from_db()
    assert (row.missed, row.ended_at) == (1, journey.later(16))
    assert Lead.objects.count() == 1


# Crashes


def test_a_program_that_dies_while_it_asks_loses_nothing_and_asks_again(world, facebook):
    facebook.notify(facebook.submit(ANDRE))
    assert retrieve._claimed(make.NOON) is not None  # and here it died

    world.run(1)
    assert not Lead.objects.exists()  # somebody else may still be asking
    world.run(3)
    assert Lead.objects.count() == 1


def test_a_program_that_dies_while_it_claims_a_certificate_claims_it_again(world, witness):
    url = witness.certify(phone="8135550142", email="ben.ortiz@home.example")
    strike(witness, "drop_after_commit", count=3)  # retained, and the answer was lost
    submitted(world, url)
    assert Certificate.objects.get().state == "pending"

    world.run(1)

    row = Certificate.objects.get()
    assert (row.state, row.phone_match) == ("retained", True)
    assert b'"previously_retained": true' in bytes(row.answer)

"""Storing inquiries: whose each is, what it adds, and what it must not change."""

import pytest

from rooftree.compliance.consent import store_revocation
from rooftree.compliance.models import Consent
from rooftree.flow import lead_arrival
from rooftree.leads.models import DeliveryKey, Email, Lead, Person, Phone, Source, Touch
from rooftree.ledger.models import Event
from rooftree.money.models import Entry
from rooftree.outreach.models import Message
from rooftree.routing.models import Offer, RoutingDecision, Turn
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def ready():
    journey.set_up_company()


@pytest.fixture
def zillow():
    return journey.create_zillow()


def post(source, *, minutes: float = 0, **changes) -> Lead:
    return journey.deliver(source, journey.zillow_contact(**changes), at=journey.later(minutes))


def test_first_inquiry_creates_person_lead_touch_cost_and_event(zillow):
    lead = post(zillow)

    assert (lead.purpose, lead.amount_cents, lead.property_state) == ("purchase", 412_000_00, "FL")
    assert (lead.person.first_name, lead.person.last_name) == ("Ben", "Ortiz")
    assert Phone.objects.get().e164 == "+18135550142"
    assert Email.objects.get().address == "ben.ortiz@home.example"
    touch = Touch.objects.get()
    assert (touch.is_first, touch.lead, touch.matched_by) == (True, lead, "")
    assert Entry.objects.get().amount_cents == 65_50
    assert Event.objects.filter(kind="capture.touch.stored", lead_id=lead.pk).count() == 1


def test_repeated_inquiry_updates_lead_with_only_stated_values(zillow):
    lead = post(zillow)
    Lead.objects.filter(pk=lead.pk).update(state="nurture", snoozed_until=journey.later(9999))

    again = post(
        zillow,
        minutes=60,
        details={"loanAmount": 399000, "city": None, "zipCode": None, "creditScoreRange": None},
    )

    assert again == lead
    again.refresh_from_db()
    assert (again.state, again.snoozed_until, again.last_inquiry_at) == (
        "working",
        None,
        journey.later(60),
    )
    assert again.amount_cents == 399_000_00
    assert (again.property_city, again.property_zip) == ("Tampa", "33602")
    assert again.credit_band == lead.credit_band != ""
    assert again.details["property"]["city"] == "Tampa"  # the LOS gets these
    assert again.details["loan"]["amount_cents"] == 399_000_00
    assert again.created_at == make.NOON
    assert list(Touch.objects.order_by("at").values_list("is_first", flat=True)) == [True, False]
    assert Entry.objects.count() == 2  # both were bought


def test_late_delivery_does_not_move_last_inquiry_back(zillow):
    lead = post(zillow, minutes=60)

    post(zillow, minutes=0)

    lead.refresh_from_db()
    assert lead.last_inquiry_at == journey.later(60)


def test_repeated_inquiry_notifies_owner_and_is_offered_to_no_one_else(zillow):
    dana = make.officer("Dana Whitfield", licensed=("FL",))
    lead = post(zillow)
    Offer.objects.update(expired_at=make.NOON, end_reason="silence")
    make.ownership(lead, dana)

    post(zillow, minutes=60)

    assert dana.user.notices.filter(kind="asked_again").count() == 1
    assert Offer.objects.count() == 1


def test_repeated_inquiry_for_other_state_goes_to_licensed_officer(zillow):
    dana = make.officer("Dana Whitfield", licensed=("FL",))
    sam = make.officer("Sam Rivera", licensed=("TX",))
    lead = post(zillow)
    Offer.objects.update(expired_at=make.NOON, end_reason="silence")
    make.ownership(lead, dana)

    post(zillow, minutes=60, details={"stateAbbreviation": "TX", "zipCode": "75201"})

    lead.refresh_from_db()
    assert lead.officer is None
    assert [offer.officer for offer in Offer.objects.filter(expired_at=None, declined_at=None)] == [
        sam
    ]


def test_different_loan_purpose_is_second_lead_of_same_person(zillow):
    lead = post(zillow)

    other = post(zillow, minutes=60, details={"loanPurpose": "Refinance"})

    assert other != lead
    assert other.person == lead.person
    assert Person.objects.count() == 1


@pytest.mark.parametrize("state", ["funded", "retired"])
def test_new_inquiry_does_not_reopen_closed_lead(zillow, state):
    lead = post(zillow)
    Lead.objects.filter(pk=lead.pk).update(state=state)

    other = post(zillow, minutes=60)

    assert other != lead
    assert other.person == lead.person
    lead.refresh_from_db()
    assert lead.state == state


def test_inquiry_half_a_year_later_is_a_new_lead(zillow):
    lead = post(zillow)

    other = post(zillow, minutes=181 * 24 * 60)

    assert other != lead
    assert other.person == lead.person


def test_people_with_shared_household_phone_stay_separate(zillow):
    ben = post(zillow)

    ana = post(
        zillow,
        minutes=1,
        sender={"firstName": "Guadalupe", "lastName": "Reyes", "emailAddress": "g@home.example"},
    )

    assert ana.person != ben.person
    assert Phone.objects.filter(e164="+18135550142").count() == 2


def test_same_vendor_id_is_same_lead_when_all_else_changed(zillow):
    lead = post(zillow, id="LC-77")
    DeliveryKey.objects.all().delete()  # the key was deleted after a year

    again = post(
        zillow,
        minutes=1,
        id="LC-77",
        sender={"firstName": "Bob", "lastName": "Else", "phoneNumber": "8135550188"},
    )

    assert again == lead
    assert Touch.objects.latest("at").matched_by == "same vendor id"


def test_same_vendor_id_of_other_source_is_another_lead(zillow):
    lead = post(zillow, id="77")
    site = journey.create_website()

    other = journey.deliver(
        site,
        journey.form_post(
            submission_id="77",
            first_name="Ana",
            last_name="Reyes",
            phone="(813) 555-0166",
            email="ana@home.example",
        ),
        at=journey.later(1),
    )

    assert other != lead


def test_test_source_never_changes_real_people(zillow):
    """Its consent, language and touch belong to a separate test person."""
    real = post(zillow)
    trial = journey.create_website(is_test=True)

    test = journey.deliver(trial, journey.form_post(language="es"), at=journey.later(60))

    assert (test.is_test, test.person == real.person) == (True, False)
    real.refresh_from_db()
    assert real.person.language == ""
    assert real.last_inquiry_at == make.NOON
    assert not Consent.objects.filter(person=real.person, status="granted").exists()
    assert not Message.objects.filter(lead=test).exists()
    again = post(zillow, minutes=120)
    assert again == real


def test_vendor_id_of_test_lead_matches_no_real_lead(zillow):
    Source.objects.filter(pk=zillow.pk).update(is_test=True)
    test = post(Source.objects.get(pk=zillow.pk), id="TEST-1")
    DeliveryKey.objects.all().delete()
    Source.objects.filter(pk=zillow.pk).update(is_test=False)

    real = post(Source.objects.get(pk=zillow.pk), id="TEST-1", minutes=1)

    assert (test.is_test, real.is_test) == (True, False)
    assert real.person != test.person


def numbers(lead) -> dict[str, bool]:
    """Return the person's numbers, and which one is current."""
    return dict(lead.person.phones.values_list("e164", "is_primary"))


def test_new_number_becomes_current_and_old_stays_on_file(zillow):
    lead = post(zillow)

    post(zillow, minutes=1, sender={"phoneNumber": "8135550188"})

    assert numbers(lead) == {"+18135550142": False, "+18135550188": True}
    assert Event.objects.filter(kind="capture.contact.preferred").count() == 1


def test_old_number_given_again_becomes_current(zillow):
    lead = post(zillow)
    post(zillow, minutes=1, sender={"phoneNumber": "8135550188"})

    post(zillow, minutes=2)

    assert numbers(lead) == {"+18135550142": True, "+18135550188": False}


def test_late_delivery_does_not_replace_newer_number(zillow):
    lead = post(zillow, minutes=5)

    post(zillow, minutes=1, sender={"phoneNumber": "8135550188"})

    assert numbers(lead) == {"+18135550142": True, "+18135550188": False}


@pytest.mark.parametrize("kind", ["stop", "wrong_person", "do_not_contact"])
def test_revoked_number_is_stored_but_not_used(zillow, kind):
    lead = post(zillow)
    store_revocation.store_revocation(
        person_id=None, address="+18135550188", kind=kind, media=["text"],
        origin="message:1", idempotency_key="text:1", at=make.NOON,
    )  # fmt: skip

    post(zillow, minutes=1, sender={"phoneNumber": "8135550188"})

    assert numbers(lead) == {"+18135550142": True, "+18135550188": False}


def test_known_wrong_number_is_not_used_when_given_again(zillow):
    lead = post(zillow)
    post(zillow, minutes=1, sender={"phoneNumber": "8135550188"})
    Phone.objects.filter(e164="+18135550142").update(unlinked_at=journey.later(2))

    post(zillow, minutes=3, sender={"emailAddress": "ben.ortiz@home.example"})

    assert numbers(lead) == {"+18135550142": False, "+18135550188": True}


def test_new_email_becomes_current_unless_it_bounced(zillow):
    lead = post(zillow)
    post(zillow, minutes=1, sender={"emailAddress": "new@home.example"})
    assert dict(lead.person.emails.values_list("key", "is_primary")) == {
        "ben.ortiz@home.example": False,
        "new@home.example": True,
    }
    Email.objects.filter(key="ben.ortiz@home.example").update(bounced_at=journey.later(2))

    post(zillow, minutes=3)

    assert Email.objects.get(is_primary=True).key == "new@home.example"


def test_longest_email_is_stored_with_its_consent(zillow):
    long = "b" * 60 + "@" + ".".join(["d" * 60] * 3) + ".example"

    lead = post(zillow, sender={"emailAddress": long})

    assert lead.person.emails.get().address == long
    assert Consent.objects.filter(address=long).count() == 1


def test_stated_language_is_stored(zillow):
    lead = journey.deliver(journey.create_website(), journey.form_post(language="es"))

    assert lead.person.language == "es"


def second_zillow():
    """Create a second Zillow account, such as one for each region."""
    return journey.create_zillow(
        name="Zillow West", slug="zillow-west", token="other", token_hash="other"
    )


def test_two_accounts_with_one_vendor_keep_separate_leads(zillow):
    ben = post(zillow, id="LC-77")

    ana = journey.deliver(
        second_zillow(),
        journey.zillow_contact(
            id="LC-77",
            sender={
                "firstName": "Guadalupe",
                "lastName": "Reyes",
                "phoneNumber": "8135550166",
                "emailAddress": "g@home.example",
            },
        ),
        at=journey.later(1),
    )

    assert (ana.person != ben.person, ana != ben) == (True, True)
    assert Touch.objects.filter(vendor_lead_id="LC-77").count() == 2


def test_vendor_id_from_other_account_is_same_lead_when_phone_matches(zillow):
    """Even if the vendor corrected the purpose, which otherwise makes another lead."""
    ben = post(zillow, id="LC-77")

    again = journey.deliver(
        second_zillow(),
        journey.zillow_contact(id="LC-77", details={"loanPurpose": "Refinance"}),
        at=journey.later(1),
    )

    assert again == ben
    matched_by = Touch.objects.latest("at").matched_by
    assert matched_by == "same vendor id, same phone and email, same name"


def test_repeat_at_same_account_makes_no_second_lead(zillow):
    contact = journey.zillow_contact(id="LC-77")
    journey.deliver(zillow, contact)

    journey.arrive(zillow, contact, at=journey.later(1))
    journey.run(at=journey.later(1))

    assert Touch.objects.count() == 1


def arrive_by_number_then_by_address(site, **changes):
    """Deliver one borrower twice at once, with two inquiries that share no value."""
    journey.arrive(site, journey.form_post(email="", **changes), at=journey.later(1))
    journey.arrive(site, journey.form_post(phone=""), at=journey.later(1.1))
    assert lead_arrival.process_next_batch(at=journey.later(2)) == 2


def test_concurrent_inquiries_of_one_person_make_one_lead():
    site = journey.create_website()
    old = journey.deliver(site, journey.form_post())
    Lead.objects.filter(pk=old.pk).update(state="retired", retired_at=make.NOON)

    arrive_by_number_then_by_address(site)

    new = Lead.objects.exclude(pk=old.pk).get()
    assert new.person == old.person
    touches = Touch.objects.filter(lead=new).order_by("delivery__received_at")
    assert [touch.is_first for touch in touches] == [True, False]


def test_concurrent_inquiries_of_one_lead_keep_all_values():
    site = journey.create_website()
    lead = journey.deliver(site, journey.form_post())

    arrive_by_number_then_by_address(site, property_city="Tampa")

    lead.refresh_from_db()
    assert lead.property_city == "Tampa"
    assert lead.details["property"]["city"] == "Tampa"


def test_concurrent_repeats_make_one_offer_and_use_one_turn():
    for name in ("Dana Whitfield", "Sam Okafor"):
        make.officer(name, licensed=("FL",))
    site = journey.create_website()
    for _ in range(2):
        journey.arrive(site, journey.form_post())

    journey.run()

    assert Touch.objects.filter(lead=Lead.objects.get()).count() == 2
    assert Offer.objects.get().decision == RoutingDecision.objects.get()
    assert sum(Turn.objects.values_list("taken", flat=True)) == 1
    assert Event.objects.filter(kind="routing.offer.made").count() == 1

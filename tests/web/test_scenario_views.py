import pytest
from django.urls import reverse

from rooftree.leads.models import Lead, LeadEdit, Phone, Task
from rooftree.leads.scenario_fields import FIELDS
from rooftree.ledger.models import Event
from rooftree.outreach.models import Message
from rooftree.routing import lead_ownership
from tests import make
from tests.flow import journey


@pytest.fixture
def ben(cast):
    """Ben's lead, assigned to Dana at noon."""
    make.touch(cast.ben)
    lead_ownership.give_lead(lead_id=cast.ben.pk, officer_id=cast.dana.pk, by=None, at=make.NOON)
    return Lead.objects.get(pk=cast.ben.pk)


@pytest.fixture
def dana(cast, signed_in):
    return signed_in(cast.dana.user)


def save(browser, lead, field, value, *, stated_by="borrower"):
    return browser.post(
        reverse("scenario_field", args=[lead.pk, field]), {"value": value, "stated_by": stated_by}
    )


def test_every_field_has_a_form_and_can_be_saved(ben, dana):
    typed = {
        "money": "412,000",
        "percent": "6.125",
        "text": "Lakeview",
        "zip": "33602",
        "state": "FL",
        "yes_no": "yes",
    }
    for key, field in FIELDS.items():
        address = reverse("scenario_field", args=[ben.pk, key])
        value = [*field.choices][0].value if field.choices else typed[field.kind.value]

        assert dana.get(address).status_code == 200, key
        assert save(dana, ben, key, value).status_code == 303, key

    page = dana.get(reverse("lead", args=[ben.pk]))
    assert "Lakeview" in page.text
    assert "6.125%" in page.text


def test_edit_shows_who_said_what_and_when(cast, ben, dana):
    save(dana, ben, "value", "458,000")

    page = dana.get(reverse("lead", args=[ben.pk]))

    assert "$458,000" in page.text
    assert "Dana Whitfield, per borrower" in page.text
    assert "updated the loan scenario" in page.text
    edit = LeadEdit.objects.get(lead=ben, field="value")
    assert (edit.after, edit.by, edit.stated_by) == (458_000_00, cast.dana.user, "borrower")


def test_ledger_names_the_fields_and_not_their_values(ben, dana):
    save(dana, ben, "income", "98,000")

    event = Event.objects.get(kind="leads.scenario.edited")
    assert event.data["fields"] == ["income"]
    assert "98" not in str(event.data)


def test_price_and_down_payment_change_the_loan_amount(ben, dana):
    save(dana, ben, "value", "500,000")
    save(dana, ben, "down_payment", "50,000")

    lead = Lead.objects.get(pk=ben.pk)
    assert lead.amount_cents == 450_000_00
    assert lead.details["loan"]["ltv_pct"] == 90.0
    assert "90.0%" in dana.get(reverse("lead", args=[ben.pk])).text


def test_the_same_value_again_stores_nothing(ben, dana):
    save(dana, ben, "city", "Lutz")
    save(dana, ben, "city", "Lutz")

    assert LeadEdit.objects.filter(lead=ben, field="city").count() == 1


def test_invalid_value_is_refused_and_kept(ben, dana):
    answer = save(dana, ben, "zip", "123")

    assert answer.status_code == 422
    assert "Enter five digits" in answer.text
    assert 'value="123"' in answer.text
    assert not LeadEdit.objects.exists()


def test_score_follows_an_edit(ben, dana):
    save(dana, ben, "signed_contract", "yes")
    with_contract = Lead.objects.get(pk=ben.pk).score
    save(dana, ben, "signed_contract", "no")

    assert with_contract > Lead.objects.get(pk=ben.pk).score


def test_state_without_the_officers_license_sends_the_lead_on(cast, ben, dana):
    answer = save(dana, ben, "state", "TX")

    assert answer.status_code == 303
    assert answer["Location"] == reverse("land")
    assert Lead.objects.get(pk=ben.pk).officer_id is None
    assert dana.get(reverse("lead", args=[ben.pk])).status_code == 404


def test_entering_the_state_finishes_the_task_that_asked_for_it(cast, dana):
    lead = make.lead(source=cast.zillow, property_state="", property_zip="")
    lead_ownership.give_lead(lead_id=lead.pk, officer_id=cast.dana.pk, by=None, at=make.NOON)
    asked = Task.objects.create(
        lead=lead, kind="require:property_state_needed", idempotency_key="asked",
        title="Find out the property state", due_at=make.NOON, created_at=make.NOON,
    )  # fmt: skip
    page = dana.get(reverse("lead", args=[lead.pk]))
    assert "Where’s the property?" in page.text

    save(dana, lead, "state", "FL")

    asked.refresh_from_db()
    assert asked.done_by == cast.dana.user
    assert "Where’s the property?" not in dana.get(reverse("lead", args=[lead.pk])).text


@pytest.mark.django_db
def test_later_inquiry_does_not_overwrite_an_edit(signed_in):
    journey.set_up_company()
    source = journey.create_zillow()
    lead = journey.deliver(source, journey.zillow_contact())
    browser = signed_in(make.user("administrator", email="ada@lindenfield.example"))
    assert save(browser, lead, "amount", "333,000").status_code == 303

    journey.deliver(source, journey.zillow_contact(), at=journey.later(60))

    lead = Lead.objects.get(pk=lead.pk)
    assert lead.touches.count() == 2
    assert lead.amount_cents == 333_000_00
    assert lead.details["loan"]["amount_cents"] == 333_000_00
    page = browser.get(reverse("lead", args=[lead.pk]))
    assert "Zillow said $412,000" in " ".join(page.text.split())


def test_new_number_is_in_use_and_has_no_consent(cast, ben, dana):
    answer = dana.post(
        reverse("edit_contact", args=[ben.pk]),
        {
            "first_name": "Ben",
            "last_name": "Ortiz",
            "phone": "(813) 555-0177",
            "phone_kind": "mobile",
        },
    )

    assert answer.status_code == 303
    newest = Phone.objects.get(person=ben.person, e164="+18135550177")
    assert newest.is_primary
    page = dana.get(reverse("lead", args=[ben.pk]))
    assert "(813) 555-0177" in page.text
    assert not Message.objects.filter(to_address="+18135550177").exists()


def test_co_borrower_is_a_person_of_their_own(ben, dana):
    dana.post(
        reverse("co_borrower", args=[ben.pk]),
        {"first_name": "Rosa", "last_name": "Ortiz", "phone": "813-555-0178"},
    )

    lead = Lead.objects.get(pk=ben.pk)
    assert lead.co_borrower.name == "Rosa Ortiz"
    assert lead.co_borrower_id != lead.person_id
    assert "Rosa Ortiz" in dana.get(reverse("lead", args=[ben.pk])).text


def test_closed_lead_can_be_reopened(ben, dana):
    Lead.objects.filter(pk=ben.pk).update(
        state="retired", retired_at=make.NOON, retired_reason="not interested"
    )
    assert save(dana, ben, "city", "Lutz").status_code == 422

    dana.post(reverse("reopening", args=[ben.pk]))

    lead = Lead.objects.get(pk=ben.pk)
    assert (lead.state, lead.retired_at) == ("working", None)
    assert save(dana, ben, "city", "Lutz").status_code == 303


@pytest.mark.parametrize("name", ["scenario", "edit_contact", "co_borrower"])
def test_another_officer_cannot_edit_the_lead(cast, ben, signed_in, name):
    assert signed_in(cast.sam.user).get(reverse(name, args=[ben.pk])).status_code == 404


def test_compliance_reads_the_scenario_and_cannot_edit_it(cast, ben, signed_in):
    browser = signed_in(cast.omar)

    assert "Loan scenario" in browser.get(reverse("lead", args=[ben.pk])).text
    assert save(browser, ben, "city", "Lutz").status_code == 403


@pytest.mark.parametrize("field", ["street", "agent_name", "referred_by"])
def test_social_security_number_is_masked_in_every_text(ben, dana, field):
    save(dana, ben, field, "SSN 219-09-9999")

    edit = LeadEdit.objects.get(lead=ben)
    assert edit.after == "SSN [redacted ssn]"
    assert "219-09-9999" not in str(Lead.objects.get(pk=ben.pk).details)


@pytest.mark.parametrize("value", ["9" * 30, "-500", "9223372036854775807", "1e30"])
def test_amount_that_no_loan_has_is_refused(ben, dana, value):
    assert save(dana, ben, "value", value).status_code == 422
    assert not LeadEdit.objects.exists()


def test_state_that_the_borrower_wrote_is_offered_and_not_filled(cast, signed_in):
    lead = make.lead(officer=cast.dana, property_state="")
    Message.objects.create(
        lead=lead, person=lead.person, medium="text", direction="in", state="received",
        purpose="reply", idempotency_key="test:state", to_address="+18135550100",
        body="the house is in Austin, TX", created_at=make.NOON,
    )  # fmt: skip

    page = signed_in(cast.dana.user).get(reverse("lead", args=[lead.pk])).text

    assert 'value="TX">Texas' in page
    assert "they wrote “the house is in Austin, TX”" in page
    lead.refresh_from_db()
    assert lead.property_state == ""

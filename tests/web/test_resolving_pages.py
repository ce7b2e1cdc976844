from uuid import uuid4

import pytest
from django.urls import reverse

from rooftree.leads.models import Lead
from rooftree.outreach.messages.required_actions import REQUIRED_ACTIONS
from rooftree.web.shared.resolving_pages import RESOLVING_PAGES, find_way_forward
from tests import make
from tests.flow import journey


def test_every_required_action_has_a_page_that_holds_it():
    assert set(RESOLVING_PAGES) >= set(REQUIRED_ACTIONS)


@pytest.mark.parametrize("reason", RESOLVING_PAGES)
def test_a_page_opens_for_whoever_may_act_and_others_learn_whom_to_ask(cast, signed_in, reason):
    administrator = make.user("administrator")
    way = find_way_forward(reason, cast.ben.pk, administrator)
    if way.href:
        assert signed_in(administrator).get(way.href).status_code == 200
    executive = find_way_forward(reason, uuid4(), make.user("executive"))
    assert executive.href or executive.roles


@pytest.mark.django_db
def test_popover_of_a_lead_without_a_state_leads_to_the_picker(signed_in, htmx):
    journey.set_up_company()
    lead = journey.deliver(journey.create_zillow(), journey.zillow_contact())
    Lead.objects.filter(pk=lead.pk).update(property_state="", property_zip="")
    manager = make.user("manager")

    page = signed_in(manager).get(reverse("badge", args=[lead.pk, "email"]), headers=htmx)

    assert "Enter the property state" in page.text
    assert reverse("lead", args=[lead.pk]) in page.text

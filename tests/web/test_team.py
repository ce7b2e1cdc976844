from django.urls import reverse

from rooftree.leads.models import Lead
from rooftree.routing import lead_ownership
from rooftree.routing.models import Ownership
from tests import make


def waiting(cast):
    lead_ownership.give_lead(lead_id=cast.ben.pk, officer_id=cast.dana.pk, by=None, at=make.NOON)
    Lead.objects.filter(pk=cast.ben.pk).update(response_due_at=make.NOON + make.MINUTE)


def test_team_page_shows_waiting_leads_and_available_officers(cast, signed_in):
    waiting(cast)

    page = signed_in(cast.ruth).get("/team/")

    assert "Tampa, right now" in page.text
    assert "Ben Ortiz" in page.text
    assert "1 overdue" in page.text
    assert "Dana Whitfield" in page.text
    assert "Sam Rivera" not in page.text  # in the Austin branch


def test_officers_cannot_open_the_team_page(cast, signed_in):
    assert signed_in(cast.dana.user).get("/team/").status_code == 403


def test_manager_reassigns_a_lead_to_another_officer(cast, signed_in):
    waiting(cast)
    other = make.officer("Kofi Mensah", licensed=("FL",), branch=cast.tampa)

    signed_in(cast.ruth).post(reverse("ownership", args=[cast.ben.pk]), {"officer": other.pk})

    assert Ownership.objects.get(lead=cast.ben, until_at=None).officer == other


def test_lead_cannot_be_reassigned_to_an_unlicensed_officer(cast, signed_in, htmx):
    waiting(cast)
    other = make.officer("Kofi Mensah", licensed=("TX",), branch=cast.tampa)

    answer = signed_in(cast.ruth).post(
        reverse("ownership", args=[cast.ben.pk]), {"officer": other.pk}, headers=htmx
    )

    assert answer.status_code == 409
    assert Ownership.objects.get(lead=cast.ben, until_at=None).officer == cast.dana


def test_officer_of_another_branch_cannot_be_chosen(cast, signed_in):
    waiting(cast)

    answer = signed_in(cast.ruth).post(
        reverse("ownership", args=[cast.ben.pk]), {"officer": cast.sam.pk}
    )

    assert answer.status_code == 404


def test_officer_cannot_reassign_a_lead(cast, signed_in):
    waiting(cast)

    answer = signed_in(cast.dana.user).post(
        reverse("ownership", args=[cast.ben.pk]), {"officer": cast.dana.pk}
    )

    assert answer.status_code == 403

"""Snippets: filled for one borrower, checked as typed, the owner's own or everyone's."""

import pytest

from rooftree.core.user_errors import InvalidField
from rooftree.leads.models import Lead
from rooftree.outreach.wording import snippets
from rooftree.outreach.wording.models import Snippet
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(cast):
    person = make.person(first_name="MARISOL", last_name="Vega")
    made = make.lead(officer=cast.dana, person=person, purpose="purchase", property_state="FL")
    return Lead.objects.select_related("person", "officer__user").get(pk=made.pk)


def save(by, title="Call", body="Hi {{ borrower.first_name }}", **changes):
    more = {"language": "en", "is_shared": False, "by": by, "at": make.NOON, **changes}
    return snippets.save_snippet(None, title=title, body=body, **more)


def filled(lead, user):
    return {row.title: row.text for row in snippets.fill_snippets(lead, user=user, at=make.NOON)}


def test_snippet_is_filled_with_borrower_officer_and_loan(cast, lead):
    save(
        cast.dana.user,
        body="Hi {{ borrower.first_name }}, it’s {{ officer.first_name }} about {{ lead.kind }}"
        "{{ lead.where }}.",
    )

    assert filled(lead, cast.dana.user) == {
        "Call": "Hi Marisol, it’s Dana about buying a home in Florida."
    }


def test_own_snippets_are_private_and_shared_ones_are_for_everyone(cast, lead):
    save(cast.dana.user, title="Mine")
    save(cast.sam.user, title="Sam’s")
    save(make.user("marketing"), title="Ours", is_shared=True)

    assert list(filled(lead, cast.dana.user)) == ["Mine", "Ours"]


def test_snippets_in_the_borrowers_language_come_first(cast, lead):
    snippets.ensure_default_snippets(at=make.NOON)
    lead.person.language = "es"

    titles = list(filled(lead, cast.dana.user))

    assert titles[:2] == ["Agendar una llamada", "No le encontré"]
    assert "Book a call" in titles


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("We have 6.0% today", "“6.0%”"),
        ("Sorry, you don’t qualify.", "denial"),
        ("Hi {{ borrower.ssn }}", "placeholders"),
        ("{% if %}", "placeholders"),
    ],
)
def test_snippet_that_would_be_refused_is_not_saved(cast, body, problem):
    with pytest.raises(InvalidField, match=problem):
        save(cast.dana.user, body=body)

    assert not Snippet.objects.exists()


def test_two_snippets_of_one_owner_have_two_names(cast):
    first = save(cast.dana.user)
    with pytest.raises(InvalidField, match="already"):
        save(cast.dana.user, body="Other words")

    snippets.archive_snippet(first, by=cast.dana.user, at=make.NOON)
    assert save(cast.dana.user, body="Other words").body == "Other words"


def test_default_snippets_pass_their_own_check_and_come_once(cast):
    assert snippets.ensure_default_snippets(at=make.NOON) == len(snippets.DEFAULT_SNIPPETS)
    assert snippets.ensure_default_snippets(at=make.NOON) == 0

    for snippet in Snippet.objects.all():
        check = snippets.check_snippet(
            snippet.body, language=snippet.language, user=cast.dana.user, at=make.NOON
        )
        assert not check.problems

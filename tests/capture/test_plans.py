"""Query plans: person lookups use an index, however many people are on file."""

import json

import pytest
from django.db import connection

from rooftree.leads.models import Lead, Person, Phone, PossibleDuplicate
from tests import make

pytestmark = pytest.mark.django_db

LOOK_UPS = {
    "phone_by_number": Phone.objects.filter(e164__in=["+18135550142", "+18135550124"]),
    "person_by_name": Person.objects.filter(name_key__in=["bob hale", "robert hale"]),
    "person_by_home": Person.objects.filter(home_key__in=["33602 12 main"]),
    "lead_by_property": Lead.objects.filter(property_key__in=["33602 12 main"]),
    "lead_by_co_borrower": Lead.objects.filter(co_borrower="01a20959-a680-7000-a733-7264f8e7342d"),
    "person_to_compare": Person.objects.filter(compared_at=None).order_by("created_at")[:1],
    "likeness_open": PossibleDuplicate.objects.filter(answer="").order_by("found_at")[:20],
}


@pytest.fixture
def _people(db):
    """Create enough people that scanning another index would cost more."""
    people = Person.objects.bulk_create(
        Person(first_name=f"Ada{n}", name_key=f"ada{n}", home_key="", created_at=make.NOON)
        for n in range(300)
    )
    Phone.objects.bulk_create(
        Phone(person=one, e164=f"+1813555{n:04d}", given_at=make.NOON)
        for n, one in enumerate(people)
    )
    with connection.cursor() as cursor:
        cursor.execute("analyze person, phone")


@pytest.mark.usefixtures("_people")
@pytest.mark.parametrize("index", LOOK_UPS)
def test_lookup_uses_its_own_index(index):
    with connection.cursor() as cursor:
        cursor.execute("set local enable_seqscan = off")
        cursor.execute("set local enable_sort = off")
        plan = LOOK_UPS[index].explain(format="json")

    assert index in json.dumps(json.loads(plan))

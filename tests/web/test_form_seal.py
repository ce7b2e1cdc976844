"""The public form's seal: accepts only our own wording, for this form, within a day."""

import re

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from rooftree.capture.own_form import form_seal
from rooftree.capture.own_form.form_versions import default_form
from rooftree.flow import clock
from rooftree.leads.models import Delivery
from tests import make
from tests.web.visitor import LEGAL, hidden, open_form, send

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("seal", ["", "no seal", "a:b", None])
def test_post_without_a_valid_seal_shows_the_form_again_and_stores_nothing(source, seal):
    answer = send(open_form(), seal=seal, consent="yes")

    page = answer.content.decode()
    assert answer.status_code == 409
    assert not Delivery.objects.exists()
    assert 'value="Ben"' in page
    assert "checked" not in re.search(r'<input type="checkbox"[^>]*>', page).group()
    assert hidden(page)["seal"] not in ("", seal)


@given(position=st.integers(0, 700), letter=st.sampled_from("aZ09-_:."))
def test_altered_seal_is_rejected(position, letter):
    form = default_form(on=make.NOON.date())
    new_seal = form_seal.make_seal(
        source="our-site",
        form=form,
        language="en",
        legal_name=LEGAL,
        snapshot="<p>",
        page_sha256="0" * 64,
        at=make.NOON,
    )
    token = new_seal.sign()
    place = position % len(token)
    forged = token[:place] + letter + token[place + 1 :]

    def open_(value):
        return form_seal.open_seal(value, source="our-site", legal_name=LEGAL, at=make.NOON)

    assert open_(token) == (new_seal, form)
    if forged != token:
        with pytest.raises(form_seal.BadSeal):
            open_(forged)


def test_seal_of_another_form_is_rejected(source):
    make.source("website_form", slug="other-site")
    with clock.freeze(make.NOON - make.MINUTE):
        other = Client().get("/forms/other-site/").content.decode()

    assert send(other).status_code == 409
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(("hours", "status"), [(23.9, 303), (24.1, 409)])
def test_seal_is_valid_for_a_day(source, hours, status):
    page = open_form(at=make.NOON - hours * make.HOUR)

    assert send(page).status_code == status


def test_company_name_change_shows_the_form_again(source):
    page = open_form()
    company = make.company()
    company.legal_name = "Linden Lending, LLC"
    company.save()

    answer = send(page, consent="yes")

    assert answer.status_code == 409
    assert "Linden Lending, LLC may call" in answer.content.decode()

"""The number check account page: the account is tested first, and its key never shown."""

import pytest

from rooftree.compliance.numbers.models import NumberQuestion, NumberService
from rooftree.compliance.numbers.number_vendor import QuestionKind
from rooftree_simulators.numbers import dncscrub
from rooftree_simulators.start_simulators import start_simulators
from tests import make

pytestmark = pytest.mark.django_db
PAGE = "/setup/number-checks/"


@pytest.fixture
def vendor(settings):
    with start_simulators() as running:
        settings.UPSTREAMS = {f"numbers_{kind}": running.urls["dncscrub"] for kind in QuestionKind}
        yield running.dncscrub


@pytest.fixture
def systems(signed_in):
    make.company()
    return signed_in(make.user("administrator"))


def form_data(**changes):
    return {
        "key": dncscrub.LOGIN_ID, "project": "", "covers": ["US", "FL"], "asks_reassigned": "on",
        **changes,
    }  # fmt: skip


def test_page_without_an_account_explains_the_effect(systems):
    page_text = systems.get(PAGE).text
    assert "counts as listed" in page_text
    assert "waits until someone verifies the number" in page_text
    assert 'number-checks/">off' in systems.get("/setup/").text


def test_working_account_is_saved_and_its_key_never_shown(systems, vendor):
    answer = systems.post(PAGE, form_data())

    assert answer.status_code == 303
    row = NumberService.objects.get()
    assert (row.key, row.covers, row.asks_reassigned) == (dncscrub.LOGIN_ID, ["FL", "US"], True)
    assert {request.op for request in vendor.record.requests_since(0)} == {"scrub", "query"}
    page_text = systems.get(PAGE).text
    assert dncscrub.LOGIN_ID not in page_text
    assert "Florida state list, National registry" in page_text
    assert 'number-checks/">on' in systems.get("/setup/").text


def test_api_key_is_encrypted_in_the_database(systems, vendor):
    from django.db import connection

    systems.post(PAGE, form_data())
    with connection.cursor() as cursor:
        cursor.execute("select key from number_service")
        assert dncscrub.LOGIN_ID not in cursor.fetchone()[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"key": "another"}, "rejected our credentials"),
        ({"key": ""}, "Enter login ID"),
        ({"covers": [], "asks_reassigned": ""}, "Choose at least one check"),
    ],
)
def test_rejected_account_is_not_saved(systems, vendor, changes, words):
    answer = systems.post(PAGE, form_data(**changes))

    assert answer.status_code == 422
    assert words.lower() in answer.text.lower()
    assert not NumberService.objects.exists()


def test_sandbox_account_is_rejected(systems, vendor):
    vendor.is_sandbox = True
    assert "sandbox" in systems.post(PAGE, form_data()).text


def test_account_can_be_tested_again_and_an_empty_key_keeps_the_old(systems, vendor):
    systems.post(PAGE, form_data())
    assert systems.post(f"{PAGE}trial/").status_code == 303
    assert systems.post(PAGE, form_data(key="", covers=["US"])).status_code == 303
    assert NumberService.objects.get().key == dncscrub.LOGIN_ID
    vendor.faults.add_fault({"action": "status:500"})
    assert "failed (500)" in systems.post(f"{PAGE}trial/", follow=True).text


def test_stopped_service_is_not_queried_and_earlier_answers_stay(systems, vendor):
    systems.post(PAGE, form_data())
    NumberQuestion.objects.create(
        kind="lists", number="+18135550142", asked_at=make.NOON, answered_at=make.NOON, answer={},
        service="dncscrub",
    )  # fmt: skip

    systems.post(f"{PAGE}stop/")

    assert not NumberService.objects.exists()
    assert NumberQuestion.objects.exists()


def test_failing_check_is_shown_on_the_page(systems, vendor):
    systems.post(PAGE, form_data())
    NumberService.objects.update(failing_since=make.NOON, problem="dataapi failed (500).")
    page_text = systems.get(PAGE).text
    assert "not answering" in page_text
    assert "dataapi failed (500)." in page_text

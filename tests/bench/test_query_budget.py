"""What one lead may cost in statements: counted, never timed.

The budgets are what was reached, and go up only for something new that a lead gets.
docs/performance.md says what each part is.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from rooftree.flow import clock
from rooftree.outreach.models import Message
from rooftree.routing.models import Offer
from rooftree.tasks import drain_queue
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
ACCEPTED = 1  # the delivery, its key, the event and the nudge together
WORKED = {
    "process_deliveries": 23,  # the last: whether a vendor is asked about its numbers
    # With a text and an e-mail decided, twice each, and handed over. Ten take and lay down the
    # door's right, of which four are left to the end of the transaction outside of a test.
    "respond_to_touches": 56,
    "assign_leads": 32,  # and the officer is rung, and hears by text and e-mail too
}


@pytest.fixture
def open_for_business(as_the_program: None) -> Any:
    """A company with three officers and a form that proves consent; one lead has come before."""
    journey.ready()
    for _ in range(3):
        make.officer()
    site = journey.website(cost_cents=20_00)
    journey.deliver(site, _form("Xan", "2010"))
    return site


def test_accepting_a_lead_stays_within_its_budget_of_statements(open_for_business):
    spent = _counted(lambda: journey.arrive(open_for_business, _form("Ann", "2020")))

    assert spent <= ACCEPTED


def test_working_a_lead_stays_within_its_budget_of_statements(open_for_business):
    journey.arrive(open_for_business, _form("Ann", "2020"))

    spent = _worked()

    assert {message.medium for message in _sent_to("Ann")} == {"text", "email"}
    assert Offer.objects.filter(lead__person__first_name="Ann").exists()
    assert {name: number for name, number in spent.items() if number > WORKED.get(name, 0)} == {}


def test_ten_leads_at_once_cost_no_more_each_than_one(open_for_business):
    for n in range(10):
        journey.arrive(open_for_business, _form(f"Ann{'abcdefghij'[n]}", f"30{n:02d}"))

    spent = _worked()

    assert Offer.objects.filter(lead__person__first_name__startswith="Ann").count() == 10
    assert spent.total() <= 10 * sum(WORKED.values())


def test_the_database_plans_the_statements_of_a_lead_once_a_connection(open_for_business):
    before = _planned()

    for n in range(16):  # five until a statement is prepared, and five until its plan is kept
        journey.arrive(open_for_business, _form(f"Bea{'abcdefghijklmnop'[n]}", f"40{n:02d}"))
        _worked()

    anew = {text: number - before[text] for text, number in _planned().items()}
    assert [text for text, number in anew.items() if number > 5] == []


def _planned() -> Counter[str]:
    """How often each prepared statement of this connection was planned for its values alone."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select statement, sum(custom_plans)::int from pg_prepared_statements group by 1"
        )
        return Counter(dict(cursor.fetchall()))


def _form(name: str, line: str) -> dict[str, Any]:
    return journey.form_post(
        first_name=name, last_name=name, phone=f"(813) 555-{line}", email=f"{name}@home.example"
    )


def _sent_to(name: str) -> list[Message]:
    return list(Message.objects.filter(lead__person__first_name=name, state="sent"))


def _worked() -> Counter[str]:
    """Run what is queued at noon; the statements of each task, the queue's own left out."""
    spent: Counter[str] = Counter()
    run = drain_queue.call_task

    def watched(args: dict[str, Any]) -> None:
        spent[args["task"]] += _counted(lambda: run(args))

    drain_queue.call_task = watched
    try:
        with clock.freeze(make.NOON):
            drain_queue.run_queued_tasks(by=make.NOON)
    finally:
        drain_queue.call_task = run
    return spent


def _counted(act: Callable[[], object]) -> int:
    statements = 0

    def note(execute: Callable[..., Any], *rest: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(*rest)

    with connection.execute_wrapper(note):
        act()
    return statements

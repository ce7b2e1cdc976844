"""The budget of database statements per lead: counted, never timed.

A budget is the number reached today; raise it only for a new feature of a lead.
docs/performance.md explains each part.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from rooftree.flow import clock
from rooftree.outreach.models import Message
from rooftree.routing.models import Offer
from rooftree.tasks import drain_queue
from tests import make
from tests.conftest import execute_as_owner
from tests.flow import journey

pytestmark = pytest.mark.django_db
ACCEPT_BUDGET = 1  # delivery, key, event and worker wake-up together
WORK_BUDGET = {
    # The last two ask for shadow mode, and whether a vendor looks up phone numbers.
    "process_deliveries": 24,
    # A text and an email, each decided twice and sent. Ten statements switch the database role,
    # of which four move to the end of the transaction outside a test.
    "respond_to_touches": 59,  # one reads records for the promised call, two the mail server
    "assign_leads": 32,  # also rings the officer and sends a text and an email
}
TRUNCATE_TABLES = """
do $$
begin
    execute (
        select 'truncate ' || string_agg(format('%I', relname), ', ') from pg_class
         where relkind = 'r' and relnamespace = 'public'::regnamespace
           and relname not in ('django_migrations', 'django_content_type', 'auth_permission')
    );
end $$
"""


@pytest.fixture
def fresh_tables(django_db_setup: None, django_db_blocker: Any) -> None:
    """Empty all tables as in a new database: even deleted rows of other tests change plans."""
    if settings.DATABASE_IS_EMBEDDED:
        with django_db_blocker.unblock():
            execute_as_owner(TRUNCATE_TABLES)


@pytest.fixture
def open_for_business(fresh_tables: None, as_the_program: None) -> Any:
    """Create a company with three officers and a form that proves consent; one lead came before."""
    journey.set_up_company()
    for _ in range(3):
        make.officer()
    site = journey.create_website(cost_cents=20_00)
    journey.deliver(site, _form("Xan", "2010"))
    return site


def test_accepting_a_lead_stays_within_statement_budget(open_for_business):
    statements = _count_statements(lambda: journey.arrive(open_for_business, _form("Ann", "2020")))

    assert statements <= ACCEPT_BUDGET


def test_working_a_lead_stays_within_statement_budget(open_for_business):
    journey.arrive(open_for_business, _form("Ann", "2020"))

    statements = _work_leads()

    assert {message.medium for message in _sent_to("Ann")} == {"text", "email"}
    assert Offer.objects.filter(lead__person__first_name="Ann").exists()
    over_budget = {
        name: number for name, number in statements.items() if number > WORK_BUDGET.get(name, 0)
    }
    assert over_budget == {}


def test_ten_leads_at_once_cost_no_more_per_lead(open_for_business):
    for n in range(10):
        journey.arrive(open_for_business, _form(f"Ann{'abcdefghij'[n]}", f"30{n:02d}"))

    statements = _work_leads()

    assert Offer.objects.filter(lead__person__first_name__startswith="Ann").count() == 10
    assert statements.total() <= 10 * sum(WORK_BUDGET.values())


def test_lead_statements_are_planned_once_per_connection(open_for_business):
    before = _count_plans()

    for n in range(16):  # a statement is prepared after five runs, its plan kept after five more
        journey.arrive(open_for_business, _form(f"Bea{'abcdefghijklmnop'[n]}", f"40{n:02d}"))
        _work_leads()

    plans = {text: number - before[text] for text, number in _count_plans().items()}
    assert [text for text, number in plans.items() if number > 5] == []


def _count_plans() -> Counter[str]:
    """Count the custom plans of each prepared statement of this connection."""
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


def _work_leads() -> Counter[str]:
    """Run queued tasks at noon; count the statements of each task, without the queue's own."""
    statements: Counter[str] = Counter()
    run = drain_queue.call_task

    def run_counted(args: dict[str, Any]) -> None:
        statements[args["task"]] += _count_statements(lambda: run(args))

    drain_queue.call_task = run_counted
    try:
        with clock.freeze(make.NOON):
            drain_queue.run_queued_tasks(by=make.NOON)
    finally:
        drain_queue.call_task = run
    return statements


def _count_statements(act: Callable[[], object]) -> int:
    statements = 0

    def count(execute: Callable[..., Any], *rest: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(*rest)

    with connection.execute_wrapper(count):
        act()
    return statements

"""`rooftree check` beside a live system: it waits for nobody, and computes as long as it must."""

import io
import time

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from rooftree.db.keyset_batches import iterate_in_batches
from rooftree.management.commands import check
from rooftree.org.models import LoanOfficer
from rooftree.reporting.invariants import build_finding
from rooftree.reporting.rollups import rollup_deltas
from rooftree.routing.models import Ownership
from rooftree.tasks.dsn import database_dsn
from tests import make


def run_check(*options: str) -> str:
    output = io.StringIO()
    call_command("check", *options, stdout=output)
    return output.getvalue()


def set_on_connection(setting: str, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select set_config(%s, %s, false)", [setting, value])


@pytest.fixture
def session(committed):
    """Reset the settings of the connection afterwards."""
    yield
    connection.close()


def test_check_outlasts_the_limit_of_idle_transactions(session, monkeypatch):
    def compute_slowly(at):
        time.sleep(0.4)
        LoanOfficer.objects.count()
        return build_finding("slow", [], "It computed.", "")

    monkeypatch.setattr(check, "DEEP_CHECKS", (compute_slowly,))
    set_on_connection("idle_in_transaction_session_timeout", "100ms")

    assert "holds   slow: It computed." in run_check("--deep")


def test_check_waits_for_no_officer_who_is_being_changed(session):
    officer = make.officer(licensed=("FL",))
    lead = make.lead()
    Ownership.objects.create(lead=lead, officer=officer, from_at=make.NOON)
    rollup_deltas.append_missing_deltas(lead.pk)
    set_on_connection("lock_timeout", "300ms")

    with psycopg.connect(database_dsn()) as other:
        other.execute("select from loan_officer for update")
        report = run_check()

    assert "holds   licensed: The officers of all 1 live offers" in report


@pytest.mark.django_db
@pytest.mark.parametrize("size", [1, 2, 3, 50])
def test_batches_yield_every_row_once_in_order(size):
    officers = [make.officer(f"Officer {nth}") for nth in range(3)]
    keys = sorted(officer.pk for officer in officers)

    rows = iterate_in_batches(LoanOfficer.objects.all(), by="id", size=size)
    values = iterate_in_batches(LoanOfficer.objects.values("id"), by="id", size=size)

    assert [row.pk for row in rows] == [row["id"] for row in values] == keys

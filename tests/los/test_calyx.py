"""Calyx Point by files: a site's folders, its importer and its exports, set up through pages."""

import csv
import errno
import json
import os
import time
from pathlib import Path

import pytest
from django.db import connection as database
from lxml import etree

from rooftree.core.vendor_errors import Misconfigured, RetryLater
from rooftree.flow import loan_milestones
from rooftree.leads.models import Loan
from rooftree.los import adapter_pool, los_connections
from rooftree.los.adapters import calyx_files
from rooftree.money.models import Entry
from rooftree.outreach.models import Message
from tests import make as rows
from tests.flow import journey
from tests.los import make, systems

COLUMNS = (
    "FileName", "LoanNumber", "BorrowerLast", "LoanStatus", "LoanStatusDate", "LoanAmount",
    "LoanRep", "EstClose", "LockExp", "Commission", "SSN",
)  # fmt: skip


class Site:
    """The folders of a Point site, and what Point does with them."""

    def __init__(self, root: Path) -> None:
        self.drop, self.status = root / "drop" / "in", root / "drop" / "status"
        for folder in (self.drop, self.status, root / "drop" / "done", root / "drop" / "error"):
            folder.mkdir(parents=True)

    def take_files(self, refusal: str = "") -> None:
        """Import every whole file, as the importer does; it ignores drafts."""
        for path in self.drop.glob("*.xml"):
            etree.parse(path)
            ending = (
                ("error", f"{path.stem}.error.txt")
                if refusal
                else ("done", f"{path.stem}.receipt.json")
            )
            text = refusal or json.dumps({"fileName": path.stem})
            (self.drop.parent / ending[0] / ending[1]).write_text(text)
            path.unlink()

    def export(self, stamp: str, *lines: dict[str, str], settled: bool = True) -> Path:
        """Write a report as Point does: Windows-1252, CRLF, two-digit years."""
        path = self.status / f"point_{stamp}.csv"
        with path.open("w", encoding="cp1252", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\r\n")
            writer.writeheader()
            writer.writerows(
                {"BorrowerLast": "Peña", "SSN": "900-12-3456", **line} for line in lines
            )
        age = 60 if settled else 0
        os.utime(path, (time.time() - age,) * 2)
        return path


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


@pytest.fixture
def connected(journey_start, site):
    lender = systems.Lender("calyx")
    lender.typed = {
        "name": "Point", "instance": "Austin", "folder": "BORROWER (PDS)", "has_receipts": "yes",
        "drop_folder": str(site.drop), "status_folder": str(site.status),
    }  # fmt: skip
    assert lender.add(**lender.typed | {"drop_folder": "in"}).status_code == 422
    assert lender.add(**lender.typed).status_code == 303
    los_connections.set_lender_fields(
        connection_id=lender.connection.pk, lead_fields={}, revenue_fields=["Commission"],
        by=rows.user("administrator"), at=rows.NOON,
    )  # fmt: skip
    assert lender.check() == []
    lender.post("enable_connection")
    assert lender.connection.enabled_at is not None
    return lender


@pytest.fixture
def journey_start(world):
    """The installation of the journeys, which stands at noon."""


def poll(minutes: float) -> None:
    loan_milestones.poll_due_connections(at=journey.later(minutes))


def line(lead, status: str, day: str, **more: str) -> dict[str, str]:
    name = f"{lead.pk}.BRW".upper()
    return {"FileName": name, "LoanStatus": status, "LoanStatusDate": day, **more}


def test_file_becomes_one_loan_and_comes_back_funded_with_revenue(connected, site, dana):
    lead = systems.new_lead(dana)
    assert systems.hand_off(lead).state == "uncertain"  # the importer has not answered
    text = (site.drop / f"{lead.pk}.xml").read_text()
    assert str(lead.pk) in text and [path.suffix for path in site.drop.iterdir()] == [".xml"]
    assert systems.send_due(lead, 2).state == "uncertain"
    site.take_files()
    handoff = systems.send_due(lead, 4)
    assert (handoff.state, handoff.loan.los_loan_id) == ("created", str(lead.pk))
    assert systems.hand_off(lead, 5).pk == handoff.pk and not list(site.drop.iterdir())

    site.export("202611271200", line(lead, "CLEARED-TO-CLOSE", "11/27/26", LoanNumber="P-9"))
    late = site.export("202611241200", line(lead, "Approved", "11/24/26"))  # copied afterwards
    os.utime(late)
    growing = site.export("202611281200", line(lead, "Funded", "11/28/26"), settled=False)
    poll(6)
    os.utime(late, (1, 1))
    poll(12)
    loan = Loan.objects.get()
    assert (loan.milestone, loan.loan_number) == ("clear_to_close", "P-9")  # the growing one waits
    assert systems.steps_of(loan)["conditional_approval"] == "2026-11-24"
    growing.unlink()
    funded = line(lead, "Funded", "11/30/26", Commission="$6,000.00", LoanAmount="410,000.00")
    site.export("202611301200", funded, {"FileName": "other", "LoanStatus": "Funded"})
    poll(18)
    poll(24)
    loan.refresh_from_db()
    assert (loan.milestone, loan.funded_date.isoformat()) == ("funded", "2026-11-30")
    assert [entry.amount_cents for entry in Entry.objects.filter(kind="revenue")] == [6_000_00]
    site.export("202612011200", funded | {"Commission": "5,900.00"})
    poll(30)
    assert Entry.objects.get(kind="reversal").amount_cents == 100_00
    with database.cursor() as cursor:
        cursor.execute("select string_agg(e::text, '') from los_event e")
        assert "900-12" not in (cursor.fetchone()[0] or "")


def test_denied_loan_silences_unknown_status_pauses_and_refused_file_asks(connected, site, dana):
    lead = systems.new_lead(dana)
    systems.hand_off(lead)
    site.take_files()
    assert systems.send_due(lead, 2).state == "created"
    site.export("202611241200", line(lead, "Investor Review", "11/24/26"))
    poll(6)
    assert Loan.objects.get().unmapped_statuses == ["Investor Review"]
    site.export("202611251200", line(lead, "Denied", "11/25/26"))
    poll(12)
    loan = Loan.objects.get()
    assert (loan.final_outcome, loan.unmapped_statuses) == ("denied", [])
    assert not Message.objects.filter(lead=lead, sent_at__isnull=False).exists()

    other = systems.new_lead(dana, "Ana Ruiz")
    systems.hand_off(other, 13)
    site.take_files(refusal="Borrower 900-12-3456 has no last name.")
    asked = systems.send_due(other, 15)
    assert (asked.state, asked.due_at) == ("uncertain", None)
    assert "has no last name" in asked.problem and "900-12" not in asked.problem
    late = systems.new_lead(dana, "Marcus Sample")
    systems.hand_off(late, 16)
    assert "importer running" in systems.send_due(late, 90).problem


def test_folder_failures_are_told_apart_and_leave_no_half_file(connected, site, monkeypatch):
    adapter = adapter_pool.get_adapter(connected.connection)
    record = make.handoff("calyx")
    kinds = {errno.ENOSPC: RetryLater, errno.EBUSY: RetryLater, errno.EACCES: Misconfigured}
    for code, kind in kinds.items():
        with monkeypatch.context() as patched:

            def fail(*_: object, code: int = code) -> None:
                raise OSError(code, os.strerror(code))

            patched.setattr(calyx_files.Path, "replace", fail)
            with pytest.raises(kind):
                adapter.create_loan(record)
        assert list(site.drop.iterdir()) == []
    site.drop.rename(site.drop.with_name("moved"))
    with pytest.raises(Misconfigured, match="import folder"):
        adapter.create_loan(record)
    with pytest.raises(Misconfigured, match="import folder"):
        adapter.find_changed_since(rows.NOON)

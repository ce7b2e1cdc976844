"""Storage of loan files on disk, so they outlive a restart of the instance."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from rooftree_simulators.encompass.loan_files import Loan, Milestone

_CREATE_TABLE = "create table if not exists loan (guid text primary key, file text not null)"
_UPSERT_LOAN = (
    "insert into loan values (?, ?) on conflict (guid) do update set file = excluded.file"
)


class LoanStore:
    """Loan files by GUID. Locks and the lagging reporting copies are not stored."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._mutex = threading.Lock()
        self._files = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        # With these settings a killed process loses nothing; a power failure can lose a second.
        self._files.execute("pragma journal_mode = wal")
        self._files.execute("pragma synchronous = off")
        self._files.execute(_CREATE_TABLE)

    def save_loan(self, loan: Loan) -> None:
        """Store the current state of a loan file."""
        with self._mutex:
            self._files.execute(_UPSERT_LOAN, (loan.guid, json.dumps(_loan_to_json(loan))))

    def load_loans(self) -> Iterator[Loan]:
        """Load all loan files, in no particular order."""
        with self._mutex:
            rows = self._files.execute("select file from loan").fetchall()
        return (_loan_from_json(json.loads(text)) for (text,) in rows)

    def delete_all(self) -> None:
        """Delete all loan files."""
        with self._mutex:
            self._files.execute("delete from loan")

    def close(self) -> None:
        with self._mutex:
            self._files.close()


def _loan_to_json(loan: Loan) -> dict[str, Any]:
    return {
        "guid": loan.guid,
        "number": loan.number,
        "folder": loan.folder,
        "created_at": loan.created_at.isoformat(),
        "modified_at": loan.modified_at.isoformat(),
        "lo_id": loan.lo_id,
        "template": loan.template,
        "document": loan.document,
        "custom": loan.custom,
        "milestones": [
            [
                milestone.id,
                milestone.name,
                milestone.done_at.isoformat() if milestone.done_at else None,
            ]
            for milestone in loan.milestones
        ],
    }


def _loan_from_json(content: dict[str, Any]) -> Loan:
    milestones = [
        Milestone(id=key, name=name, done_at=datetime.fromisoformat(done) if done else None)
        for key, name, done in content.pop("milestones")
    ]
    created, modified = (datetime.fromisoformat(content.pop(f"{stamp}_at")) for stamp in _STAMPS)
    return Loan(created_at=created, modified_at=modified, milestones=milestones, **content)


_STAMPS = ("created", "modified")

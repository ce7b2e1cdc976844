"""What a record is kept for when more than one rule keeps it."""

from datetime import date

import pytest

from rooftree.compliance.retention import deletion


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("ad_copy", "retention_elapsed"),
        ("ad_copy_script", "retention_5_years"),
        ("application_message", "retention_7_years"),
    ],
)
def test_the_longest_of_several_rules_keeps_a_record(record: str, reason: str) -> None:
    said = deletion(
        record=record,
        since=date(2024, 10, 20),
        today=date(2026, 11, 23),
        is_held=False,
        is_telemarketing=False,
    )
    assert said.reason == reason

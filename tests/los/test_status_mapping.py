"""Status maps: the shipped meaning of each LOS status, and the lender's changes."""

import pytest

from rooftree.los.loan_milestones import UnmappedStatus, all_milestones, load_status_map
from rooftree.los.status_mapping import build_status_map, milestone_for_status

LOSES = ["encompass", "lendingpad", "byte", "lqb", "calyx"]


def milestone_code(los: str, status: str, changes: dict | None = None) -> str | None:
    milestone = milestone_for_status(los, status, build_status_map(los, changes))
    return milestone.code if milestone else None


@pytest.mark.parametrize(
    ("los", "status", "expected"),
    [
        ("encompass", "Cond. Approval", "conditional_approval"),
        ("encompass", "cond. approval", "conditional_approval"),
        ("encompass", "Approval", "final_approval"),
        ("encompass", "Clear to Close", "clear_to_close"),  # by pattern: no predefined milestone
        ("encompass", "CTC", "clear_to_close"),
        ("encompass", "1393=", None),  # active
        ("encompass", "1393=Application denied", "denied"),
        ("encompass", "1393=Loan Originated", "funded"),
        ("encompass", "2305", "clear_to_close"),
        ("encompass", "3142", "application"),
        ("lendingpad", "24", "conditional_approval"),
        ("lendingpad", "clear to close", "clear_to_close"),
        ("byte", "0", None),
        ("byte", "16", "clear_to_close"),
        ("lqb", "0", "application"),
        ("lqb", "11", "file_closed"),  # inactive, not a closed loan
        ("lqb", "(purchase review … clear to purchase)", "shipped"),  # six codes, one answer
        ("calyx", "Pre-Approved!", "preapproved"),
        ("calyx", "  cleared   to close ", "clear_to_close"),
    ],
)
def test_status_has_the_milestone_of_the_shipped_map(los, status, expected):
    assert milestone_code(los, status) == expected


@pytest.mark.parametrize(
    ("los", "status"),
    [
        ("encompass", "Closing Disclosure Sent"),
        ("encompass", "1393=Something new"),
        ("encompass", "1996"),  # funds ordered: not a milestone
        ("encompass", ""),
        ("byte", "57"),
        ("byte", "CustomStatus7"),
        ("byte", "_date_fields"),
        ("lqb", "14"),
        ("lendingpad", "999"),
        ("calyx", "_match"),
        ("calyx", "Approved with love"),
    ],
)
def test_status_missing_from_the_map_is_unmapped(los, status):
    with pytest.raises(UnmappedStatus):
        milestone_code(los, status)


@pytest.mark.parametrize(
    ("los", "status", "changes", "expected"),
    [
        ("byte", "57", {"57": "processing"}, "processing"),
        ("byte", "57", {"57": {"name": "QC", "canonical": "processing"}}, "processing"),
        ("byte", "4", {"57": "processing"}, "submitted_to_underwriting"),  # the rest stays
        ("encompass", "Approval", {"milestones": {"Approval": "conditional_approval"}},
         "conditional_approval"),
        ("encompass", "CTC ready", {"custom_milestone_patterns": [["ctc ready", "docs_out"]]},
         "docs_out"),
        ("encompass", "2305", {"date_fields": {"2305": "final_approval"}}, "final_approval"),
    ],
)  # fmt: skip
def test_lender_map_overrides_the_shipped_map(los, status, changes, expected):
    assert milestone_code(los, status, changes) == expected


def test_status_mapped_to_unknown_milestone_is_unmapped():
    with pytest.raises(UnmappedStatus):
        milestone_code("byte", "57", {"57": "nearly_done"})


@pytest.mark.parametrize("los", LOSES)
def test_shipped_map_uses_only_known_milestones(los):
    status_map = load_status_map(los)
    if los == "encompass":
        codes = [*status_map["milestones"].values(), *status_map["date_fields"].values()]
        codes += [value for value in status_map["action_taken_1393"].values() if value]
    else:
        codes = [
            row["canonical"]
            for key, row in status_map.items()
            if not key.startswith("_") and row["canonical"]
        ]

    assert codes
    assert set(codes) <= all_milestones().keys()

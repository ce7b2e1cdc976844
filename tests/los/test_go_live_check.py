"""The go-live check of a lender's statuses, files and officers, before the first loan."""

import json

import pytest

from rooftree.los import handoff_paths
from rooftree.los.field_mapping import load_field_table
from rooftree.los.go_live_check import check_go_live
from rooftree.los.go_live_files import UnrecognizedFile, parse_check_file
from rooftree.los.handoff_record import LosFormat
from rooftree.los.los_payload import build_payload
from tests.los import make

USERS = b"user,NMLS ID\nlofficer,1234567\n"


def parse_file(content, name="given"):
    text = content if isinstance(content, str) else json.dumps(content)
    return parse_check_file(name, text if isinstance(text, bytes) else text.encode())


def list_blocking(report):
    return [(finding.about, finding.item) for finding in report.findings if finding.blocks]


def build_mismo():
    return build_payload(make.handoff(), "mismo").body


@pytest.mark.parametrize("los", list(LosFormat))
def test_shipped_mapping_passes_the_check(los):
    files = [parse_file(build_mismo(), "loan.xml"), parse_check_file("users.csv", USERS)]

    report = check_go_live(los, files, {})

    assert list_blocking(report) == []
    assert report.is_clean


@pytest.mark.parametrize("los", ["encompass", "lendingpad", "byte", "mismo"])
def test_shipped_mapping_reads_only_existing_paths(los):
    read = [
        path for row in load_field_table(los).fields for path in (*row.sources, row.when, row.only)
    ]

    assert [path for path in read if path and not handoff_paths.is_handoff_path(path)] == []


@pytest.mark.parametrize(
    "content",
    ["Processing\nAdverse\n", "code,status\n1,Processing\n2,Adverse\n",
     '["Processing", "Adverse"]', '{"milestones": [{"name": "Processing"}, {"name": "Adverse"}]}'],
)  # fmt: skip
def test_unmapped_status_blocks_in_every_file_format(content):
    report = check_go_live("encompass", [parse_file(content)], {})

    assert [(status.status, status.canonical) for status in report.statuses] == [
        ("Processing", "processing"),
        ("Adverse", None),
    ]
    assert list_blocking(report) == [("status", "Adverse")]


def test_denial_mapped_to_progress_blocks():
    changes = {"statuses": {"milestones": {"Denied by underwriting": "clear_to_close"}}}

    assert ("status", "Denied by underwriting") in list_blocking(
        check_go_live("encompass", [], changes)
    )


def test_status_map_without_funded_blocks():
    changes = {"statuses": {"14": None}}

    assert list_blocking(check_go_live("byte", [], changes)) == [("status", "funded")]


def test_status_mapped_to_unknown_milestone_blocks():
    changes = {"statuses": {"milestones": {"Booked": "bookd"}}}

    assert list_blocking(check_go_live("encompass", [], changes)) == [("status", "Booked")]


def test_mapping_of_unknown_path_blocks():
    changes = {"field": [{"to": "nickname", "from": "canonical.borrower.frist_name"}]}

    assert list_blocking(check_go_live("encompass", [], changes)) == [("path", "nickname")]


@pytest.mark.parametrize("los", ["lqb", "calyx"])
def test_attached_mismo_document_is_checked_too(los):
    changes = {"field": [{"to": "nickname", "from": "canonical.borrower.frist_name"}]}

    assert list_blocking(check_go_live(los, [], changes)) == [("path", "nickname")]


def test_value_longer_than_its_field_blocks():
    handoff = parse_file(make.handoff_json())
    exact = check_go_live("encompass", [handoff], {"lengths": {"4000": len("Maria")}})
    too_short = check_go_live("encompass", [handoff], {"lengths": {"4000": len("Maria") - 1}})

    assert ("length", "4000") not in list_blocking(exact)
    assert ("length", "4000") in list_blocking(too_short)


def test_missing_required_fact_blocks():
    handoff = make.handoff_json()
    handoff["officer"].pop("los_user", None)

    assert ("path", "loId") in list_blocking(check_go_live("encompass", [parse_file(handoff)], {}))


@pytest.mark.parametrize(
    ("users", "is_ready"),
    [(USERS, True), (b"user,nmls\nsomebody,7\n", False), (USERS + b"double,1234567\n", False)],
)
def test_officer_must_match_exactly_one_los_user_by_nmls_id(users, is_ready):
    report = check_go_live(
        "encompass", [parse_file(build_mismo()), parse_check_file("users.csv", users)], {}
    )

    assert (list_blocking(report) == []) is is_ready


def test_mismo_file_with_importer_errors_blocks():
    valid = build_mismo()
    nameless = valid.replace("<LastName>Sample</LastName>", "")
    swapped = valid.replace("<FirstName>Maria</FirstName>", "").replace(
        "<LastName>Sample</LastName>",
        "<LastName>Sample</LastName><FirstName>Maria</FirstName>",
    )

    assert list_blocking(check_go_live("mismo", [parse_file(valid)], {})) == []
    assert ("file", "MISMO 3.4") in list_blocking(
        check_go_live("mismo", [parse_file(nameless)], {})
    )
    assert ("file", "MISMO 3.4") in list_blocking(check_go_live("mismo", [parse_file(swapped)], {}))


@pytest.mark.parametrize(
    "content",
    ["", "{", "<a>", "[]", '[{"x": 1}]',
     '<!DOCTYPE a [<!ENTITY b "c">]><MESSAGE>&b;</MESSAGE>', "\x00\x01"],
)  # fmt: skip
def test_unrecognized_file_is_refused(content):
    with pytest.raises(UnrecognizedFile):
        parse_file(content)

"""The go-live check: a lender's own words, files and people, walked before the first loan."""

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


def file(content, name="given"):
    text = content if isinstance(content, str) else json.dumps(content)
    return parse_check_file(name, text if isinstance(text, bytes) else text.encode())


def blocks(report):
    return [(finding.about, finding.item) for finding in report.findings if finding.blocks]


def mismo():
    return build_payload(make.handoff(), "mismo").body


@pytest.mark.parametrize("los", list(LosFormat))
def test_what_we_ship_is_ready(los):
    files = [file(mismo(), "loan.xml"), parse_check_file("users.csv", USERS)]

    report = check_go_live(los, files, {})

    assert blocks(report) == []
    assert report.is_clean


@pytest.mark.parametrize("los", ["encompass", "lendingpad", "byte", "mismo"])
def test_every_place_that_a_shipped_mapping_reads_exists(los):
    read = [
        path for row in load_field_table(los).fields for path in (*row.sources, row.when, row.only)
    ]

    assert [path for path in read if path and not handoff_paths.is_handoff_path(path)] == []


@pytest.mark.parametrize(
    "content",
    ["Processing\nAdverse\n", "code,status\n1,Processing\n2,Adverse\n",
     '["Processing", "Adverse"]', '{"milestones": [{"name": "Processing"}, {"name": "Adverse"}]}'],
)  # fmt: skip
def test_a_status_nobody_mapped_blocks_however_it_is_listed(content):
    report = check_go_live("encompass", [file(content)], {})

    assert [(status.status, status.canonical) for status in report.statuses] == [
        ("Processing", "processing"),
        ("Adverse", None),
    ]
    assert blocks(report) == [("status", "Adverse")]


def test_a_denial_read_as_progress_blocks():
    changes = {"statuses": {"milestones": {"Denied by underwriting": "clear_to_close"}}}

    assert ("status", "Denied by underwriting") in blocks(check_go_live("encompass", [], changes))


def test_a_map_without_a_word_for_funded_blocks():
    changes = {"statuses": {"14": None}}

    assert blocks(check_go_live("byte", [], changes)) == [("status", "funded")]


def test_a_word_for_no_milestone_of_ours_blocks():
    changes = {"statuses": {"milestones": {"Booked": "bookd"}}}

    assert blocks(check_go_live("encompass", [], changes)) == [("status", "Booked")]


def test_a_mapping_that_reads_what_no_handoff_has_blocks():
    changes = {"field": [{"to": "nickname", "from": "canonical.borrower.frist_name"}]}

    assert blocks(check_go_live("encompass", [], changes)) == [("path", "nickname")]


@pytest.mark.parametrize("los", ["lqb", "calyx"])
def test_the_document_that_goes_along_is_walked_too(los):
    changes = {"field": [{"to": "nickname", "from": "canonical.borrower.frist_name"}]}

    assert blocks(check_go_live(los, [], changes)) == [("path", "nickname")]


def test_a_value_longer_than_its_field_blocks():
    handoff = file(make.handoff_json())
    just = check_go_live("encompass", [handoff], {"lengths": {"4000": len("Maria")}})
    short = check_go_live("encompass", [handoff], {"lengths": {"4000": len("Maria") - 1}})

    assert ("length", "4000") not in blocks(just)
    assert ("length", "4000") in blocks(short)


def test_what_the_los_insists_on_blocks():
    made = make.handoff_json()
    made["officer"].pop("los_user", None)

    assert ("path", "loId") in blocks(check_go_live("encompass", [file(made)], {}))


@pytest.mark.parametrize(
    ("users", "is_ready"),
    [(USERS, True), (b"user,nmls\nsomebody,7\n", False), (USERS + b"double,1234567\n", False)],
)
def test_an_officer_is_one_user_of_the_los_by_nmls_id(users, is_ready):
    report = check_go_live("encompass", [file(mismo()), parse_check_file("users.csv", users)], {})

    assert (blocks(report) == []) is is_ready


def test_a_mismo_file_that_an_importer_would_refuse_blocks():
    whole = mismo()
    nameless = whole.replace("<LastName>Sample</LastName>", "")
    swapped = whole.replace("<FirstName>Maria</FirstName>", "").replace(
        "<LastName>Sample</LastName>",
        "<LastName>Sample</LastName><FirstName>Maria</FirstName>",
    )

    assert blocks(check_go_live("mismo", [file(whole)], {})) == []
    assert ("file", "MISMO 3.4") in blocks(check_go_live("mismo", [file(nameless)], {}))
    assert ("file", "MISMO 3.4") in blocks(check_go_live("mismo", [file(swapped)], {}))


@pytest.mark.parametrize(
    "content",
    ["", "{", "<a>", "[]", '[{"x": 1}]',
     '<!DOCTYPE a [<!ENTITY b "c">]><MESSAGE>&b;</MESSAGE>', "\x00\x01"],
)  # fmt: skip
def test_a_file_that_is_nothing_is_said_to_be_nothing(content):
    with pytest.raises(UnrecognizedFile):
        file(content)

"""The go-live check: a lender's own words, files and people, walked before the first loan."""

import json

import pytest

from rooftree.los import known_paths
from rooftree.los.check_files import Unrecognized, recognize
from rooftree.los.fields import mapping_of
from rooftree.los.go_live import check
from rooftree.los.handoff import Los
from rooftree.los.payload import payload
from tests.los import make

USERS = b"user,NMLS ID\nlofficer,1234567\n"


def file(content, name="given"):
    text = content if isinstance(content, str) else json.dumps(content)
    return recognize(name, text if isinstance(text, bytes) else text.encode())


def blocks(report):
    return [(one.about, one.item) for one in report.findings if one.blocks]


def mismo():
    return payload(make.handoff(), "mismo").body


@pytest.mark.parametrize("los", list(Los))
def test_what_we_ship_is_ready(los):
    files = [file(mismo(), "loan.xml"), recognize("users.csv", USERS)]

    report = check(los, files, {})

    assert blocks(report) == []
    assert report.is_clean


@pytest.mark.parametrize("los", ["encompass", "lendingpad", "byte", "mismo"])
def test_every_place_that_a_shipped_mapping_reads_exists(los):
    read = [path for row in mapping_of(los).fields for path in (*row.sources, row.when, row.only)]

    assert [path for path in read if path and not known_paths.leads_somewhere(path)] == []


@pytest.mark.parametrize(
    "content",
    ["Processing\nAdverse\n", "code,status\n1,Processing\n2,Adverse\n",
     '["Processing", "Adverse"]', '{"milestones": [{"name": "Processing"}, {"name": "Adverse"}]}'],
)  # fmt: skip
def test_a_status_nobody_mapped_blocks_however_it_is_listed(content):
    report = check("encompass", [file(content)], {})

    assert [(one.status, one.canonical) for one in report.statuses] == [
        ("Processing", "processing"),
        ("Adverse", None),
    ]
    assert blocks(report) == [("status", "Adverse")]


def test_a_denial_read_as_progress_blocks():
    changes = {"statuses": {"milestones": {"Denied by underwriting": "clear_to_close"}}}

    assert ("status", "Denied by underwriting") in blocks(check("encompass", [], changes))


def test_a_map_without_a_word_for_funded_blocks():
    changes = {"statuses": {"14": None}}

    assert blocks(check("byte", [], changes)) == [("status", "funded")]


def test_a_word_for_no_milestone_of_ours_blocks():
    changes = {"statuses": {"milestones": {"Booked": "bookd"}}}

    assert blocks(check("encompass", [], changes)) == [("status", "Booked")]


def test_a_mapping_that_reads_what_no_handoff_has_blocks():
    changes = {"field": [{"to": "nickname", "from": "canonical.borrower.frist_name"}]}

    assert blocks(check("encompass", [], changes)) == [("path", "nickname")]


@pytest.mark.parametrize("los", ["lqb", "calyx"])
def test_the_document_that_goes_along_is_walked_too(los):
    changes = {"field": [{"to": "nickname", "from": "canonical.borrower.frist_name"}]}

    assert blocks(check(los, [], changes)) == [("path", "nickname")]


def test_a_value_longer_than_its_field_blocks():
    handoff = file(make.handoff_json())
    just = check("encompass", [handoff], {"lengths": {"4000": len("Maria")}})
    short = check("encompass", [handoff], {"lengths": {"4000": len("Maria") - 1}})

    assert ("length", "4000") not in blocks(just)
    assert ("length", "4000") in blocks(short)


def test_what_the_los_insists_on_blocks():
    made = make.handoff_json()
    made["officer"].pop("los_user", None)

    assert ("path", "loId") in blocks(check("encompass", [file(made)], {}))


@pytest.mark.parametrize(
    ("users", "is_ready"),
    [(USERS, True), (b"user,nmls\nsomebody,7\n", False), (USERS + b"double,1234567\n", False)],
)
def test_an_officer_is_one_user_of_the_los_by_nmls_id(users, is_ready):
    report = check("encompass", [file(mismo()), recognize("users.csv", users)], {})

    assert (blocks(report) == []) is is_ready


def test_a_mismo_file_that_an_importer_would_refuse_blocks():
    whole = mismo()
    nameless = whole.replace("<LastName>Sample</LastName>", "")
    swapped = whole.replace("<FirstName>Maria</FirstName>", "").replace(
        "<LastName>Sample</LastName>",
        "<LastName>Sample</LastName><FirstName>Maria</FirstName>",
    )

    assert blocks(check("mismo", [file(whole)], {})) == []
    assert ("file", "MISMO 3.4") in blocks(check("mismo", [file(nameless)], {}))
    assert ("file", "MISMO 3.4") in blocks(check("mismo", [file(swapped)], {}))


@pytest.mark.parametrize(
    "content",
    ["", "{", "<a>", "[]", '[{"x": 1}]',
     '<!DOCTYPE a [<!ENTITY b "c">]><MESSAGE>&b;</MESSAGE>', "\x00\x01"],
)  # fmt: skip
def test_a_file_that_is_nothing_is_said_to_be_nothing(content):
    with pytest.raises(Unrecognized):
        file(content)

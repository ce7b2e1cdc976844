"""`rooftree los`, run in process without a database."""

import json

import pytest

from rooftree.management.commands.los import Command
from tests.los import make


@pytest.fixture
def run(capsys):
    def run_command(*arguments: object) -> tuple[int, str, str]:
        code = 0
        try:
            Command().run_from_argv(["rooftree", "los", *map(str, arguments)])
        except SystemExit as exit:
            code = int(exit.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return run_command


@pytest.fixture
def file(tmp_path):
    def write(content: object) -> str:
        path = tmp_path / "given"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    return write


def test_check_lists_statuses_and_fails_on_a_blocking_finding(run, file):
    code, out, err = run("check", "encompass", file("Processing\nAdverse\n"))

    assert (code, err) == (1, "")
    assert "status  Processing -> processing" in out
    assert "BLOCK   status Adverse: unmapped" in out
    assert out.splitlines()[-1] == "encompass: 2 statuses checked; 1 blocking problem"


def test_clean_check_succeeds_and_prints_json(run, file):
    code, out, _ = run("check", "byte", file(["InProcessing"]), "--json")

    report = json.loads(out)
    assert (code, report["ok"]) == (0, True)
    assert report["statuses"] == [
        {"status": "InProcessing", "canonical": "processing", "rank": 50, "mapped": True,
         "file": "given"},
    ]  # fmt: skip


@pytest.mark.parametrize("content", ["", "{", "<a>"])
def test_unreadable_file_is_reported_in_one_sentence(run, file, content):
    code, out, err = run("check", "encompass", file(content))

    assert (code, out) == (2, "")
    assert err.count("\n") == 1


def test_payload_command_prints_the_request(run, file):
    code, out, err = run("payload", "encompass", file(make.handoff_json()))

    assert (code, err) == (0, "")
    assert json.loads(out) == make.sample("encompass_create_loan.json")


def test_missing_optional_fact_is_a_notice(run, file):
    data = make.handoff_json(canonical__loan__purpose="refinance")
    code, out, err = run("payload", "encompass", file(data))

    assert (code, err.strip()) == (0, "19: needs canonical.loan.purpose")
    assert "loanPurposeType" not in json.loads(out)["property"]


def test_missing_required_facts_fail_with_one_line_each(run, file):
    data = make.handoff_json(connection__folder=None, officer__los_user=None)
    code, out, err = run("payload", "encompass", file(data))

    assert (code, out) == (1, "")
    assert err.strip().splitlines() == [
        "loanFolder: needs connection.folder",
        "loId: needs officer.los_user",
    ]


@pytest.mark.parametrize("content", ["", "{", "[]", {"lead_id": 1}])
def test_malformed_handoff_is_a_usage_error(run, file, content):
    code, out, err = run("payload", "encompass", file(content))

    assert (code, out) == (2, "")
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["payload", "arive", "x"],
        ["payload", "encompass", "no-such-file"],
        ["milestone", "mismo", "x"],
        ["milestone", "encompass"],
        [],
    ],
)
def test_wrong_arguments_are_a_usage_error(run, arguments):
    code, out, err = run(*arguments)

    assert (code, out) == (2, "")
    assert "Traceback" not in err


def test_milestone_command_prints_milestone_and_rank(run):
    code, out, _ = run("milestone", "encompass", "Cond. Approval")

    assert (code, json.loads(out)) == (0, {"canonical": "conditional_approval", "rank": 70})


def test_known_status_without_milestone_is_not_unmapped(run):
    code, out, _ = run("milestone", "encompass", "1393=")

    assert (code, json.loads(out)) == (0, {"canonical": None, "rank": None})


def test_unmapped_status_fails_with_exit_code_one(run):
    code, out, err = run("milestone", "byte", "57")

    assert (code, out) == (1, "")
    assert "unmapped" in err


@pytest.mark.parametrize(
    "mapping",
    [
        {"57": "processing"},
        {"57": {"name": "QC", "canonical": "processing"}},
        '[statuses]\n57 = "processing"\n',
    ],
)
def test_mapping_file_can_be_a_status_map_or_a_full_mapping(run, file, mapping):
    code, out, _ = run("milestone", "byte", "57", "--mapping", file(mapping))

    assert (code, json.loads(out)["canonical"]) == (0, "processing")


@pytest.mark.parametrize("mapping", ["= =", {"57": 5}, '{"statuses": 1}'])
def test_unreadable_mapping_is_a_usage_error(run, file, mapping):
    code, _, err = run("milestone", "byte", "57", "--mapping", file(mapping))

    assert (code, "Traceback" in err) == (2, False)


def test_read_prints_a_loan_file_and_payload_checks_the_lenders_schema(run, file, tmp_path):
    code, out, _ = run("read", make.SAMPLES / "preapp_purchase_mismo34.xml")
    assert (code, json.loads(out)["canonical"]["loan"]["purpose"]) == (0, "purchase")
    assert run("read", file("<!DOCTYPE MESSAGE><MESSAGE/>"))[0] == 2
    assert run("read", "missing.xml")[0] == 2

    handoff = file(make.handoff_json("mismo"))
    assert run("payload", "mismo", handoff, "--xsd-dir", tmp_path)[0] == 2  # no schema there
    (tmp_path / "MISMO.xsd").write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"'
        ' targetNamespace="http://www.mismo.org/residential/2009/schemas">'
        '<xs:element name="MESSAGE" type="xs:string"/></xs:schema>'
    )
    code, out, err = run("payload", "mismo", handoff, "--xsd-dir", tmp_path)
    assert (code, out, "MESSAGE" in err) == (1, "", True)

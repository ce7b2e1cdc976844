"""Evidence files: everything about one person, nothing about others, and proof of both."""

import io
import json
import os
import subprocess
import sys
import zipfile
from datetime import timedelta

import pytest
from django.core.management import call_command

from rooftree.compliance.consent import store_revocation
from rooftree.compliance.evidence.evidence_file_check import (
    MAX_UNPACKED_BYTES,
    BadEvidenceFile,
    find_problems,
    signing_key_fingerprint,
)
from rooftree.compliance.numbers.models import NumberQuestion
from rooftree.flow import call_events
from rooftree.ledger import seal
from rooftree.ledger.models import Event
from rooftree.management import command_base
from rooftree.org.models import User
from rooftree.reporting.evidence.chronology_document import build_chronology
from rooftree.reporting.evidence.evidence_archive import build_archive as make_file
from rooftree.reporting.evidence.evidence_data import collect_evidence
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
BEN = "+18135550142"
LATER = make.NOON + timedelta(minutes=5)


@pytest.fixture
def company(db):
    journey.set_up_company()
    make.officer("Dana Whitfield", licensed=("CA", "FL"), text_number="")


@pytest.fixture
def ben(company):
    lead = journey.deliver(journey.create_website(), journey.form_post())
    store_revocation.store_revocation(
        person_id=lead.person_id,
        address=BEN,
        kind="stop",
        media=["text", "call"],
        origin="message:1",
        idempotency_key="text:1",
        words="please stop",
        at=make.NOON + make.MINUTE,
    )
    make.person(phone="+13055550177", email="mei@home.example", first_name="Mei")
    seal.seal_events(at=LATER)
    return lead


@pytest.fixture
def file(ben, tmp_path):
    path = tmp_path / "ben.zip"
    path.write_bytes(make_file(BEN, actor="user:1", at=LATER))
    return path


def read_evidence(path) -> dict:
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("evidence.json"))


def alter(path, change) -> None:
    """Change evidence.json in the file, and hide the change with a new manifest."""
    import hashlib

    evidence = read_evidence(path)
    change(evidence)
    body = json.dumps(evidence).encode()
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(parts["manifest.json"])
    manifest["sha256"]["evidence.json"] = hashlib.sha256(body).hexdigest()
    parts |= {"evidence.json": body, "manifest.json": json.dumps(manifest).encode()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def test_file_holds_consent_stop_verdicts_messages_and_ledger(ben, file):
    evidence = read_evidence(file)
    assert evidence["subject"] == BEN
    assert evidence["consents"][0]["wording"]
    assert evidence["revocations"][0]["borrower_words"] == "please stop"
    assert {message["medium"] for message in evidence["messages"]} >= {"text"}
    assert evidence["verdicts"]
    assert (
        evidence["ledger"]["entries"]
        == Event.objects.filter(person_id=ben.person_id, occurred_at__lt=LATER).count()
    )
    with zipfile.ZipFile(file) as archive:
        assert archive.read("chronology.pdf").startswith(b"%PDF")


def test_message_names_its_template_version_and_approval(ben, file):
    evidence = read_evidence(file)
    versions = {version["id"]: version for version in evidence["editions"]}

    sent = [message for message in evidence["messages"] if message["direction"] == "out"]
    assert {message["template_id"] for message in sent} == set(versions)
    assert all("{{ sender }}" in version["body"] for version in versions.values())
    text = json.dumps(build_chronology(collect_evidence(BEN, at=LATER)), ensure_ascii=False)
    assert "Template: “first hello”, English version 1, built-in, in use since Nov 22" in text


def test_call_names_its_script_version(company):
    lead = journey.deliver(journey.create_website(), journey.form_post())
    dana = User.objects.get(name="Dana Whitfield")
    call_events.start_call(lead_id=lead.pk, by=dana, at=make.NOON + make.MINUTE)

    evidence = collect_evidence(BEN, at=LATER)

    script = next(row for row in evidence["editions"] if row["key"] == "call_opening")
    assert script["body"].startswith("Hello {{ borrower.first_name }}, this is {{ caller.name }}")
    text = json.dumps(build_chronology(evidence), ensure_ascii=False)
    assert "Call script: “call opening”, English version 1, built-in" in text


def test_every_ledger_entry_is_under_a_signed_head(ben, file):
    evidence = read_evidence(file)
    entries = evidence["events"]
    assert entries
    assert {entry["head"] for entry in entries} == {head["sequence"] for head in evidence["heads"]}
    assert sorted(entry["person_place"] for entry in entries) == list(range(1, len(entries) + 1))
    text = json.dumps(build_chronology(evidence), ensure_ascii=False)
    assert f"1 to {len(entries)}." in text
    assert "proved to be under a signed head" in text


def sign_again(path) -> str:
    """Sign the file with a stranger's key; return the fingerprint of that key."""
    from rooftree.core import ed25519_signatures

    private, public = ed25519_signatures.generate_key_pair()
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    signature = ed25519_signatures.sign_data(parts["manifest.json"], private=private)
    parts["signature.json"] = json.dumps({"public_key": public, "signature": signature}).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return ed25519_signatures.key_fingerprint(public)


def test_file_signed_by_a_stranger_fails_the_key_check(file, capsys):
    fingerprint = signing_key_fingerprint(file)
    call_command("evidence", "verify", str(file), key=fingerprint[:16])
    assert fingerprint in capsys.readouterr().out
    stranger = sign_again(file)

    assert find_problems(file) == []
    with pytest.raises(command_base.CheckFailed, match=stranger):
        call_command("evidence", "verify", str(file), key=fingerprint[:16])


def test_change_with_a_new_manifest_breaks_the_signature(file):
    alter(file, lambda evidence: evidence.update(made_at="2020-01-01T00:00:00+00:00"))
    assert find_problems(file) == ["the content is not what was signed"]


def test_unsigned_file_is_reported(file):
    with zipfile.ZipFile(file) as archive:
        parts = {
            name: archive.read(name) for name in archive.namelist() if name != "signature.json"
        }
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    assert find_problems(file) == ["the file is not signed"]


def test_file_contains_no_other_person(file):
    text = json.dumps(read_evidence(file))
    assert "Mei" not in text
    assert "3055550177" not in text


def test_unchanged_file_passes_the_check(file):
    assert find_problems(file) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda evidence: evidence["verdicts"][0]["facts"].update(is_held=True),
            "facts have changed",
        ),
        (lambda evidence: evidence["events"][0].update(actor="user:9"), "not what was sealed"),
        (lambda evidence: evidence["events"].pop(), "ledger entries"),
        (lambda evidence: evidence["consents"][0].update(wording="I agree to all"), "wording"),
        (
            lambda evidence: evidence["editions"][0].update(body="Other words"),
            "not what was approved",
        ),
        (lambda evidence: evidence["editions"].clear(), "its template version is missing"),
    ],
)
def test_altered_fact_is_reported(file, change, words):
    alter(file, change)
    assert any(words in problem for problem in find_problems(file)), find_problems(file)


def test_added_part_is_reported(file):
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("extra.txt", b"more")
    assert find_problems(file) == ["extra.txt was added later"]


def test_duplicate_part_is_reported(file):
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("chronology.pdf", archive.read("chronology.pdf"))
    assert find_problems(file) == ["chronology.pdf is in the file 2 times"]


def zip_of(**parts: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(f"{name}.json", data)
    return target.getvalue()


def damaged_zip() -> bytes:
    whole = zip_of(manifest=b'{"sha256": {}}', evidence=b"{}")
    return whole[:45] + b"\xff" * 8 + whole[53:]


def oversized_zip() -> bytes:
    """Return a ZIP with a part that claims to unpack to more than the limit."""
    whole = zip_of(manifest=b'{"sha256": {}}', evidence=b"{}")
    size = whole.rindex(b"PK\x01\x02") + 24
    return whole[:size] + (MAX_UNPACKED_BYTES + 1).to_bytes(4, "little") + whole[size + 4 :]


@pytest.mark.parametrize(
    "content",
    [
        b"no",
        damaged_zip(),
        zip_of(evidence=b"{}"),
        zip_of(manifest=b"[]", evidence=b"{}"),
        zip_of(manifest=b'{"sha256": {}}', evidence=b"{}"),
        zip_of(manifest=b'{"sha256": {}}', evidence=b'{"consents": [7]}'),
        oversized_zip(),
    ],
    ids=["none", "damaged", "no manifest", "a list", "empty", "no consents", "too large"],
)
def test_invalid_evidence_file_is_refused(tmp_path, content):
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    with pytest.raises(BadEvidenceFile):
        find_problems(path)


def test_creating_a_file_is_recorded_on_the_ledger(ben, file):
    import hashlib

    event = Event.objects.get(kind="compliance.evidence.made")
    assert event.data["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert event.person_id == ben.person_id


def test_chronology_is_in_order_and_names_the_events(ben):
    document = build_chronology(collect_evidence(BEN, at=LATER))
    moments = [line["order"] for line in document["lines"]]
    assert moments == sorted(moments)
    titles = [line["title"] for line in document["lines"]]
    assert "Borrower opted out" in titles
    assert any(title.startswith("Text to (813) 555-0142") for title in titles)
    decisions = [verdict["sentence"] for line in document["lines"] for verdict in line["decided"]]
    assert any(sentence.startswith("Allowed. ") for sentence in decisions)


def test_vendor_answers_about_the_number_are_in_the_file(ben):
    common = {"number": BEN, "asked_at": LATER, "answered_at": LATER, "service": "dncscrub"}
    NumberQuestion.objects.create(
        kind="reassigned",
        since=LATER.date(),
        response="no",
        answer={"IsReassigned": False},
        **common,
    )
    NumberQuestion.objects.create(
        kind="lists", covers=["US", "FL"], listed=["FL"], answer={"ResultCode": "D"}, **common
    )

    evidence = collect_evidence(BEN, at=LATER)

    assert [check["answer"] for check in evidence["number_checks"]] == [
        {"IsReassigned": False}, {"ResultCode": "D"},
    ]  # fmt: skip
    document = build_chronology(evidence)
    notes = {line["title"]: line["notes"] for line in document["lines"]}
    day = f"{LATER:%b} {LATER.day}, {LATER:%Y}"
    assert notes[f"Checked whether (813) 555-0142 was reassigned after {day}"] == [
        "dncscrub answered: no."
    ]
    assert notes["Checked do-not-call lists for (813) 555-0142"] == [
        "dncscrub answered: the do-not-call list of Florida."
    ]
    assert (
        f"The do-not-call list of Florida, answer from dncscrub, {day}: listed" in document["lists"]
    )


def test_unknown_number_gives_an_empty_valid_file(company, tmp_path):
    path = tmp_path / "none.zip"
    path.write_bytes(make_file("+12125550199", actor="user:1", at=LATER))
    assert read_evidence(path)["people"] == []
    assert find_problems(path) == []


def test_file_can_be_verified_without_an_installation(file, tmp_path):
    env = {key: value for key, value in os.environ.items() if not key.startswith("ROOFTREE")}
    process = subprocess.run(
        [sys.executable, "-m", "rooftree", "evidence", "verify", str(file)],
        env=env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (process.returncode, process.stderr) == (0, "")
    assert "is complete and unchanged" in process.stdout


def test_command_never_overwrites_a_file(ben, tmp_path):
    path = tmp_path / "a.zip"
    call_command("evidence", "(813) 555-0142", "-o", str(path), stdout=io.StringIO())
    assert find_problems(path) == []
    with pytest.raises(FileExistsError):
        call_command("evidence", BEN, "-o", str(path))
    with pytest.raises(command_base.UsageError, match="isn't a phone number"):
        call_command("evidence", "somebody", "-o", str(tmp_path / "b.zip"))

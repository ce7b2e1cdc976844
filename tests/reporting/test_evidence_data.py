"""An evidence file says everything about one person, nothing about others, and proves it."""

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
    journey.ready()
    make.officer("Dana Whitfield", licensed=("CA", "FL"), text_number="")


@pytest.fixture
def ben(company):
    lead = journey.deliver(journey.website(), journey.form_post())
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


def inside(path) -> dict:
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("evidence.json"))


def altered(path, change) -> None:
    """The file with its machine form changed, and a manifest that hides it."""
    import hashlib

    evidence = inside(path)
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


def test_a_file_holds_consent_stop_verdicts_messages_and_ledger(ben, file):
    found = inside(file)
    assert found["subject"] == BEN
    assert found["consents"][0]["wording"]
    assert found["revocations"][0]["words"] == "please stop"
    assert {one["medium"] for one in found["messages"]} >= {"text"}
    assert found["verdicts"]
    assert (
        found["ledger"]["entries"]
        == Event.objects.filter(person_id=ben.person_id, occurred_at__lt=LATER).count()
    )
    with zipfile.ZipFile(file) as archive:
        assert archive.read("chronology.pdf").startswith(b"%PDF")


def test_each_message_names_the_wording_it_was_made_from_and_who_approved_it(ben, file):
    found = inside(file)
    editions = {one["id"]: one for one in found["editions"]}

    sent = [one for one in found["messages"] if one["direction"] == "out"]
    assert {one["template_id"] for one in sent} == set(editions)
    assert all("{{ sender }}" in edition["body"] for edition in editions.values())
    said = json.dumps(build_chronology(collect_evidence(BEN, at=LATER)), ensure_ascii=False)
    assert "Made from “first hello”, English edition 1, as supplied, in use since Nov 22" in said


def test_each_call_names_the_words_that_were_before_whoever_made_it(company):
    lead = journey.deliver(journey.website(), journey.form_post())
    dana = User.objects.get(name="Dana Whitfield")
    call_events.start_call(lead_id=lead.pk, by=dana, at=make.NOON + make.MINUTE)

    found = collect_evidence(BEN, at=LATER)

    edition = next(one for one in found["editions"] if one["key"] == "call_opening")
    assert edition["body"].startswith("Hello {{ borrower.first_name }}, this is {{ caller.name }}")
    said = json.dumps(build_chronology(found), ensure_ascii=False)
    assert "Words before whoever called: “call opening”, English edition 1, as supplied" in said


def test_each_entry_is_proved_to_be_under_a_signed_head(ben, file):
    found = inside(file)
    assert found["events"]
    held = {one["sequence"] for one in found["heads"]}
    assert {one["head"] for one in found["events"]} == held
    assert sorted(one["person_place"] for one in found["events"]) == list(
        range(1, len(found["events"]) + 1)
    )
    said = json.dumps(build_chronology(found), ensure_ascii=False)
    assert f"1 to {len(found['events'])}." in said
    assert "proved to be under a head" in said


def resigned(path) -> str:
    """The file signed by somebody who made a key of his own; the name of that key."""
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


def test_a_file_signed_by_somebody_else_is_whole_and_not_ours(file, capsys):
    ours = signing_key_fingerprint(file)
    call_command("evidence", "verify", str(file), key=ours[:16])
    assert ours in capsys.readouterr().out
    theirs = resigned(file)

    assert find_problems(file) == []
    with pytest.raises(command_base.CheckFailed, match=theirs):
        call_command("evidence", "verify", str(file), key=ours[:16])


def test_a_change_hidden_by_a_new_list_of_digests_breaks_the_signature(file):
    altered(file, lambda found: found.update(made_at="2020-01-01T00:00:00+00:00"))
    assert find_problems(file) == ["the content is not what was signed"]


def test_a_file_that_nobody_signed_is_told(file):
    with zipfile.ZipFile(file) as archive:
        parts = {one: archive.read(one) for one in archive.namelist() if one != "signature.json"}
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    assert find_problems(file) == ["the file is not signed"]


def test_nobody_else_is_in_it(file):
    text = json.dumps(inside(file))
    assert "Mei" not in text
    assert "3055550177" not in text


def test_an_untouched_file_holds(file):
    assert find_problems(file) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda found: found["verdicts"][0]["facts"].update(is_held=True),
            "facts have changed",
        ),
        (lambda found: found["events"][0].update(actor="user:9"), "not what was sealed"),
        (lambda found: found["events"].pop(), "ledger entries"),
        (lambda found: found["consents"][0].update(wording="I agree to all"), "wording"),
        (
            lambda found: found["editions"][0].update(body="Other words"),
            "not what was approved",
        ),
        (lambda found: found["editions"].clear(), "its template version is missing"),
    ],
)
def test_one_altered_fact_is_found(file, change, words):
    altered(file, change)
    assert any(words in problem for problem in find_problems(file)), find_problems(file)


def test_a_changed_or_added_part_is_found(file):
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("extra.txt", b"more")
    assert find_problems(file) == ["extra.txt was added later"]


def test_a_part_that_is_there_twice_is_found(file):
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("chronology.pdf", archive.read("chronology.pdf"))
    assert find_problems(file) == ["chronology.pdf is in the file 2 times"]


def packed(**parts: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(f"{name}.json", data)
    return target.getvalue()


def damaged() -> bytes:
    whole = packed(manifest=b'{"sha256": {}}', evidence=b"{}")
    return whole[:45] + b"\xff" * 8 + whole[53:]


def swollen() -> bytes:
    """What says of a part that it unpacks to more than anybody's evidence."""
    whole = packed(manifest=b'{"sha256": {}}', evidence=b"{}")
    size = whole.rindex(b"PK\x01\x02") + 24
    return whole[:size] + (MAX_UNPACKED_BYTES + 1).to_bytes(4, "little") + whole[size + 4 :]


@pytest.mark.parametrize(
    "content",
    [
        b"no",
        damaged(),
        packed(evidence=b"{}"),
        packed(manifest=b"[]", evidence=b"{}"),
        packed(manifest=b'{"sha256": {}}', evidence=b"{}"),
        packed(manifest=b'{"sha256": {}}', evidence=b'{"consents": [7]}'),
        swollen(),
    ],
    ids=["none", "damaged", "no manifest", "a list", "empty", "no consents", "too large"],
)
def test_what_is_no_evidence_file_is_refused(tmp_path, content):
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    with pytest.raises(BadEvidenceFile):
        find_problems(path)


def test_that_a_file_was_made_is_on_the_ledger(ben, file):
    import hashlib

    event = Event.objects.get(kind="compliance.evidence.made")
    assert event.data["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert event.person_id == ben.person_id


def test_the_chronology_is_in_order_and_names_what_happened(ben):
    told = build_chronology(collect_evidence(BEN, at=LATER))
    moments = [one["order"] for one in told["lines"]]
    assert moments == sorted(moments)
    said = [one["title"] for one in told["lines"]]
    assert "They asked us to stop" in said
    assert any(one.startswith("Text to (813) 555-0142") for one in said)
    decided = [it["said"] for one in told["lines"] for it in one["decided"]]
    assert any(one.startswith("allowed. ") for one in decided)


def test_what_a_vendor_answered_about_the_number_is_in_the_file_word_for_word(ben):
    common = {"number": BEN, "asked_at": LATER, "answered_at": LATER, "service": "dncscrub"}
    NumberQuestion.objects.create(
        kind="reassigned", since=LATER.date(), response="no", said={"IsReassigned": False}, **common
    )
    NumberQuestion.objects.create(
        kind="lists", covers=["US", "FL"], listed=["FL"], said={"ResultCode": "D"}, **common
    )

    found = collect_evidence(BEN, at=LATER)

    assert [one["said"] for one in found["number_checks"]] == [
        {"IsReassigned": False}, {"ResultCode": "D"},
    ]  # fmt: skip
    told = build_chronology(found)
    notes = {one["title"]: one["notes"] for one in told["lines"]}
    day = f"{LATER:%b} {LATER.day}, {LATER:%Y}"
    assert notes[f"Asked whether (813) 555-0142 changed hands after {day}"] == [
        "dncscrub answered: no."
    ]
    assert notes["Asked which do-not-call lists (813) 555-0142 is on"] == [
        "dncscrub answered: the do-not-call list of Florida."
    ]
    assert f"The do-not-call list of Florida, answer of dncscrub, {day}: listed" in told["lists"]


def test_a_number_nobody_has_gives_an_empty_file_that_holds(company, tmp_path):
    path = tmp_path / "none.zip"
    path.write_bytes(make_file("+12125550199", actor="user:1", at=LATER))
    assert inside(path)["people"] == []
    assert find_problems(path) == []


def test_the_file_is_checked_where_there_is_nothing_but_the_file(file, tmp_path):
    kept = {key: one for key, one in os.environ.items() if not key.startswith("ROOFTREE")}
    said = subprocess.run(
        [sys.executable, "-m", "rooftree", "evidence", "verify", str(file)],
        env=kept, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (said.returncode, said.stderr) == (0, "")
    assert "is whole" in said.stdout


def test_the_command_writes_one_and_never_over_another(ben, tmp_path):
    path = tmp_path / "a.zip"
    call_command("evidence", "(813) 555-0142", "-o", str(path), stdout=io.StringIO())
    assert find_problems(path) == []
    with pytest.raises(FileExistsError):
        call_command("evidence", BEN, "-o", str(path))
    with pytest.raises(command_base.UsageError, match="no phone number"):
        call_command("evidence", "somebody", "-o", str(tmp_path / "b.zip"))

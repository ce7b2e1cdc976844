"""The compliance page: contact lookup, verdicts, holds, source terms and emergencies."""

import json

import pytest
from django.db import connection
from django.urls import reverse

from rooftree.compliance.consent import store_revocation
from rooftree.compliance.evidence import evidence_file_check
from rooftree.compliance.models import Revocation, SourceTerms, Verdict
from rooftree.ledger import seal
from rooftree.ledger.models import Event
from rooftree.org.models import Company
from rooftree.outreach.messages import contact_permissions
from rooftree.web.compliance import contact_lookup
from tests import make


@pytest.fixture
def omar(cast, signed_in):
    return signed_in(cast.omar)


def decide_call(lead):
    """Ask the gate about a call to the lead; return the stored verdict."""
    return contact_permissions.decide_call(
        lead_id=lead.pk, cause=f"test:{make.number()}", at=make.NOON
    )


def stop(address, kind="stop", **changes):
    return store_revocation.store_revocation(
        **{
            "person_id": None,
            "address": address,
            "kind": kind,
            "media": ["call", "text", "voicemail"],
            "origin": "message:1",
            "idempotency_key": f"text:{make.number()}",
            "at": make.NOON,
            "words": "please stop",
        }
        | changes
    )


def test_number_is_found_in_any_format(cast, omar):
    make.consent(cast.ben.person, wording="I agree to texts", record={"type": "written"})

    for typed in ("(813) 555-0142", "813.555.0142", "+1 813 555 0142"):
        page = omar.get("/compliance/", {"q": typed}).text
        assert "Ben Ortiz" in page
        assert "I agree to texts" in page


def test_email_address_is_found_by_its_normalized_form(cast, omar):
    assert "Ben Ortiz" in omar.get("/compliance/", {"q": "Ben.Ortiz@HOME.example"}).text


def test_number_known_only_from_an_opt_out_is_found(cast, omar):
    stop("+15125550199")

    page = omar.get("/compliance/", {"q": "512-555-0199"}).text

    assert "No one on file" in page
    assert "Opted out by text" in page
    assert "please stop" in page


def test_invalid_number_is_explained(omar):
    page = omar.get("/compliance/", {"q": "ben"})

    assert "Enter a 10-digit US phone number or an email address" in page.text
    assert 'value="ben"' in page.text


def test_verdict_page_shows_every_rule_its_citation_and_the_facts(cast, omar):
    verdict = decide_call(cast.ben)

    page = omar.get("/compliance/", {"q": "+18135550142"}).text

    assert verdict.sentence[:40] in page.replace("&#x27;", "'")
    for result in verdict.results:
        assert result["id"] in page
    assert "Same result just now" in page
    assert verdict.facts_sha256[:12] in page


def test_facts_changed_after_the_verdict_are_reported(cast, omar):
    verdict = decide_call(cast.ben)
    facts = {**verdict.facts, "internal_dnc_on": "2026-01-01"}
    Verdict.objects.filter(pk=verdict.pk).update(facts=facts)

    page = omar.get(reverse("verdict", args=[verdict.pk])).text

    assert "Different result" in page


def test_verdict_on_another_branchs_lead_is_not_found(cast, signed_in):
    verdict = decide_call(cast.ben)
    stranger = make.user("manager", branch=cast.austin)

    page = signed_in(stranger).get(reverse("verdict", args=[verdict.pk]))

    assert page.status_code == 404


def test_verdicts_are_filtered_by_kind(cast, omar):
    decide_call(cast.ben)
    kind = Verdict.objects.get().decision
    other = next(
        kind_of_badge for kind_of_badge in contact_lookup.DECISION_BADGES if kind_of_badge != kind
    )

    assert (
        "No verdicts match"
        in omar.get("/compliance/", {"q": "+18135550142", "decision": other}).text
    )
    assert (
        "No verdicts match"
        not in omar.get("/compliance/", {"q": "+18135550142", "decision": kind}).text
    )


def test_do_not_contact_ends_earlier_permissions(cast, omar):
    form = {"address": "+18135550142", "media": ["call", "text"], "words": "Phoned us, Nov 23"}

    answer = omar.post(reverse("do_not_contact"), form)

    row = Revocation.objects.get()
    assert answer.status_code == 303
    assert (row.kind, row.address, row.media) == (
        "do_not_contact",
        "+18135550142",
        ["call", "text"],
    )
    assert row.person == cast.ben.person
    assert Event.objects.filter(kind="compliance.permission.revoked").count() == 1
    assert decide_call(cast.ben).decision == "block"


def test_do_not_contact_form_sent_twice_counts_once(cast, omar):
    form = {
        "address": "+18135550142",
        "media": ["text"],
        "words": "Asked",
        "token": "0199aaaa-0000-7000-8000-000000000001",
    }

    omar.post(reverse("do_not_contact"), form)
    omar.post(reverse("do_not_contact"), form)

    assert Revocation.objects.count() == 1


def test_releasing_a_hold_keeps_an_opt_out_of_the_same_number(cast, omar):
    hold = stop("+18135550142", kind="review", words="I might stop by")
    real = stop("+18135550142", kind="stop")
    assert "I might stop by" in omar.get("/compliance/").text

    omar.post(reverse("hold_release", args=[hold.pk]))
    omar.post(reverse("hold_release", args=[hold.pk]))

    hold.refresh_from_db()
    real.refresh_from_db()
    assert hold.ended_by == f"user:{cast.omar.pk}"
    assert real.ended_at is None
    assert Event.objects.filter(kind="compliance.hold.released").count() == 1


def test_held_reply_confirmed_as_an_opt_out_counts_as_one(cast, omar):
    hold = stop("+18135550142", kind="review", words="leave me be")

    omar.post(reverse("hold_stop", args=[hold.pk]))

    live = Revocation.objects.get(ended_at=None)
    assert (live.kind, live.borrower_words, live.media) == ("stop", "leave me be", hold.media)
    assert "Nothing to review" in omar.get("/compliance/").text
    assert Event.objects.filter(kind="compliance.hold.was_stop").count() == 1


def test_new_source_terms_end_earlier_terms_and_name_their_reviewer(cast, omar):
    old = make.terms(cast.zillow, reviewed_at=make.NOON)
    page = reverse("source_terms", args=[cast.zillow.pk])
    today = omar.get(page).context["form"].initial["from_date"]
    form = {
        "from_date": today.isoformat(),
        "names_us": "on",
        "seller_snapshot": "Lindenfield Mortgage",
        "wording": "I agree to calls and texts by Lindenfield Mortgage.",
        "signature": "button",
        "channels": ["call", "text"],
    }

    omar.post(page, form)

    old.refresh_from_db()
    new = SourceTerms.objects.exclude(pk=old.pk).get()
    assert old.until_date == today
    assert (new.reviewed_by, new.channels) == (cast.omar, ["call", "text"])
    assert Event.objects.filter(kind="compliance.source_terms.recorded").count() == 1


def test_sources_with_unreviewed_terms_are_counted_and_listed_first(cast, omar):
    make.terms(cast.zillow, reviewed_at=make.NOON)
    unread = make.source(slug="bankrate", name="Zz Bankrate")

    home, listed = omar.get("/compliance/").text, omar.get(reverse("all_source_terms"))

    assert "1 missing" in home
    assert [source for source, _ in listed.context["page"]] == [unread, cast.zillow]


def test_source_terms_without_wording_are_rejected_and_stay_in_the_form(cast, omar):
    page = reverse("source_terms", args=[cast.zillow.pk])

    answer = omar.post(
        page, {"from_date": "2099-01-01", "channels": ["text"], "proof_owed": "Certificates"}
    )

    assert answer.status_code == 422
    assert "Copy the wording exactly" in answer.text
    assert 'value="Certificates"' in answer.text
    assert not SourceTerms.objects.exists()


def test_daily_emergency_check_is_recorded(cast, omar):
    url = reverse("emergencies")

    omar.post(url, {"act": "declare", "state": "ny", "county": "Erie", "from": "2026-11-20"})
    omar.post(url, {"act": "right"})

    company = Company.objects.get()
    assert company.emergencies == [
        {"state": "NY", "county": "Erie", "from": "2026-11-20", "until": None}
    ]
    assert company.emergencies_checked_at is not None
    assert "NY, Erie" in omar.get("/compliance/").text

    omar.post(url, {"act": "lift:0"})
    assert Company.objects.get().emergencies[0]["until"] is not None
    kinds = set(Event.objects.values_list("kind", flat=True))
    assert {"compliance.emergency.declared", "compliance.emergency.lifted"} <= kinds


def test_ledger_check_reports_a_changed_entry(cast, omar):
    stop("+18135550142")
    seal.seal_events(at=make.NOON)
    assert "Every link is intact" in omar.get(reverse("compliance_ledger")).text

    with connection.cursor() as cursor:  # as anyone with database access could
        cursor.execute("alter table event disable trigger user")
        cursor.execute("update event set actor = 'somebody else' where sequence = 1")
        cursor.execute("alter table event enable trigger user")
    assert "The chain breaks at entry 1" in omar.get(reverse("compliance_ledger")).text


def test_ledger_checkpoints_are_signed_and_downloadable_with_a_public_key(cast, omar, client):
    assert "No signed heads yet" in omar.get(reverse("compliance_ledger")).text
    stop("+18135550142")
    seal.seal_events(at=make.NOON)
    omar.post(reverse("ledger_head"))

    page = omar.get(reverse("compliance_ledger")).text
    assert "Entries 1 to 1" in page
    head = json.loads(omar.get(reverse("ledger_heads")).text.splitlines()[0])
    assert head["sequence"] == 1
    published = client.get("/.well-known/rooftree-keys.json").json()
    assert published["keys"][0]["key"] == head["key"]
    assert head["key"] in page


def test_evidence_file_is_created_on_the_page_and_verifies(cast, omar, tmp_path):
    page = omar.get("/compliance/?q=%2B18135550142").text
    assert "Download evidence file" in page

    answer = omar.post(reverse("evidence"), {"address": "+18135550142"})

    path = tmp_path / "file.zip"
    path.write_bytes(answer.content)
    assert "evidence 18135550142" in answer["Content-Disposition"]
    assert evidence_file_check.find_problems(path) == []
    event = Event.objects.get(kind="compliance.evidence.made")
    assert event.actor == f"user:{cast.omar.pk}"


def test_empty_evidence_file_is_rejected(omar):
    assert omar.post(reverse("evidence"), {"address": "somebody"}).status_code == 303
    assert not Event.objects.filter(kind="compliance.evidence.made").exists()


def test_operations_cannot_open_compliance(cast, signed_in):
    browser = signed_in(make.user("operations"))

    assert browser.get("/compliance/").status_code == 403
    assert browser.post(reverse("evidence"), {"address": "+18135550142"}).status_code == 403
    assert browser.post(reverse("emergencies"), {"act": "right"}).status_code == 403


def test_certificate_mismatch_is_not_called_an_opt_out(cast, omar):
    hold = stop(
        "+18135550142", kind="review", origin="certificate:1",
        words="The TrustedForm certificate is from another person's session.",
    )  # fmt: skip

    page = omar.get("/compliance/").text
    assert "opt out?" not in page
    assert "Is this number" in page
    assert "opt-out" not in omar.get("/compliance/", {"q": "+18135550142"}).text.split("Verdicts")[
        0
    ].replace("Opt-outs", "").replace("opt-outs", "")

    omar.post(reverse("hold_stop", args=[hold.pk]))

    live = Revocation.objects.get(ended_at=None)
    assert live.kind == "do_not_contact"


def test_lines_of_one_verdict_do_not_contradict_each_other():
    """Each pair could stand in one verdict, and the second line denied the first."""
    results = [
        {"id": "LIC-01", "decision": "block", "reason": "lo_unlicensed_state", "cite": ""},
        {"id": "LIC-01", "decision": "allow", "reason": "licensed", "cite": ""},
        {"id": "LIC-01", "decision": "allow", "reason": "licensed", "cite": ""},
        {"id": "LIC-02", "decision": "allow", "reason": "clerical_activity", "cite": ""},
        {"id": "CNT-01", "decision": "require", "reason": "rate_without_apr", "cite": ""},
        {"id": "CNT-01", "decision": "allow", "reason": "clean", "cite": ""},
        {"id": "REV-01", "decision": "block", "reason": "wrong_party", "cite": ""},
        {"id": "REV-01", "decision": "allow", "reason": "not_a_revocation", "cite": ""},
        {"id": "DNC-03", "decision": "block", "reason": "internal_dnc", "cite": ""},
        {"id": "DNC-01", "decision": "block", "reason": "national_dnc", "cite": ""},
        {"id": "CON-05", "decision": "allow", "reason": "manual_call_no_pewc_needed", "cite": ""},
        {"id": "RND-01", "decision": "allow", "reason": "rnd_clear", "cite": ""},
    ]

    text = " ".join(line["text"] for line in contact_lookup.rule_lines(results))

    assert text.count("This rule's other requirements are met.") == 2
    for denial in (
        "This license requirement is met", "a licensed officer discusses", "No problems with",
        "No opt-out on file", "no written consent needed", "No sign that this number",
    ):  # fmt: skip
        assert denial not in text


def test_proof_of_consent_shows_its_dates_in_words(cast, omar):
    make.consent(
        cast.ben.person, wording="I agree to texts", captured_at=make.NOON,
        record={"type": "written", "page_seen_at": "2026-11-23T17:00:00+00:00"},
    )  # fmt: skip

    page = omar.get("/compliance/", {"q": "+18135550142"}).text

    assert "Consent given" in page
    assert page.count("Nov 23, 2026, ") >= 3
    assert "2026-11-23T17:00" not in page.split("page seen at")[-1].split("</dd>")[0]

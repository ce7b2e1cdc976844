"""Controls page: evidence that the program collects, and records that staff enter."""

import io
import json
import zipfile
from datetime import datetime

import pytest
from django.urls import reverse

from rooftree.ledger.models import Event
from rooftree.reporting.models import Assurance, Incident
from tests import make


@pytest.fixture
def omar(cast, signed_in):
    return signed_in(cast.omar)


def test_controls_page_lists_open_work_with_links(omar):
    page = omar.get(reverse("controls")).text

    assert "Every account has a second factor" in page
    assert "16 CFR 314.4(c)(5)" in page
    assert f'href="{reverse("access_review")}"' in page
    assert "Not recorded yet." in page


def test_control_period_downloads_as_a_signed_file(cast, omar):
    answer = omar.post(reverse("controls_export"), {"days": "365"})

    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    controls = json.loads(archive.read("controls.json"))
    made_at, since = (datetime.fromisoformat(controls[key]) for key in ("made_at", "since"))
    assert made_at - since == 365 * make.DAY
    assert "signature.json" in archive.namelist()
    assert Event.objects.get(kind="reporting.controls.exported").actor == f"user:{cast.omar.pk}"


def test_incomplete_access_review_is_rejected_and_keeps_the_choices(cast, omar):
    chosen = {f"person-{cast.omar.pk}": "keep", "said": "All fine"}
    answer = omar.post(reverse("access_review"), chosen)

    assert answer.status_code == 422
    assert "Decide about" in answer.text
    assert "All fine" in answer.text
    assert f'name="person-{cast.omar.pk}" value="keep" checked' in answer.text
    assert not Assurance.objects.exists()


def test_complete_access_review_is_recorded_with_its_reviewer(cast, omar):
    from rooftree.reporting.controls import assurance_records

    chosen = {f"person-{user.pk}": "keep" for user in assurance_records.users_to_review()}
    omar.post(reverse("access_review"), {**chosen, "said": "All fine"})

    assurance = Assurance.objects.get()
    assert (assurance.kind, assurance.by) == ("access_review", cast.omar)
    assert "last reviewed" in omar.get(reverse("access_review")).text


def test_control_evidence_is_recorded_with_its_document(omar):
    day = make.NOON.date().isoformat()
    typed = {"kind": "restore", "on_date": day, "said": "Ana, 14 minutes.", "document": "r.md"}
    omar.post(reverse("assurances"), typed)

    page = omar.get(reverse("assurances")).text
    assert "Ana, 14 minutes." in page
    assert "r.md" in page
    refused = omar.post(reverse("assurances"), {**typed, "kind": "access_review"})
    assert refused.status_code == 422


def test_incident_shows_its_ftc_deadline_and_closes_after_the_report(omar):
    day = make.NOON.date().isoformat()
    omar.post(
        reverse("incidents"),
        {"what": "A stolen laptop", "discovered_on": day, "consumers": "500"},
    )
    incident = Incident.objects.get()
    assert "Report to the FTC by Dec 23, 2026" in omar.get(reverse("incidents")).text

    refused = omar.post(reverse("incident", args=[incident.pk]), {"ended": "Wiped"}, follow=True)
    assert "Report the incident to the FTC first" in refused.text
    omar.post(reverse("incident", args=[incident.pk]), {"told_on": "yesterday"})
    omar.post(reverse("incident", args=[incident.pk]), {"told_on": day})
    omar.post(reverse("incident", args=[incident.pk]), {"ended": "Wiped from afar"})
    page = omar.get(reverse("incidents")).text
    assert "Wiped from afar" in page
    assert "Report to the FTC by" not in page

"""The baseline of a source, entered by staff, and the pages that show its audit."""

import pytest
from django.urls import reverse

from rooftree.capture.models import Baseline
from tests import make
from tests.make import DAY, NOON
from tests.web.test_home import Q3, cohort

TYPED = {
    "per_week": "40", "contactable_pct": "80", "price_cents": "46", "exclusive": "shared",
    "contact": "Kim, 555-0100",
}  # fmt: skip


@pytest.fixture
def source(db):
    make.company()
    return make.source("leadconduit", name="LeadConduit", launched_at=None)


@pytest.fixture
def user(source):
    return make.user("operations")


@pytest.fixture
def clerk(signed_in, user):
    return signed_in(user)


def page(source, name="source_baseline"):
    return reverse(name, args=[source.pk])


def test_baseline_is_saved_waived_and_launched_on_the_page(clerk, source, user):
    page_text = clerk.get(page(source)).content.decode()
    assert "Volume, Quality, Price" in page_text
    saved_answer = clerk.post(
        page(source), TYPED | {"contactable_pct": "", "watcher_id": str(user.pk)}
    )
    assert saved_answer.status_code == 303
    assert "Quality, Return terms." in clerk.get(page(source)).content.decode()

    early = clerk.post(page(source, "source_baseline_launch"))
    assert (early.status_code, "Fill in or waive first" in early.content.decode()) == (422, True)
    for part in ("contactable_pct", "returns"):
        clerk.post(page(source, "source_baseline_waiver"), {"part": part, "why": "too new"})
    assert clerk.post(page(source, "source_baseline_launch")).status_code == 303

    source.refresh_from_db()
    assert source.launched_at is not None
    page_text = clerk.get(page(source)).content.decode()
    assert f"by {user.name}: too new" in page_text
    assert "In audit" not in page_text and "Launch source" not in page_text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"contactable_pct": "101"}, "Enter a whole number from 1 to 100"),
        ({"price_cents": "a lot"}, "Enter an amount in dollars"),
        ({"watcher_id": "3"}, "Choose another"),
    ],
)
def test_invalid_baseline_shows_an_error_and_changes_nothing(clerk, source, change, message):
    answer = clerk.post(page(source), TYPED | change)

    assert answer.status_code == 422
    assert message in answer.content.decode()
    assert not Baseline.objects.exists()


def test_actual_results_are_shown_beside_the_baseline(clerk, source, user):
    clerk.post(page(source), TYPED | {"watcher_id": str(user.pk)})
    make.lead(source=source)

    page_text = clerk.get(page(source)).content.decode()

    assert '100% <span class="quiet">of 80%</span>' in " ".join(page_text.split())


def test_source_of_imported_files_has_no_baseline(clerk):
    assert clerk.get(page(make.source("csv_import"))).status_code == 404


def test_home_does_not_judge_a_source_in_audit(signed_in, source):
    executive = signed_in(make.user("executive"))
    cohort(source)
    cohort(make.source("zillow", name="Zillow"))

    page_text = executive.get(Q3).content.decode()

    assert "In audit: LeadConduit." in page_text
    first, *rest = page_text[page_text.index(">Zillow<") :].split(">LeadConduit<")
    assert "in audit" not in first and "$300" in first
    assert 'quiet">in audit</span>' in rest[0][:400]


def test_sources_page_marks_sources_in_audit_and_silent_sources(clerk, source):
    silent = make.source("zillow", name="Zillow")
    Baseline.objects.create(source=silent, last_at=NOON, silent_at=NOON + DAY)
    make.delivery(silent)

    page_text = clerk.get(reverse("sources")).content.decode()
    assert "In audit" in page_text and "Silent" in page_text
    single = clerk.get(reverse("source", args=[silent.pk])).content.decode()
    assert "All administrators were notified" in single

"""Prometheus metrics, and who can read them."""

import os

import pytest
from prometheus_client.parser import text_string_to_metric_families

from rooftree.ledger.write_events import write_event
from rooftree.org import sending_pause
from rooftree.reporting.monitoring_metrics import metric_families
from rooftree.web.server import http_metrics, readiness_checks
from tests import make
from tests.flow import journey

LOCAL, ELSEWHERE = "127.0.0.1", "203.0.113.9"


def values(at=make.NOON):
    """Return every value by name and labels."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for metric_family in metric_families(at)
        for sample in metric_family.samples
    }


@pytest.mark.django_db
def test_last_hour_and_backlog_metrics_come_from_the_database(cast):
    journey.set_up_company()
    lead = make.lead(at=make.NOON - 10 * make.MINUTE)
    lead.first_attempt_at = lead.created_at + 90 * make.SECOND
    lead.save(update_fields=["first_attempt_at"])
    make.lead(at=make.NOON - 2 * make.HOUR)
    make.delivery(at=make.NOON - make.MINUTE)
    before = values()

    sending_pause.begin_pause(reason="A test.", backup_at=None, at=make.NOON)
    write_event("leads.lead.told", at=make.NOON)
    after = values()

    assert before["rooftree_leads_last_hour",] >= 1
    assert before["rooftree_speed_to_lead_seconds", ("quantile", "0.5"), ("to", "attempt")] == 90
    assert (before["rooftree_sending_paused",], after["rooftree_sending_paused",]) == (0, 1)
    unsealed = ("rooftree_ledger_unsealed",)
    assert after[unsealed] == before[unsealed] + 2  # the pause is an event too


@pytest.mark.django_db
def test_lead_from_two_hours_ago_is_not_in_the_last_hour(cast):
    before = values(make.NOON - 3 * make.HOUR)["rooftree_leads_last_hour",]
    make.lead(at=make.NOON - 3 * make.HOUR - make.MINUTE)

    assert values(make.NOON - 3 * make.HOUR)["rooftree_leads_last_hour",] == before + 1
    assert values(make.NOON - make.HOUR)["rooftree_leads_last_hour",] == 0


@pytest.mark.django_db
def test_metrics_text_is_valid_prometheus_format():
    text = http_metrics.render_metrics()

    for line in text.splitlines():
        if line.startswith("#"):
            assert line.split(" ", 3)[1] in ("HELP", "TYPE")
            continue
        name, _, value = line.rpartition(" ")
        float(value)
        assert name.split("{")[0].startswith("rooftree_")
    assert text.endswith("\n")
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert families["rooftree_http_seconds"].type == "histogram"
    assert families["rooftree_sending_paused"].type == "gauge"
    assert families["rooftree_process_memory_bytes"].samples[0].labels == {
        "process": str(os.getpid())
    }
    assert not any(name.endswith("_created") for name in families)


def histogram_samples():
    """Return name and value of each sample of deliveries, in order."""
    [family] = http_metrics.LATENCY_HISTOGRAM.collect()
    assert not any("secret" in str(sample.labels) for sample in family.samples)
    return [
        (sample.name, sample.value)
        for sample in family.samples
        if (sample.labels["kind"], sample.labels["status"]) == ("delivery", "2xx")
    ]


def test_histogram_counts_each_response_once_in_every_larger_bucket():
    http_metrics.LATENCY_HISTOGRAM.clear()
    http_metrics.observe_response("/in/zillow/secret", 200, 0.03)
    http_metrics.observe_response("/in/zillow/secret", 200, 99.0)

    samples = histogram_samples()

    buckets = [value for name, value in samples if name.endswith("_bucket")]
    assert buckets == [0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2]
    assert dict(samples)["rooftree_http_seconds_sum"] == 99.03
    assert dict(samples)["rooftree_http_seconds_count"] == 2


@pytest.mark.parametrize(
    ("token", "peer", "headers", "may"),
    [
        ("", LOCAL, [], True),
        ("", "::1", [], True),
        ("", ELSEWHERE, [], False),
        (
            "",
            LOCAL,
            [(b"x-forwarded-for", b"203.0.113.9")],
            False,
        ),  # a proxy forwards an outside request
        ("", "", [], False),
        ("t0ken", LOCAL, [], False),
        ("t0ken", ELSEWHERE, [(b"authorization", b"Bearer t0ken")], True),
        ("t0ken", ELSEWHERE, [(b"authorization", b"Bearer other")], False),
        ("t0ken", ELSEWHERE, [(b"authorization", b"Bearer t\xf6ken")], False),
    ],
)
def test_only_permitted_callers_can_read_metrics(token, peer, headers, may, settings):
    settings.METRICS_TOKEN = token

    assert http_metrics.can_read_metrics(peer, headers) is may


@pytest.mark.django_db
def test_liveness_metric_needs_a_worker_and_a_scheduler():
    alive, why = readiness_checks.check_processes()

    assert not alive
    assert why == "no worker and no scheduler running; start rooftree serve"

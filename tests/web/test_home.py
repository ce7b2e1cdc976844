"""Home: the figures a role can see, each linked to its records."""

import re
from datetime import UTC, datetime

import pytest

from rooftree.flow import clock
from rooftree.leads.models import Lead, Loan
from rooftree.org.models import ROLES
from rooftree.reporting.rollups import rollup_deltas
from tests import make
from tests.reporting.test_rollup_deltas import book_entry

AUGUST = datetime(2026, 8, 12, 15, 0, tzinfo=UTC)
Q3 = "/home/?period=2026-q3"


def cohort(source, *, branch=None):
    """Three August leads at $100 each; one applied and funded, one was attempted."""
    leads = [make.lead(at=AUGUST, source=source, branch=branch) for _ in range(3)]
    Lead.objects.filter(pk=leads[1].pk).update(first_attempt_at=AUGUST + 30 * make.SECOND)
    loan = Loan.objects.create(
        lead=leads[0],
        los="encompass",
        instance="main",
        los_loan_id=str(make.number()),
        application_date=AUGUST.date(),
        funded_date=datetime(2026, 9, 20, tzinfo=UTC).date(),
        amount_cents=400_000_00,
        created_at=AUGUST,
    )
    for lead in leads:
        book_entry(source, lead_id=lead.pk)
    book_entry(source, kind="revenue", amount_cents=8_000_00, lead_id=leads[0].pk, loan_id=loan.pk)
    for lead in leads:
        rollup_deltas.append_missing_deltas(lead.pk)
    return leads


@pytest.fixture
def executive(client, db):
    make.company()
    user = make.user("executive", name="Ellen Park")
    client.force_login(user)
    return client


def text(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def links(answer):
    addresses = re.findall(r'href="(/home/records/[^"]+)"', answer.content.decode())
    return [address.replace("&amp;", "&") for address in addresses]


@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES)
def test_home_is_for_roles_that_answer_for_more_than_their_own_leads(client, role):
    make.company()
    client.force_login(make.user(role))

    status = client.get("/home/").status_code
    behind = client.get("/home/records/leads/").status_code

    assert status == behind == (403 if role in ("officer", "assistant") else 200)


def test_cost_per_funded_loan_is_the_first_figure_and_each_source_has_a_row(executive):
    cohort(make.source(name="Zillow", slug="zillow"))

    page_text = text(executive.get(Q3))

    assert "Leads that arrived Jul 1 – Sep 30, 2026" in page_text
    assert "Cost per funded loan $300" in page_text
    assert "1 of 1 application" in page_text
    assert "Zillow" in page_text
    assert "$7,700" in page_text  # gross profit


def test_every_figure_opens_a_list_of_that_many_leads(executive):
    cohort(make.source())

    opened = {address: executive.get(address) for address in links(executive.get(Q3))}

    assert len(opened) >= 10
    expected = {"leads": 3, "applications": 1, "funded": 1, "spend": 3, "profit": 3}
    for address, answer in opened.items():
        number = address.split("/")[3]
        if number in expected:
            assert answer.context["page"].paginator.count == expected[number], address


def test_comparison_percentage_needs_a_whole_period_with_enough_leads(executive):
    """A quarter with one loaded lead would show +16,800%, which means nothing."""
    zillow = make.source()
    cohort(zillow)
    april = datetime(2026, 4, 2, 15, 0, tzinfo=UTC)

    before = [make.lead(at=april + 30 * make.DAY, source=zillow)]
    rollup_deltas.append_missing_deltas(before[0].pk)
    assert not re.search("(in|on|than) Q2 2026", text(executive.get(Q3)))

    before += [make.lead(at=april, source=zillow)]
    rollup_deltas.append_missing_deltas(before[-1].pk)
    assert "2 in Q2 2026" in text(executive.get(Q3))

    before += [make.lead(at=april, source=zillow) for _ in range(18)]
    for lead in before:
        rollup_deltas.append_missing_deltas(lead.pk)
    assert "−85% from Q2 2026" in text(executive.get(Q3))


def test_speed_chart_column_opens_its_leads(executive):
    leads = cohort(make.source())

    answer = executive.get("/home/records/attempted/?period=2026-q3&band=0")

    assert [lead.pk for lead in answer.context["page"].object_list] == [leads[1].pk]
    assert "under 1 min" in text(answer)


def test_manager_sees_only_figures_and_records_of_their_branch(client, db):
    make.company()
    zillow, tampa, austin = make.source(), make.branch("Tampa"), make.branch("Austin")
    cohort(zillow, branch=tampa)
    cohort(zillow, branch=austin)
    client.force_login(make.user("manager", branch=tampa))

    assert client.get(Q3).context["shown"].total.leads == 3
    forced = client.get(f"{Q3}&branch={austin.pk}")
    assert forced.context["shown"].total.leads == 3
    assert forced.context["view"].branch is None
    behind = client.get("/home/records/leads/?period=2026-q3")
    assert {lead.branch for lead in behind.context["page"].object_list} == {tampa}


def test_company_roles_can_filter_by_branch(executive):
    zillow, tampa = make.source(), make.branch("Tampa")
    cohort(zillow, branch=tampa)
    cohort(zillow)

    answer = executive.get(f"{Q3}&branch={tampa.pk}")

    assert answer.context["shown"].total.leads == 3
    assert all(f"branch={tampa.pk}" in address for address in links(answer))


def test_empty_period_names_the_next_step(executive):
    assert "No leads yet" in text(executive.get(Q3))
    cohort(make.source())

    page_text = text(executive.get("/home/?period=2026-q2"))

    assert "No leads arrived in Q2 2026" in page_text


def test_too_little_history_is_stated(executive):
    cohort(make.source())

    assert "0 of the 20 past fundings needed" in text(executive.get(Q3))


def test_cohort_without_a_funded_loan_has_no_cost_per_loan(executive):
    zillow = make.source()
    lead = make.lead(at=AUGUST, source=zillow)
    book_entry(zillow, lead_id=lead.pk)
    rollup_deltas.append_missing_deltas(lead.pk)

    page_text = text(executive.get(Q3))

    assert "None funded" in page_text
    assert "$100 spent, no loans funded yet" in page_text


def test_invalid_period_falls_back_to_the_last_quarter(executive):
    answer = executive.get("/home/?period=never&branch=nobody")

    assert answer.context["view"].period.kind == "quarter"
    assert executive.get("/home/records/nothing/").status_code == 404
    assert executive.get("/home/records/leads/?source=x&band=99&page=z").status_code == 200


def test_query_count_does_not_grow_with_the_leads(executive, django_assert_max_num_queries):
    zillow = make.source()
    cohort(zillow)
    executive.get(Q3)
    with django_assert_max_num_queries(16):
        executive.get(Q3)
    for _ in range(3):
        cohort(make.source())
    with django_assert_max_num_queries(16):
        executive.get(Q3)


def test_home_opens_on_the_newest_quarter_with_leads(executive):
    cohort(make.source())

    with clock.freeze(datetime(2027, 5, 3, 15, 0, tzinfo=UTC)):
        assert executive.get("/home/").context["view"].period.key == "2026-q3"


def test_home_opens_on_the_running_quarter_of_a_new_company(executive):
    with clock.freeze(make.NOON):
        lead = make.lead(source=make.source())
        rollup_deltas.append_missing_deltas(lead.pk)

        period = executive.get("/home/").context["view"].period

    assert period.from_date <= make.NOON.date() < period.until_date


def test_imported_past_clients_are_no_arrivals(executive):
    cohort(make.source())
    imported = make.lead(at=AUGUST, source=make.source("crm_hubspot", name="Old CRM"))
    rollup_deltas.append_missing_deltas(imported.pk)

    assert executive.get(Q3).context["shown"].total.leads == 3
    records = executive.get("/home/records/leads/?period=2026-q3")
    assert records.context["page"].paginator.count == 3


def test_drill_down_shows_the_column_and_total_of_its_figure(executive):
    zillow = make.source()
    cohort(zillow)
    book_entry(
        zillow, amount_cents=50_00, on_date=AUGUST.date()
    )  # a monthly fee that no lead carries

    assert "Total: $350" in text(executive.get("/home/records/spend/?period=2026-q3"))
    profit = text(executive.get("/home/records/profit/?period=2026-q3"))
    assert "Gross profit" in profit
    assert "including $50" in profit
    assert "Total: 1 loan" in text(executive.get("/home/records/funded/?period=2026-q3"))


def test_no_share_of_the_funnel_exceeds_the_whole(executive):
    cohort(make.source())  # one application, and nobody was spoken with

    funnel = executive.get(Q3).context["funnel"]

    assert [step.share for step in funnel if step.label == "Application"] == [""]

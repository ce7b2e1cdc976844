import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from rooftree.org.models import LoanOfficer
from rooftree.routing import rule_sets, rule_simulation
from rooftree.routing.models import Offer, RoutingDecision, Turn
from rooftree.routing.routing_rules import Pool, Rule
from tests import make

pytestmark = pytest.mark.django_db
EVERYONE = Rule(name="Everyone")


def simulate(rules, live=(EVERYONE,), at=make.NOON):
    return rule_simulation.simulate_rules(days=7, rules=rules, live=live, at=at)


@pytest.fixture
def past(cast):
    make.license_of(cast.sam, "FL")
    return [make.lead(at=make.NOON - make.DAY + nth * make.MINUTE) for nth in range(6)]


def test_same_rules_move_no_lead(cast, past):
    result = simulate([EVERYONE])

    assert (result.leads, result.moved) == (6, ())
    assert {(share.live, share.draft) for share in result.officers} == {(3, 3)}


def test_draft_shows_leads_gained_and_lost_by_officer(cast, past):
    result = simulate([Rule(name="Sam first", pool=Pool(officers=(str(cast.sam.pk),)))])

    shares = {share.name: (share.live, share.draft) for share in result.officers}
    assert shares == {"Sam Rivera": (3, 6), "Dana Whitfield": (3, 0)}
    assert len(result.moved) == 3
    assert result.moved[0].because == "Sam first: Sam Rivera was next in rotation."


def test_draft_without_officers_counts_unassigned_leads(cast, past):
    result = simulate(
        [Rule(name="None", pool=Pool(officers=("00000000-0000-7000-8000-000000000000",)))]
    )

    assert (result.unclaimed_live, result.unclaimed_draft) == (0, 6)
    assert result.officers[0].name == "Unassigned"


def test_simulation_ignores_current_load(cast, past):
    LoanOfficer.objects.update(daily_cap=1, open_cap=1)
    make.lead(officer=cast.dana)

    assert simulate([EVERYONE]).unclaimed_draft == 0


def test_simulation_writes_nothing(cast, past):
    simulate([EVERYONE])

    assert not (Offer.objects.exists() or RoutingDecision.objects.exists() or Turn.objects.exists())


def test_command_prints_comparison(cast, tmp_path):
    rule_sets.publish_rules([EVERYONE], by=None, at=make.NOON)
    draft = tmp_path / "draft.json"
    draft.write_text(json.dumps([{"name": "Draft"}]))
    output = StringIO()

    call_command("route", "simulate", "--rules", str(draft), stdout=output)

    assert "would go to someone else" in output.getvalue()


def test_command_refuses_unlawful_draft_with_sentence(cast, tmp_path):
    draft = tmp_path / "draft.json"
    draft.write_text(json.dumps([{"name": "Draft", "criteria": {"zip": ["78745"]}}]))

    with pytest.raises(CommandError, match="can't use zip"):
        call_command("route", "simulate", "--rules", str(draft))

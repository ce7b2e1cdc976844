"""The routing page: rules in order, a draft, its preview, publication and restoring."""

import pytest
from django.urls import reverse

from rooftree.ledger.models import Event
from rooftree.routing import assign_leads, rule_sets
from rooftree.routing.models import RoutingDecision, RuleSet
from rooftree.routing.routing_rules import Criteria, Pool, Rule
from tests import make


@pytest.fixture
def operations(db, signed_in):
    return signed_in(make.user("operations"))


def published(*rules):
    return rule_sets.publish_rules(rules, by=None, at=make.NOON, summary="For the test")


def form_data(**changes):
    return {
        "name": "Texas purchases",
        "purposes": ["purchase"],
        "states": "tx",
        "take_seconds": "45",
        "step_1": "pool",
        "step_1_seconds": "60",
        "nobody": "alarm",
    } | changes


def test_rules_are_listed_in_order_as_sentences(cast, operations):
    published(Rule(name="Zillow first", criteria=Criteria(sources=("zillow",))), Rule(name="Rest"))

    page = operations.get("/routing/").text

    assert (
        "A Zillow lead goes to all eligible loan officers, round robin, with 2 minutes to take it"
        in page
    )
    assert page.index("Zillow first") < page.index("Rest")


def test_edited_rule_goes_into_a_draft_and_decides_nothing_yet(cast, operations):
    published(Rule(name="Everyone"))

    answer = operations.post(reverse("routing_rule_new"), form_data())

    assert answer.status_code == 303
    page = operations.get("/routing/").text
    assert "A purchase lead in Texas goes to" in page
    assert "Your draft" in page
    assert RuleSet.objects.count() == 1


def test_saved_rule_comes_back_in_the_form(cast, operations):
    published(Rule(name="Everyone"))
    dana = str(cast.dana.pk)
    operations.post(
        reverse("routing_rule_new"),
        form_data(**{f"in_{dana}": "on", f"share_{dana}": "3", "amount_from_cents": "412,000"}),
    )

    form = operations.get(reverse("routing_rule", args=[1])).context["form"]

    assert form[f"in_{dana}"].value() is True
    assert form[f"share_{dana}"].value() == 3
    assert form["states"].value() == "TX"
    assert form["amount_from_cents"].value() == "412,000"
    assert form["step_1"].value() == "pool"


def test_invalid_rule_shows_a_sentence_and_keeps_the_typed_values(cast, operations):
    published(Rule(name="Everyone"))

    answer = operations.post(
        reverse("routing_rule_new"), form_data(states="TX, QQ", name="Kept name")
    )

    assert answer.status_code == 422
    assert "Unknown state: QQ" in answer.text
    assert 'value="Kept name"' in answer.text
    assert "TX, QQ" in answer.text


def test_contradictory_amounts_are_rejected_with_a_sentence(cast, operations):
    published(Rule(name="Everyone"))

    answer = operations.post(
        reverse("routing_rule_new"),
        form_data(amount_from_cents="500,000", amount_below_cents="400,000"),
    )

    assert "The minimum amount must be below the maximum" in answer.text


def test_two_rules_cannot_share_a_name(cast, operations):
    published(Rule(name="Everyone"))

    answer = operations.post(reverse("routing_rule_new"), form_data(name="everyone"))

    assert "Another rule has this name" in answer.text


def test_rules_are_moved_and_removed_in_the_draft(cast, operations):
    published(Rule(name="One"), Rule(name="Two"))

    operations.post(reverse("routing_move", args=[2]), {"to": "up"})
    page = operations.get("/routing/").text
    assert page.index("<b>Two</b>") < page.index("<b>One</b>")
    assert "In the live rules it is number 2." in page

    operations.post(reverse("routing_move", args=[1]), {"to": "out"})
    assert "<b>Two</b>" not in operations.get("/routing/").text


def test_draft_preview_shows_which_leads_change_officer(cast, operations, monkeypatch):
    make.license_of(cast.sam, "FL")
    published(Rule(name="Everyone"))
    monkeypatch.setattr(
        "rooftree.web.shared.staff_view.timezone.now", lambda: make.NOON + make.HOUR
    )
    for nth in range(4):
        make.lead(at=make.NOON - make.DAY + nth * make.MINUTE)
    sam = str(cast.sam.pk)
    operations.post(reverse("routing_rule", args=[1]), form_data(states="", **{f"in_{sam}": "on"}))

    page = operations.get(reverse("routing_preview")).text

    assert "from the last 7 days" in page
    assert "Sam Rivera" in page
    assert "would go to someone else" in page


def test_publishing_creates_a_version_with_its_summary(cast, operations):
    published(Rule(name="Everyone"))
    operations.post(reverse("routing_rule_new"), form_data())

    refused = operations.post(reverse("routing_publication"), {"summary": " "})
    assert refused.status_code == 422
    operations.post(reverse("routing_publication"), {"summary": "Texas on its own"})

    newest = RuleSet.objects.latest("number")
    assert (newest.number, newest.summary) == (2, "Texas on its own")
    assert [rule["name"] for rule in newest.rules] == ["Texas purchases", "Everyone"]
    assert "Your draft" not in operations.get("/routing/").text
    assert Event.objects.filter(kind="routing.rules.published").count() == 2


def test_restoring_publishes_the_old_rules_as_a_new_version(cast, operations):
    published(Rule(name="Old"))
    published(Rule(name="New"))

    unexplained = operations.post(reverse("routing_restoration", args=[1]), {"reason": " "})
    assert "Enter why you go back." in unexplained.text
    operations.post(reverse("routing_restoration", args=[1]), {"reason": "Sam left"})

    newest = RuleSet.objects.latest("number")
    assert (newest.number, newest.summary) == (3, "Back to v1: Sam left")
    assert newest.rules[0]["name"] == "Old"


def test_new_rule_lands_above_the_rule_that_would_take_its_leads(cast, operations):
    published(
        Rule(name="No state", criteria=Criteria(without_state=True), pool=Pool(officers=("x",))),
        Rule(name="Texas", criteria=Criteria(states=("TX",))),
        Rule(name="Everyone"),
    )

    saved = operations.post(reverse("routing_rule_new"), form_data(), follow=True)
    operations.post(reverse("routing_rule_new"), form_data(name="Florida", states="FL"))

    assert "Saved to your draft, above “Texas”" in saved.text
    page = operations.get("/routing/").text
    places = [page.index(f"<b>{name}</b>") for name in ("Texas purchases", "Texas", "Florida")]
    assert places == sorted(places)
    assert page.index("<b>Florida</b>") < page.index("<b>Everyone</b>")


def test_rules_that_can_never_work_are_marked_with_the_reason(cast, operations):
    published(
        Rule(name="Texas", criteria=Criteria(states=("TX",))),
        Rule(name="Florida", criteria=Criteria(states=("FL",))),
        Rule(name="South", criteria=Criteria(states=("TX", "FL"), purposes=("purchase",))),
        Rule(name="Ohio", criteria=Criteria(states=("OH",))),
        Rule(name="Ghost", criteria=Criteria(states=("CA",)), pool=Pool(officers=("gone",))),
        Rule(name="Everyone"),
    )

    page = operations.get("/routing/").text
    assert page.count("This rule can never assign a lead.") == 3
    assert "“Texas” and “Florida” above take every lead that it matches" in page
    assert "None of its loan officers can lend in Ohio" in page
    assert "No active loan officer is in its pool" in page

    operations.post(reverse("routing_move", args=[1]), {"to": "down"})
    publication = operations.get(reverse("routing_publication")).text
    assert publication.count("This rule can never assign a lead.") == 3
    assert "3 rules will never get a lead to an\n  officer." in publication


def test_fair_lending_refusal_is_shown_beside_the_field(cast, operations):
    published(Rule(name="Everyone", take_seconds=60))

    answer = operations.post(
        reverse("routing_rule_new"), form_data(languages=["es"], take_seconds="120")
    )

    assert answer.status_code == 422
    problem = answer.context["form"].errors["take_seconds"][0]
    assert problem.startswith("Allow at most 60 seconds to take the lead")
    assert "FLR-01" in problem


def test_stored_rule_survives_the_form_unchanged(cast, operations):
    dana, sam = str(cast.dana.pk), str(cast.sam.pk)
    rule = Rule.from_json(
        {
            "name": "All parts",
            "criteria": {
                "sources": ["zillow"], "states": ["FL", "CA"], "languages": ["es"],
                "amount_from_cents": 100_000_00, "score_at_least": 40, "inquiry": "new",
                "hours": {"days": ["mon"], "from_time": "08:00", "until_time": "18:00"},
            },
            "pool": {"branches": [str(cast.tampa.pk)], "officers": [sam], "weights": {dana: 3}},
            "chain": [
                {"kind": "officers", "officers": [dana, sam]},
                {"kind": "branch", "branch": str(cast.austin.pk), "take_seconds": 60},
            ],
            "nobody": "pool",
            "nobody_pool": {"branches": [str(cast.austin.pk)]},
            "alarm_user_id": str(cast.ruth.pk),
        }
    )  # fmt: skip
    published(rule)
    form = operations.get(reverse("routing_rule", args=[1])).context["form"]
    submitted = {}
    for name in form.fields:
        value = form[name].value()
        if value not in (None, "", False):
            submitted[name] = "on" if value is True else value

    operations.post(reverse("routing_rule", args=[1]), submitted)
    operations.post(reverse("routing_publication"), {"summary": "The same"})

    assert Rule.from_json(RuleSet.objects.latest("number").rules[0]) == rule


def test_managers_read_rules_and_cannot_edit_them(cast, signed_in):
    published(Rule(name="Everyone"))
    browser = signed_in(cast.ruth)

    assert "Add rule" not in browser.get("/routing/").text
    assert browser.get(reverse("routing_rule_new")).status_code == 403
    assert browser.post(reverse("routing_restoration", args=[1])).status_code == 403


def test_decision_page_names_every_officer_and_reproduces_the_decision(cast, signed_in):
    published(Rule(name="Everyone", pool=Pool()))
    assign_leads.assign_to_best_officer(lead_id=cast.ben.pk, at=make.NOON)
    decision = RoutingDecision.objects.get(lead=cast.ben)
    page = signed_in(cast.ruth).get(reverse("decision", args=[decision.pk])).text

    assert "Dana Whitfield was next in rotation." in page
    assert "Replayed now: same result." in page
    assert "Sam Rivera" in page
    assert "Not licensed in FL" in page


def test_decision_on_another_branchs_lead_is_not_found(cast, signed_in):
    published(Rule(name="Everyone"))
    assign_leads.assign_to_best_officer(lead_id=cast.ben.pk, at=make.NOON)
    decision = RoutingDecision.objects.get(lead=cast.ben)
    stranger = make.user("manager", branch=cast.austin)

    answer = signed_in(stranger).get(reverse("decision", args=[decision.pk]))

    assert answer.status_code == 404


def test_rule_for_missed_offers_is_changed_and_recorded(cast, signed_in):
    form = {
        "missed_offers_limit": "3",
        "missed_offers_hours": "4",
        "missed_offers_off_hours": "",
    }
    browser = signed_in(make.user("operations"))
    assert "missed two offers in a row" in browser.get(reverse("routing")).text

    browser.post(reverse("missed_offer_rule"), form)

    page = " ".join(browser.get(reverse("routing")).text.split())
    assert "missed three offers in a row within 4 hours gets no new leads until their" in page
    event = Event.objects.get(kind="org.company.changed")
    assert event.data["changed"] == ["missed_offers_limit", "missed_offers_hours"]


def test_template_drafts_rules_by_branch_state_and_language(cast, operations):
    page = operations.get("/routing/").text
    assert "Start from a template" in page
    assert reverse("routing_template") in page
    team = make.branch("Tampa South", parent=cast.tampa, kind="team")
    make.officer("Lee Park", licensed=("TX", "NY"), branch=team)  # the company has no NY license

    operations.post(reverse("routing_template"))

    page = operations.get("/routing/")
    rules = [Rule.from_json(rule) for rule in operations.session["routing_draft"]["rules"]]
    assert [(rule.name, rule.criteria.states) for rule in rules] == [
        ("Leads in Spanish", ("TX",)),
        ("Tampa", ("CA", "FL")),
        ("Austin and Tampa", ("TX",)),
        ("All other leads", ()),
    ]
    assert rules[0].pool.officers == (str(cast.sam.pk),)
    assert set(rules[2].pool.branches) == {str(cast.tampa.pk), str(cast.austin.pk)}
    assert "Your draft" in page.text
    assert "Start from a template" not in page.text
    assert not any(line["unreachable"] for line in page.context["lines"])
    assert RuleSet.objects.count() == 1

    again = operations.post(reverse("routing_template"), follow=True)
    assert "You already have a draft" in again.text
    published_page = operations.post(
        reverse("routing_publication"), {"summary": "From the template"}, follow=True
    )
    stored = RuleSet.objects.latest("number").rules
    assert [Rule.from_json(rule) for rule in stored] == rules
    assert "Start from a template" not in published_page.text


def test_template_says_what_is_missing_with_links(db, signed_in):
    client = signed_in(make.user("administrator"))

    page = client.get("/routing/").text

    for sentence, link in (
        ("You have no branch yet", "setup_branches"),
        ("You have no active loan officer yet", "setup_people"),
        ("No loan officer has a license in force", "setup_licenses"),
    ):
        assert sentence in page
        assert f'href="{reverse(link)}"' in page
    refused = client.post(reverse("routing_template"), follow=True)
    assert "You have no branch yet" in refused.text
    assert "routing_draft" not in client.session

    make.company(kind="depository")
    assert "A depository’s officers can lend in every state" in client.get("/routing/").text

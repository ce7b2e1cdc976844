"""The library of sequences: complete, clean in both languages, flagged until somebody read it."""

import pytest

from rooftree.compliance.wording_rules import wording_check
from rooftree.core.user_errors import UserError
from rooftree.nurture import sequence_approval, sequence_library
from rooftree.nurture.models import Sequence
from rooftree.nurture.sequence_enrollment import sequences_to_start
from rooftree.nurture.sequence_plan import parse_plan
from rooftree.outreach.models import Template
from rooftree.outreach.wording import template_approval
from rooftree.outreach.wording.template_check import CHANNELS, check_template
from rooftree.outreach.wording.version_approval import waiting_defaults
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
LIBRARY = sequence_library.load_library()


def test_whole_library_is_clean_in_both_languages():
    journey.set_up_company()
    keys = {entry.key for entry in LIBRARY}
    assert len(keys) >= 15
    wrong = []
    for entry in LIBRARY:
        plan = parse_plan(list(entry.steps), dict(entry.rules))
        moves = {step.then.partition(":")[2] for step in plan.steps if step.then.startswith("move")}
        assert moves <= keys, entry.key
        places = {(row["key"], row["medium"], row["language"]) for row in entry.templates}
        assert len(places) == len(entry.templates), entry.key
        for key, medium, _ in places:
            assert {(key, medium, "en"), (key, medium, "es")} <= places, key
        for template in entry.new_templates():
            check = check_template(template, at=make.NOON)
            wrong += [(str(template), finding.text) for finding in check.blocking_findings]
            draft = wording_check.Draft(
                body=template.body, subject=template.subject, channel=CHANNELS[template.medium],
                language=template.language,
            )  # fmt: skip
            wrong += [
                (str(template), issue.name)
                for issue in wording_check.find_wording_issues(draft)
                if issue.action == "block"
            ]
        wrong += [
            (entry.key, text)
            for number, text in sequence_approval.find_problems(
                Sequence(key=entry.key, steps=list(entry.steps), rules=dict(entry.rules)),
                at=make.NOON,
            )
            if "has no approved English" not in text and "is not here" not in text
        ]
    assert wrong == []


def test_first_week_has_six_calls_and_its_emails_within_the_caps():
    plan = parse_plan(list(LIBRARY[0].steps), dict(LIBRARY[0].rules))
    calls = mails = days = 0
    for step in plan.steps:
        days += step.delay.days + step.delay.minutes / 1440
        if days > 8:
            break
        calls += step.kind == "call_task"
        mails += step.media == ("email",)
    assert (LIBRARY[0].key, calls, mails) == ("new_purchase", 6, 5)


def test_what_is_added_waits_until_somebody_made_it_theirs():
    journey.set_up_company()
    mia, cora = make.user("marketing"), make.user("compliance")
    added = sequence_library.add_from_library("re_engagement", by=mia, at=make.NOON)
    with pytest.raises(UserError, match="is here already"):
        sequence_library.add_from_library("re_engagement", by=mia, at=make.NOON)
    assert list(waiting_defaults(Sequence)) == [added]
    assert waiting_defaults(Template).count() == 8
    assert not sequences_to_start(make.NOON).filter(key=added.key).exists()

    template_approval.adopt_defaults(list(waiting_defaults(Template)), by=cora, at=make.NOON)
    theirs = Sequence(key=added.key, name=added.name, steps=added.steps[:2], rules=added.rules)
    proposal = sequence_approval.propose_draft(theirs, by=mia, summary="Ours", at=make.NOON)
    sequence_approval.approve_draft(
        proposal, by=cora, until=make.NOON + 30 * make.DAY, at=make.NOON
    )
    added.refresh_from_db()
    assert added.refusal == "Replaced by an edited version"
    assert sequences_to_start(make.NOON).get(key=added.key) == proposal

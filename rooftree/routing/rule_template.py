"""Rules to start from, made from the branches, licenses and languages of the loan officers."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.utils.text import get_text_list

from rooftree.org.models import Branch, Company, LoanOfficer
from rooftree.routing.candidates import DEPOSITORY
from rooftree.routing.permitted_officers import find_entitled_states
from rooftree.routing.routing_rules import Backup, BackupKind, Criteria, Pool, Rule
from rooftree.routing.rule_sentences import SPOKEN_LANGUAGES

NAMED_BRANCHES = 3  # named in a rule's name; of more, only the number
AGAIN = (Backup(kind=BackupKind.POOL),)


class TemplateGap(StrEnum):
    """What the company lacks for rules by branch and state."""

    BRANCHES = "branches"
    OFFICERS = "officers"
    LICENSES = "licenses"
    STATES = "states"  # a depository's officers can lend everywhere: no states to split by


def find_gaps(*, at: datetime) -> list[TemplateGap]:
    """Return what is missing for rules by branch and state; [] if they can be built."""
    company = Company.objects.first()
    if company and company.kind == DEPOSITORY:
        return [TemplateGap.STATES]
    officers = _load_officers()
    gaps = [] if Branch.objects.exists() else [TemplateGap.BRANCHES]
    if not officers:
        gaps.append(TemplateGap.OFFICERS)
    if not any(find_entitled_states(officers, at=at).values()):
        gaps.append(TemplateGap.LICENSES)
    return gaps


def build_rules(*, at: datetime) -> tuple[Rule, ...]:
    """Return rules by language, then by branch and state, then one for all other leads.

    A state that several branches cover goes to all of them in one rule: as the first matching
    rule wins, a rule for each would leave the second without leads. Build them only without gaps.
    """
    officers = _load_officers()
    states = find_entitled_states(officers, at=at)
    return (
        *_language_rules(officers, states),
        *_branch_rules(officers, states),
        Rule(name="All other leads", chain=AGAIN),
    )


def _load_officers() -> list[LoanOfficer]:
    active = LoanOfficer.objects.filter(terminated_at=None)
    return list(active.select_related("branch").order_by("user__name", "pk"))


def _language_rules(
    officers: Sequence[LoanOfficer], states: Mapping[UUID, set[str]]
) -> Iterable[Rule]:
    """Yield a rule for each language other than English, in the states of those who speak it."""
    for language, name in SPOKEN_LANGUAGES.items():
        speakers = [o for o in officers if language in o.languages and states[o.pk]]
        if language != "en" and speakers:
            covered = set().union(*(states[officer.pk] for officer in speakers))
            yield Rule(
                name=f"Leads in {name}",
                criteria=Criteria(states=tuple(sorted(covered)), languages=(language,)),
                pool=Pool(officers=tuple(str(officer.pk) for officer in speakers)),
                chain=AGAIN,
            )


def _branch_rules(
    officers: Sequence[LoanOfficer], states: Mapping[UUID, set[str]]
) -> Iterable[Rule]:
    """Yield a rule for each set of branches, with the states that exactly these branches cover."""
    branches = {branch.path: branch for branch in Branch.objects.all()}
    covering: dict[str, set[Branch]] = defaultdict(set)
    for officer in officers:
        for state in states[officer.pk]:
            covering[state].add(_branch_of(officer.branch, branches))
    groups: dict[tuple[Branch, ...], list[str]] = defaultdict(list)
    for state in sorted(covering):
        groups[tuple(sorted(covering[state], key=lambda b: (b.name, b.path)))].append(state)
    names: set[str] = set()
    for group, group_states in sorted(groups.items(), key=lambda item: (len(item[0]), item[1])):
        name = get_text_list([branch.name for branch in group], "and")
        if len(group) > NAMED_BRANCHES:
            name = f"{len(group)} branches"
        if name in names:
            name = f"{name}: {', '.join(group_states)}"
        names.add(name)
        yield Rule(
            name=name,
            criteria=Criteria(states=tuple(group_states)),
            pool=Pool(branches=tuple(str(branch.pk) for branch in group)),
            chain=AGAIN,
        )


def _branch_of(home: Branch, branches: Mapping[str, Branch]) -> Branch:
    """Return the branch that a team belongs to, or `home` itself."""
    parent = branches.get(f"{home.path.rstrip('/').rpartition('/')[0]}/")
    return _branch_of(parent, branches) if home.kind == "team" and parent else home

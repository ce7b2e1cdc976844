"""The routing rules of the demo's lender."""

from collections.abc import Mapping

from rooftree.org.models import Branch, LoanOfficer, User
from rooftree.routing.routing_rules import Backup, BackupKind, Criteria, Pool, Rule

NIGHT_OFFICERS = ("Duarte", "Mensah", "Zhou", "Ortega")
SPANISH_OFFICERS = ("Rivera", "Ortega", "Duarte", "Caballero", "Villalobos", "Escobedo", "Ochoa")
type BackupChain = tuple[Backup, ...]
EXPERIENCED_OFFICERS = ("Whitfield", "Raman", "Albrecht", "Gallagher")
REGIONS = (  # branch, manager, states
    ("Tampa", "Ruth Adler", ("FL", "SC")),
    ("Atlanta", "Bernice Tate", ("GA", "TN")),
    ("Charlotte", "Walter Quinn", ("NC", "VA", "PA", "OH")),
    ("Austin", "Henry Osei", ("TX", "IL")),
    ("Denver", "Claire Novak", ("CO", "WA", "HI")),
    ("Phoenix", "Isabel Montoya", ("AZ", "NV", "CA")),
)


def routing_rules(
    branches: Mapping[str, Branch], officers: Mapping[str, LoanOfficer], users: Mapping[str, User]
) -> tuple[Rule, ...]:
    """Return every rule, in order; the night officers are the last backup of each chain."""

    def officer_ids(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(officers[name].pk) for name in names)

    night = Backup(kind=BackupKind.OFFICERS, officers=officer_ids(NIGHT_OFFICERS), take_seconds=120)
    same_pool = Backup(kind=BackupKind.POOL, take_seconds=60)

    return (
        Rule(
            name="No property state yet",
            criteria=Criteria(without_state=True),
            pool=Pool(officers=officer_ids(("Whitfield", *NIGHT_OFFICERS))),
            take_seconds=90,
            chain=(same_pool,),
        ),
        Rule(
            name="Prefers Spanish",
            criteria=Criteria(languages=("es",)),
            pool=Pool(officers=officer_ids(SPANISH_OFFICERS)),
            take_seconds=60,
            chain=(same_pool, night),
        ),
        Rule(
            name="Large loans",
            criteria=Criteria(amount_from_cents=900_000_00),
            pool=Pool(
                officers=officer_ids(EXPERIENCED_OFFICERS),
                weights={str(officers["Gallagher"].pk): 2},
            ),
            take_seconds=90,
            chain=(night,),
        ),
        *(
            _region_rule(branches[branch], users[manager], states, chain=(same_pool, night))
            for branch, manager, states in REGIONS
        ),
        Rule(name="Everyone in turn", chain=(night,)),
    )


def _region_rule(
    branch: Branch, manager: User, states: tuple[str, ...], chain: BackupChain
) -> Rule:
    return Rule(
        name=f"{branch.name}'s states",
        criteria=Criteria(states=states),
        pool=Pool(branches=(str(branch.pk),)),
        take_seconds=60,
        chain=chain,
        alarm_user_id=str(manager.pk),
    )

"""The rules by which Lindenfield hands out its leads."""

from collections.abc import Mapping

from rooftree.org.models import Branch, LoanOfficer, User
from rooftree.routing.routing_rules import Backup, BackupKind, Criteria, Pool, Rule

NIGHT_OFFICERS = ("Duarte", "Mensah", "Zhou", "Ortega")
SPANISH_OFFICERS = ("Rivera", "Ortega", "Duarte", "Caballero", "Villalobos", "Escobedo", "Ochoa")
type BackupChain = tuple[Backup, ...]
EXPERIENCED_OFFICERS = ("Whitfield", "Raman", "Albrecht", "Gallagher")


def routing_rules(
    branches: Mapping[str, Branch], officers: Mapping[str, LoanOfficer], users: Mapping[str, User]
) -> tuple[Rule, ...]:
    """Every rule, in order; at the end of each chain stand those who work while others sleep."""

    def several(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(officers[name].pk) for name in names)

    night = Backup(kind=BackupKind.OFFICERS, officers=several(NIGHT_OFFICERS), take_seconds=120)
    again = Backup(kind=BackupKind.POOL, take_seconds=60)

    def region(branch: str, manager: str, states: tuple[str, ...]) -> Rule:
        return _region_rule(branches[branch], users[manager], states, chain=(again, night))

    return (
        Rule(
            name="No property state yet",
            criteria=Criteria(without_state=True),
            pool=Pool(officers=several(("Whitfield", *NIGHT_OFFICERS))),
            take_seconds=90,
            chain=(again,),
        ),
        Rule(
            name="Prefers Spanish",
            criteria=Criteria(languages=("es",)),
            pool=Pool(officers=several(SPANISH_OFFICERS)),
            take_seconds=60,
            chain=(again, night),
        ),
        Rule(
            name="Large loans",
            criteria=Criteria(amount_from_cents=900_000_00),
            pool=Pool(
                officers=several(EXPERIENCED_OFFICERS), weights={str(officers["Gallagher"].pk): 2}
            ),
            take_seconds=90,
            chain=(night,),
        ),
        region("Tampa", "Ruth Adler", ("FL", "SC")),
        region("Atlanta", "Bernice Tate", ("GA", "TN")),
        region("Charlotte", "Walter Quinn", ("NC", "VA", "PA", "OH")),
        region("Austin", "Henry Osei", ("TX", "IL")),
        region("Denver", "Claire Novak", ("CO", "WA", "HI")),
        region("Phoenix", "Isabel Montoya", ("AZ", "NV", "CA")),
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

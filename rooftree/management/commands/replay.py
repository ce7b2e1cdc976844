"""Process stored deliveries again with today's adapters."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.utils.timezone import now

from rooftree.flow import lead_arrival
from rooftree.leads.models import Delivery
from rooftree.management import command_base


class Command(command_base.Command):
    """Processes stored deliveries again, such as quarantined ones."""

    help = "Process stored deliveries again; those that are valid now become leads."
    example = "rooftree replay 01a20959-a680-7000-9022-c5fc297168c7"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("deliveries", nargs="*", type=UUID, help="ids of deliveries")
        parser.add_argument("--quarantined", action="store_true", help="all quarantined deliveries")

    def handle(self, *args: Any, **options: Any) -> None:
        ids = list(options["deliveries"])
        if options["quarantined"]:
            ids += Delivery.objects.filter(state="quarantined").values_list("pk", flat=True)
        if not ids:
            raise command_base.UsageError("name the deliveries to replay, or add --quarantined")
        known = set(Delivery.objects.filter(pk__in=ids).values_list("pk", flat=True))
        if missing := [delivery_id for delivery_id in ids if delivery_id not in known]:
            raise command_base.UsageError(f"there is no delivery {missing[0]}")
        for delivery_id in ids:
            delivery = lead_arrival.replay_delivery(delivery_id=delivery_id, by="shell", at=now())
            self.stdout.write(f"{delivery.pk}: {delivery.outcome} {delivery.reason}".rstrip())

"""Deliver files to a source, as if the vendor had posted them."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.utils.timezone import now

from rooftree.capture.intake.receive_delivery import endpoint_of
from rooftree.capture.parsing.envelope import IncomingDelivery
from rooftree.flow import lead_arrival
from rooftree.leads.models import Source
from rooftree.management import command_base

CONTENT_TYPES = {".json": "application/json", ".xml": "text/xml"}


class Command(command_base.Command):
    """Delivers files to a source."""

    help = "Deliver files to a source as if it had posted them; prints one line for each file."
    example = "rooftree ingest zillow lost-lead.json"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", help="the source's short name, as in its URL")
        parser.add_argument("files", nargs="+", type=Path, help="files with one request body each")

    def handle(self, *args: Any, **options: Any) -> None:
        source = Source.objects.filter(slug=options["source"]).first()
        if source is None:
            names = ", ".join(Source.objects.order_by("slug").values_list("slug", flat=True))
            raise command_base.UsageError(
                f"there is no source named {options['source']}. Available: {names}."
            )
        for file in options["files"]:
            at = now()
            incoming = IncomingDelivery(
                path=f"/in/{source.adapter}/{source.token or source.slug}",
                headers={
                    "Content-Type": CONTENT_TYPES.get(file.suffix, "application/octet-stream")
                },
                body=file.read_bytes(),
                received_at=at,
                endpoint=endpoint_of(source),
                is_verified=True,  # the operator vouches for the file
            )
            received = lead_arrival.accept_delivery(source=source, incoming=incoming, at=at)
            delivery = f"delivery {received.delivery.pk}" if received.delivery else "no delivery"
            self.stdout.write(f"{file}: {received.answer.status}, {delivery}")

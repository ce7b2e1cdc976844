"""Webhook client: posts as a vendor's server does, and counts refused posts."""

from django.test import Client

from rooftree.flow import clock
from rooftree.leads.models import RejectionCount
from tests import make


def post(path: str, body: bytes, *, remote_addr: str = "203.0.113.10", **headers: str):
    """Post raw bytes at noon."""
    kind = headers.pop("Content-Type", "application/octet-stream")
    with clock.freeze(make.NOON):
        return Client(REMOTE_ADDR=remote_addr).post(
            path, data=body, content_type=kind, headers=headers
        )


def rejections() -> dict[str, int]:
    return dict(RejectionCount.objects.values_list("reason", "count"))

"""Posts of loan origination systems about changed loans."""

from django.http import HttpRequest, HttpResponse

from rooftree.capture.intake.receive_delivery import count_rejection
from rooftree.flow import clock, loan_milestones
from rooftree.los import adapter_pool, los_connections
from rooftree.los.adapters import load_adapter_class, load_profile
from rooftree.los.lender_mapping import build_lender_mapping
from rooftree.los.los_adapter import PushScope, Updates
from rooftree.los.models import Connection
from rooftree.web.inbound.views import webhook_view


@webhook_view("POST")
def receive_los_push(request: HttpRequest, slug: str, los: str) -> HttpResponse:
    """Handle a post of an LOS about changed loans; only our own errors are 5xx.

    An LOS may never repeat a 4xx, or repeat it for ever: content that can't be read is dropped.
    """
    connection = Connection.objects.filter(slug=slug, los=los).first()
    body, at = request.body, clock.now()
    adapter_class = load_adapter_class(los)
    keys = adapter_pool.load_webhook_keys(connection) if connection else []
    if connection is None or not adapter_class.verify_push(request.headers, body, keys):
        count_rejection(los, "bad_signature", at)
        return HttpResponse(status=401)
    if load_profile(los).updates is Updates.PUSH:
        los_connections.record_push(connection, at=at)
    scope = PushScope(
        instance=connection.instance,
        lead_id_field=connection.lead_id_field,
        mapping=build_lender_mapping(connection),
    )
    for hint in adapter_class.parse_push(request.headers, body, scope):
        if not hint.instance or hint.instance == connection.instance:
            loan_milestones.receive_hint(hint=hint, connection=connection, at=at)
    return HttpResponse(status=200)

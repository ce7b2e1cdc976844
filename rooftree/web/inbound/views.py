"""Webhooks: lead deliveries, carrier callbacks, inbound email and LOS events.

There is no session and no CSRF token here (`WebhookMiddleware`); each view verifies its sender.
Success is reported only after the commit.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import resolve
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_http_methods

from rooftree.capture.intake import source_admission
from rooftree.capture.intake.receive_delivery import count_rejection, endpoint_of
from rooftree.capture.intake.source_admission import SourceChanged
from rooftree.capture.parsing.envelope import Answer, IncomingDelivery
from rooftree.capture.sources import SOURCES
from rooftree.flow import (
    borrower_replies,
    call_events,
    clock,
    inbound_calls,
    lead_arrival,
    source_email,
)
from rooftree.leads.models import Source
from rooftree.org.carrier_account import account_in_force
from rooftree.org.client_info import client_ip
from rooftree.outreach.carrier import phone_trials
from rooftree.outreach.inbound import carrier_callbacks
from rooftree.outreach.models import CallRecording, Ring
from rooftree.web.inbound.email_webhooks import extract_raw_email
from rooftree.web.shared.error_messages import RETRY_AFTER_SECONDS

log = logging.getLogger(__name__)
NO_STORE = "no-store"
View = Callable[..., HttpResponse]


class WebhookMiddleware:
    """Pass webhook requests straight to their views."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle requests below /in/ here, and pass on all others."""
        if not request.path_info.startswith("/in/"):
            return self.get_response(request)
        match = resolve(request.path_info)
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        response.headers.setdefault("Content-Length", str(len(response.content)))
        return response


def webhook_view(*methods: str) -> Callable[[View], View]:
    """Wrap a webhook view.

    If the disk is full or the database is down, the response is 503 and the sender retries;
    nothing was acknowledged. A callback for an unknown call is a 404.
    """

    def wrap(view: View) -> View:
        @require_http_methods([*methods])
        @wraps(view)
        def inside(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            try:
                return view(request, *args, **kwargs)
            except (Ring.DoesNotExist, CallRecording.DoesNotExist):
                return HttpResponse(status=404)
            except (DatabaseError, SourceChanged) as problem:
                log.error("%s could not be stored: %s", view.__name__, type(problem).__name__)
                return _retry_later_response(request, status=503, seconds=RETRY_AFTER_SECONDS)

        return inside

    return wrap


@webhook_view("POST", "GET", "HEAD", "OPTIONS")
def receive_delivery(request: HttpRequest, adapter: str, token: str, **rest: str) -> HttpResponse:
    """Store one lead delivery; reply in the vendor's own format, after the commit.

    `rest` holds further parts of the URL; the adapter reads them from the path.
    """
    if adapter not in SOURCES:
        return HttpResponse(status=404)
    allowed = {*getattr(SOURCES[adapter], "METHODS", ("POST",)), "OPTIONS"}
    if request.method not in allowed:
        return HttpResponse(status=405, headers={"Allow": ", ".join(sorted(allowed))})
    at = clock.now()
    if known := source_admission.cached_source(adapter, token):
        try:
            return _handle_delivery(request, known, at)
        except SourceChanged:
            pass  # handle it with the source as it is now
    source = source_admission.look_up_source(adapter, token)
    if source is None or source.paused_at:
        count_rejection(adapter, "unknown_token", at)
        return HttpResponse(status=404 if adapter == "website_form" else 401)
    return _handle_delivery(request, source, at)


def _handle_delivery(request: HttpRequest, source: Source, at: datetime) -> HttpResponse:
    """Handle a delivery. Raises `SourceChanged` if the source changed since it was looked up."""
    if request.method == "OPTIONS":
        source_admission.require_current_source(source)
        return _add_cors_headers(HttpResponse(status=204), request, source)
    if source_admission.turn_away_flood(source, at=at):
        source_admission.require_current_source(source)
        return _add_cors_headers(
            _retry_later_response(
                request, status=429, seconds=source_admission.RETRY_AFTER_SECONDS
            ),
            request,
            source,
        )
    received = lead_arrival.accept_delivery(
        source=source, incoming=_build_incoming(request, source), at=at
    )
    answer = received.answer
    if answer.needs_ring_number:
        answer = inbound_calls.add_ring_number(answer, sender=request.POST.get("From", ""))
    return _add_cors_headers(_vendor_response(answer), request, source)


@webhook_view("POST")
def update_text_status(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Record the delivery status of a text we sent."""
    if not carrier_callbacks.is_from_carrier(*_signature_input(request)):
        return HttpResponse(status=403)
    carrier_callbacks.record_text_status(
        _carrier_params(request), reference=str(message_id), at=clock.now()
    )
    return HttpResponse(status=204)


@webhook_view("POST")
def receive_text(request: HttpRequest) -> HttpResponse:
    """Store a text from a borrower; a STOP takes effect before the response."""
    if not carrier_callbacks.is_from_carrier(*_signature_input(request)):
        return HttpResponse(status=403)
    text = carrier_callbacks.parse_inbound_text(_carrier_params(request))
    if text:
        borrower_replies.receive_text(
            sender=text.sender,
            body=text.body,
            carrier_id=text.carrier_id,
            carrier=account_in_force().carrier,
            is_answered=bool(text.opt_out),
            at=clock.now(),
        )
    return _twiml_response(carrier_callbacks.EMPTY_RESPONSE)


@webhook_view("POST")
def on_officer_answered(request: HttpRequest, ring_id: UUID) -> HttpResponse:
    """Return what an officer hears after picking up."""
    if not carrier_callbacks.is_from_carrier(*_signature_input(request)):
        return HttpResponse(status=403)
    return _twiml_response(call_events.on_officer_answered(ring_id=ring_id, at=clock.now()))


@webhook_view("POST")
def on_officer_key_pressed(request: HttpRequest, ring_id: UUID) -> HttpResponse:
    """Handle the key an officer pressed."""
    if not carrier_callbacks.is_from_carrier(*_signature_input(request)):
        return HttpResponse(status=403)
    digits = _carrier_params(request).get("Digits", "")
    return _twiml_response(
        call_events.on_officer_pressed(ring_id=ring_id, digits=digits, at=clock.now())
    )


@webhook_view("POST")
def on_borrower_leg_ended(request: HttpRequest, ring_id: UUID) -> HttpResponse:
    """Record the end of a connected call to the borrower."""
    if not carrier_callbacks.is_from_carrier(*_signature_input(request)):
        return HttpResponse(status=403)
    params = _carrier_params(request)
    call_events.on_borrower_call_ended(
        ring_id=ring_id,
        dial_status=params.get("DialCallStatus", ""),
        seconds=carrier_callbacks.call_seconds(params),
        at=clock.now(),
    )
    return _twiml_response(carrier_callbacks.EMPTY_RESPONSE)


@webhook_view("POST")
def on_officer_call_status(request: HttpRequest, ring_id: UUID) -> HttpResponse:
    """Record the status of a call to an officer."""
    if not carrier_callbacks.is_from_carrier(*_signature_input(request)):
        return HttpResponse(status=403)
    call_events.on_officer_call_status(
        ring_id=ring_id,
        carrier_status=_carrier_params(request).get("CallStatus", ""),
        at=clock.now(),
    )
    return HttpResponse(status=204)


@webhook_view("POST")
def on_inbound_call(request: HttpRequest) -> HttpResponse:
    """Route a borrower's call to one of our numbers."""
    if not carrier_callbacks.is_from_carrier(*_signature_input(request)):
        return HttpResponse(status=403)
    params = _carrier_params(request)
    return _twiml_response(
        call_events.on_inbound_call(
            sender=params.get("From", ""),
            called=params.get("To", ""),
            call_id=params.get("CallSid", ""),
            at=clock.now(),
        )
    )


@webhook_view("POST")
def on_inbound_call_ended(request: HttpRequest) -> HttpResponse:
    """Record the end of a borrower's call, answered or not."""
    if not carrier_callbacks.is_from_carrier(*_signature_input(request)):
        return HttpResponse(status=403)
    params = _carrier_params(request)
    return _twiml_response(
        call_events.on_inbound_call_ended(
            call_id=params.get("CallSid", ""),
            dial_status=params.get("DialCallStatus", ""),
            seconds=carrier_callbacks.call_seconds(params),
            at=clock.now(),
        )
    )


@webhook_view("POST")
def on_inbound_call_status(request: HttpRequest) -> HttpResponse:
    """Record a borrower's call that ended before anyone answered, even if we were down then."""
    if not carrier_callbacks.is_from_carrier(*_signature_input(request)):
        return HttpResponse(status=403)
    params = _carrier_params(request)
    names = {"sender": "From", "called": "To", "call_id": "CallSid", "status": "CallStatus"}
    values = {name: params.get(field, "") for name, field in names.items()}
    if values["status"] in call_events.UNANSWERED_STATUSES:
        call_events.record_unanswered_call(**values, at=clock.now())
    return HttpResponse(status=204)


@webhook_view("POST")
def on_trial_answered(request: HttpRequest) -> HttpResponse:
    """Return what a member of staff hears who tries the carrier from Setup."""
    if not carrier_callbacks.is_from_carrier(*_signature_input(request)):
        return HttpResponse(status=403)
    return _twiml_response(carrier_callbacks.build_trial_markup())


@webhook_view("POST")
def on_trial_status(request: HttpRequest) -> HttpResponse:
    """Record the carrier's report on a text or call to staff from Setup."""
    if not carrier_callbacks.is_from_carrier(*_signature_input(request)):
        return HttpResponse(status=403)
    carrier_id, status, words = carrier_callbacks.read_carrier_status(_carrier_params(request))
    phone_trials.record_status(carrier_id=carrier_id, status=status, words=words, at=clock.now())
    return HttpResponse(status=204)


@webhook_view("POST")
def on_recording_step(request: HttpRequest, recording_id: UUID, step: str) -> HttpResponse:
    """Handle one step of recording a call: notice, keys, officer joined, status."""
    if not carrier_callbacks.is_from_carrier(*_signature_input(request)):
        return HttpResponse(status=403)
    params, at = _carrier_params(request), clock.now()
    if step == "notice":
        return _twiml_response(call_events.build_recording_notice(recording_id=recording_id))
    if step == "told":
        call_id, digits = params.get("CallSid", ""), params.get("Digits", "")
        return _twiml_response(
            call_events.on_notice_played(
                recording_id=recording_id, call_id=call_id, digits=digits, at=at
            )
        )
    if step == "officer":
        return _twiml_response(
            call_events.on_inbound_call_answered(recording_id=recording_id, at=at)
        )
    call_events.on_recording_event(params, recording_id=recording_id, at=at)
    return HttpResponse(status=204)


@webhook_view("POST")
def receive_email(request: HttpRequest, secret: str) -> HttpResponse:
    """Store an inbound email posted by our mail server or a mail provider."""
    expected = settings.MAIL_IN_SECRET
    if not expected or not constant_time_compare(secret, expected):
        count_rejection("mail", "unknown_token", clock.now())
        return HttpResponse(status=404)
    raw, at = extract_raw_email(request), clock.now()
    is_stored = borrower_replies.receive_email(raw=raw, at=at) or source_email.receive_source_email(
        raw=raw, at=at
    )
    return HttpResponse("kept\n" if is_stored else "not ours\n", content_type="text/plain")


def _build_incoming(request: HttpRequest, source: Source) -> IncomingDelivery:
    return IncomingDelivery(
        method=request.method or "POST",
        path=request.path,
        query=request.GET.dict(),
        url=f"{settings.PUBLIC_URL}{request.get_full_path()}",
        headers=dict(request.headers),
        body=request.body,
        remote_addr=client_ip(request.META) or None,
        received_at=clock.now(),
        endpoint=endpoint_of(source),
    )


def _vendor_response(answer: Answer) -> HttpResponse:
    response = HttpResponse(answer.to_bytes(), status=answer.status)
    if answer.content_type:
        response["Content-Type"] = answer.content_type
    if answer.location:
        response["Location"] = answer.location
    response["Cache-Control"] = NO_STORE
    return response


def _add_cors_headers(response: HttpResponse, request: HttpRequest, source: Source) -> HttpResponse:
    """Let browsers on the company's own websites, and no others, read the response."""
    origin = request.headers.get("origin", "")
    allowed = {allowed_origin.lower().rstrip("/") for allowed_origin in source.allowed_origins}
    if origin.lower().rstrip("/") in allowed:
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Allow-Methods"] = "POST"
        response["Access-Control-Allow-Headers"] = "Content-Type"
        response["Vary"] = "Origin"
    return response


def _signature_input(request: HttpRequest) -> tuple[dict[str, str], str, list[tuple[str, str]]]:
    """Return what a carrier signs: headers, public URL and form data."""
    form = [(key, value) for key in request.POST for value in request.POST.getlist(key)]
    return dict(request.headers), f"{settings.PUBLIC_URL}{request.get_full_path()}", form


def _carrier_params(request: HttpRequest) -> dict[str, str]:
    """Return the carrier's parameters without NUL characters, which PostgreSQL can't store."""
    return {
        key.replace("\0", ""): value.replace("\0", "") for key, value in request.POST.dict().items()
    }


def _retry_later_response(request: HttpRequest, *, status: int, seconds: int) -> HttpResponse:
    """Ask the sender to retry, as JSON or text; nothing was stored."""
    headers = {"Retry-After": str(seconds), "Cache-Control": NO_STORE}
    if "json" in request.headers.get("content-type", ""):
        body = {"error": "try_again", "retry_after_seconds": seconds}
        return JsonResponse(body, status=status, headers=headers)
    text = f"Nothing was stored. Try again in {seconds} seconds.\n"
    return HttpResponse(text, status=status, content_type="text/plain", headers=headers)


def _twiml_response(body: str) -> HttpResponse:
    return HttpResponse(body, content_type="text/xml; charset=utf-8")

"""What machines send us: deliveries of leads, carriers' callbacks, LOS webhooks.

Nothing here meets a session or a CSRF token (`machines`); each verifies its sender by itself.
The success is said only after the commit.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_http_methods

from rooftree.capture import flood, recognise
from rooftree.capture.envelope import Answer, Incoming
from rooftree.capture.receive import count_rejection
from rooftree.capture.recognise import Outdated
from rooftree.capture.sources import SOURCES
from rooftree.flow import called_in, calls, intake, lead_mail, milestones, moment, replies
from rooftree.leads.models import Source
from rooftree.los import connect
from rooftree.los.adapters.encompass import parse_webhook, verify_webhook
from rooftree.los.models import Connection
from rooftree.outreach import callbacks
from rooftree.outreach.models import CallRecording, Ring
from rooftree.web.failure_words import AGAIN_IN
from rooftree.web.mail_posts import raw_of

log = logging.getLogger(__name__)
NO_STORE = "no-store"
View = Callable[..., HttpResponse]


def machine(*methods: str) -> Callable[[View], View]:
    """Wrap a view for a machine.

    A full disk or a database that is away is a 503, so that the sender tries
    again; nothing was acknowledged. A call we never placed is a 404.
    """

    def wrap(view: View) -> View:
        @require_http_methods([*methods])
        @wraps(view)
        def inside(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            try:
                return view(request, *args, **kwargs)
            except (Ring.DoesNotExist, CallRecording.DoesNotExist):
                return HttpResponse(status=404)
            except (DatabaseError, Outdated) as problem:
                log.error("%s could not be taken in: %s", view.__name__, type(problem).__name__)
                return _later(request, status=503, seconds=AGAIN_IN)

        return inside

    return wrap


@machine("POST", "GET", "HEAD", "OPTIONS")
def delivery(request: HttpRequest, adapter: str, token: str, **rest: str) -> HttpResponse:
    """One delivery of a lead. Answers in the vendor's own dialect, after the commit.

    `rest` is what else an address says; the adapter reads it off the path.
    """
    if adapter not in SOURCES:
        return HttpResponse(status=404)
    allowed = {*getattr(SOURCES[adapter], "METHODS", ("POST",)), "OPTIONS"}
    if request.method not in allowed:
        return HttpResponse(status=405, headers={"Allow": ", ".join(sorted(allowed))})
    at = moment.now()
    if known := recognise.remembered(adapter, token):
        try:
            return _taken(request, known, at)
        except Outdated:
            pass  # by what the source is now
    source = recognise.look_up(adapter, token)
    if source is None or source.paused_at:
        count_rejection(adapter, "unknown_token", at)
        return HttpResponse(status=404 if adapter == "website_form" else 401)
    return _taken(request, source, at)


def _taken(request: HttpRequest, source: Source, at: datetime) -> HttpResponse:
    """The answer of a source. Raises `Outdated` when it was changed since it was looked up."""
    if request.method == "OPTIONS":
        recognise.must_be_current(source)
        return _cors(HttpResponse(status=204), request, source)
    if flood.is_too_much(source, at=at):
        recognise.must_be_current(source)
        return _cors(_later(request, status=429, seconds=flood.WAIT), request, source)
    received = intake.accept(source=source, incoming=_incoming(request, source), at=at)
    answer = called_in.put_through(received.answer, sender=request.POST.get("From", ""))
    return _cors(_answer(answer), request, source)


@machine("POST")
def text_status(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Where one of our texts got to."""
    if not callbacks.is_from_carrier(*_signed(request)):
        return HttpResponse(status=403)
    callbacks.text_moved(_told(request), reference=str(message_id), at=moment.now())
    return HttpResponse(status=204)


@machine("POST")
def text_in(request: HttpRequest) -> HttpResponse:
    """A text from a borrower. A STOP counts before the carrier has its answer."""
    if not callbacks.is_from_carrier(*_signed(request)):
        return HttpResponse(status=403)
    came = callbacks.inbound(_told(request))
    if came:
        replies.receive_text(
            sender=came.sender,
            body=came.body,
            carrier_id=came.carrier_id,
            carrier=settings.CARRIER,
            is_answered=bool(came.opt_out),
            at=moment.now(),
        )
    return _markup(callbacks.NOTHING)


@machine("POST")
def ring_answered(request: HttpRequest, ring_id: UUID) -> HttpResponse:
    """An officer picked up."""
    if not callbacks.is_from_carrier(*_signed(request)):
        return HttpResponse(status=403)
    return _markup(calls.answered(ring_id=ring_id, at=moment.now()))


@machine("POST")
def ring_key(request: HttpRequest, ring_id: UUID) -> HttpResponse:
    """An officer pressed a key."""
    if not callbacks.is_from_carrier(*_signed(request)):
        return HttpResponse(status=403)
    digits = _told(request).get("Digits", "")
    return _markup(calls.pressed(ring_id=ring_id, digits=digits, at=moment.now()))


@machine("POST")
def ring_after(request: HttpRequest, ring_id: UUID) -> HttpResponse:
    """The connected call to the borrower is over."""
    if not callbacks.is_from_carrier(*_signed(request)):
        return HttpResponse(status=403)
    told = _told(request)
    calls.after_borrower(
        ring_id=ring_id,
        dial_status=told.get("DialCallStatus", ""),
        seconds=callbacks.seconds_of(told),
        at=moment.now(),
    )
    return _markup(callbacks.NOTHING)


@machine("POST")
def ring_status(request: HttpRequest, ring_id: UUID) -> HttpResponse:
    """The call to an officer is over, or on its way."""
    if not callbacks.is_from_carrier(*_signed(request)):
        return HttpResponse(status=403)
    calls.status(ring_id=ring_id, said=_told(request).get("CallStatus", ""), at=moment.now())
    return HttpResponse(status=204)


@machine("POST")
def call_came(request: HttpRequest) -> HttpResponse:
    """A borrower calls one of our numbers."""
    if not callbacks.is_from_carrier(*_signed(request)):
        return HttpResponse(status=403)
    told = _told(request)
    return _markup(
        calls.came_in(
            sender=told.get("From", ""),
            called=told.get("To", ""),
            call_id=told.get("CallSid", ""),
            at=moment.now(),
        )
    )


@machine("POST")
def call_over(request: HttpRequest) -> HttpResponse:
    """That call is over, or nobody took it."""
    if not callbacks.is_from_carrier(*_signed(request)):
        return HttpResponse(status=403)
    told = _told(request)
    return _markup(
        calls.came_in_ended(
            call_id=told.get("CallSid", ""),
            dial_status=told.get("DialCallStatus", ""),
            seconds=callbacks.seconds_of(told),
            at=moment.now(),
        )
    )


@machine("POST")
def recording(request: HttpRequest, recording_id: UUID, step: str) -> HttpResponse:
    """What is played and told about recording a call, step by step."""
    if not callbacks.is_from_carrier(*_signed(request)):
        return HttpResponse(status=403)
    told, at = _told(request), moment.now()
    if step == "notice":
        return _markup(calls.notice(recording_id=recording_id))
    if step == "told":
        call_id, digits = told.get("CallSid", ""), told.get("Digits", "")
        return _markup(calls.told(recording_id=recording_id, call_id=call_id, digits=digits, at=at))
    if step == "officer":
        return _markup(calls.joined(recording_id=recording_id, at=at))
    calls.recorded(told, recording_id=recording_id, at=at)
    return HttpResponse(status=204)


@machine("POST")
def letter(request: HttpRequest, secret: str) -> HttpResponse:
    """An e-mail that came in, as our mail server or a mail provider hands it over."""
    wanted = settings.MAIL_IN_SECRET
    if not wanted or not constant_time_compare(secret, wanted):
        count_rejection("mail", "unknown_token", moment.now())
        return HttpResponse(status=404)
    raw, at = raw_of(request), moment.now()
    is_kept = replies.receive_letter(raw=raw, at=at) or lead_mail.receive_letter(raw=raw, at=at)
    return HttpResponse("kept\n" if is_kept else "not ours\n", content_type="text/plain")


@machine("POST")
def encompass(request: HttpRequest, slug: str) -> HttpResponse:
    """An Encompass webhook. Only trouble of ours is a 5xx: Encompass takes a 4xx as delivered."""
    connection = Connection.objects.filter(slug=slug, los="encompass").first()
    body = request.body
    if connection is None or not verify_webhook(
        request.headers, body, connect.webhook_keys(connection)
    ):
        count_rejection("encompass", "bad_signature", moment.now())
        return HttpResponse(status=401)
    hint = parse_webhook(body)
    if hint is None or hint.instance != connection.instance:
        return HttpResponse(status=200)
    milestones.hear(hint=hint, connection=connection, at=moment.now())
    return HttpResponse(status=200)


def _incoming(request: HttpRequest, source: Source) -> Incoming:
    return Incoming(
        method=request.method or "POST",
        path=request.path,
        query=request.GET.dict(),
        url=f"{settings.PUBLIC_URL}{request.get_full_path()}",
        headers=dict(request.headers),
        body=request.body,
        remote_addr=_visitor(request),
        received_at=moment.now(),
        endpoint=intake.receive.endpoint_of(source),
    )


def _visitor(request: HttpRequest) -> str | None:
    """The address of who called: the socket's, or what our own proxy, and only it, says."""
    forwarded = request.headers.get("X-Forwarded-For", "")
    if settings.SECURE_PROXY_SSL_HEADER and forwarded:
        return forwarded.rpartition(",")[2].strip() or None
    return request.META.get("REMOTE_ADDR") or None


def _answer(answer: Answer) -> HttpResponse:
    response = HttpResponse(answer.to_bytes(), status=answer.status)
    if answer.content_type:
        response["Content-Type"] = answer.content_type
    if answer.location:
        response["Location"] = answer.location
    response["Cache-Control"] = NO_STORE
    return response


def _cors(response: HttpResponse, request: HttpRequest, source: Source) -> HttpResponse:
    """A browser on the company's own site may read the answer; no other may."""
    origin = request.headers.get("origin", "")
    allowed = {one.lower().rstrip("/") for one in source.allowed_origins}
    if origin.lower().rstrip("/") in allowed:
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Allow-Methods"] = "POST"
        response["Access-Control-Allow-Headers"] = "Content-Type"
        response["Vary"] = "Origin"
    return response


def _signed(request: HttpRequest) -> tuple[dict[str, str], str, list[tuple[str, str]]]:
    """What a carrier signs: the headers, the public address it called, and the form."""
    form = [(key, value) for key in request.POST for value in request.POST.getlist(key)]
    return dict(request.headers), f"{settings.PUBLIC_URL}{request.get_full_path()}", form


def _told(request: HttpRequest) -> dict[str, str]:
    """What a carrier says, without what no database can keep; its signature covers the rest."""
    return {
        key.replace("\0", ""): value.replace("\0", "") for key, value in request.POST.dict().items()
    }


def _later(request: HttpRequest, *, status: int, seconds: int) -> HttpResponse:
    """Nothing was kept, and it may be sent again; said in the sender's dialect."""
    again = {"Retry-After": str(seconds), "Cache-Control": NO_STORE}
    if "json" in request.headers.get("content-type", ""):
        words = {"error": "try_again", "retry_after_seconds": seconds}
        return JsonResponse(words, status=status, headers=again)
    words = f"Nothing was kept. Try again in {seconds} seconds.\n"
    return HttpResponse(words, status=status, content_type="text/plain", headers=again)


def _markup(body: str) -> HttpResponse:
    return HttpResponse(body, content_type="text/xml; charset=utf-8")


urlpatterns = [
    path("form/<slug:token>", delivery, {"adapter": "website_form"}, name="form_delivery"),
    path("pingpost/<str:token>/<slug:step>", delivery, {"adapter": "ping_post"}),
    path("twilio/text/", text_in, name="text_in"),
    path("twilio/status/<uuid:message_id>/", text_status, name="text_status"),
    path("twilio/ring/<uuid:ring_id>/", ring_answered, name="ring_answered"),
    path("twilio/ring/<uuid:ring_id>/key/", ring_key, name="ring_key"),
    path("twilio/ring/<uuid:ring_id>/after/", ring_after, name="ring_after"),
    path("twilio/ring/<uuid:ring_id>/status/", ring_status, name="ring_status"),
    path("twilio/call/", call_came, name="call_came"),
    path("twilio/call/after/", call_over, name="call_over"),
    *(
        path(f"twilio/recording/<uuid:recording_id>/{step}/", recording, {"step": step})
        for step in ("notice", "told", "officer", "status")
    ),
    path("mail/<str:secret>", letter, name="letter_in"),
    path("encompass/<slug:slug>/", encompass, name="encompass"),
    path("<slug:adapter>/<str:token>", delivery, name="vendor_delivery"),
]

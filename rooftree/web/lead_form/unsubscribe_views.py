"""Unsubscribe links of marketing emails: no sign-in, one click, permanent."""

from django.core.signing import BadSignature, Signer
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from rooftree.flow import borrower_replies, clock
from rooftree.org.models import Company
from rooftree.outreach.models import Message
from rooftree.web.lead_form.translations import TRANSLATIONS


@csrf_exempt  # the signed token is the proof; mail programs post without a CSRF token (RFC 8058)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe_email(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for confirmation; a POST unsubscribes. A GET never does, because scanners follow links.

    The response to a POST is never a redirect, which one-click mail programs require.
    """
    message = _find_message(token)
    is_ended = request.method == "POST"
    if is_ended:
        borrower_replies.unsubscribe_person(message=message, at=clock.now())
    language = message.language if message.language in TRANSLATIONS else "en"
    response = render(
        request,
        "lead_form/unsubscribe.html",
        {
            "language": language,
            "words": TRANSLATIONS[language],
            "company": Company.objects.first(),
            "address": message.to_address,
            "is_ended": is_ended,
        },
    )
    response["Referrer-Policy"] = "no-referrer"
    return response


def _find_message(token: str) -> Message:
    try:
        key = Signer(salt="unsubscribe").unsign(token)
    except BadSignature as problem:
        raise Http404 from problem
    message = Message.objects.filter(pk=key, medium="email", direction="out").first()
    if message is None:
        raise Http404
    return message

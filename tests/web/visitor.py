"""A visitor of the public form: opens it, fills it in, submits it."""

import json
import re
from datetime import timedelta
from html import unescape

from django.conf import settings
from django.test import Client

from rooftree.flow import clock
from rooftree.leads.models import Delivery
from tests import make

FORM = "/forms/our-site/"
LEGAL = "Lindenfield Mortgage, LLC"
ANSWERS = {
    "loan_purpose": "purchase",
    "property_state": "FL",
    "property_zip": "33602",
    "property_value": "$458,000",
    "down_payment": "10%",
    "loan_amount": "412000",
    "credit": "good",
    "timeline": "31_60_days",
    "first_name": "Ben",
    "last_name": "Ortiz",
    "email": "ben.ortiz@home.example",
    "phone": "(813) 555-0142",
    "language": "en",
    "message": "We found a house.",
}


def open_form(
    lang: str = "en", at=make.NOON - timedelta(minutes=2), query: str = "", **headers
) -> str:
    with clock.freeze(at):
        page = Client().get(f"{FORM}?lang={lang}{query}", headers=headers)
    assert page.status_code == 200, page.content
    return page.content.decode()


def hidden(page: str) -> dict[str, str]:
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page)
    return {name: unescape(value) for name, value in fields}


def send(page: str, *, at=make.NOON, lang: str = "en", headers=None, **changes):
    """Post the page's form as a browser does; None leaves a field out."""
    typed = {**hidden(page), "hp_company": "", **ANSWERS, **changes}
    data = {name: value for name, value in typed.items() if value is not None}
    request_headers = {"User-Agent": "Mozilla/5.0"} | (headers or {"Origin": settings.PUBLIC_URL})
    with clock.freeze(at):
        return Client(REMOTE_ADDR="203.0.113.10").post(
            f"{FORM}?lang={lang}", data, headers=request_headers
        )


def stored() -> dict:
    return json.loads(bytes(Delivery.objects.get().body))

"""Logs of a borrower's whole first day contain nothing about the borrower."""

import io
from logging.config import dictConfig

import pytest
from django.conf import settings as django_settings

from rooftree.core.log_formatting import logging_config
from rooftree.flow import message_dispatch
from rooftree.leads.models import Lead
from rooftree.org.models import Company
from rooftree.outreach.messages import send
from rooftree.outreach.wording.message_templates import MessageContent
from tests import make
from tests.flow import journey
from tests.flow.outside_world import start_outside_world

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture(params=["lines", "json"])
def lines(request):
    """Capture everything that production would log, with client libraries at DEBUG."""
    stream = io.StringIO()
    config = logging_config(level="DEBUG", form=request.param)
    config["handlers"]["console"]["stream"] = stream
    dictConfig(config)
    yield stream
    dictConfig(django_settings.LOGGING)


def test_log_lines_name_no_borrower(live_server, settings, lines):
    journey.set_up_company()
    with start_outside_world(live_server.url.replace("localhost", "127.0.0.1"), settings) as world:
        site = journey.create_website(secret="s" * 40)
        make.officer("Dana Whitfield", licensed=("CA", "FL"))
        world.submit(site, journey.form_post())
        world.run()
        world.pass_time("PT2M")
        journey.create_zillow()
        world.post(f"/in/zillow/{journey.TOKEN}", journey.zillow_contact())
        world.run(1)
        _queue_unreadable_message(Lead.objects.latest("created_at"))
    log_text = lines.getvalue()

    assert Lead.objects.exists()
    assert "Traceback" not in log_text
    assert "could not be sent" in log_text  # the log is not clean because it is empty
    for lead in Lead.objects.select_related("person"):
        person = lead.person
        words = {person.first_name, person.last_name, lead.property_street or "Nothing"}
        words |= {phone.e164[2:] for phone in person.phones.all()}
        words |= {email.address for email in person.emails.all()}
        for word in words - {""}:
            assert word not in log_text, word
    assert journey.TOKEN not in log_text


def _queue_unreadable_message(lead):
    """Queue a message that names the borrower, with company data that our code can't read."""
    Company.objects.update(texting=["not what anybody expects"])
    send.queue_message(
        lead=lead, medium="text", purpose="informational", cause="touch:broken", to="+18135550101",
        words=MessageContent(body=f"Hello {lead.person.first_name}"), at=make.NOON,
    )  # fmt: skip
    message_dispatch.send_due_messages(at=journey.later(2))

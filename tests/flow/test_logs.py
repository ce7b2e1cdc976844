"""A borrower's whole first day leaves lines in the logs, and nothing of the borrower in them."""

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
from tests.flow.outside_world import around

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture(params=["lines", "json"])
def lines(request):
    """Everything that production would log, and the client libraries at their chattiest."""
    stream = io.StringIO()
    config = logging_config(level="DEBUG", form=request.param)
    config["handlers"]["console"]["stream"] = stream
    dictConfig(config)
    yield stream
    dictConfig(django_settings.LOGGING)


def test_no_line_names_a_borrower(live_server, settings, lines):
    journey.ready()
    with around(live_server.url.replace("localhost", "127.0.0.1"), settings) as world:
        site = journey.website(secret="s" * 40)
        make.officer("Dana Whitfield", licensed=("CA", "FL"))
        world.submit(site, journey.form_post())
        world.run()
        world.pass_time("PT2M")
        journey.zillow()
        world.post(f"/in/zillow/{journey.TOKEN}", journey.zillow_contact())
        world.run(1)
        _strike_a_bug(Lead.objects.latest("created_at"))
    told = lines.getvalue()

    assert Lead.objects.exists()
    assert "Traceback" not in told
    assert "could not be sent" in told  # it is not clean for being empty
    for lead in Lead.objects.select_related("person"):
        person = lead.person
        words = {person.first_name, person.last_name, lead.property_street or "Nothing"}
        words |= {phone.e164[2:] for phone in person.phones.all()}
        words |= {email.address for email in person.emails.all()}
        for word in words - {""}:
            assert word not in told, word
    assert journey.TOKEN not in told


def _strike_a_bug(lead):
    """A message that names the borrower meets data that no code of ours can read."""
    Company.objects.update(texting=["not what anybody expects"])
    send.queue_message(
        lead=lead, medium="text", purpose="informational", cause="touch:broken", to="+18135550101",
        words=MessageContent(body=f"Hello {lead.person.first_name}"), at=make.NOON,
    )  # fmt: skip
    message_dispatch.send_due_messages(at=journey.later(2))

"""Default templates of a real installation: nothing goes out before somebody reads and adopts."""

import pytest

from rooftree.flow import bootstrap
from rooftree.nurture.models import Sequence
from rooftree.outreach.models import Template
from rooftree.outreach.wording import message_templates, version_approval
from tests import make

PAGE = "/wording/adoption/"


@pytest.fixture(autouse=True)
def installed(cast, monkeypatch):
    monkeypatch.setattr("rooftree.flow.clock.now", lambda: make.NOON + make.HOUR)
    bootstrap.create_defaults_if_company(at=make.NOON)


def test_defaults_wait_until_a_named_person_adopts_them(signed_in):
    cora = make.user("compliance", name="Cora Lane")
    browser = signed_in(cora)
    at = make.NOON + make.HOUR
    with pytest.raises(message_templates.NoTemplate):
        message_templates.live_template("first_hello", medium="text", language="en", at=at)
    # Carriers require these two at once.
    assert message_templates.live_template("stop_confirmed", medium="text", language="en", at=at)
    waiting = version_approval.waiting_defaults(Template).filter(key="first_hello").count()
    assert "Review and approve" in browser.get("/wording/").text
    assert waiting > 4

    none = browser.post(PAGE)
    assert (none.status_code, "Check the templates" in none.text) == (422, True)
    answer = browser.post(PAGE, {"keys": ["first_hello"]}, follow=True)

    assert f"{waiting} templates approved" in answer.text
    live = message_templates.live_template("first_hello", medium="text", language="en", at=at)
    assert (live.version, live.decided_by, live.written_by) == (1, cora, None)
    assert live.approved_until == at + version_approval.MAX_APPROVAL
    left = version_approval.waiting_defaults(Template)
    assert left.exists()
    assert not left.filter(key="first_hello").exists()


def test_default_sequence_is_approved_once_its_templates_are_adopted(signed_in):
    sequence = Sequence.objects.get()
    browser = signed_in(make.user("compliance", name="Cora Lane"))
    approval = f"/sequences/editions/{sequence.pk}/approval/"
    keys = sorted(set(version_approval.waiting_defaults(Template).values_list("key", flat=True)))
    assert f"/sequences/editions/{sequence.pk}/" in browser.get(PAGE).text

    browser.post(approval, {"until": "2027-06-01"})  # its messages are not adopted yet
    sequence.refresh_from_db()
    assert sequence.state == "waiting"

    browser.post(PAGE, {"keys": keys})
    browser.post(approval, {"until": "2027-06-01"})
    sequence.refresh_from_db()
    assert sequence.state == "live"
    assert not version_approval.waiting_defaults(Template).exists()
    assert "No default template is waiting" in browser.get(PAGE).text

"""Outgoing email in Setup, in Chromium: nothing yet, refused, and DNS records that need work."""

from django.urls import reverse
from playwright.sync_api import expect

from rooftree.org.models import MailSetup
from tests import make
from tests.web.browser.conftest import check_page, open_as


def test_email_page_fits_empty_refused_and_with_records_to_publish(
    chromium, front, people, noon, settings
):
    ada = make.user("administrator", name="Ada Boss", email="ada@lindenfield.example")
    page = open_as(chromium, front, "Administrator")
    page.goto(reverse("setup_mail"))
    expect(page.get_by_text("No test email yet")).to_be_visible()
    check_page(page, "mail-none")

    page.get_by_label("Sender address").fill("leads@lindenfield.example")
    page.get_by_label("Server").fill("127.0.0.1")
    page.get_by_label("Port").fill("9")
    page.get_by_label("Encryption").select_option("none")
    page.get_by_role("button", name="Test and save").click()
    expect(page.get_by_text("refused the connection")).to_be_visible()
    check_page(page, "mail-refused")

    host = "lindenfield.example"
    MailSetup.objects.create(
        sender_name="Lindenfield", sender_address=f"leads@{host}", service="postmark", secret="k",
        checked_at=noon, checked_server="Postmark", trial_at=noon, trial_to=ada.email,
        dkim_selector="20261101pm", looked_up_at=noon, looked_up_domain=host,
        records=[
            {"name": "SPF", "host": host, "found": "v=spf1 include:spf.mtasv.net ~all",
             "problem": "", "publish": ""},
            {"name": "DKIM", "host": f"20261101pm._domainkey.{host}", "problem": "", "publish": "",
             "found": "k=rsa; p=" + "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCB" * 7},
            {"name": "DMARC", "host": f"_dmarc.{host}", "found": "",
             "problem": "No DMARC record: nothing says what to do with mail that only claims to "
             "be yours.", "publish": f"v=DMARC1; p=none; rua=mailto:leads@{host}"},
        ],
    )  # fmt: skip
    page.goto(reverse("setup_mail"))
    expect(page.get_by_text("No DMARC record")).to_be_visible()
    check_page(page, "mail-records")

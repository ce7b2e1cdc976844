"""URLs of the money pages."""

from django.urls import URLPattern, path

from rooftree.web.money import (
    funding_views,
    invoice_views,
    ledger_views,
    price_views,
    spend_file_views,
    spend_views,
)

urlpatterns: list[URLPattern] = [
    path("money/", ledger_views.show_ledger, name="money"),
    path("money/entries/<uuid:entry_id>/", ledger_views.show_entry, name="money_entry"),
    path(
        "money/entries/<uuid:entry_id>/correction/",
        ledger_views.correct_entry,
        name="money_correction",
    ),
    path("money/spend/", spend_views.add_ad_spend, name="money_spend"),
    path("money/fees/", spend_views.add_monthly_fee, name="money_fees"),
    path("money/files/", spend_file_views.check_spend_file, name="money_files"),
    path("money/files/booking/", spend_file_views.book_spend_file, name="money_file_booking"),
    path("money/invoices/", invoice_views.record_invoice, name="money_invoices"),
    path(
        "money/invoices/<uuid:invoice_id>/difference/",
        invoice_views.book_difference,
        name="money_invoice_difference",
    ),
    path("money/prices/", price_views.preview_price, name="money_prices"),
    path("money/prices/record/", price_views.record_price, name="money_price_record"),
    path("leads/<uuid:lead_id>/funding/", funding_views.record_funding, name="funding"),
    path(
        "leads/<uuid:lead_id>/funding/date/",
        funding_views.correct_funding_date,
        name="funding_date",
    ),
    path("leads/<uuid:lead_id>/funding/undo/", funding_views.undo_funding, name="funding_undo"),
    path(
        "leads/<uuid:lead_id>/funding/revenue/",
        funding_views.correct_revenue,
        name="funding_revenue",
    ),
]

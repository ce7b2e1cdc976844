"""LOS connections: address, credentials, and the subscription to loan changes."""

import json
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.db.transaction import atomic
from django.utils.text import slugify

from rooftree.core.uuid7 import uuid7_at
from rooftree.core.vendor_errors import RequestRejected, VendorError
from rooftree.leads.models import Loan
from rooftree.ledger.write_events import write_event
from rooftree.los import adapter_pool, connection_settings, lender_mapping
from rooftree.los.adapters import ADAPTERS, load_profile
from rooftree.los.connection_settings import InvalidConnection
from rooftree.los.loan_milestones import all_milestones
from rooftree.los.los_adapter import ListsMilestones, Subscribes
from rooftree.los.models import Connection
from rooftree.org.models import LoanOfficer, User

__all__ = ["InvalidConnection"]
MAX_WEBHOOK_KEYS = 2  # the new signing key and the previous one, during the changeover


def add_connection(
    *, los: str, details: Mapping[str, str], credentials: Mapping[str, str], by: User, at: datetime
) -> Connection:
    """Add a connection, disabled until `enable_connection`. Raises `InvalidConnection`."""
    if los not in ADAPTERS:
        raise InvalidConnection("los", "Choose a loan origination system.")
    profile = load_profile(los)
    connection_settings.validate_settings(profile, details)
    with atomic():
        connection = Connection(
            id=uuid7_at(at),
            los=los,
            slug=_free_slug(details["instance"]),
            lead_id_field="",
            credentials=json.dumps({k: v for k, v in credentials.items() if v}),
        )
        connection_settings.set_values(connection, profile, details)
        connection.save(force_insert=True)
        _write_event("los.connection.added", connection, by, at)
    return connection


def update_connection(
    *, connection_id: UUID | str, details: Mapping[str, str], credentials: Mapping[str, str],
    by: User, at: datetime,
) -> Connection:  # fmt: skip
    """Edit a connection; an empty credential stays unchanged. Raises `InvalidConnection`."""
    with atomic():
        row = Connection.objects.select_for_update().get(pk=connection_id)
        profile = load_profile(row.los)
        connection_settings.validate_settings(profile, details)
        stored = json.loads(row.credentials or "{}")
        new_credentials = {key: value for key, value in credentials.items() if value}
        changed = connection_settings.set_values(row, profile, details)
        is_elsewhere = connection_settings.is_elsewhere(changed, profile)
        if is_elsewhere and stored.keys() - new_credentials.keys():
            raise InvalidConnection(
                "base_url", "Enter the credentials again: they go to another address now."
            )
        new_keys = [key for key in new_credentials if stored.get(key) != new_credentials[key]]
        changed += new_keys
        row.credentials = json.dumps(stored | new_credentials)
        if changed:
            row.checked_at = None
        if is_elsewhere or new_keys:  # what was proved was proved of another LOS
            row.tested_at = row.subscribed_at = None
        row.save()
        if changed:
            _write_event("los.connection.changed", row, by, at, changed=changed)
    adapter_pool.close_adapter(row.pk)
    return row


def enable_connection(*, connection_id: UUID | str, by: User, at: datetime) -> None:
    """Start handing loans over through a connection. A repeat keeps the first time."""
    with atomic():
        rows = Connection.objects.filter(pk=connection_id, enabled_at=None)
        if rows.update(enabled_at=at, poll_due_at=at):
            _write_event("los.connection.enabled", Connection.objects.get(pk=connection_id), by, at)


def disable_connection(*, connection_id: UUID | str, by: User, at: datetime) -> None:
    """Stop handing loans over and reading them through a connection."""
    with atomic():
        rows = Connection.objects.filter(pk=connection_id, enabled_at__isnull=False)
        if rows.update(enabled_at=None, poll_due_at=None):
            _write_event(
                "los.connection.disabled", Connection.objects.get(pk=connection_id), by, at
            )


def check_connection(connection: Connection, *, at: datetime) -> str:
    """Sign in and search once, and store the time; return "" if it works, else the problem."""
    adapter_pool.close_adapter(connection.pk)
    problem = ""
    try:
        adapter_pool.get_adapter(connection).find_changed_since(at)
    except VendorError as failure:
        problem = str(failure)
    Connection.objects.filter(pk=connection.pk).update(tested_at=None if problem else at)
    return problem


def webhook_endpoint(connection: Connection, site: str) -> str:
    """Return the address that the LOS posts changes to; `site` has no trailing slash."""
    return f"{site}/in/{connection.los}/{connection.slug}/"


def confirm_subscription(connection: Connection, *, site: str, at: datetime) -> bool:
    """Ask the LOS for our subscription, store the answer and return it. Raises `VendorError`."""
    adapter, endpoint = adapter_pool.get_adapter(connection), webhook_endpoint(connection, site)
    is_subscribed = isinstance(adapter, Subscribes) and adapter.is_subscribed(endpoint)
    rows = Connection.objects.filter(pk=connection.pk)
    if is_subscribed:
        rows.update(subscribed_at=at, subscription_problem="")
    else:
        rows.update(subscribed_at=None)
    return is_subscribed


def read_milestone_names(*, connection_id: UUID | str, by: User, at: datetime) -> int:
    """Store the milestone names that the LOS lists; return how many. Raises `VendorError`."""
    connection = Connection.objects.get(pk=connection_id)
    adapter = adapter_pool.get_adapter(connection)
    names = adapter.list_milestones() if isinstance(adapter, ListsMilestones) else ()
    if not names:
        raise RequestRejected("The LOS lists no milestones.")
    return store_milestone_names(connection_id=connection_id, names=names, by=by, at=at)


def subscribe_to_changes(*, connection_id: UUID | str, site: str, by: User, at: datetime) -> str:
    """Subscribe to the LOS's loan changes, signed with a fresh key; return the subscription id.

    The new key is stored before the LOS gets it, and the previous one stays valid, so no
    hint is rejected in between. The subscription counts once the LOS lists it; a refusal is
    stored with its reason. Raises `InvalidConnection` when a credential is missing, and
    `VendorError`.

    Args:
        site: our public address, without a trailing slash.
    """
    with atomic():
        row = Connection.objects.select_for_update().get(pk=connection_id)
        if connection_settings.list_missing_credentials(row):
            raise InvalidConnection("", adapter_pool.missing_credential_text(row.los))
        key = _renew_key(row, by, at)
    adapter, endpoint = adapter_pool.get_adapter(row), webhook_endpoint(row, site)
    rows = Connection.objects.filter(pk=row.pk)
    try:
        if not isinstance(adapter, Subscribes):
            raise RequestRejected("This LOS takes no subscription.")
        subscription_id: str = adapter.subscribe(endpoint, key)
        if not confirm_subscription(row, site=site, at=at):
            raise RequestRejected("The LOS took the subscription but doesn't list it as enabled.")
    except VendorError as problem:
        rows.update(subscription_problem=str(problem)[:500])
        raise
    write_event(
        "los.connection.subscribed",
        at=at,
        actor=f"user:{by.pk}",
        connection_id=row.pk,
        subscription=subscription_id,
    )
    return subscription_id


def issue_push_password(*, connection_id: UUID | str, by: User, at: datetime) -> str:
    """Make a new password for the LOS's posts to us; the previous one stays valid beside it.

    The LOS's administrator enters it there. It is shown once.
    """
    with atomic():
        row = Connection.objects.select_for_update().get(pk=connection_id)
        return _renew_key(row, by, at)


def record_push(connection: Connection, *, at: datetime) -> None:
    """Note that a post of the LOS proved its password: its updates reach us."""
    Connection.objects.filter(pk=connection.pk, subscribed_at=None).update(subscribed_at=at)


def find_loans(connection: Connection) -> QuerySet[Loan]:
    """Return the loans that live in the LOS of a connection."""
    return Loan.objects.filter(los=connection.los, instance=connection.instance)


def store_milestone_names(
    *, connection_id: UUID | str, names: Iterable[str], by: User, at: datetime
) -> int:
    """Replace the lender's milestone names, in the order of its LOS; return how many."""
    kept = list(dict.fromkeys(name.strip()[:120] for name in names if name.strip()))
    with atomic():
        row = Connection.objects.select_for_update().get(pk=connection_id)
        if row.los_milestones != kept:
            row.los_milestones = kept
            row.save(update_fields=["los_milestones"])
            _write_event("los.connection.changed", row, by, at, changed=["los_milestones"])
    return len(kept)


def map_milestones(
    *, connection_id: UUID | str, meanings: Mapping[str, str | None], by: User, at: datetime
) -> Connection:
    """Give statuses of the LOS their meanings; the others keep theirs.

    Args:
        meanings: the LOS's words -> milestone code, or None for no milestone.

    Raises `InvalidConnection` for a code that is not a milestone.
    """
    unknown = [code for code in meanings.values() if code and code not in all_milestones()]
    if unknown:
        raise InvalidConnection("", "Choose one of the milestones.")
    with atomic():
        row = Connection.objects.select_for_update().get(pk=connection_id)
        changed = {
            status: code or None
            for status, code in meanings.items()
            if lender_mapping.find_meaning(row, status) != (code or "")
        }
        if changed:
            row.milestone_map = row.milestone_map | changed
            row.checked_at = None
            row.save(update_fields=["milestone_map", "checked_at"])
            _write_event("los.connection.mapped", row, by, at, statuses=changed)
    return row


def set_lender_fields(
    *,
    connection_id: UUID | str,
    lead_fields: Mapping[str, str],
    revenue_fields: Sequence[str],
    by: User,
    at: datetime,
) -> tuple[Connection, bool]:
    """Set the custom fields that get lead facts, and the fields whose sum is our revenue.

    Returns the connection, and True if the revenue fields changed. Raises `InvalidConnection`.
    """
    with atomic():
        row = Connection.objects.select_for_update().get(pk=connection_id)
        profile = load_profile(row.los)
        custom = {key: lender_mapping.spell(name, profile) for key, name in lead_fields.items()}
        custom = {key: field_id for key, field_id in custom.items() if field_id}
        summed = list(dict.fromkeys(lender_mapping.spell(name, profile) for name in revenue_fields))
        _validate_lender_fields(row, custom, summed)
        is_revenue_changed = row.revenue_fields != summed
        if is_revenue_changed or row.lead_fields != custom:
            row.lead_fields, row.revenue_fields, row.checked_at = custom, summed, None
            row.save(update_fields=["lead_fields", "revenue_fields", "checked_at"])
            _write_event(
                "los.connection.changed", row, by, at, changed=["lead_fields", "revenue_fields"]
            )
    return row, is_revenue_changed


def set_officer_logins(
    *, connection_id: UUID | str, logins: Mapping[str, str], by: User, at: datetime
) -> Connection:
    """Set the LOS user names of some officers, by NMLS ID; an empty one removes the name.

    Names under an NMLS ID that no working officer has are dropped, so that another can get them.
    Raises `InvalidConnection`, with the NMLS ID as its field, for a name two officers would share.
    """
    with atomic():
        row = Connection.objects.select_for_update().get(pk=connection_id)
        working = LoanOfficer.objects.filter(terminated_at=None).values_list("nmls_id", flat=True)
        users = row.officer_users | {nmls_id: name.strip() for nmls_id, name in logins.items()}
        users = {nmls_id: name for nmls_id, name in users.items() if name and nmls_id in working}
        names = [name.casefold() for name in users.values()]
        for nmls_id in logins:
            if names.count(users.get(nmls_id, "").casefold()) > 1:
                raise InvalidConnection(nmls_id, "Another officer has this user name.")
        if users != row.officer_users:
            changed = [key for key in logins if users.get(key) != row.officer_users.get(key)]
            row.officer_users, row.checked_at = users, None
            row.save(update_fields=["officer_users", "checked_at"])
            _write_event("los.connection.officers_changed", row, by, at, nmls_ids=changed)
    return row


def _validate_lender_fields(row: Connection, custom: Mapping[str, str], summed: list[str]) -> None:
    profile = load_profile(row.los)
    shape, taken = profile.custom_fields, [row.lead_id_field.upper()]
    taken += [field_id.upper() for field_id in custom.values()]
    for key, field_id in custom.items():
        if shape is None or not re.fullmatch(shape.pattern, field_id):
            example = shape.example if shape else "none"
            raise InvalidConnection(key, f"Enter a custom field ID, for example {example}.")
        if taken.count(field_id.upper()) > 1:
            raise InvalidConnection(key, "Each fact needs a field of its own.")
    for field_id in summed:
        if not profile.revenue_pattern or not re.fullmatch(profile.revenue_pattern, field_id):
            example = profile.revenue_example
            message = f"{field_id} isn’t a field ID. Enter one such as {example}."
            raise InvalidConnection("revenue_fields", message)


def _renew_key(row: Connection, by: User, at: datetime) -> str:
    key = secrets.token_urlsafe(36)
    keys = [key, *adapter_pool.load_webhook_keys(row)][:MAX_WEBHOOK_KEYS]
    row.webhook_keys = json.dumps(keys)
    row.save(update_fields=["webhook_keys"])
    _write_event("los.connection.key_renewed", row, by, at)
    return key


def _free_slug(instance: str) -> str:
    stem = slugify(instance)[:40] or "los"
    taken = set(Connection.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    nth, slug = 1, stem
    while slug in taken:
        nth += 1
        slug = f"{stem}-{nth}"
    return slug


def _write_event(kind: str, row: Connection, by: User, at: datetime, **data: Any) -> None:
    write_event(kind, at=at, actor=f"user:{by.pk}", connection_id=row.pk, **data)

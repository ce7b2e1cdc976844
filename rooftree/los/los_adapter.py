"""The shape of an LOS adapter: what it does, and how its connections are set up. Plain Python.

An adapter is one class in `los/adapters/<key>.py`, with a `Settings` dataclass and a `PROFILE`
beside it. The profile is data: the connection's form and page, the request and the go-live check
follow it, so that a new LOS needs no code outside its own files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from rooftree.los.go_live_files import LosUser
from rooftree.los.handoff_record import HandoffRecord
from rooftree.los.loan_snapshot import ChangedLoan, CreatedLoan, LoanHint, LoanLookup, LoanSnapshot

COLUMN_KEYS = (
    "name", "base_url", "instance", "folder", "template", "template_type", "lead_id_field",
)  # fmt: skip
GUID_PATTERN = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


class LosAdapter(Protocol):
    """One lender's LOS. Created once per process and connection, shared between threads.

    Created as `Adapter(load_settings)`; `load_settings()` returns the current `Settings` and is
    called again at each sign-in. Every method raises the errors of `core.vendor_errors` only. A
    parser drops SSNs, birth dates and account numbers before it returns, logs or stores.
    """

    def close(self) -> None:
        """Close connections and files."""

    def create_loan(self, handoff: HandoffRecord) -> CreatedLoan:
        """Create the loan, carrying our lead id.

        Raises `OutcomeUnknown` when the loan can exist; it is then looked up, never repeated
        unseen. Raises `MissingData` when the hand-off lacks facts that the LOS requires.
        """
        ...

    def find_created_loan(
        self, handoff: HandoffRecord, *, sent_at: datetime, at: datetime
    ) -> LoanLookup:
        """Find the loans that a create of unknown outcome, sent at `sent_at`, has made."""
        ...

    def read_loan(self, loan_id: str, seen: Mapping[str, Any] | None = None) -> LoanSnapshot:
        """Read the loan as it stands now.

        Args:
            seen: the content that came with the push or the poll; an LOS that can be asked
                for one loan ignores it. Raises `RequestRejected` when there is no such loan.
        """
        ...

    def find_changed_since(self, since: datetime) -> tuple[ChangedLoan, ...]:
        """Find loans that changed at `since` or later; the same loan can come again.

        Also the test of a connection: it proves address, credentials and rights.
        """
        ...

    def write_fields(self, loan_id: str, values: Mapping[str, str]) -> str:
        """Set fields of a loan by the LOS's own field ids; return its warning, "" if none.

        Safe to repeat.
        """
        ...


@runtime_checkable
class WritesLater(Protocol):
    """An LOS whose create takes only a part; the outbox writes the rest once the loan is there."""

    def list_later_fields(self, handoff: HandoffRecord) -> Mapping[str, str]:
        """Return the fields to write after the create, by the LOS's own ids."""
        ...


@runtime_checkable
class AcknowledgesChanges(Protocol):
    """An LOS that keeps listing a change until we say that it is stored."""

    def acknowledge_changes(self, loan_ids: Sequence[str]) -> None:
        """Tell the LOS that these loans were read and stored. Safe to repeat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushScope:
    """What the parser of a push needs of the connection, which needs no credentials for it."""

    instance: str
    lead_id_field: str
    mapping: Mapping[str, Any]  # the lender's changes


@runtime_checkable
class ReceivesPushes(Protocol):
    """An LOS that posts changes to `/in/<los>/<slug>/`."""

    @staticmethod
    def verify_push(headers: Mapping[str, str], body: bytes, keys: Sequence[str]) -> bool:
        """Return True if the push proves one of `keys`; the newest key comes first."""
        ...

    @staticmethod
    def parse_push(
        headers: Mapping[str, str], body: bytes, scope: PushScope
    ) -> tuple[LoanHint, ...]:
        """Parse the hints of a verified push; a test post gives none.

        An entry that can't be read becomes a hint with a `problem`, without its content.
        """
        ...


@runtime_checkable
class Subscribes(Protocol):
    """An LOS whose API subscribes us to its changes."""

    def subscribe(self, endpoint: str, signing_key: str) -> str:
        """Subscribe to pushes at `endpoint`; return the id. Safe to repeat."""
        ...

    def is_subscribed(self, endpoint: str) -> bool:
        """Return True if the LOS lists our subscription as enabled."""
        ...


@runtime_checkable
class FindsByNumber(Protocol):
    """An LOS whose staff know loans by a number that isn't the id."""

    def find_by_number(self, handoff: HandoffRecord, number: str) -> str:
        """Return the id of the loan with this number, or this id; "" if there is none."""
        ...


@runtime_checkable
class ListsMilestones(Protocol):
    """An LOS that lists the lender's statuses."""

    def list_milestones(self) -> tuple[str, ...]:
        """Return the lender's statuses by name, in order."""
        ...


@runtime_checkable
class ListsUsers(Protocol):
    """An LOS that lists its users."""

    def list_users(self) -> tuple[LosUser, ...]:
        """Return the users; the NMLS ID is "" where the LOS has none."""
        ...


@runtime_checkable
class ListsFolders(Protocol):
    """An LOS that lists the places new loans can go to."""

    def list_folders(self) -> tuple[str, ...]:
        """Return the folders by name."""
        ...


@runtime_checkable
class ListsCustomFields(Protocol):
    """An LOS that lists the lender's own fields."""

    def list_custom_fields(self) -> tuple[str, ...]:
        """Return the ids of the custom fields."""
        ...


class Updates(StrEnum):
    """How changes of loans reach us, besides the poll."""

    SUBSCRIPTION = "subscription"  # our API call subscribes us
    PUSH = "push"  # the LOS's administrator enters our address and a password we make
    POLL = "poll"  # nothing: we ask


class Section(StrEnum):
    """The part of the connection's form that shows a setting."""

    CONNECTION = "Connection"
    LOANS = "New loans"
    CREDENTIALS = "Credentials"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingField:
    """One setting of a connection.

    `key` is a column of the connection (`COLUMN_KEYS`); else a credential, when `section` says
    so; else an option. Options with a name of `HandoffConnection` become part of the hand-off.
    """

    key: str
    label: str
    section: Section = Section.CONNECTION
    hint: str = ""
    is_required: bool = False
    is_secret: bool = False  # never shown again
    is_place: bool = False  # an option that says where requests or files go, like the address
    initial: str = ""
    max_length: int = 200
    choices: tuple[tuple[str, str], ...] = ()  # (value, label); the first is the initial one
    pattern: str = ""  # what the whole value must match
    problem: str = ""  # the sentence when it doesn't
    is_number: bool = False
    is_yes_no: bool = False  # choices "yes" and "no", stored as a boolean


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomFields:
    """How the LOS names its custom fields, and how the request carries their values."""

    pattern: str
    example: str
    name_key: str = ""  # in the request's `customFields[n]`; "": the request carries none
    value_key: str = ""
    value_form: str = "text"  # a key of field_formats.FORMATTERS


@dataclass(frozen=True, slots=True, kw_only=True)
class LosProfile:
    """One LOS as its connection page, its form and its go-live check need it."""

    key: str
    label: str  # the product's name
    fields: tuple[SettingField, ...]
    updates: Updates
    is_secret_in_push: bool = False  # PUSH: posts carry a bearer secret instead of Basic
    instance_means: str = ""  # the hand-off's connection key that is the instance
    test_instance_prefix: str = ""  # instances that begin so are tests; "": `environment` says it
    custom_fields: CustomFields | None = None
    revenue_pattern: str = ""  # "": the LOS tells no revenue
    revenue_example: str = ""
    officer_login: str = ""  # label of the officer's name there; "": matched by NMLS ID and email
    is_officer_login_required: bool = True
    unverified: tuple[str, ...] = ()  # what to check with the vendor before the first loan
    exactly_one_of: tuple[str, ...] = ()  # settings of which a connection has exactly one
    limits: tuple[str, ...] = ()  # what we never exceed, as sentences

    @property
    def credential_keys(self) -> tuple[str, ...]:
        """The keys of the credentials, in the order of the form."""
        return tuple(field.key for field in self.fields if field.section is Section.CREDENTIALS)

    @property
    def option_keys(self) -> tuple[str, ...]:
        """The keys stored as options."""
        credentials = self.credential_keys
        keys = (field.key for field in self.fields)
        return tuple(key for key in keys if key not in (*COLUMN_KEYS, *credentials))

    @property
    def column_keys(self) -> tuple[str, ...]:
        """The keys stored as columns."""
        return tuple(field.key for field in self.fields if field.key in COLUMN_KEYS)

    def field(self, key: str) -> SettingField | None:
        """Return a setting by its key; None if this LOS has none."""
        return next((field for field in self.fields if field.key == key), None)

"""What a room declares about its tables for retention: record sets, their parts, table classes.

The SQL of a declaration names only tables of its own room and of the rooms below it. Retention,
which sees all rooms, joins the declarations.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

# Record classes of the retention schedule, as the schedule and the removals store them.
LEAD_FILE_CLASS = "glba_customer_information_disposal"
APPLICATION_CLASS = "application_and_notices_reg_b"
LOAN_ESTIMATE_CLASS = "loan_estimate_trid"
CONSENT_CLASS = "consent_record"
CALLS_CLASS = "call_detail_record"
MESSAGES_CLASS = "house_default_message_audit"
STOPS_CLASS = "internal_dnc_entry"
ENDED_STOPS_CLASS = "revocation_event"
NUMBER_CHECKS_CLASS = "dnc_scrub_log"
PARTNERS_CLASS = "msa_and_comarketing_files"
PAY_CLASS = "lo_compensation"
ACCESS_CLASS = "access_logs"
REQUESTS_CLASS = "california_ccpa_requests"
ADS_CLASS = "mortgage_ads_reg_n"
RATES_CLASS = "reg_z_ads_and_general"
STAFF_CLASS = "house_staff_accounts"
PROOF_CLASS = "house_disposal_log"

ROW_PERSON = "array[r.person_id]"
ROW_IS_OF_PERSON = "r.person_id = any(%(people)s)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The retention clock of one class: SQL for the moment it starts, null if not yet.

    `condition` is SQL that is true for the rows that have the clock.
    """

    record_class: str
    starts_at: str
    condition: str = "true"

    def sql(self) -> str:
        """Return SQL for a JSON object with the class and the day (UTC) its clock starts."""
        clock = (
            f"jsonb_build_object('{self.record_class}', "
            f"(({self.starts_at})::timestamptz at time zone 'utc')::date)"
        )
        if self.condition == "true":
            return clock
        return f"case when {self.condition} then {clock} else '{{}}' end"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSet:
    """The rows of one table, each with its dependents, and the SQL to select and remove them.

    In its SQL `r` is a row of the table, `%(ids)s` the rows to remove, `%(at)s` the time, and
    `%(people)s` the people of a deletion request. Rows that other totals need (arrivals, money,
    loans) stay, without any personal data.

    Of two clocks of one class the later one in `clocks` counts. `people_sql` is SQL for the ids of
    a row's people. `requester_condition` is true for rows of the people in a deletion request;
    "false" if requests don't cover the table. `remains_condition` is true if a removed row still
    holds data.
    """

    name: str
    table: str
    created_column: str  # the time a row was created; no clock starts earlier
    record_class: str  # the class shown on screen
    clocks: tuple[Clock, ...]
    people_sql: str
    removal_statements: tuple[str, ...]
    condition: str = "true"
    requester_condition: str = "false"
    remains_condition: str = "true"

    @property
    def clocks_sql(self) -> str:
        """SQL for a JSON object: each class that keeps the row and the day its clock starts."""
        return f"({' || '.join(f'({clock.sql()})' for clock in self.clocks)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSetPart:
    """What a room adds to a record set of a room below it.

    `clocks` yield to those of rooms above and to the set's own. `last_uses` are moments before
    which none of the set's own clocks starts. `pauses` are classes whose clock has not started
    while a condition holds. `removal_statements` run before those of the rooms below.
    """

    record_set: str
    condition: str = "true"
    clocks: tuple[Clock, ...] = ()
    last_uses: tuple[str, ...] = ()
    pauses: tuple[tuple[str, str], ...] = ()
    removal_statements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomRecords:
    """The record sets, parts and tables of one room; each of its tables is named once."""

    tables_by_class: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tables_about_nobody: tuple[str, ...] = ()  # settings, sums and counts
    record_sets: tuple[RecordSet, ...] = ()
    parts: tuple[RecordSetPart, ...] = ()

"""Give models and columns plain names. Tables keep theirs and no row is rewritten.

PostgreSQL carries constraints and indexes over to the new column names by itself, so the
operations on them change Django's state alone. The functions of triggers name columns in their
text and are replaced.
"""

from django.db import migrations, models
from django.db.models import F, Q
from django.utils.text import camel_case_to_spaces

MODELS = {  # old name: new name
    "Transfer": "CrmImport",
    "DncFound": "DncFolderFile",
    "Enrolment": "Enrollment",
    "ExportAsk": "ExportRequest",
    "FairReport": "FairLendingReport",
    "PastEntry": "ImportedActivity",
    "PlaceShare": "MinorityShare",
    "PlaceFile": "MinorityShareFile",
    "Permission": "PartnerPermission",
    "Likeness": "PossibleDuplicate",
    "Flood": "RateLimitCount",
    "Rejection": "RejectionCount",
    "Delta": "RollupDelta",
}
COLUMNS = {  # model and table: old name, new name
    ("agreement", "agreement"): {
        "what": "description",
    },
    ("assurance", "assurance"): {
        "said": "statement",
    },
    ("callrecording", "call_recording"): {
        "told_at": "notice_played_at",
        "asked_at": "requested_at",
    },
    ("certificate", "certificate"): {
        "wanted_at": "requested_at",
    },
    ("claim", "claim"): {
        "asked_cents": "claimed_cents",
        "asked_by": "requested_by",
    },
    ("consent", "consent"): {
        "cause": "idempotency_key",
    },
    ("contactattempt", "contact_attempt"): {
        "cause": "idempotency_key",
    },
    ("contract", "contract"): {
        "look_at": "next_check_at",
    },
    ("creditclock", "credit_clock"): {
        "cause": "idempotency_key",
        "closed_as": "outcome",
    },
    ("enrollment", "enrolment"): {
        "ended_because": "end_reason",
    },
    ("entry", "money_entry"): {
        "cause": "idempotency_key",
    },
    ("exportrequest", "export_ask"): {
        "asked_by": "requested_by",
        "asked_at": "requested_at",
        "taken_at": "downloaded_at",
    },
    ("finding", "finding"): {
        "cause": "idempotency_key",
    },
    ("handoff", "handoff"): {
        "asked_by": "requested_by",
        "asked_at": "requested_at",
    },
    ("importedactivity", "past_entry"): {
        "about": "subject",
        "why": "problem",
    },
    ("importedrow", "imported_row"): {
        "became": "outcome",
        "why": "problem",
    },
    ("incident", "incident"): {
        "what": "description",
        "told_ftc_on": "ftc_notified_on",
        "was_key_taken": "was_key_exposed",
        "ended": "resolution",
    },
    ("lead", "lead"): {
        "asked": "borrower_message",
        "warmed_at": "last_inquiry_at",
        "promise_at": "response_due_at",
        "first_talk_at": "first_conversation_at",
        "snoozed_because": "snooze_reason",
    },
    ("legalhold", "legal_hold"): {
        "why": "reason",
        "lifted_because": "lift_reason",
    },
    ("loan", "loan"): {
        "stands_at": "current_milestone",
        "ended_as": "final_outcome",
    },
    ("loanchange", "loan_change"): {
        "wanted": "changes",
        "left": "skipped",
        "asked_by": "requested_by",
        "asked_at": "requested_at",
    },
    ("message", "message"): {
        "cause": "idempotency_key",
    },
    ("milestone", "milestone"): {
        "said": "los_label",
    },
    ("numberquestion", "number_question"): {
        "said": "answer",
    },
    ("offer", "offer"): {
        "taken_at": "accepted_at",
        "passed_at": "declined_at",
        "lapsed_at": "expired_at",
        "ended_because": "end_reason",
    },
    ("ownership", "ownership"): {
        "ended_because": "end_reason",
    },
    ("partnerpermission", "partner_permission"): {
        "said": "evidence",
    },
    ("personmerge", "person_merge"): {
        "kept": "survivor",
        "gone": "merged",
    },
    ("placedbid", "bid"): {
        "told": "ping_fields",
        "why": "reason",
        "asked_at": "requested_at",
    },
    ("privacyrequest", "privacy_request"): {
        "came_by": "received_via",
        "extended_because": "extension_reason",
        "was": "old_value",
        "became": "new_value",
        "told_onward": "notified_recipients",
        "stays": "kept_classes",
        "refused_because": "refusal_reason",
    },
    ("purge", "purge"): {
        "because": "reason",
        "asked_by": "requested_by",
        "asked_at": "requested_at",
    },
    ("purgerow", "purge_row"): {
        "nth": "position",
        "holding": "record_set",
        "kept_because": "kept_reason",
    },
    ("release", "release"): {
        "because": "stop_reason",
        "looked_at": "checked_at",
        "went_on_by": "resumed_by",
        "went_on_at": "resumed_at",
        "grown_at": "last_added_at",
    },
    ("releasemember", "release_member"): {
        "cause": "idempotency_key",
        "lined_up_at": "added_at",
    },
    ("retrieval", "retrieval"): {
        "wanted_at": "requested_at",
        "told_at": "answered_at",
    },
    ("revocation", "revocation"): {
        "cause": "idempotency_key",
        "words": "borrower_words",
    },
    ("rollupdelta", "delta"): {
        "cause": "idempotency_key",
    },
    ("rulechange", "rule_change"): {
        "dropped_because": "drop_reason",
        "why": "reason",
    },
    ("score", "score"): {
        "because": "reason",
    },
    ("sendingpause", "sending_pause"): {
        "because": "reason",
    },
    ("sequence", "sequence"): {
        "ended_because": "end_reason",
    },
    ("signal", "signal"): {
        "cause": "idempotency_key",
    },
    ("spreadsheetpart", "spreadsheet_part"): {
        "nth": "position",
    },
    ("staffnotice", "staff_notice"): {
        "cause": "idempotency_key",
    },
    ("task", "task"): {
        "cause": "idempotency_key",
        "cancelled_at": "canceled_at",
        "cancelled_because": "cancel_reason",
    },
    ("template", "template"): {
        "ended_because": "end_reason",
    },
    ("thingofvalue", "thing_of_value"): {
        "what": "description",
        "why": "justification",
    },
    ("verdict", "verdict"): {
        "cause": "idempotency_key",
    },
}
CONSTRAINTS = [  # model, and the constraint as it reads under the new names
    (
        "callrecording",
        models.CheckConstraint(
            condition=Q(
                ("requested_at", None), ("notice_played_at__isnull", False), _connector="OR"
            ),
            name="recorded_after_notice",
        ),
    ),
    (
        "claim",
        models.CheckConstraint(
            condition=Q(
                ("claimed_cents__gt", 0), ("credited_cents__range", (0, F("claimed_cents")))
            ),
            name="claim_credited_within_asked",
        ),
    ),
    (
        "creditclock",
        models.CheckConstraint(
            condition=Q(
                Q(("alarm_at__isnull", False), ("closed_at", None), ("outcome", "")),
                Q(
                    ("alarm_at", None),
                    ("closed_at__isnull", False),
                    Q(("outcome", ""), _negated=True),
                ),
                _connector="OR",
            ),
            name="clock_closed_with_a_reason",
        ),
    ),
    (
        "exportrequest",
        models.CheckConstraint(
            condition=Q(
                ("decided_by", None),
                Q(("decided_by", F("requested_by")), _negated=True),
                _connector="OR",
            ),
            name="export_decided_by_another",
        ),
    ),
    (
        "exportrequest",
        models.CheckConstraint(
            condition=Q(
                ("downloaded_at", None),
                Q(("decided_at__isnull", False), ("is_refused", False)),
                _connector="OR",
            ),
            name="export_taken_once_allowed",
        ),
    ),
    (
        "legalhold",
        models.CheckConstraint(
            condition=Q(
                Q(("lifted_at", None), ("lifted_by", None)),
                Q(("lift_reason", ""), _negated=True),
                _connector="OR",
            ),
            name="hold_lifted_for_a_reason",
        ),
    ),
    (
        "message",
        models.UniqueConstraint(fields=("idempotency_key", "medium"), name="one_message_a_cause"),
    ),
    (
        "numberquestion",
        models.CheckConstraint(
            condition=Q(
                Q(("answer__isnull", True), ("answered_at", None), ("due_at__isnull", False)),
                Q(("answer__isnull", False), ("answered_at__isnull", False), ("due_at", None)),
                _connector="OR",
            ),
            name="question_open_or_answered",
        ),
    ),
    (
        "offer",
        models.CheckConstraint(
            condition=Q(
                Q(("accepted_at", None), ("declined_at", None)),
                Q(("accepted_at", None), ("expired_at", None)),
                Q(("declined_at", None), ("expired_at", None)),
                _connector="OR",
            ),
            name="offer_ends_one_way",
        ),
    ),
    (
        "offer",
        models.UniqueConstraint(
            condition=Q(("accepted_at", None), ("declined_at", None), ("expired_at", None)),
            fields=("lead",),
            name="one_live_offer_a_lead",
        ),
    ),
    (
        "personmerge",
        models.UniqueConstraint(
            condition=Q(("split_at", None)), fields=("merged",), name="part_of_one_person"
        ),
    ),
    (
        "placedbid",
        models.CheckConstraint(
            condition=Q(
                Q(("cents__gt", 0), ("reason", "")),
                Q(("cents", 0), Q(("reason", ""), _negated=True)),
                _connector="OR",
            ),
            name="bid_or_why_not",
        ),
    ),
    (
        "purge",
        models.CheckConstraint(
            condition=Q(("reason__in", ["schedule", "request", "restore"])),
            name="purge_cause_known",
        ),
    ),
    (
        "purge",
        models.CheckConstraint(
            condition=Q(
                ("approved_by", None),
                Q(("approved_by", F("requested_by")), _negated=True),
                _connector="OR",
            ),
            name="purge_approved_by_another",
        ),
    ),
    (
        "purge",
        models.UniqueConstraint(
            condition=Q(("ended_at", None), ("reason", "schedule")),
            fields=("reason",),
            name="one_purge_of_the_schedule",
        ),
    ),
    (
        "purgerow",
        models.UniqueConstraint(
            fields=("purge", "record_set", "row_id"), name="purge_row_once_a_purge"
        ),
    ),
    (
        "rulechange",
        models.CheckConstraint(
            condition=Q(Q(("cite", ""), _negated=True), Q(("reason", ""), _negated=True)),
            name="rule_change_says_why",
        ),
    ),
    (
        "spreadsheetpart",
        models.UniqueConstraint(fields=("spreadsheet", "position"), name="spreadsheet_part_once"),
    ),
    (
        "staffnotice",
        models.UniqueConstraint(fields=("user", "idempotency_key"), name="notice_once"),
    ),
    (
        "task",
        models.UniqueConstraint(
            condition=Q(
                ("canceled_at", None), ("done_at", None), Q(("kind__in", ("typed",)), _negated=True)
            ),
            fields=("lead", "kind"),
            name="one_open_task_a_kind",
        ),
    ),
    (
        "task",
        models.CheckConstraint(
            condition=Q(("done_at", None), ("canceled_at", None), _connector="OR"),
            name="task_done_or_cancelled",
        ),
    ),
]
INDEXES = [  # likewise
    (
        "contract",
        models.Index(
            condition=Q(("next_check_at__isnull", False)),
            fields=["next_check_at"],
            name="contract_to_look_at",
        ),
    ),
    (
        "exportrequest",
        models.Index(
            condition=Q(("downloaded_at", None), ("is_refused", False)),
            fields=["requested_by", "subject"],
            name="export_open",
        ),
    ),
    (
        "importedactivity",
        models.Index(
            condition=Q(("lead", None), ("problem", "")),
            fields=["sheet", "id"],
            name="past_entry_waiting",
        ),
    ),
    ("lead", models.Index(fields=["officer", "state", "response_due_at"], name="lead_by_officer")),
    (
        "lead",
        models.Index(
            condition=Q(("response_due_at__isnull", False)),
            fields=["response_due_at"],
            name="lead_promise",
        ),
    ),
    (
        "offer",
        models.Index(
            condition=Q(("accepted_at", None), ("declined_at", None), ("expired_at", None)),
            fields=["due_at"],
            name="offer_live_due",
        ),
    ),
    ("placedbid", models.Index(fields=["requested_at"], name="bids_by_age")),
    ("purgerow", models.Index(fields=["record_set", "row_id"], name="purge_row_by_row")),
    (
        "purgerow",
        models.Index(
            condition=Q(("kept_reason", ""), ("removed_at", None)),
            fields=["purge", "position"],
            name="purge_row_to_go",
        ),
    ),
    (
        "releasemember",
        models.Index(
            condition=Q(("added_at", None)), fields=["release", "id"], name="release_member_waiting"
        ),
    ),
    (
        "task",
        models.Index(
            condition=Q(("canceled_at", None), ("done_at", None)),
            fields=["due_at"],
            name="task_open_by_due",
        ),
    ),
]
FOREIGN_KEYS = {"requested_by", "survivor", "merged", "resumed_by"}
TRIGGER_FUNCTIONS = """
create or replace function edition_is_kept() returns trigger language plpgsql
as $$
declare
    moves constant text[] := array['decided_by_id', 'decided_at', 'refusal', 'is_alone',
        'from_at', 'until_at', 'approved_until', 'end_reason'];
begin
    if tg_op = 'DELETE' then
        raise exception 'An edition is kept: it cannot be deleted.';
    end if;
    if new.is_alone and exists (
        select 1 from "user" where is_active and role in ('compliance', 'administrator')
           and id <> new.decided_by_id
    ) and (tg_op = 'INSERT' or not old.is_alone) then
        raise exception 'An author approves alone only where nobody else may approve.';
    end if;
    if tg_op = 'INSERT' then
        return new;
    end if;
    if to_jsonb(new) - moves is distinct from to_jsonb(old) - moves then
        raise exception 'An edition is kept: what it says cannot be changed.';
    end if;
    if old.decided_at is not null
       and (new.decided_by_id, new.decided_at, new.refusal, new.is_alone, new.from_at)
           is distinct from
           (old.decided_by_id, old.decided_at, old.refusal, old.is_alone, old.from_at) then
        raise exception 'An edition is decided once.';
    end if;
    if old.until_at is not null and new.until_at is distinct from old.until_at then
        raise exception 'An edition ends once.';
    end if;
    if old.approved_until is not null
       and (new.approved_until is null or new.approved_until > old.approved_until) then
        raise exception 'An approval is never made longer: approve it anew.';
    end if;
    return new;
end $$;

create or replace function end_unlawful(the_officer uuid, the_state text, the_lead uuid, because text) returns setof uuid language plpgsql
as $$
declare
    pair record;
    ended record;
    moment timestamptz := said_moment();
begin
    for pair in
        select live.officer_id, live.property_state from (
            select w.officer_id, l.property_state from ownership w join lead l on l.id = w.lead_id
             where w.until_at is null and l.state not in ('funded', 'retired')
               and (the_officer is null or w.officer_id = the_officer)
               and (the_state is null or l.property_state = the_state)
               and (the_lead is null or l.id = the_lead)
            union
            select o.officer_id, l.property_state from offer o join lead l on l.id = o.lead_id
             where o.accepted_at is null and o.declined_at is null and o.expired_at is null
               and (the_officer is null or o.officer_id = the_officer)
               and (the_state is null or l.property_state = the_state)
               and (the_lead is null or l.id = the_lead)
        ) live
        where entitlement_problem(live.officer_id, live.property_state, moment) is not null
        order by 1, 2
    loop
        for ended in
            with lapsed as (
                update offer o set expired_at = greatest(moment, o.offered_at), end_reason = because
                  from lead l
                 where l.id = o.lead_id and o.officer_id = pair.officer_id
                   and l.property_state = pair.property_state
                   and (the_lead is null or l.id = the_lead)
                   and o.accepted_at is null and o.declined_at is null and o.expired_at is null
                returning o.lead_id, o.id, 'routing.offer.lapsed' as kind
            ), released as (
                update ownership w set until_at = greatest(moment, w.from_at), end_reason = because
                  from lead l
                 where l.id = w.lead_id and w.officer_id = pair.officer_id
                   and l.property_state = pair.property_state
                   and (the_lead is null or l.id = the_lead)
                   and l.state not in ('funded', 'retired')
                   and w.until_at is null
                returning w.lead_id, w.id, 'routing.ownership.ended' as kind
            )
            select * from lapsed union all select * from released
        loop
            insert into event (id, kind, lead_id, actor, data, occurred_at, chain_hash)
            values (gen_random_uuid(), ended.kind, ended.lead_id, 'system:licensed',
                    jsonb_build_object('officer_id', pair.officer_id, 'row_id', ended.id,
                                       'because', because, 'rule', 'LIC-01'),
                    moment, '');
            return next ended.lead_id;
        end loop;
    end loop;
end $$;

create or replace function offer_licensed() returns trigger language plpgsql
as $$
begin
    perform refuse_unentitled(
        new.officer_id, new.lead_id, greatest(new.offered_at, coalesce(new.accepted_at, new.offered_at))
    );
    return new;
end $$;

create or replace function release_is_kept() returns trigger language plpgsql
as $$
declare
    moves constant text[] := array['state', 'size', 'findings', 'last_added_at', 'approved_by_id',
        'approved_at', 'checked_at', 'resumed_by_id', 'resumed_at', 'ended_at', 'stopped_by_id',
        'stop_reason'];
    follows constant jsonb := '{"draft": ["waiting", "going", "stopped"],
        "waiting": ["canary", "stopped"], "canary": ["looking", "done", "stopped"],
        "looking": ["going", "stopped"], "going": ["done", "stopped"],
        "done": [], "stopped": []}';
begin
    if tg_op = 'DELETE' then
        raise exception 'A release is kept: it cannot be deleted.';
    end if;
    if tg_op = 'INSERT' then
        if new.state <> 'draft' then
            raise exception 'A release begins as a draft.';
        end if;
        return new;
    end if;
    if to_jsonb(new) - moves is distinct from to_jsonb(old) - moves then
        raise exception 'A release is kept: what it is and its limits cannot be changed.';
    end if;
    if new.state <> old.state and not follows -> old.state ? new.state then
        raise exception 'A release that is % cannot become %.', old.state, new.state;
    end if;
    if old.state <> 'draft'
       and (new.size, new.last_added_at) is distinct from (old.size, old.last_added_at) then
        raise exception 'A release is kept: whom it is for cannot be changed.';
    end if;
    if old.state not in ('draft', 'waiting') and new.findings is distinct from old.findings then
        raise exception 'A release is kept: what its second person read cannot be changed.';
    end if;
    if new.state <> 'draft' and old.state = 'draft' and new.size <> (
        select count(*) from release_member where release_id = new.id
    ) then
        raise exception 'A release counts all its people.';
    end if;
    if old.approved_at is not null
       and (new.approved_by_id, new.approved_at)
           is distinct from (old.approved_by_id, old.approved_at) then
        raise exception 'A release is approved once.';
    end if;
    return new;
end $$;

create or replace function release_member_is_kept() returns trigger language plpgsql
as $$
begin
    if tg_op = 'INSERT' and not exists (
        select 1 from release where id = new.release_id and state = 'draft' for share
    ) then
        raise exception 'Nobody is added to a release that is no draft.';
    end if;
    if tg_op = 'UPDATE' and (new.release_id, new.idempotency_key) is distinct from
        (old.release_id, old.idempotency_key) then
        raise exception 'Whom a release is for cannot be changed.';
    end if;
    return new;
end $$;

create or replace function rule_change_is_kept() returns trigger language plpgsql
as $$
declare
    moves constant text[] := array['dry_run', 'tried_at', 'approved_by_id', 'approved_at',
        'dropped_by_id', 'dropped_at', 'drop_reason'];
begin
    if tg_op = 'DELETE' then
        raise exception 'A rule change is kept: it cannot be deleted.';
    end if;
    if tg_op = 'INSERT' then
        if new.approved_at is not null or new.dropped_at is not null then
            raise exception 'A rule change waits before it is decided.';
        end if;
        if new.withdraws_id is not null and not exists (
            select 1 from rule_change c where c.id = new.withdraws_id and c.withdraws_id is null
               and c.approved_at is not null and (c.place, c.item) = (new.place, new.item)
        ) then
            raise exception 'Only an approved change of the same value can be withdrawn.';
        end if;
        return new;
    end if;
    if old.approved_at is not null or old.dropped_at is not null then
        raise exception 'A rule change is decided once, and never edited.';
    end if;
    if to_jsonb(new) - moves is distinct from to_jsonb(old) - moves then
        raise exception 'A rule change is kept: what it says cannot be changed.';
    end if;
    if new.approved_at is not null then
        if not exists (
            select 1 from "user" where id = new.approved_by_id and is_active
               and role = 'compliance' and branch_id is null
        ) then
            raise exception 'Compliance of the whole company approves a rule change.';
        end if;
        if new.from_date < (new.approved_at at time zone 'UTC')::date - 1 then
            raise exception 'A rule change counts for no day that is over.';
        end if;
    end if;
    return new;
end $$;
"""


class StateChange(migrations.SeparateDatabaseAndState):
    """Change the state of all models at once: it is rendered afterwards, not after each rename."""

    def state_forwards(self, app_label, state):
        state.__dict__.pop("apps", None)
        super().state_forwards(app_label, state)


def column(field):
    return f"{field}_id" if field in FOREIGN_KEYS else field


def rename_sql():
    for (_, table), fields in COLUMNS.items():
        for old, new in fields.items():
            old_column = f"{old}_id" if new in FOREIGN_KEYS else old
            yield f'alter table "{table}" rename column "{old_column}" to "{column(new)}"'


def permission_sql():
    """Yield the renames of content types and permissions that RenameModel alone would inject."""
    for old, new in MODELS.items():
        content_type = f"app_label = 'rooftree' and model = '{old.lower()}'"
        yield (
            "update auth_permission"
            f" set codename = replace(codename, '_{old.lower()}', '_{new.lower()}'),"
            f" name = replace(name, '{camel_case_to_spaces(old)}', '{camel_case_to_spaces(new)}')"
            f" where content_type_id in (select id from django_content_type where {content_type})"
        )
        yield f"update django_content_type set model = '{new.lower()}' where {content_type}"


class Migration(migrations.Migration):
    dependencies = [("rooftree", "0039_recorded_calls")]

    operations = [
        StateChange(
            database_operations=[
                migrations.RunSQL([*rename_sql(), *permission_sql(), TRIGGER_FUNCTIONS])
            ],
            state_operations=[
                *[migrations.RenameModel(old, new) for old, new in MODELS.items()],
                *[
                    migrations.RenameField(model, old, new)
                    for (model, _), fields in COLUMNS.items()
                    for old, new in fields.items()
                ],
                *[migrations.RemoveConstraint(model, item.name) for model, item in CONSTRAINTS],
                *[migrations.AddConstraint(model, item) for model, item in CONSTRAINTS],
                *[migrations.RemoveIndex(model, item.name) for model, item in INDEXES],
                *[migrations.AddIndex(model, item) for model, item in INDEXES],
            ],
        ),
    ]

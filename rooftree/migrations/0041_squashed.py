"""Create all tables, functions and triggers in their final form; a new database starts here.

Its name must sort after `0001_tables`: allauth's migrations depend on the first migration of the
user's app, and Django takes the first by name. docs/decisions/0020-squashed-steps.md says why it
exists and when the migrations that it replaces can go; a test compares what both create.
"""

import datetime
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import rooftree.compliance.numbers.number_vendor
import rooftree.core.uuid7
import rooftree.db.sealed_text
import rooftree.org.models
from django.conf import settings
from django.db import migrations, models
from django.db.migrations.operations.base import Operation
from oban.schema import install_sql

# The queue refuses a priority above 9 only while fetching, and then stands still.
FENCE = "alter table oban_jobs add constraint priority_is_fetchable check (priority <= 9)"

# The database's own guard over who may have a lead: invariant *Licensed*.
#
# Nothing below trusts the code above it. A row of `offer` or `ownership` is
# refused when its officer was not entitled at the row's own moment, `lead.officer`
# can only mirror the live ownership, and whatever a change of license, employment
# or property state makes unlawful is ended in the transaction of that change.
#
# Source of rule: LIC-01 (12 USC 5103; 12 CFR 1007, 1008).
LICENSED = """
create index lead_open_by_officer on lead (officer_id)
    where officer_id is not null and first_conversation_at is null and state in ('new', 'working');
create index ownership_by_start on ownership (from_at);

-- The moment that a change takes place: the one the program said for this
-- transaction (history loaded later keeps its own), otherwise the clock.
create function said_moment() returns timestamptz language sql stable as $$
    select coalesce(nullif(current_setting('rooftree.at', true), '')::timestamptz, now())
$$;

-- Why an officer may not have a lead in a state at a moment; null when nothing stands
-- against it. Locks what it relies on, so that none of it can change before the
-- caller commits.
create function entitlement_problem(the_officer uuid, the_state text, moment timestamptz)
returns text language plpgsql as $$
declare
    officer loan_officer%rowtype;
    lender company%rowtype;
    day date;
begin
    select * into officer from loan_officer o where o.id = the_officer for share;
    if not found then
        return 'no such loan officer';
    end if;
    day := (moment at time zone officer.zone)::date;
    if officer.terminated_at is not null and officer.terminated_at <= moment then
        return 'the loan officer no longer works here';
    end if;
    if officer.sponsored_from_date > day then
        return 'the loan officer is not sponsored by the company yet';
    end if;
    if coalesce(the_state, '') = '' then
        return null;
    end if;
    select * into lender from company c limit 1;
    if not found then
        return 'the company is not set up';
    end if;
    if lender.kind = 'depository' then
        return case when officer.nmls_id = '' then 'the loan officer is not registered with NMLS' end;
    end if;
    perform 1 from company_license l
      where l.state = the_state and l.from_date <= day
        and (l.until_date is null or l.until_date > day)
      limit 1 for share;
    if not found then
        return 'the company is not licensed in ' || the_state;
    end if;
    perform 1 from license l
      where l.officer_id = the_officer and l.state = the_state and lower(l.status) in ('approved', 'temporary authority')
        and l.from_date <= day and (l.until_date is null or l.until_date > day)
      limit 1 for share;
    if not found then
        return 'the loan officer is not licensed in ' || the_state;
    end if;
    return null;
end $$;

create function refuse_unentitled(the_officer uuid, the_lead uuid, moment timestamptz)
returns void language plpgsql as $$
declare
    the_state text;
    problem text;
begin
    -- The state must not change between this look and the commit.
    select l.property_state into the_state from lead l where l.id = the_lead for share;
    problem := entitlement_problem(the_officer, the_state, moment);
    if problem is not null then
        raise exception 'Not allowed: %.', problem
            using errcode = 'check_violation', constraint = 'licensed';
    end if;
end $$;

create function offer_licensed() returns trigger language plpgsql as $$
begin
    perform refuse_unentitled(
        new.officer_id, new.lead_id, greatest(new.offered_at, coalesce(new.accepted_at, new.offered_at))
    );
    return new;
end $$;

create trigger offer_licensed before insert or update of officer_id, lead_id, offered_at, accepted_at
    on offer for each row execute function offer_licensed();

create function ownership_licensed() returns trigger language plpgsql as $$
begin
    perform refuse_unentitled(new.officer_id, new.lead_id, new.from_at);
    return new;
end $$;

create trigger ownership_licensed before insert or update of officer_id, lead_id, from_at
    on ownership for each row execute function ownership_licensed();

create function ownership_stays_ended() returns trigger language plpgsql as $$
begin
    raise exception 'An ownership that ended does not begin again; write a new one.'
        using errcode = 'check_violation', constraint = 'licensed';
end $$;

create trigger ownership_stays_ended before update of until_at on ownership
    for each row when (old.until_at is not null and new.until_at is null)
    execute function ownership_stays_ended();

-- lead.officer_id and lead.branch_id follow the live ownership, whoever wrote it.
create function mirror_ownership() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or (tg_op = 'UPDATE' and old.lead_id <> new.lead_id) then
        update lead set officer_id = null where id = old.lead_id and officer_id = old.officer_id
            and not exists (select 1 from ownership w where w.lead_id = old.lead_id
                            and w.until_at is null);
        if tg_op = 'DELETE' then
            return old;
        end if;
    end if;
    if new.until_at is null then
        update lead set officer_id = new.officer_id,
                        branch_id = (select o.branch_id from loan_officer o
                                      where o.id = new.officer_id)
         where id = new.lead_id;
    else
        update lead set officer_id = null
         where id = new.lead_id and officer_id is not null
           and not exists (select 1 from ownership w where w.lead_id = new.lead_id
                           and w.until_at is null);
    end if;
    return new;
end $$;

create trigger mirror_ownership after insert or delete or update of until_at, officer_id, lead_id
    on ownership for each row execute function mirror_ownership();

create function lead_officer_mirrors() returns trigger language plpgsql as $$
begin
    if not exists (select 1 from ownership w where w.lead_id = new.id and w.until_at is null
                     and w.officer_id is not distinct from new.officer_id)
       and (new.officer_id is not null
            or exists (select 1 from ownership w where w.lead_id = new.id and w.until_at is null))
    then
        raise exception 'The officer of a lead is the one who owns it: write the ownership.'
            using errcode = 'check_violation', constraint = 'licensed';
    end if;
    return new;
end $$;

create trigger lead_officer_mirrors before insert or update of officer_id on lead
    for each row execute function lead_officer_mirrors();

-- Ends every live offer and ownership that is unlawful at the said moment, among
-- those of one officer, one state or one lead (null: any), and leaves an event of
-- each. Leads that funded or were retired keep their last owner as history.
create function end_unlawful(the_officer uuid, the_state text, the_lead uuid, because text)
returns setof uuid language plpgsql as $$
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

create function watch_lead() returns trigger language plpgsql as $$
begin
    perform end_unlawful(null, null, new.id, 'property_state_changed');
    return new;
end $$;

create trigger watch_lead after update of property_state, state on lead
    for each row when (
        (old.property_state is distinct from new.property_state and new.property_state <> '')
        or (old.state in ('funded', 'retired') and new.state not in ('funded', 'retired'))
    ) execute function watch_lead();

create function watch_license() returns trigger language plpgsql as $$
begin
    perform end_unlawful(old.officer_id, old.state, null, 'license_changed');
    return null;
end $$;

create trigger watch_license after update or delete on license
    for each row execute function watch_license();

create function watch_company_license() returns trigger language plpgsql as $$
begin
    perform end_unlawful(null, old.state, null, 'company_license_changed');
    return null;
end $$;

create trigger watch_company_license after update or delete on company_license
    for each row execute function watch_company_license();

create function watch_employment() returns trigger language plpgsql as $$
begin
    perform end_unlawful(new.id, null, null,
        case when new.terminated_at is null then 'sponsorship_changed' else 'terminated' end);
    return null;
end $$;

create trigger watch_employment
    after update of terminated_at, sponsored_from_date, nmls_id, zone on loan_officer
    for each row execute function watch_employment();

create function watch_company() returns trigger language plpgsql as $$
begin
    perform end_unlawful(null, null, null, 'company_kind_changed');
    return null;
end $$;

create trigger watch_company after update of kind on company
    for each row when (old.kind is distinct from new.kind) execute function watch_company();
"""

LEDGER = """
create function event_is_append_only() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        raise exception 'The ledger is append-only: an event cannot be deleted.';
    end if;
    if old.sequence is not null or new.sequence is null
       or (new.id, new.kind, new.lead_id, new.person_id, new.actor, new.data,
           new.occurred_at, new.recorded_at)
          is distinct from
          (old.id, old.kind, old.lead_id, old.person_id, old.actor, old.data,
           old.occurred_at, old.recorded_at) then
        raise exception 'The ledger is append-only: an event cannot be changed.';
    end if;
    return new;
end $$;
create trigger event_append_only before update or delete on event
    for each row execute function event_is_append_only();
"""

# What the law has us keep is kept by the database itself; only what is older may go.
ACCESS_LOG = """
create function access_entry_is_append_only() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' and old.at < now() - interval '36 months' then
        return old;
    end if;
    raise exception 'The access log is append-only.';
end $$;
create trigger access_entry_append_only before update or delete on access_entry
    for each row execute function access_entry_is_append_only();
"""

# People are found by the hashes that a ping carries instead of them.
HASHES = """
create function phone_hash(e164 text) returns bytea language sql immutable strict parallel safe
    as $$ select sha256(convert_to(e164, 'UTF8')) $$;
create function email_hash(address text) returns bytea language sql immutable strict parallel safe
    as $$ select sha256(convert_to(lower(address), 'UTF8')) $$;
create index phone_by_hash on phone (phone_hash(e164));
create index email_by_hash on email (email_hash(address));
"""

EDITIONS = """
create function edition_is_kept() returns trigger language plpgsql as $$
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
create trigger template_kept before insert or update or delete on template
    for each row execute function edition_is_kept();
create trigger sequence_kept before insert or update or delete on sequence
    for each row execute function edition_is_kept();
"""

APPEND_ONLY = """
create function row_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: a row cannot be changed or deleted.', tg_table_name;
end $$;
""" + "".join(
    f"""
create trigger {table}_append_only before update or delete on {table}
    for each row execute function row_is_append_only();
"""
    for table in (
        "partner_permission", "thing_of_value", "published_head", "assurance", "fair_lending_report",
    )
)  # fmt: skip

# The keeper empties a note that may say who it was; the step itself stays.
CLAIM_STEPS = """
create function claim_step_is_append_only() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and new.note = '' and to_jsonb(new) - 'note' = to_jsonb(old) - 'note' then
        return new;
    end if;
    raise exception 'claim_step is append-only: a row cannot be changed or deleted.';
end $$;
create trigger claim_step_append_only before update or delete on claim_step
    for each row execute function claim_step_is_append_only();
"""

# A rule or a score that looks at anything but reviewed facts cannot be stored (FLR-01, 12 CFR
# 1002.4(a)). `not valid`: what stands from before is history, and only new rows are held to it.
REVIEWED_FACTS = """
alter table rule_set add constraint rule_set_looks_at_reviewed_facts check (
    not jsonb_path_exists(rules, '$[*].keyvalue() ? (!(@.key like_regex
        "^(name|criteria|pool|take_seconds|chain|nobody|nobody_pool|alarm_user_id)$"))')
    and not jsonb_path_exists(rules, '$[*].criteria.keyvalue() ? (!(@.key like_regex
        "^(sources|purposes|states|without_state|languages|amount_from_cents|amount_below_cents|credit_bands|score_at_least|inquiry|hours)$"))')
    and not jsonb_path_exists(rules, '$[*].criteria.hours ? (@ != null).keyvalue() ? (!(@.key like_regex
        "^(days|from_time|until_time)$"))')
) not valid;
alter table score add constraint score_of_reviewed_facts check (
    features - array['purpose', 'timeline', 'found_home', 'signed_contract', 'credit_band',
        'down_payment_share_pct', 'amount_cents', 'source_class', 'is_repeat', 'opened',
        'clicked', 'replied', 'answered', 'days_quiet'] = '{}'::jsonb
) not valid;
"""

RELEASES = """
create function release_is_kept() returns trigger language plpgsql as $$
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
create trigger release_kept before insert or update or delete on release
    for each row execute function release_is_kept();

create function release_member_is_kept() returns trigger language plpgsql as $$
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
create trigger release_member_kept before insert or update on release_member
    for each row execute function release_member_is_kept();
"""

# A change is kept as it was written, decided once, and approved by compliance alone.
RULE_CHANGES = """
create function rule_change_is_kept() returns trigger language plpgsql as $$
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
create trigger rule_change_kept before insert or update or delete on rule_change
    for each row execute function rule_change_is_kept();
"""

DOOR = """
create function message_leaves_by_the_door() returns trigger language plpgsql as $$
begin
    if not has_table_privilege('message', 'insert') then
        raise insufficient_privilege using message = 'Only the door lets a message go.';
    end if;
    return new;
end $$;
create trigger message_leaves_by_the_door before update of state on message for each row
    when (new.state is distinct from old.state
          and new.state in ('claimed', 'uncertain', 'sent', 'delivered', 'failed'))
    execute function message_leaves_by_the_door();
"""


class CreateTables(Operation):
    """Create tables that refer to each other in any order, and render the models once.

    Django renders all models again after each `CreateModel`, which is most of a migration's time.
    Statements that Django leaves for the end of a migration (foreign keys, indexes) run before
    the next operation.
    """

    reversible = False

    def __init__(self, operations):
        self.operations = operations

    def state_forwards(self, app_label, state):
        vars(state).pop("apps", None)
        for operation in self.operations:
            operation.state_forwards(app_label, state)

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        for operation in self.operations:
            operation.database_forwards(app_label, schema_editor, to_state, to_state)
        for statement in schema_editor.deferred_sql:
            schema_editor.execute(statement)
        schema_editor.deferred_sql.clear()

    def describe(self):
        return "Create all tables"


class Migration(migrations.Migration):
    initial = True
    replaces = [
        ("rooftree", "0038_squashed"),
        ("rooftree", "0039_recorded_calls"),
        ("rooftree", "0040_plain_names"),
        ("rooftree", "0041_plain_tables"),
    ]
    dependencies = []

    operations = [
        CreateTables([
            migrations.CreateModel(
                name='Campaign',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('name', models.CharField(max_length=200)),
                    ('source', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='campaigns', to='rooftree.source')),
                ],
                options={
                    'db_table': 'campaign',
                    'constraints': [
                        models.UniqueConstraint(fields=('source', 'name'), name='campaign_once_a_source'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Connection',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('los', models.CharField(max_length=20)),
                    ('name', models.CharField(max_length=120)),
                    ('slug', models.SlugField(unique=True)),
                    ('base_url', models.URLField()),
                    ('instance', models.CharField(max_length=60)),
                    ('folder', models.CharField(blank=True, max_length=120)),
                    ('credentials', rooftree.db.sealed_text.SealedTextField(blank=True)),
                    ('webhook_keys', rooftree.db.sealed_text.SealedTextField(blank=True)),
                    ('enabled_at', models.DateTimeField(null=True)),
                    ('polled_to_at', models.DateTimeField(null=True)),
                    ('poll_due_at', models.DateTimeField(null=True)),
                    ('lead_id_field', models.CharField(default='CX.ROOFTREELEADID', max_length=60)),
                    ('officer_users', models.JSONField(default=dict)),
                    ('template', models.CharField(blank=True, max_length=200)),
                    ('template_type', models.CharField(blank=True, max_length=60)),
                ],
                options={
                    'db_table': 'los_connection',
                },
            ),
            migrations.CreateModel(
                name='Delivery',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('received_at', models.DateTimeField()),
                    ('method', models.CharField(default='POST', max_length=8)),
                    ('path', models.CharField(max_length=300)),
                    ('query', models.JSONField(default=dict)),
                    ('headers', models.JSONField(default=dict)),
                    ('body', models.BinaryField()),
                    ('body_sha256', models.CharField(max_length=64)),
                    ('remote_addr', models.GenericIPAddressField(null=True)),
                    ('verification', models.CharField(max_length=40)),
                    ('state', models.CharField(default='received', max_length=12)),
                    ('outcome', models.CharField(blank=True, max_length=24)),
                    ('reason', models.CharField(blank=True, max_length=80)),
                    ('warnings', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=200), default=list)),
                    ('adapter_version', models.CharField(blank=True, max_length=20)),
                    ('due_at', models.DateTimeField(null=True)),
                    ('attempts', models.PositiveSmallIntegerField(default=0)),
                    ('problem', models.TextField(blank=True)),
                    ('worked_at', models.DateTimeField(null=True)),
                    ('source', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='rooftree.source')),
                    ('price_cents', models.PositiveIntegerField(null=True)),
                ],
                options={
                    'db_table': 'delivery',
                    'indexes': [
                        models.Index(condition=models.Q(('state', 'received')), fields=['due_at'], name='delivery_waiting'),
                        models.Index(fields=['source', 'received_at'], name='delivery_by_source'),
                        models.Index(condition=models.Q(('state', 'quarantined')), fields=['received_at'], name='delivery_quarantine'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('state__in', ['received', 'worked', 'quarantined', 'closed', 'duplicate'])), name='delivery_state_known'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Person',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('first_name', models.CharField(blank=True, max_length=120)),
                    ('middle_name', models.CharField(blank=True, max_length=120)),
                    ('last_name', models.CharField(blank=True, max_length=120)),
                    ('suffix', models.CharField(blank=True, max_length=4)),
                    ('language', models.CharField(blank=True, max_length=5)),
                    ('street', models.CharField(blank=True, max_length=200)),
                    ('city', models.CharField(blank=True, max_length=120)),
                    ('state', models.CharField(blank=True, max_length=2)),
                    ('zip', models.CharField(blank=True, max_length=5)),
                    ('created_at', models.DateTimeField()),
                    ('merged_into', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='absorbed', to='rooftree.person')),
                    ('name_key', models.CharField(blank=True, db_default='', max_length=250)),
                    ('compared_at', models.DateTimeField(null=True)),
                    ('home_key', models.CharField(blank=True, db_default='', max_length=220)),
                ],
                options={
                    'db_table': 'person',
                    'indexes': [
                        models.Index(condition=models.Q(('name_key', ''), _negated=True), fields=['name_key'], name='person_by_name'),
                        models.Index(condition=models.Q(('merged_into__isnull', False)), fields=['merged_into'], name='person_parts'),
                        models.Index(condition=models.Q(('home_key', ''), _negated=True), fields=['home_key'], name='person_by_home'),
                        models.Index(condition=models.Q(('compared_at', None)), fields=['created_at'], name='person_to_compare'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('merged_into', None), models.Q(('merged_into', models.F('id')), _negated=True), _connector='OR'), name='merged_into_another'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Branch',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('kind', models.CharField(default='branch', max_length=10)),
                    ('name', models.CharField(max_length=120)),
                    ('nmls_id', models.CharField(blank=True, max_length=20)),
                    ('zone', models.CharField(default='America/New_York', max_length=60)),
                    ('path', models.CharField(max_length=400, unique=True)),
                    ('parent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='rooftree.branch')),
                ],
                options={
                    'db_table': 'branch',
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('kind__in', ['region', 'branch', 'team'])), name='branch_kind_known'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='User',
                fields=[
                    ('password', models.CharField(max_length=128, verbose_name='password')),
                    ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('email', models.EmailField(max_length=254, unique=True)),
                    ('name', models.CharField(max_length=120)),
                    ('role', models.CharField(max_length=20)),
                    ('phone', models.CharField(blank=True, max_length=20)),
                    ('title', models.CharField(blank=True, max_length=120)),
                    ('is_active', models.BooleanField(default=True)),
                    ('joined_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                    ('branch', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='users', to='rooftree.branch')),
                ],
                options={
                    'db_table': 'user',
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('role__in', ['officer', 'assistant', 'manager', 'operations', 'marketing', 'compliance', 'executive', 'administrator', 'partner'])), name='user_role_known'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Company',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('legal_name', models.CharField(max_length=200)),
                    ('brand', models.CharField(max_length=120)),
                    ('registered_dbas', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=200), blank=True, default=list)),
                    ('kind', models.CharField(default='nonbank', max_length=20)),
                    ('nmls_id', models.CharField(max_length=20)),
                    ('postal_address', models.CharField(max_length=300)),
                    ('phone', models.CharField(max_length=20)),
                    ('website', models.URLField(blank=True)),
                    ('zone', models.CharField(default='America/New_York', max_length=60)),
                    ('telemarketer_states', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2), blank=True, default=list)),
                    ('texting', models.JSONField(default=dict)),
                    ('mail_is_authenticated', models.BooleanField(default=False)),
                    ('emergencies', models.JSONField(default=list)),
                    ('emergencies_checked_at', models.DateTimeField(null=True)),
                    ('alarm_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('hours', models.JSONField(default=rooftree.org.models.office_hours)),
                    ('records_calls_from', models.DateTimeField(null=True)),
                ],
                options={
                    'db_table': 'company',
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('kind__in', ['nonbank', 'depository'])), name='company_kind_known'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='CompanyLicense',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('state', models.CharField(max_length=2)),
                    ('number', models.CharField(max_length=40)),
                    ('from_date', models.DateField()),
                    ('until_date', models.DateField(null=True)),
                    ('license', models.CharField(blank=True, db_default='', default='', max_length=20)),
                ],
                options={
                    'db_table': 'company_license',
                    'indexes': [
                        models.Index(fields=['state'], name='company_license_by_state'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='DeliveryKey',
                fields=[
                    ('key', models.CharField(max_length=300, primary_key=True, serialize=False)),
                    ('answer_status', models.PositiveSmallIntegerField()),
                    ('answer_type', models.CharField(blank=True, max_length=80)),
                    ('answer_body', models.TextField(blank=True)),
                    ('delivery', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='keys', to='rooftree.delivery')),
                ],
                options={
                    'db_table': 'delivery_key',
                },
            ),
            migrations.CreateModel(
                name='Event',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('kind', models.CharField(max_length=80)),
                    ('lead_id', models.UUIDField(null=True)),
                    ('person_id', models.UUIDField(null=True)),
                    ('actor', models.CharField(max_length=120)),
                    ('data', models.JSONField(default=dict)),
                    ('occurred_at', models.DateTimeField()),
                    ('recorded_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                    ('sequence', models.BigIntegerField(null=True, unique=True)),
                    ('chain_hash', models.CharField(blank=True, max_length=64)),
                    ('person_place', models.BigIntegerField(null=True)),
                ],
                options={
                    'db_table': 'event',
                    'indexes': [
                        models.Index(fields=['lead_id', 'occurred_at'], name='event_by_lead'),
                        models.Index(condition=models.Q(('sequence', None)), fields=['id'], name='event_unsealed'),
                        models.Index(fields=['person_id', 'person_place'], name='event_by_person_place'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Lead',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('state', models.CharField(default='new', max_length=12)),
                    ('is_test', models.BooleanField(default=False)),
                    ('purpose', models.CharField(blank=True, max_length=30)),
                    ('loan_type', models.CharField(blank=True, max_length=20)),
                    ('amount_cents', models.BigIntegerField(null=True)),
                    ('value_cents', models.BigIntegerField(null=True)),
                    ('down_payment_cents', models.BigIntegerField(null=True)),
                    ('cash_out_cents', models.BigIntegerField(null=True)),
                    ('current_rate_pct', models.DecimalField(decimal_places=3, max_digits=6, null=True)),
                    ('credit_band', models.CharField(blank=True, max_length=12)),
                    ('timeline', models.CharField(blank=True, max_length=20)),
                    ('property_street', models.CharField(blank=True, max_length=200)),
                    ('property_city', models.CharField(blank=True, max_length=120)),
                    ('property_state', models.CharField(blank=True, max_length=2)),
                    ('property_zip', models.CharField(blank=True, max_length=5)),
                    ('property_type', models.CharField(blank=True, max_length=20)),
                    ('property_use', models.CharField(blank=True, max_length=12)),
                    ('details', models.JSONField(default=dict)),
                    ('borrower_message', models.TextField(blank=True)),
                    ('score', models.SmallIntegerField(null=True)),
                    ('score_reasons', models.JSONField(default=list)),
                    ('scored_at', models.DateTimeField(null=True)),
                    ('created_at', models.DateTimeField()),
                    ('last_inquiry_at', models.DateTimeField()),
                    ('response_due_at', models.DateTimeField(null=True)),
                    ('first_message_at', models.DateTimeField(null=True)),
                    ('first_attempt_at', models.DateTimeField(null=True)),
                    ('first_conversation_at', models.DateTimeField(null=True)),
                    ('snoozed_until', models.DateTimeField(null=True)),
                    ('retired_at', models.DateTimeField(null=True)),
                    ('retired_reason', models.CharField(blank=True, max_length=60)),
                    ('branch', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='leads', to='rooftree.branch')),
                    ('campaign', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='leads', to='rooftree.campaign')),
                    ('officer', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='leads', to='rooftree.loanofficer')),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='leads', to='rooftree.person')),
                    ('source', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='leads', to='rooftree.source')),
                    ('snooze_reason', models.CharField(blank=True, default='', max_length=200)),
                    ('co_borrower', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='co_leads', to='rooftree.person')),
                    ('property_key', models.CharField(blank=True, db_default='', max_length=220)),
                ],
                options={
                    'db_table': 'lead',
                    'indexes': [
                        models.Index(fields=['person'], name='lead_by_person'),
                        models.Index(fields=['branch', 'created_at'], name='lead_by_branch'),
                        models.Index(fields=['source', 'created_at'], name='lead_by_source'),
                        models.Index(condition=models.Q(('officer', None)), fields=['created_at'], name='lead_without_officer'),
                        models.Index(condition=models.Q(('co_borrower__isnull', False)), fields=['co_borrower'], name='lead_by_co_borrower'),
                        models.Index(condition=models.Q(('property_key', ''), _negated=True), fields=['property_key'], name='lead_by_property'),
                        models.Index(fields=['officer', 'state', 'response_due_at'], name='lead_by_officer'),
                        models.Index(condition=models.Q(('response_due_at__isnull', False)), fields=['response_due_at'], name='lead_promise'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('state__in', ['new', 'working', 'nurture', 'application', 'funded', 'retired'])), name='lead_state_known'),
                        models.CheckConstraint(condition=models.Q(('score', None), ('score__range', (0, 100)), _connector='OR'), name='lead_score_range'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Loan',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('los', models.CharField(max_length=20)),
                    ('instance', models.CharField(max_length=60)),
                    ('los_loan_id', models.CharField(max_length=80)),
                    ('loan_number', models.CharField(blank=True, max_length=40)),
                    ('milestone', models.CharField(blank=True, max_length=40)),
                    ('rank', models.SmallIntegerField(default=0)),
                    ('amount_cents', models.BigIntegerField(null=True)),
                    ('revenue_cents', models.BigIntegerField(null=True)),
                    ('application_date', models.DateField(null=True)),
                    ('funded_date', models.DateField(null=True)),
                    ('final_outcome', models.CharField(blank=True, max_length=24)),
                    ('created_at', models.DateTimeField()),
                    ('read_at', models.DateTimeField(null=True)),
                    ('lead', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='loans', to='rooftree.lead')),
                    ('officer', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='loans', to='rooftree.loanofficer')),
                    ('current_milestone', models.CharField(blank=True, max_length=40)),
                    ('notices', models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict)),
                ],
                options={
                    'db_table': 'loan',
                    'indexes': [
                        models.Index(fields=['lead'], name='loan_by_lead'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(fields=('los', 'instance', 'los_loan_id'), name='loan_once_an_instance'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Handoff',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('state', models.CharField(default='pending', max_length=12)),
                    ('record', models.JSONField(default=dict)),
                    ('missing', models.JSONField(default=list)),
                    ('requested_at', models.DateTimeField()),
                    ('attempt_id', models.UUIDField(null=True)),
                    ('attempts', models.PositiveSmallIntegerField(default=0)),
                    ('sent_at', models.DateTimeField(null=True)),
                    ('due_at', models.DateTimeField(null=True)),
                    ('problem', models.CharField(blank=True, max_length=500)),
                    ('requested_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('connection', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='handoffs', to='rooftree.connection')),
                    ('lead', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='handoffs', to='rooftree.lead')),
                    ('loan', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='handoff', to='rooftree.loan')),
                ],
                options={
                    'db_table': 'handoff',
                    'indexes': [
                        models.Index(condition=models.Q(('state__in', ['pending', 'sending', 'uncertain'])), fields=['due_at'], name='handoff_due'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('state__in', ['pending', 'sending', 'created', 'uncertain', 'rejected'])), name='handoff_state_known'),
                        models.UniqueConstraint(condition=models.Q(('state', 'rejected'), _negated=True), fields=('lead', 'connection'), name='one_handoff_a_lead'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='LoanOfficer',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('nmls_id', models.CharField(max_length=20, unique=True)),
                    ('languages', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=5), default=list)),
                    ('products', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=30), default=list)),
                    ('phone', models.CharField(max_length=20)),
                    ('text_number', models.CharField(blank=True, max_length=20)),
                    ('zone', models.CharField(default='America/New_York', max_length=60)),
                    ('hours', models.JSONField(default=dict)),
                    ('daily_cap', models.PositiveIntegerField(default=20)),
                    ('open_cap', models.PositiveIntegerField(default=60)),
                    ('paused_at', models.DateTimeField(null=True)),
                    ('sponsored_from_date', models.DateField()),
                    ('terminated_at', models.DateTimeField(null=True)),
                    ('backup', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='rooftree.loanofficer')),
                    ('branch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='officers', to='rooftree.branch')),
                    ('user', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='officer', to=settings.AUTH_USER_MODEL)),
                    ('is_texted', models.BooleanField(db_default=True, default=True)),
                ],
                options={
                    'db_table': 'loan_officer',
                },
            ),
            migrations.CreateModel(
                name='License',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('state', models.CharField(max_length=2)),
                    ('number', models.CharField(max_length=40)),
                    ('status', models.CharField(default='Approved', max_length=40)),
                    ('from_date', models.DateField()),
                    ('until_date', models.DateField(null=True)),
                    ('officer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='licenses', to='rooftree.loanofficer')),
                ],
                options={
                    'db_table': 'license',
                    'indexes': [
                        models.Index(fields=['officer', 'state'], name='license_by_officer_state'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('until_date', None), ('until_date__gt', models.F('from_date')), _connector='OR'), name='license_ends_later'),
                        models.CheckConstraint(condition=models.Q(models.Q(('status__iexact', 'Temporary Authority'), _negated=True), models.Q(('until_date__isnull', False), ('until_date__lte', django.db.models.expressions.CombinedExpression(models.F('from_date'), '+', models.Value(datetime.timedelta(days=120))))), _connector='OR'), name='temporary_authority_is_short'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Assistance',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('assistant', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='assists', to=settings.AUTH_USER_MODEL)),
                    ('officer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='assistants', to='rooftree.loanofficer')),
                ],
                options={
                    'db_table': 'assistance',
                    'constraints': [
                        models.UniqueConstraint(fields=('assistant', 'officer'), name='assists_once'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='LosEvent',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('event_id', models.CharField(max_length=120)),
                    ('los_loan_id', models.CharField(max_length=80)),
                    ('kind', models.CharField(max_length=40)),
                    ('received_at', models.DateTimeField()),
                    ('due_at', models.DateTimeField(null=True)),
                    ('read_at', models.DateTimeField(null=True)),
                    ('attempts', models.PositiveSmallIntegerField(default=0)),
                    ('problem', models.CharField(blank=True, max_length=500)),
                    ('connection', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='rooftree.connection')),
                ],
                options={
                    'db_table': 'los_event',
                    'indexes': [
                        models.Index(condition=models.Q(('read_at', None)), fields=['due_at'], name='los_event_due'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(fields=('connection', 'event_id'), name='los_event_once'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Milestone',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('code', models.CharField(max_length=40)),
                    ('rank', models.SmallIntegerField(null=True)),
                    ('reached_at', models.DateTimeField()),
                    ('recorded_at', models.DateTimeField()),
                    ('loan', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='milestones', to='rooftree.loan')),
                    ('is_inferred', models.BooleanField(default=False)),
                    ('is_return', models.BooleanField(default=False)),
                    ('on_date', models.DateField(null=True)),
                    ('los_label', models.CharField(blank=True, max_length=120)),
                ],
                options={
                    'db_table': 'milestone',
                    'indexes': [
                        models.Index(fields=['loan', 'recorded_at'], name='milestone_by_loan'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Offer',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('offered_at', models.DateTimeField()),
                    ('due_at', models.DateTimeField()),
                    ('accepted_at', models.DateTimeField(null=True)),
                    ('declined_at', models.DateTimeField(null=True)),
                    ('expired_at', models.DateTimeField(null=True)),
                    ('end_reason', models.CharField(blank=True, max_length=60)),
                    ('lead', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='offers', to='rooftree.lead')),
                    ('officer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='offers', to='rooftree.loanofficer')),
                    ('decision', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='offers', to='rooftree.routingdecision')),
                ],
                options={
                    'db_table': 'offer',
                    'indexes': [
                        models.Index(fields=['officer', 'offered_at'], name='offer_by_officer'),
                        models.Index(condition=models.Q(('accepted_at', None), ('declined_at', None), ('expired_at', None)), fields=['due_at'], name='offer_live_due'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('due_at__gt', models.F('offered_at'))), name='offer_due_later'),
                        models.CheckConstraint(condition=models.Q(models.Q(('accepted_at', None), ('declined_at', None)), models.Q(('accepted_at', None), ('expired_at', None)), models.Q(('declined_at', None), ('expired_at', None)), _connector='OR'), name='offer_ends_one_way'),
                        models.UniqueConstraint(condition=models.Q(('accepted_at', None), ('declined_at', None), ('expired_at', None)), fields=('lead',), name='one_live_offer_a_lead'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Ownership',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('from_at', models.DateTimeField()),
                    ('until_at', models.DateTimeField(null=True)),
                    ('end_reason', models.CharField(blank=True, max_length=60)),
                    ('given_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('lead', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='ownerships', to='rooftree.lead')),
                    ('offer', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='ownership', to='rooftree.offer')),
                    ('officer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='ownerships', to='rooftree.loanofficer')),
                ],
                options={
                    'db_table': 'ownership',
                    'indexes': [
                        models.Index(condition=models.Q(('until_at', None)), fields=['officer'], name='ownership_by_officer'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(condition=models.Q(('until_at', None)), fields=('lead',), name='one_owner_a_lead'),
                        models.CheckConstraint(condition=models.Q(('until_at', None), ('until_at__gte', models.F('from_at')), _connector='OR'), name='ownership_ends_later'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Email',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('address', models.CharField(max_length=254)),
                    ('key', models.CharField(max_length=254)),
                    ('is_primary', models.BooleanField(default=False)),
                    ('given_at', models.DateTimeField()),
                    ('bounced_at', models.DateTimeField(null=True)),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='emails', to='rooftree.person')),
                    ('stated_at', models.DateTimeField(null=True)),
                ],
                options={
                    'db_table': 'email',
                    'indexes': [
                        models.Index(fields=['key'], name='email_by_key'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(fields=('person', 'key'), name='email_once_a_person'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='ContactAttempt',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('medium', models.CharField(max_length=10)),
                    ('direction', models.CharField(default='out', max_length=3)),
                    ('address', models.CharField(blank=True, max_length=254)),
                    ('purpose', models.CharField(default='marketing', max_length=16)),
                    ('is_automated', models.BooleanField(default=False)),
                    ('result', models.CharField(blank=True, max_length=24)),
                    ('at', models.DateTimeField()),
                    ('idempotency_key', models.CharField(max_length=160, unique=True)),
                    ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('lead', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attempts', to='rooftree.lead')),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attempts', to='rooftree.person')),
                    ('result_at', models.DateTimeField(null=True)),
                    ('failed_at', models.DateTimeField(null=True)),
                    ('completed_at', models.DateTimeField(null=True)),
                    ('our_number', models.CharField(blank=True, db_default='', default='', max_length=20)),
                    ('seconds', models.PositiveIntegerField(null=True)),
                ],
                options={
                    'db_table': 'contact_attempt',
                    'indexes': [
                        models.Index(fields=['person', 'at'], name='attempt_by_person'),
                        models.Index(fields=['lead', 'at'], name='attempt_by_lead'),
                        models.Index(condition=models.Q(('completed_at', None), ('medium', 'call')), fields=['at'], name='call_incomplete'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Phone',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('e164', models.CharField(max_length=16)),
                    ('kind', models.CharField(default='unknown', max_length=10)),
                    ('is_primary', models.BooleanField(default=False)),
                    ('given_at', models.DateTimeField()),
                    ('unlinked_at', models.DateTimeField(null=True)),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='phones', to='rooftree.person')),
                    ('stated_at', models.DateTimeField(null=True)),
                    ('dead_at', models.DateTimeField(null=True)),
                ],
                options={
                    'db_table': 'phone',
                    'indexes': [
                        models.Index(fields=['e164'], name='phone_by_number'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(fields=('person', 'e164'), name='phone_once_a_person'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='RateObservation',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('product', models.CharField(max_length=40)),
                    ('rate_pct', models.DecimalField(decimal_places=3, max_digits=6)),
                    ('apr_pct', models.DecimalField(decimal_places=3, max_digits=6)),
                    ('points', models.DecimalField(decimal_places=3, default=0, max_digits=5)),
                    ('sheet', models.CharField(max_length=80)),
                    ('observed_at', models.DateTimeField()),
                    ('recorded_at', models.DateTimeField()),
                    ('recorded_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'db_table': 'rate_observation',
                    'indexes': [
                        models.Index(fields=['product', 'observed_at'], name='rate_by_product'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='RateWatch',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('product', models.CharField(max_length=40)),
                    ('target_pct', models.DecimalField(decimal_places=3, max_digits=6)),
                    ('set_at', models.DateTimeField()),
                    ('reached_at', models.DateTimeField(null=True)),
                    ('ended_at', models.DateTimeField(null=True)),
                    ('lead', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='watches', to='rooftree.lead')),
                    ('reached_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rooftree.rateobservation')),
                    ('set_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'db_table': 'rate_watch',
                    'indexes': [
                        models.Index(condition=models.Q(('ended_at', None), ('reached_at', None)), fields=['product', 'target_pct'], name='rate_watch_live'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(condition=models.Q(('ended_at', None), ('reached_at', None)), fields=('lead', 'product'), name='one_live_watch_a_product'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Remark',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('text', models.TextField(max_length=4000)),
                    ('at', models.DateTimeField()),
                    ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('lead', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='remarks', to='rooftree.lead')),
                ],
                options={
                    'db_table': 'remark',
                },
            ),
            migrations.CreateModel(
                name='Revocation',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('address', models.CharField(max_length=254)),
                    ('kind', models.CharField(max_length=16)),
                    ('media', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=10))),
                    ('borrower_words', models.CharField(blank=True, max_length=500)),
                    ('origin', models.CharField(max_length=160)),
                    ('reply_to_purpose', models.CharField(blank=True, max_length=16)),
                    ('at', models.DateTimeField()),
                    ('recorded_at', models.DateTimeField()),
                    ('ended_at', models.DateTimeField(null=True)),
                    ('ended_by', models.CharField(blank=True, max_length=160)),
                    ('idempotency_key', models.CharField(max_length=200, unique=True)),
                    ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='revocations', to='rooftree.person')),
                ],
                options={
                    'db_table': 'revocation',
                    'indexes': [
                        models.Index(condition=models.Q(('ended_at', None)), fields=['address'], name='revocation_by_address'),
                        models.Index(condition=models.Q(('ended_at', None)), fields=['person'], name='revocation_person'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('kind__in', ['stop', 'unsubscribe', 'do_not_contact', 'wrong_person', 'vendor', 'review'])), name='revocation_kind_known'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Ring',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('state', models.CharField(default='due', max_length=12)),
                    ('carrier', models.CharField(blank=True, max_length=20)),
                    ('carrier_id', models.CharField(blank=True, max_length=120)),
                    ('due_at', models.DateTimeField()),
                    ('placed_at', models.DateTimeField(null=True)),
                    ('answered_at', models.DateTimeField(null=True)),
                    ('pressed', models.CharField(blank=True, max_length=2)),
                    ('connected_at', models.DateTimeField(null=True)),
                    ('ended_at', models.DateTimeField(null=True)),
                    ('problem', models.CharField(blank=True, max_length=300)),
                    ('offer', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='ring', to='rooftree.offer')),
                    ('officer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rings', to='rooftree.loanofficer')),
                    ('texted_at', models.DateTimeField(null=True)),
                ],
                options={
                    'db_table': 'ring',
                    'indexes': [
                        models.Index(condition=models.Q(('state', 'due')), fields=['due_at'], name='ring_due'),
                        models.Index(fields=['carrier_id'], name='ring_by_carrier_id'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('state__in', ['due', 'claimed', 'placed', 'answered', 'ended', 'failed', 'skipped'])), name='ring_state_known'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='RoutingDecision',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('rule_name', models.CharField(blank=True, max_length=120)),
                    ('place', models.PositiveSmallIntegerField(default=0)),
                    ('inputs', models.JSONField()),
                    ('outcome', models.JSONField()),
                    ('sentence', models.CharField(max_length=400)),
                    ('at', models.DateTimeField()),
                    ('lead', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='decisions', to='rooftree.lead')),
                    ('officer', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='rooftree.loanofficer')),
                    ('rule_set', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='rooftree.ruleset')),
                ],
                options={
                    'db_table': 'routing_decision',
                    'indexes': [
                        models.Index(fields=['lead', 'at'], name='decision_by_lead'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='RuleSet',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('number', models.PositiveIntegerField(unique=True)),
                    ('rules', models.JSONField()),
                    ('summary', models.CharField(blank=True, max_length=300)),
                    ('published_at', models.DateTimeField()),
                    ('published_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'db_table': 'rule_set',
                },
            ),
            migrations.CreateModel(
                name='Score',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('points', models.SmallIntegerField()),
                    ('reasons', models.JSONField()),
                    ('features', models.JSONField()),
                    ('version', models.CharField(max_length=20)),
                    ('reason', models.CharField(max_length=60)),
                    ('at', models.DateTimeField()),
                    ('lead', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='scores', to='rooftree.lead')),
                ],
                options={
                    'db_table': 'score',
                    'indexes': [
                        models.Index(fields=['lead', 'at'], name='score_by_lead'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Sequence',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('key', models.CharField(max_length=60)),
                    ('name', models.CharField(max_length=120)),
                    ('version', models.PositiveSmallIntegerField()),
                    ('steps', models.JSONField()),
                    ('from_at', models.DateTimeField(null=True)),
                    ('until_at', models.DateTimeField(null=True)),
                    ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('summary', models.CharField(blank=True, max_length=300)),
                    ('written_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('written_at', models.DateTimeField()),
                    ('decided_at', models.DateTimeField(null=True)),
                    ('refusal', models.CharField(blank=True, max_length=300)),
                    ('is_alone', models.BooleanField(default=False)),
                    ('approved_until', models.DateTimeField(null=True)),
                    ('end_reason', models.CharField(blank=True, max_length=300)),
                ],
                options={
                    'db_table': 'sequence',
                    'constraints': [
                        models.UniqueConstraint(fields=('key', 'version'), name='sequence_edition_once'),
                        models.CheckConstraint(condition=models.Q(('from_at', None), ('written_by', None), ('is_alone', True), models.Q(('decided_by', models.F('written_by')), _negated=True), _connector='OR'), name='sequence_second_person'),
                        models.CheckConstraint(condition=models.Q(('from_at', None), models.Q(('approved_until__isnull', False), ('decided_at__isnull', False), models.Q(('decided_by__isnull', False), ('written_by', None), _connector='OR')), _connector='OR'), name='sequence_approved'),
                        models.UniqueConstraint(condition=models.Q(('from_at__isnull', False), ('until_at', None)), fields=('key',), name='one_live_sequence'),
                        models.UniqueConstraint(condition=models.Q(('decided_at', None)), fields=('key',), name='one_waiting_sequence'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Signal',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('kind', models.CharField(max_length=24)),
                    ('idempotency_key', models.CharField(max_length=160, unique=True)),
                    ('at', models.DateTimeField()),
                    ('lead', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='signals', to='rooftree.lead')),
                ],
                options={
                    'db_table': 'signal',
                    'indexes': [
                        models.Index(fields=['lead', 'at'], name='signal_by_lead'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Source',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('adapter', models.CharField(max_length=30)),
                    ('name', models.CharField(max_length=120, unique=True)),
                    ('slug', models.SlugField(unique=True)),
                    ('token', rooftree.db.sealed_text.SealedTextField(blank=True)),
                    ('token_hash', models.CharField(blank=True, max_length=64)),
                    ('secret', rooftree.db.sealed_text.SealedTextField(blank=True)),
                    ('allowed_origins', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=200), blank=True, default=list)),
                    ('zone', models.CharField(default='America/New_York', max_length=60)),
                    ('cost_cents', models.PositiveIntegerField(null=True)),
                    ('is_test', models.BooleanField(default=False)),
                    ('expected_gap', models.DurationField(null=True)),
                    ('paused_at', models.DateTimeField(null=True)),
                    ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                    ('setup', models.JSONField(default=dict)),
                    ('per_minute', models.PositiveIntegerField(db_default=6000, default=6000, null=True)),
                    ('credentials', rooftree.db.sealed_text.SealedTextField(blank=True, db_default='', default='')),
                    ('launched_at', models.DateTimeField(null=True)),
                ],
                options={
                    'db_table': 'source',
                    'indexes': [
                        models.Index(fields=['adapter', 'token_hash'], name='source_by_token'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Rollup',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('arrival_date', models.DateField()),
                    ('event_date', models.DateField()),
                    ('measure', models.CharField(max_length=16)),
                    ('bucket', models.SmallIntegerField(default=0)),
                    ('amount', models.BigIntegerField()),
                    ('branch', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='rooftree.branch')),
                    ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='rooftree.source')),
                ],
                options={
                    'db_table': 'rollup',
                    'indexes': [
                        models.Index(fields=['measure', 'arrival_date'], name='rollup_by_measure'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(fields=('arrival_date', 'event_date', 'source', 'branch', 'measure', 'bucket'), name='rollup_once', nulls_distinct=False),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Entry',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('kind', models.CharField(max_length=10)),
                    ('amount_cents', models.BigIntegerField()),
                    ('on_date', models.DateField()),
                    ('basis', models.CharField(max_length=40)),
                    ('is_provisional', models.BooleanField(default=False)),
                    ('idempotency_key', models.CharField(max_length=160, unique=True)),
                    ('booked_at', models.DateTimeField()),
                    ('booked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('campaign', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='rooftree.campaign')),
                    ('delivery', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='rooftree.delivery')),
                    ('lead', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='rooftree.lead')),
                    ('loan', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='rooftree.loan')),
                    ('source', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='rooftree.source')),
                ],
                options={
                    'db_table': 'money_entry',
                    'indexes': [
                        models.Index(fields=['source', 'on_date'], name='entry_by_source'),
                        models.Index(fields=['lead'], name='entry_by_lead'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('amount_cents__gte', 0)), name='entry_not_negative'),
                        models.CheckConstraint(condition=models.Q(('kind__in', ['cost', 'credit', 'revenue', 'reversal'])), name='entry_kind_known'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='SourceTerms',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('from_date', models.DateField()),
                    ('until_date', models.DateField(null=True)),
                    ('names_us', models.BooleanField(default=False)),
                    ('seller_snapshot', models.TextField(blank=True)),
                    ('wording', models.TextField(blank=True)),
                    ('signature', models.CharField(blank=True, max_length=40)),
                    ('channels', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=16), blank=True, default=list)),
                    ('proof_owed', models.CharField(blank=True, max_length=200)),
                    ('reviewed_at', models.DateTimeField(null=True)),
                    ('reviewed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='terms', to='rooftree.source')),
                    ('criteria', models.TextField(blank=True, db_default='', default='')),
                    ('is_authorized', models.BooleanField(db_default=False, default=False)),
                    ('is_firm_offer', models.BooleanField(db_default=False, default=False)),
                    ('source_class', models.CharField(blank=True, db_default='', default='', max_length=20)),
                    ('report_purpose', models.CharField(blank=True, db_default='', default='', max_length=20)),
                    ('report_words', models.TextField(blank=True, db_default='', default='')),
                ],
                options={
                    'db_table': 'source_terms',
                    'indexes': [
                        models.Index(fields=['source', 'from_date'], name='terms_by_source'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Consent',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('address', models.CharField(max_length=254)),
                    ('status', models.CharField(max_length=14)),
                    ('channels', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=16), default=list)),
                    ('record', models.JSONField()),
                    ('wording', models.TextField(blank=True)),
                    ('wording_sha256', models.CharField(blank=True, max_length=64)),
                    ('captured_at', models.DateTimeField(null=True)),
                    ('recorded_at', models.DateTimeField()),
                    ('idempotency_key', models.CharField(max_length=200, unique=True)),
                    ('delivery', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='consents', to='rooftree.delivery')),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='consents', to='rooftree.person')),
                    ('terms', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rooftree.sourceterms')),
                ],
                options={
                    'db_table': 'consent',
                    'indexes': [
                        models.Index(fields=['address'], name='consent_by_address'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('status__in', ['granted', 'denied', 'not_provided'])), name='consent_status_known'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='StaffNotice',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('idempotency_key', models.CharField(max_length=160)),
                    ('kind', models.CharField(max_length=40)),
                    ('text', models.CharField(max_length=400)),
                    ('link', models.CharField(blank=True, max_length=200)),
                    ('at', models.DateTimeField()),
                    ('read_at', models.DateTimeField(null=True)),
                    ('mailed_at', models.DateTimeField(null=True)),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'db_table': 'staff_notice',
                    'indexes': [
                        models.Index(condition=models.Q(('read_at', None)), fields=['user', 'at'], name='notice_unread'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(fields=('user', 'idempotency_key'), name='notice_once'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Task',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('idempotency_key', models.CharField(max_length=160, unique=True)),
                    ('title', models.CharField(max_length=200)),
                    ('due_at', models.DateTimeField()),
                    ('done_at', models.DateTimeField(null=True)),
                    ('created_at', models.DateTimeField()),
                    ('lead', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tasks', to='rooftree.lead')),
                    ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tasks', to=settings.AUTH_USER_MODEL)),
                    ('kind', models.CharField(default='typed', max_length=60)),
                    ('role', models.CharField(blank=True, default='', max_length=16)),
                    ('done_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('canceled_at', models.DateTimeField(null=True)),
                    ('cancel_reason', models.CharField(blank=True, default='', max_length=200)),
                ],
                options={
                    'db_table': 'task',
                    'indexes': [
                        models.Index(condition=models.Q(('done_at', None)), fields=['user', 'due_at'], name='task_open'),
                        models.Index(condition=models.Q(('canceled_at', None), ('done_at', None)), fields=['due_at'], name='task_open_by_due'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(condition=models.Q(('canceled_at', None), ('done_at', None), models.Q(('kind__in', ('typed',)), _negated=True)), fields=('lead', 'kind'), name='one_open_task_a_kind'),
                        models.CheckConstraint(condition=models.Q(('done_at', None), ('canceled_at', None), _connector='OR'), name='task_done_or_cancelled'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Template',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('key', models.CharField(max_length=60)),
                    ('medium', models.CharField(max_length=10)),
                    ('language', models.CharField(max_length=5)),
                    ('version', models.PositiveSmallIntegerField()),
                    ('subject', models.CharField(blank=True, max_length=200)),
                    ('body', models.TextField()),
                    ('from_at', models.DateTimeField(null=True)),
                    ('until_at', models.DateTimeField(null=True)),
                    ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('loan_kind', models.CharField(blank=True, max_length=10)),
                    ('hours', models.CharField(blank=True, max_length=6)),
                    ('summary', models.CharField(blank=True, max_length=300)),
                    ('written_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('written_at', models.DateTimeField()),
                    ('decided_at', models.DateTimeField(null=True)),
                    ('refusal', models.CharField(blank=True, max_length=300)),
                    ('is_alone', models.BooleanField(default=False)),
                    ('approved_until', models.DateTimeField(null=True)),
                    ('end_reason', models.CharField(blank=True, max_length=300)),
                ],
                options={
                    'db_table': 'template',
                    'constraints': [
                        models.UniqueConstraint(fields=('key', 'medium', 'language', 'loan_kind', 'hours', 'version'), name='template_edition_once'),
                        models.CheckConstraint(condition=models.Q(('loan_kind__in', ['', 'purchase', 'refinance', 'equity']), ('hours__in', ['', 'closed'])), name='template_place_known'),
                        models.CheckConstraint(condition=models.Q(('from_at', None), ('written_by', None), ('is_alone', True), models.Q(('decided_by', models.F('written_by')), _negated=True), _connector='OR'), name='template_second_person'),
                        models.CheckConstraint(condition=models.Q(('from_at', None), models.Q(('approved_until__isnull', False), ('decided_at__isnull', False), models.Q(('decided_by__isnull', False), ('written_by', None), _connector='OR')), _connector='OR'), name='template_approved'),
                        models.UniqueConstraint(condition=models.Q(('from_at__isnull', False), ('until_at', None)), fields=('key', 'medium', 'language', 'loan_kind', 'hours'), name='one_live_template'),
                        models.UniqueConstraint(condition=models.Q(('decided_at', None)), fields=('key', 'medium', 'language', 'loan_kind', 'hours'), name='one_waiting_template'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Touch',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('position', models.PositiveSmallIntegerField(default=0)),
                    ('vendor_lead_id', models.CharField(blank=True, max_length=255)),
                    ('is_first', models.BooleanField()),
                    ('matched_by', models.CharField(blank=True, max_length=200)),
                    ('inquiry', models.JSONField()),
                    ('attribution', models.JSONField(default=dict)),
                    ('at', models.DateTimeField()),
                    ('campaign', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='touches', to='rooftree.campaign')),
                    ('delivery', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='touches', to='rooftree.delivery')),
                    ('lead', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='touches', to='rooftree.lead')),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='touches', to='rooftree.person')),
                    ('source', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='touches', to='rooftree.source')),
                ],
                options={
                    'db_table': 'touch',
                    'indexes': [
                        models.Index(fields=['source', 'vendor_lead_id'], name='touch_by_vendor_id'),
                        models.Index(fields=['lead', 'at'], name='touch_by_lead'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(fields=('delivery', 'position'), name='touch_once_a_delivery'),
                        models.UniqueConstraint(condition=models.Q(('is_first', True)), fields=('lead',), name='one_first_touch_a_lead'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Turn',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('pool', models.CharField(max_length=120)),
                    ('taken', models.PositiveIntegerField(default=0)),
                    ('officer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='turns', to='rooftree.loanofficer')),
                ],
                options={
                    'db_table': 'turn',
                    'constraints': [
                        models.UniqueConstraint(fields=('pool', 'officer'), name='one_turn_row_a_pool'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Verdict',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('idempotency_key', models.CharField(max_length=160)),
                    ('medium', models.CharField(max_length=10)),
                    ('purpose', models.CharField(max_length=16)),
                    ('stage', models.CharField(max_length=10)),
                    ('decision', models.CharField(max_length=8)),
                    ('reason', models.CharField(max_length=60)),
                    ('sentence', models.CharField(max_length=500)),
                    ('next_allowed_at', models.DateTimeField(null=True)),
                    ('results', models.JSONField()),
                    ('facts', models.JSONField()),
                    ('facts_sha256', models.CharField(max_length=64)),
                    ('rules_version', models.CharField(max_length=20)),
                    ('at', models.DateTimeField()),
                    ('lead', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='verdicts', to='rooftree.lead')),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='verdicts', to='rooftree.person')),
                ],
                options={
                    'db_table': 'verdict',
                    'indexes': [
                        models.Index(fields=['lead', 'at'], name='verdict_by_lead'),
                        models.Index(fields=['person', 'at'], name='verdict_by_person'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('decision__in', ['allow', 'defer', 'require', 'block'])), name='verdict_decision_known'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Message',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('direction', models.CharField(default='out', max_length=3)),
                    ('medium', models.CharField(max_length=10)),
                    ('purpose', models.CharField(max_length=16)),
                    ('idempotency_key', models.CharField(max_length=160)),
                    ('is_automated', models.BooleanField(default=True)),
                    ('language', models.CharField(default='en', max_length=5)),
                    ('to_address', models.CharField(max_length=254)),
                    ('from_address', models.CharField(blank=True, max_length=254)),
                    ('subject', models.CharField(blank=True, max_length=300)),
                    ('body', models.TextField()),
                    ('state', models.CharField(default='waiting', max_length=10)),
                    ('carrier', models.CharField(blank=True, max_length=20)),
                    ('carrier_id', models.CharField(blank=True, max_length=120)),
                    ('segments', models.PositiveSmallIntegerField(null=True)),
                    ('problem', models.CharField(blank=True, max_length=300)),
                    ('attempts', models.PositiveSmallIntegerField(default=0)),
                    ('created_at', models.DateTimeField()),
                    ('due_at', models.DateTimeField(null=True)),
                    ('claimed_at', models.DateTimeField(null=True)),
                    ('sent_at', models.DateTimeField(null=True)),
                    ('delivered_at', models.DateTimeField(null=True)),
                    ('opened_at', models.DateTimeField(null=True)),
                    ('read_at', models.DateTimeField(null=True)),
                    ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('lead', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='rooftree.lead')),
                    ('officer', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='rooftree.loanofficer')),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='rooftree.person')),
                    ('template', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='rooftree.template')),
                    ('verdict', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='messages', to='rooftree.verdict')),
                    ('release', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='rooftree.release')),
                    ('ending', models.TextField(blank=True, db_default='', default='')),
                ],
                options={
                    'db_table': 'message',
                    'indexes': [
                        models.Index(condition=models.Q(('state__in', ['waiting', 'held', 'claimed'])), fields=['due_at'], name='message_due'),
                        models.Index(fields=['lead', 'created_at'], name='message_by_lead'),
                        models.Index(fields=['to_address'], name='message_by_address'),
                        models.Index(condition=models.Q(('direction', 'in'), ('read_at', None)), fields=['created_at'], name='message_unread'),
                        models.Index(condition=models.Q(('state', 'uncertain')), fields=['due_at'], name='message_uncertain'),
                        models.Index(condition=models.Q(('state', 'review')), fields=['created_at'], name='message_in_review'),
                        models.Index(condition=models.Q(('release__isnull', False)), fields=['release', 'claimed_at'], name='message_of_release'),
                        models.Index(condition=models.Q(('release__isnull', False)), fields=['claimed_at'], name='message_paced'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'held', 'blocked', 'review', 'claimed', 'sent', 'delivered', 'failed', 'uncertain', 'cancelled', 'received'])), name='message_state_known'),
                        models.UniqueConstraint(condition=models.Q(('carrier_id', ''), _negated=True), fields=('carrier', 'carrier_id'), name='message_once_at_carrier'),
                        models.UniqueConstraint(fields=('idempotency_key', 'medium'), name='one_message_a_cause'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='MonthRollup',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('arrival_month', models.DateField()),
                    ('measure', models.CharField(max_length=16)),
                    ('bucket', models.SmallIntegerField(default=0)),
                    ('amount', models.BigIntegerField()),
                    ('branch', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='rooftree.branch')),
                    ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='rooftree.source')),
                ],
                options={
                    'db_table': 'month_rollup',
                    'constraints': [
                        models.UniqueConstraint(fields=('arrival_month', 'source', 'branch', 'measure', 'bucket'), name='month_rollup_once', nulls_distinct=False),
                    ],
                },
            ),
            migrations.CreateModel(
                name='SendingPause',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('from_at', models.DateTimeField()),
                    ('reason', models.CharField(max_length=200)),
                    ('backup_at', models.DateTimeField(null=True)),
                    ('released_at', models.DateTimeField(null=True)),
                    ('released_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'db_table': 'sending_pause',
                    'constraints': [
                        models.UniqueConstraint(fields=('released_at',), name='one_sending_pause', nulls_distinct=False),
                    ],
                },
            ),
            migrations.CreateModel(
                name='LoanChange',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('state', models.CharField(default='pending', max_length=12)),
                    ('record', models.JSONField()),
                    ('changes', models.JSONField()),
                    ('skipped', models.JSONField(default=dict)),
                    ('requested_at', models.DateTimeField()),
                    ('due_at', models.DateTimeField(null=True)),
                    ('attempts', models.PositiveSmallIntegerField(default=0)),
                    ('done_at', models.DateTimeField(null=True)),
                    ('problem', models.CharField(blank=True, max_length=500)),
                    ('requested_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('handoff', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='changes', to='rooftree.handoff')),
                ],
                options={
                    'db_table': 'loan_change',
                    'indexes': [
                        models.Index(condition=models.Q(('state', 'pending')), fields=['due_at'], name='loan_change_due'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('state__in', ['pending', 'done', 'rejected'])), name='loan_change_state_known'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='PersonMerge',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('reason', models.CharField(max_length=24)),
                    ('evidence', models.CharField(blank=True, max_length=200)),
                    ('moved', models.JSONField()),
                    ('changed', models.JSONField()),
                    ('at', models.DateTimeField()),
                    ('split_at', models.DateTimeField(null=True)),
                    ('split_reason', models.CharField(blank=True, max_length=24)),
                    ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('merged', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='merged_as', to='rooftree.person')),
                    ('survivor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='merges', to='rooftree.person')),
                    ('split_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'db_table': 'person_merge',
                    'constraints': [
                        models.UniqueConstraint(condition=models.Q(('split_at', None)), fields=('merged',), name='part_of_one_person'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='UnmatchedText',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('carrier', models.CharField(max_length=20)),
                    ('carrier_id', models.CharField(max_length=120)),
                    ('from_address', models.CharField(max_length=254)),
                    ('body', models.TextField()),
                    ('meaning', models.CharField(max_length=16)),
                    ('at', models.DateTimeField()),
                    ('closed_at', models.DateTimeField(null=True)),
                    ('closed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('message', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='unmatched', to='rooftree.message')),
                ],
                options={
                    'db_table': 'unmatched_text',
                    'indexes': [
                        models.Index(condition=models.Q(('closed_at', None)), fields=['at'], name='unmatched_open'),
                        models.Index(fields=['from_address'], name='unmatched_by_number'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(fields=('carrier', 'carrier_id'), name='unmatched_once_at_carrier'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='AccessEntry',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('at', models.DateTimeField()),
                    ('kind', models.CharField(max_length=30)),
                    ('tried', models.CharField(blank=True, max_length=16)),
                    ('address', models.CharField(blank=True, max_length=43)),
                    ('device', models.CharField(blank=True, max_length=60)),
                    ('factor', models.CharField(blank=True, max_length=20)),
                    ('lead_id', models.UUIDField(null=True)),
                    ('subject', models.CharField(blank=True, max_length=120)),
                    ('reason', models.CharField(blank=True, max_length=300)),
                    ('number', models.IntegerField(null=True)),
                    ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('api_key', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rooftree.apikey')),
                ],
                options={
                    'db_table': 'access_entry',
                    'indexes': [
                        models.Index(fields=['-at'], name='access_entry_by_time'),
                        models.Index(fields=['user', '-at'], name='access_entry_by_user'),
                        models.Index(condition=models.Q(('lead_id__isnull', False)), fields=['lead_id'], name='access_entry_by_lead'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='ApiKey',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('name', models.CharField(max_length=80)),
                    ('start', models.CharField(max_length=12, unique=True)),
                    ('secret_hash', models.CharField(max_length=64)),
                    ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=30))),
                    ('created_at', models.DateTimeField()),
                    ('expires_at', models.DateTimeField()),
                    ('last_used_at', models.DateTimeField(null=True)),
                    ('revoked_at', models.DateTimeField(null=True)),
                    ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='api_keys', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'db_table': 'api_key',
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('created_at'))), name='api_key_ends_later'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='StaffSession',
                fields=[
                    ('session_key', models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name='session key')),
                    ('session_data', models.TextField(verbose_name='session data')),
                    ('expire_date', models.DateTimeField(db_index=True, verbose_name='expire date')),
                    ('began_at', models.DateTimeField()),
                    ('seen_at', models.DateTimeField()),
                    ('factor', models.CharField(blank=True, max_length=20)),
                    ('device', models.CharField(blank=True, max_length=60)),
                    ('address', models.CharField(blank=True, max_length=43)),
                    ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='sessions', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'db_table': 'staff_session',
                    'indexes': [
                        models.Index(fields=['user'], name='staff_session_by_user'),
                        models.Index(fields=['expire_date'], name='staff_session_by_end'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Throttle',
                fields=[
                    ('key', models.CharField(max_length=64, primary_key=True, serialize=False)),
                    ('began_at', models.DateTimeField()),
                    ('count', models.IntegerField()),
                ],
                options={
                    'db_table': 'throttle',
                    'indexes': [
                        models.Index(fields=['began_at'], name='throttle_by_age'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='MessageReview',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('is_release', models.BooleanField()),
                    ('reason', models.CharField(max_length=300)),
                    ('at', models.DateTimeField()),
                    ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('message', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reviews', to='rooftree.message')),
                    ('verdict', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rooftree.verdict')),
                ],
                options={
                    'db_table': 'message_review',
                },
            ),
            migrations.CreateModel(
                name='Spreadsheet',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('number', models.PositiveIntegerField(unique=True)),
                    ('file_name', models.CharField(max_length=200)),
                    ('body_sha256', models.CharField(max_length=64)),
                    ('columns', models.JSONField()),
                    ('remarks', models.JSONField(default=list)),
                    ('row_count', models.PositiveIntegerField()),
                    ('lines', models.JSONField(default=list)),
                    ('options', models.JSONField(default=dict)),
                    ('findings', models.JSONField(default=dict)),
                    ('state', models.CharField(default='columns', max_length=10)),
                    ('seen_rows', models.PositiveIntegerField(default=0)),
                    ('counts', models.JSONField(default=dict)),
                    ('uploaded_at', models.DateTimeField()),
                    ('started_at', models.DateTimeField(null=True)),
                    ('ended_at', models.DateTimeField(null=True)),
                    ('undone_at', models.DateTimeField(null=True)),
                    ('source', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='spreadsheets', to='rooftree.source')),
                    ('uploaded_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'db_table': 'spreadsheet',
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('seen_rows__lte', models.F('row_count'))), name='spreadsheet_rows_seen'),
                        models.UniqueConstraint(condition=models.Q(('state', 'dropped'), _negated=True), fields=('source', 'body_sha256'), name='spreadsheet_once_a_source'),
                        models.CheckConstraint(condition=models.Q(('state__in', ['reading', 'columns', 'checking', 'checked', 'running', 'done', 'undoing', 'dropped'])), name='spreadsheet_state_known'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='ImportedRow',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('line', models.PositiveIntegerField()),
                    ('outcome', models.CharField(max_length=12)),
                    ('problem', models.CharField(blank=True, max_length=80)),
                    ('delivery', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rooftree.delivery')),
                    ('spreadsheet', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='imported', to='rooftree.spreadsheet')),
                    ('officer', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rooftree.loanofficer')),
                ],
                options={
                    'db_table': 'imported_row',
                    'indexes': [
                        models.Index(fields=['delivery'], name='imported_row_delivery'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(fields=('spreadsheet', 'line'), name='imported_row_once'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='MapEdition',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('number', models.PositiveIntegerField()),
                    ('lines', models.JSONField()),
                    ('summary', models.CharField(blank=True, max_length=300)),
                    ('published_at', models.DateTimeField()),
                    ('published_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('source', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='map_editions', to='rooftree.source')),
                ],
                options={
                    'db_table': 'map_edition',
                    'constraints': [
                        models.UniqueConstraint(fields=('source', 'number'), name='map_edition_once'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Roster',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('sha256', models.CharField(max_length=64, unique=True)),
                    ('people', models.JSONField()),
                    ('at', models.DateTimeField()),
                ],
                options={
                    'db_table': 'roster',
                },
            ),
            migrations.CreateModel(
                name='CertificateAccount',
                fields=[
                    ('provider', models.CharField(max_length=20, primary_key=True, serialize=False)),
                    ('key', rooftree.db.sealed_text.SealedTextField(blank=True)),
                    ('changed_at', models.DateTimeField()),
                ],
                options={
                    'db_table': 'certificate_account',
                },
            ),
            migrations.CreateModel(
                name='Certificate',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('provider', models.CharField(default='trustedform', max_length=20)),
                    ('url', models.CharField(max_length=300)),
                    ('phone', models.CharField(blank=True, max_length=16)),
                    ('email', models.CharField(blank=True, max_length=254)),
                    ('state', models.CharField(default='pending', max_length=20)),
                    ('claim_by', models.DateTimeField()),
                    ('due_at', models.DateTimeField(null=True)),
                    ('attempts', models.PositiveSmallIntegerField(default=0)),
                    ('problem', models.CharField(blank=True, max_length=300)),
                    ('phone_match', models.BooleanField(null=True)),
                    ('email_match', models.BooleanField(null=True)),
                    ('status', models.PositiveSmallIntegerField(null=True)),
                    ('answer', models.BinaryField(default=b'')),
                    ('answer_sha256', models.CharField(blank=True, max_length=64)),
                    ('expires_at', models.DateTimeField(null=True)),
                    ('requested_at', models.DateTimeField()),
                    ('settled_at', models.DateTimeField(null=True)),
                    ('touch', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='certificates', to='rooftree.touch')),
                ],
                options={
                    'db_table': 'certificate',
                    'indexes': [
                        models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='certificate_due'),
                        models.Index(condition=models.Q(('state__in', ['failed', 'retained_mismatch'])), fields=['settled_at'], name='certificate_lost'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(fields=('touch', 'url'), name='certificate_once_a_touch'),
                        models.CheckConstraint(condition=models.Q(('state__in', ['pending', 'retained', 'retained_mismatch', 'failed'])), name='certificate_state_known'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Retrieval',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('path', models.CharField(max_length=300)),
                    ('query', models.JSONField(default=list)),
                    ('due_at', models.DateTimeField(null=True)),
                    ('attempts', models.PositiveSmallIntegerField(default=0)),
                    ('status', models.PositiveSmallIntegerField(null=True)),
                    ('body', models.BinaryField(default=b'')),
                    ('body_sha256', models.CharField(blank=True, max_length=64)),
                    ('problem', models.CharField(blank=True, max_length=300)),
                    ('requested_at', models.DateTimeField()),
                    ('answered_at', models.DateTimeField(null=True)),
                    ('delivery', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='retrievals', to='rooftree.delivery')),
                ],
                options={
                    'db_table': 'retrieval',
                    'indexes': [
                        models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='retrieval_due'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(fields=('delivery', 'path'), name='retrieval_once'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Sweep',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('since', models.DateTimeField()),
                    ('began_at', models.DateTimeField()),
                    ('waiting', models.JSONField(default=list)),
                    ('listed', models.PositiveIntegerField(default=0)),
                    ('missed', models.PositiveIntegerField(default=0)),
                    ('attempts', models.PositiveSmallIntegerField(default=0)),
                    ('due_at', models.DateTimeField(null=True)),
                    ('problem', models.CharField(blank=True, max_length=300)),
                    ('ended_at', models.DateTimeField(null=True)),
                    ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sweeps', to='rooftree.source')),
                ],
                options={
                    'db_table': 'sweep',
                    'indexes': [
                        models.Index(condition=models.Q(('ended_at', None)), fields=['due_at'], name='sweep_due'),
                        models.Index(fields=['source', 'began_at'], name='sweep_by_source'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('source',), name='sweep_one_at_a_time'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='PlacedBid',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('ping_id', models.CharField(max_length=255)),
                    ('ping_fields', models.JSONField(default=dict)),
                    ('state', models.CharField(blank=True, max_length=2)),
                    ('purpose', models.CharField(blank=True, max_length=30)),
                    ('phone_hash', models.CharField(blank=True, max_length=64)),
                    ('email_hash', models.CharField(blank=True, max_length=64)),
                    ('cents', models.PositiveIntegerField()),
                    ('reason', models.CharField(blank=True, max_length=24)),
                    ('seconds', models.PositiveIntegerField()),
                    ('requested_at', models.DateTimeField()),
                    ('expires_at', models.DateTimeField()),
                    ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='bids', to='rooftree.source')),
                ],
                options={
                    'db_table': 'placed_bid',
                    'indexes': [
                        models.Index(fields=['source', 'expires_at'], name='bids_still_out'),
                        models.Index(fields=['requested_at'], name='bids_by_age'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(fields=('source', 'ping_id'), name='bid_once_a_ping'),
                        models.CheckConstraint(condition=models.Q(models.Q(('cents__gt', 0), ('reason', '')), models.Q(('cents', 0), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='bid_or_why_not'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='DncBlock',
                fields=[
                    ('id', models.CharField(max_length=16, primary_key=True, serialize=False)),
                    ('bits', models.BinaryField()),
                ],
                options={
                    'db_table': 'dnc_block',
                },
            ),
            migrations.CreateModel(
                name='DncFile',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('registry', models.CharField(max_length=9)),
                    ('is_change', models.BooleanField()),
                    ('name', models.CharField(max_length=200)),
                    ('sha256', models.CharField(max_length=64)),
                    ('dated', models.DateField()),
                    ('added', models.PositiveIntegerField()),
                    ('removed', models.PositiveIntegerField()),
                    ('areas', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=3))),
                    ('loaded_at', models.DateTimeField()),
                    ('loaded_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('strays', models.PositiveIntegerField(db_default=0, default=0)),
                ],
                options={
                    'db_table': 'dnc_file',
                    'indexes': [
                        models.Index(fields=['registry', 'loaded_at'], name='dnc_file_newest'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(fields=('registry', 'sha256', 'dated'), name='dnc_file_once'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='DncArea',
                fields=[
                    ('id', models.CharField(max_length=13, primary_key=True, serialize=False)),
                    ('registry', models.CharField(max_length=9)),
                    ('area', models.CharField(blank=True, max_length=3)),
                    ('dated', models.DateField()),
                    ('numbers', models.PositiveIntegerField()),
                    ('file', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rooftree.dncfile')),
                ],
                options={
                    'db_table': 'dnc_area',
                    'indexes': [
                        models.Index(fields=['area'], name='dnc_area_of_number'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='SpreadsheetPart',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('position', models.PositiveIntegerField()),
                    ('rows', models.BinaryField()),
                    ('spreadsheet', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='rooftree.spreadsheet')),
                ],
                options={
                    'db_table': 'spreadsheet_part',
                    'constraints': [
                        models.UniqueConstraint(fields=('spreadsheet', 'position'), name='spreadsheet_part_once'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='FormPage',
                fields=[
                    ('sha256', models.CharField(max_length=64, primary_key=True, serialize=False)),
                    ('html', models.TextField()),
                    ('shown_at', models.DateTimeField()),
                ],
                options={
                    'db_table': 'form_page',
                },
            ),
            migrations.CreateModel(
                name='FormCertificate',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('facts', models.JSONField()),
                    ('sha256', models.CharField(max_length=64)),
                    ('made_at', models.DateTimeField()),
                    ('touch', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='form_certificate', to='rooftree.touch')),
                ],
                options={
                    'db_table': 'form_certificate',
                },
            ),
            migrations.CreateModel(
                name='FormDraft',
                fields=[
                    ('id', models.UUIDField(primary_key=True, serialize=False)),
                    ('body', models.BinaryField()),
                    ('headers', models.JSONField()),
                    ('address', models.CharField(blank=True, max_length=45)),
                    ('saved_at', models.DateTimeField()),
                    ('due_at', models.DateTimeField(null=True)),
                    ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='rooftree.source')),
                ],
                options={
                    'db_table': 'form_draft',
                    'indexes': [
                        models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='form_draft_due'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Baseline',
                fields=[
                    ('source', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='baseline', serialize=False, to='rooftree.source')),
                    ('per_week', models.PositiveIntegerField(null=True)),
                    ('contactable_pct', models.PositiveSmallIntegerField(null=True)),
                    ('price_cents', models.PositiveIntegerField(null=True)),
                    ('exclusive', models.CharField(blank=True, max_length=12)),
                    ('contact', models.CharField(blank=True, max_length=200)),
                    ('waived', models.JSONField(default=dict)),
                    ('last_at', models.DateTimeField(null=True)),
                    ('due_at', models.DateTimeField(null=True)),
                    ('silent_at', models.DateTimeField(null=True)),
                    ('drifted_at', models.DateTimeField(null=True)),
                    ('watcher', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'db_table': 'baseline',
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('contactable_pct__lte', 100)), name='baseline_is_a_share'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Claim',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('reason', models.CharField(max_length=20)),
                    ('sentence', models.CharField(max_length=400)),
                    ('evidence', models.JSONField(default=list)),
                    ('claimed_cents', models.BigIntegerField()),
                    ('credited_cents', models.BigIntegerField(default=0)),
                    ('state', models.CharField(default='drafted', max_length=10)),
                    ('closed_as', models.CharField(blank=True, max_length=10)),
                    ('send_by', models.DateTimeField()),
                    ('due_at', models.DateTimeField(null=True)),
                    ('disputes', models.PositiveSmallIntegerField(default=0)),
                    ('drafted_at', models.DateTimeField()),
                    ('entry', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='claim', to='rooftree.entry')),
                    ('source', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='claims', to='rooftree.source')),
                    ('touch', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='claim', to='rooftree.touch')),
                    ('contract', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='claims', to='rooftree.contract')),
                    ('file', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='claims', to='rooftree.returnfile')),
                    ('requested_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'db_table': 'claim',
                    'indexes': [
                        models.Index(fields=['source', 'state'], name='claim_by_source'),
                        models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='claim_due'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('state__in', ['drafted', 'sent', 'credited', 'refused', 'disputed', 'closed'])), name='claim_state_known'),
                        models.CheckConstraint(condition=models.Q(models.Q(('closed_as__in', ['credited', 'refused', 'withdrawn', 'dropped', 'missed']), ('state', 'closed')), models.Q(models.Q(('state', 'closed'), _negated=True), ('closed_as', '')), _connector='OR'), name='claim_closed_somehow'),
                        models.CheckConstraint(condition=models.Q(('disputes__lte', 1)), name='claim_disputed_once'),
                        models.CheckConstraint(condition=models.Q(('claimed_cents__gt', 0), ('credited_cents__range', (0, models.F('claimed_cents')))), name='claim_credited_within_asked'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='ClaimStep',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('kind', models.CharField(max_length=10)),
                    ('note', models.CharField(blank=True, max_length=500)),
                    ('cents', models.BigIntegerField(null=True)),
                    ('at', models.DateTimeField()),
                    ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('claim', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='steps', to='rooftree.claim')),
                ],
                options={
                    'db_table': 'claim_step',
                    'indexes': [
                        models.Index(fields=['claim', 'at'], name='claim_step_by_claim'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Contract',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('from_date', models.DateField()),
                    ('until_date', models.DateField(null=True)),
                    ('window_days', models.PositiveSmallIntegerField()),
                    ('warn_days', models.PositiveSmallIntegerField()),
                    ('reasons', models.JSONField(default=dict)),
                    ('duplicate_days', models.PositiveSmallIntegerField(default=0)),
                    ('states', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2), default=list)),
                    ('send_to', models.CharField(blank=True, max_length=200)),
                    ('statuses', models.JSONField(default=dict)),
                    ('next_check_at', models.DateTimeField(null=True)),
                    ('made_at', models.DateTimeField()),
                    ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('source', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='contracts', to='rooftree.source')),
                    ('watcher', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'db_table': 'contract',
                    'indexes': [
                        models.Index(condition=models.Q(('next_check_at__isnull', False)), fields=['next_check_at'], name='contract_to_look_at'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('until_date', None), ('until_date__gte', models.F('from_date')), _connector='OR'), name='contract_ends_later'),
                        models.UniqueConstraint(condition=models.Q(('until_date', None)), fields=('source',), name='one_contract_in_force'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Introduction',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('name', models.CharField(max_length=120)),
                    ('at', models.DateTimeField()),
                    ('delivery', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='introduction', to='rooftree.delivery')),
                    ('partner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='introductions', to='rooftree.partner')),
                ],
                options={
                    'db_table': 'introduction',
                    'indexes': [
                        models.Index(fields=['partner', 'at'], name='introduction_by_partner'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Partner',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('kind', models.CharField(max_length=20)),
                    ('company', models.CharField(blank=True, max_length=120)),
                    ('license_no', models.CharField(blank=True, max_length=40)),
                    ('slug', models.SlugField(unique=True)),
                    ('added_at', models.DateTimeField()),
                    ('added_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('source', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='partners', to='rooftree.source')),
                    ('user', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='partner', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'db_table': 'partner',
                },
            ),
            migrations.CreateModel(
                name='ReturnFile',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('number', models.PositiveIntegerField()),
                    ('made_at', models.DateTimeField()),
                    ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('source', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='return_files', to='rooftree.source')),
                ],
                options={
                    'db_table': 'return_file',
                    'constraints': [
                        models.UniqueConstraint(fields=('source', 'number'), name='return_file_once'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='StatusFile',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('number', models.PositiveIntegerField()),
                    ('made_at', models.DateTimeField()),
                    ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('source', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='status_files', to='rooftree.source')),
                ],
                options={
                    'db_table': 'status_file',
                    'constraints': [
                        models.UniqueConstraint(fields=('source', 'number'), name='status_file_once'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='StatusLine',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('status', models.CharField(max_length=12)),
                    ('word', models.CharField(max_length=60)),
                    ('since_at', models.DateTimeField()),
                    ('file', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='rooftree.statusfile')),
                    ('touch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rooftree.touch')),
                ],
                options={
                    'db_table': 'status_line',
                    'indexes': [
                        models.Index(fields=['touch'], name='status_line_by_touch'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(fields=('file', 'touch'), name='status_line_once_a_file'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='ThingOfValue',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('direction', models.CharField(max_length=8)),
                    ('description', models.CharField(max_length=200)),
                    ('fair_value_cents', models.BigIntegerField()),
                    ('justification', models.CharField(max_length=300)),
                    ('on_date', models.DateField()),
                    ('at', models.DateTimeField()),
                    ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('corrects', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='corrected_by', to='rooftree.thingofvalue')),
                    ('partner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='things', to='rooftree.partner')),
                    ('basis', models.CharField(blank=True, max_length=40)),
                    ('decision', models.CharField(blank=True, max_length=8)),
                    ('document', models.CharField(blank=True, max_length=200)),
                    ('reason', models.CharField(blank=True, max_length=60)),
                    ('agreement', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='things', to='rooftree.agreement')),
                ],
                options={
                    'db_table': 'thing_of_value',
                    'indexes': [
                        models.Index(fields=['partner', 'on_date'], name='thing_by_partner'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('direction__in', ['given', 'received'])), name='thing_given_or_received'),
                        models.CheckConstraint(condition=models.Q(('fair_value_cents__gte', 0)), name='thing_value_not_negative'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='PublishedHead',
                fields=[
                    ('sequence', models.BigIntegerField(primary_key=True, serialize=False)),
                    ('first', models.BigIntegerField(unique=True)),
                    ('chain_hash', models.CharField(max_length=64)),
                    ('root', models.CharField(max_length=64)),
                    ('nodes', models.JSONField()),
                    ('at', models.DateTimeField()),
                    ('signature', models.CharField(max_length=88)),
                    ('key', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rooftree.signingkey')),
                ],
                options={
                    'db_table': 'published_head',
                },
            ),
            migrations.CreateModel(
                name='SigningKey',
                fields=[
                    ('id', models.CharField(max_length=64, primary_key=True, serialize=False)),
                    ('public', models.CharField(max_length=44)),
                    ('private', rooftree.db.sealed_text.SealedTextField()),
                    ('from_at', models.DateTimeField()),
                    ('until_at', models.DateTimeField(null=True)),
                ],
                options={
                    'db_table': 'signing_key',
                    'constraints': [
                        models.UniqueConstraint(models.Value(1), condition=models.Q(('until_at', None)), name='one_key_signs'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Assurance',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('kind', models.CharField(max_length=30)),
                    ('on_date', models.DateField()),
                    ('statement', models.CharField(max_length=600)),
                    ('document', models.CharField(blank=True, max_length=200)),
                    ('figures', models.JSONField(default=dict)),
                    ('at', models.DateTimeField()),
                    ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'db_table': 'assurance',
                    'indexes': [
                        models.Index(fields=['kind', '-on_date'], name='assurance_by_kind'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Incident',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('description', models.CharField(max_length=600)),
                    ('discovered_on', models.DateField()),
                    ('consumers', models.PositiveIntegerField()),
                    ('is_encrypted', models.BooleanField()),
                    ('was_key_exposed', models.BooleanField()),
                    ('ftc_notified_on', models.DateField(null=True)),
                    ('resolution', models.CharField(blank=True, max_length=600)),
                    ('opened_at', models.DateTimeField()),
                    ('closed_at', models.DateTimeField(null=True)),
                    ('opened_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'db_table': 'incident',
                    'indexes': [
                        models.Index(fields=['-opened_at'], name='incident_by_time'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Agreement',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('payee', models.CharField(max_length=30)),
                    ('basis', models.CharField(max_length=40)),
                    ('endorses_us', models.BooleanField(default=False)),
                    ('description', models.CharField(max_length=200)),
                    ('cents', models.BigIntegerField()),
                    ('our_cost_pct', models.PositiveSmallIntegerField(null=True)),
                    ('our_benefit_pct', models.PositiveSmallIntegerField(null=True)),
                    ('fair_value_document', models.CharField(blank=True, max_length=200)),
                    ('document', models.CharField(max_length=200)),
                    ('from_date', models.DateField()),
                    ('until_date', models.DateField()),
                    ('decision', models.CharField(max_length=8)),
                    ('reason', models.CharField(max_length=60)),
                    ('entered_at', models.DateTimeField()),
                    ('counsel_document', models.CharField(blank=True, max_length=200)),
                    ('approved_at', models.DateTimeField(null=True)),
                    ('ended_at', models.DateTimeField(null=True)),
                    ('approved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('ended_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('entered_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('partner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='agreements', to='rooftree.partner')),
                    ('source', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='agreements', to='rooftree.source')),
                ],
                options={
                    'db_table': 'agreement',
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(models.Q(('partner', None), ('source__isnull', False)), models.Q(('partner__isnull', False), ('source', None)), _connector='OR'), name='agreement_with_one'),
                        models.CheckConstraint(condition=models.Q(('decision__in', ['allow', 'require'])), name='agreement_never_blocked'),
                        models.CheckConstraint(condition=models.Q(models.Q(('our_benefit_pct', None), ('our_cost_pct', None)), models.Q(('our_benefit_pct__lte', 100), ('our_cost_pct__lte', models.F('our_benefit_pct'))), _connector='OR'), name='agreement_pays_no_more_than_it_gets'),
                        models.CheckConstraint(condition=models.Q(('until_date__gte', models.F('from_date'))), name='agreement_ends_later'),
                        models.CheckConstraint(condition=models.Q(models.Q(('approved_at', None), ('approved_by', None)), models.Q(('approved_at__isnull', False), ('approved_by__isnull', False), models.Q(('approved_by', models.F('entered_by')), _negated=True), models.Q(('counsel_document', ''), _negated=True)), _connector='OR'), name='agreement_approved_by_another'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Finding',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('rule', models.CharField(max_length=8)),
                    ('idempotency_key', models.CharField(max_length=160, unique=True)),
                    ('sentence', models.CharField(max_length=400)),
                    ('link', models.CharField(max_length=200)),
                    ('found_at', models.DateTimeField()),
                    ('closed_at', models.DateTimeField(null=True)),
                    ('conclusion', models.CharField(blank=True, max_length=500)),
                    ('closed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'db_table': 'finding',
                    'indexes': [
                        models.Index(condition=models.Q(('closed_at', None)), fields=['rule'], name='finding_open'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(models.Q(('closed_at', None), ('closed_by', None), ('conclusion', '')), models.Q(('closed_at__isnull', False), ('closed_by__isnull', False), models.Q(('conclusion', ''), _negated=True)), _connector='OR'), name='finding_closed_with_a_conclusion'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='PayPlan',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('number', models.PositiveIntegerField()),
                    ('basis', models.CharField(max_length=60)),
                    ('percent', models.DecimalField(decimal_places=4, max_digits=7, null=True)),
                    ('cents', models.BigIntegerField(null=True)),
                    ('least_cents', models.BigIntegerField(null=True)),
                    ('most_cents', models.BigIntegerField(null=True)),
                    ('bonus_pct', models.DecimalField(decimal_places=2, max_digits=5, null=True)),
                    ('is_paid_by_consumer', models.BooleanField(default=False)),
                    ('is_paid_by_creditor', models.BooleanField(default=True)),
                    ('from_date', models.DateField()),
                    ('document', models.CharField(blank=True, max_length=200)),
                    ('decision', models.CharField(max_length=8)),
                    ('reason', models.CharField(max_length=60)),
                    ('written_at', models.DateTimeField()),
                    ('approved_at', models.DateTimeField(null=True)),
                    ('dropped_at', models.DateTimeField(null=True)),
                    ('approved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('dropped_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('officer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='pay_plans', to='rooftree.loanofficer')),
                    ('written_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'db_table': 'pay_plan',
                    'constraints': [
                        models.UniqueConstraint(fields=('officer', 'number'), name='pay_plan_numbered'),
                        models.UniqueConstraint(condition=models.Q(('approved_at__isnull', False)), fields=('officer', 'from_date'), name='one_pay_plan_a_day'),
                        models.CheckConstraint(condition=models.Q(('decision__in', ['allow', 'require'])), name='pay_plan_never_blocked'),
                        models.CheckConstraint(condition=models.Q(models.Q(('is_paid_by_consumer', True), ('is_paid_by_creditor', False)), models.Q(('is_paid_by_consumer', False), ('is_paid_by_creditor', True)), _connector='OR'), name='pay_plan_paid_by_one_side'),
                        models.CheckConstraint(condition=models.Q(('bonus_pct', None), ('bonus_pct__range', (0, 10)), _connector='OR'), name='pay_plan_profit_bonus'),
                        models.CheckConstraint(condition=models.Q(('least_cents', None), ('most_cents', None), ('least_cents__lte', models.F('most_cents')), _connector='OR'), name='pay_plan_least_below_most'),
                        models.CheckConstraint(condition=models.Q(models.Q(('approved_at', None), ('approved_by', None)), models.Q(('approved_at__isnull', False), ('approved_by__isnull', False), ('dropped_at', None), models.Q(('approved_by', models.F('written_by')), _negated=True), models.Q(('decision', 'allow'), models.Q(('document', ''), _negated=True), _connector='OR')), _connector='OR'), name='pay_plan_approved_by_another'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='CreditClock',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('kind', models.CharField(max_length=16)),
                    ('began_on', models.DateField()),
                    ('due_on', models.DateField()),
                    ('due_at', models.DateTimeField()),
                    ('sentence', models.CharField(max_length=500)),
                    ('evidence', models.JSONField(default=list)),
                    ('alarm_at', models.DateTimeField(null=True)),
                    ('opened_at', models.DateTimeField()),
                    ('closed_at', models.DateTimeField(null=True)),
                    ('outcome', models.CharField(blank=True, max_length=12)),
                    ('proof', models.JSONField(default=dict)),
                    ('idempotency_key', models.CharField(max_length=160, unique=True)),
                    ('closed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('lead', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='credit_clocks', to='rooftree.lead')),
                    ('loan', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='credit_clocks', to='rooftree.loan')),
                    ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'db_table': 'credit_clock',
                    'indexes': [
                        models.Index(condition=models.Q(('closed_at', None)), fields=['alarm_at'], name='clock_alarm_due'),
                        models.Index(condition=models.Q(('closed_at', None)), fields=['due_at'], name='clock_by_due'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(condition=models.Q(('closed_at', None)), fields=('lead', 'kind'), name='one_open_clock_a_kind'),
                        models.CheckConstraint(condition=models.Q(models.Q(('alarm_at__isnull', False), ('closed_at', None), ('outcome', '')), models.Q(('alarm_at', None), ('closed_at__isnull', False), models.Q(('outcome', ''), _negated=True)), _connector='OR'), name='clock_closed_with_a_reason'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='LeadBasis',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('is_authorized', models.BooleanField(default=False)),
                    ('relationship', models.CharField(blank=True, max_length=30)),
                    ('has_opted_out', models.BooleanField(default=False)),
                    ('reference', models.CharField(max_length=200)),
                    ('at', models.DateTimeField()),
                    ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('lead', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='bases', to='rooftree.lead')),
                ],
                options={
                    'db_table': 'lead_basis',
                    'indexes': [
                        models.Index(fields=['lead', 'at'], name='basis_by_lead'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Mailbox',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('host', models.CharField(max_length=200)),
                    ('port', models.PositiveIntegerField()),
                    ('security', models.CharField(max_length=10)),
                    ('user', models.CharField(max_length=200)),
                    ('password', rooftree.db.sealed_text.SealedTextField()),
                    ('folder', models.CharField(max_length=200)),
                    ('validity', models.BigIntegerField()),
                    ('uid', models.BigIntegerField()),
                    ('read_at', models.DateTimeField()),
                    ('taken', models.PositiveIntegerField(default=0)),
                    ('attempts', models.PositiveSmallIntegerField(default=0)),
                    ('due_at', models.DateTimeField(null=True)),
                    ('problem', models.CharField(blank=True, max_length=300)),
                    ('source', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='mailboxes', to='rooftree.source')),
                ],
                options={
                    'db_table': 'mailbox',
                    'constraints': [
                        models.UniqueConstraint(fields=('host', 'user', 'folder'), name='mailbox_once'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='ReleaseMember',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('idempotency_key', models.CharField(max_length=160)),
                    ('added_at', models.DateTimeField(null=True)),
                    ('lead', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='rooftree.lead')),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='rooftree.person')),
                    ('release', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='members', to='rooftree.release')),
                ],
                options={
                    'db_table': 'release_member',
                    'indexes': [
                        models.Index(condition=models.Q(('added_at', None)), fields=['release', 'id'], name='release_member_waiting'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(fields=('release', 'person'), name='once_a_release'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Release',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('kind', models.CharField(max_length=12)),
                    ('title', models.CharField(max_length=200)),
                    ('about', models.JSONField(default=dict)),
                    ('state', models.CharField(default='draft', max_length=10)),
                    ('size', models.PositiveIntegerField(default=0)),
                    ('free_size', models.PositiveIntegerField()),
                    ('canary_size', models.PositiveIntegerField()),
                    ('per_hour', models.PositiveIntegerField()),
                    ('findings', models.JSONField(null=True)),
                    ('made_at', models.DateTimeField()),
                    ('last_added_at', models.DateTimeField()),
                    ('approved_at', models.DateTimeField(null=True)),
                    ('checked_at', models.DateTimeField(null=True)),
                    ('resumed_at', models.DateTimeField(null=True)),
                    ('ended_at', models.DateTimeField(null=True)),
                    ('stop_reason', models.CharField(blank=True, max_length=300)),
                    ('approved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('made_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('stopped_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('resumed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'db_table': 'release',
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'waiting', 'canary', 'looking', 'going', 'done', 'stopped'])), name='release_state_known'),
                        models.CheckConstraint(condition=models.Q(('approved_by', None), ('made_by', None), models.Q(('approved_by', models.F('made_by')), _negated=True), _connector='OR'), name='release_second_person'),
                        models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'waiting', 'stopped']), ('size__lte', models.F('free_size')), models.Q(('approved_at__isnull', False), ('approved_by__isnull', False)), _connector='OR'), name='release_large_approved'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='PrivacyRequest',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('kind', models.CharField(max_length=10)),
                    ('address', models.CharField(max_length=254)),
                    ('state', models.CharField(blank=True, max_length=2)),
                    ('received_via', models.CharField(max_length=20)),
                    ('received_date', models.DateField()),
                    ('due_date', models.DateField()),
                    ('extension_reason', models.CharField(blank=True, max_length=300)),
                    ('extended_at', models.DateTimeField(null=True)),
                    ('identity', models.CharField(blank=True, max_length=200)),
                    ('identified_at', models.DateTimeField(null=True)),
                    ('field', models.CharField(blank=True, max_length=20)),
                    ('old_value', models.CharField(blank=True, max_length=200)),
                    ('new_value', models.CharField(blank=True, max_length=200)),
                    ('notified_recipients', models.CharField(blank=True, max_length=300)),
                    ('kept_classes', models.JSONField(default=list)),
                    ('carried_at', models.DateTimeField(null=True)),
                    ('outcome', models.CharField(blank=True, max_length=10)),
                    ('refusal_reason', models.CharField(blank=True, max_length=300)),
                    ('answered_at', models.DateTimeField(null=True)),
                    ('entered_at', models.DateTimeField()),
                    ('answered_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('entered_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rooftree.person')),
                ],
                options={
                    'db_table': 'privacy_request',
                    'indexes': [
                        models.Index(condition=models.Q(('answered_at', None)), fields=['due_date'], name='request_open'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('kind__in', ['access', 'correction', 'deletion'])), name='request_kind_known'),
                        models.CheckConstraint(condition=models.Q(models.Q(('answered_at', None), ('outcome', '')), models.Q(('answered_at__isnull', False), models.Q(('outcome', ''), _negated=True), ('outcome__in', ['', 'done', 'refused', 'withdrawn'])), _connector='OR'), name='request_answered_somehow'),
                        models.CheckConstraint(condition=models.Q(('carried_at', None), ('identified_at__isnull', False), _connector='OR'), name='request_carried_for_the_right_one'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='Purge',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('reason', models.CharField(max_length=10)),
                    ('on_date', models.DateField()),
                    ('counts', models.JSONField()),
                    ('counted', models.PositiveIntegerField()),
                    ('rules_version', models.CharField(max_length=20)),
                    ('planned_at', models.DateTimeField()),
                    ('requested_at', models.DateTimeField(null=True)),
                    ('approved_at', models.DateTimeField(null=True)),
                    ('ended_at', models.DateTimeField(null=True)),
                    ('approved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('requested_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('request', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='purges', to='rooftree.privacyrequest')),
                ],
                options={
                    'db_table': 'purge',
                    'indexes': [
                        models.Index(condition=models.Q(('approved_at__isnull', False), ('ended_at', None)), fields=['approved_at'], name='purge_under_way'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('reason__in', ['schedule', 'request', 'restore'])), name='purge_cause_known'),
                        models.CheckConstraint(condition=models.Q(('approved_by', None), models.Q(('approved_by', models.F('requested_by')), _negated=True), _connector='OR'), name='purge_approved_by_another'),
                        models.UniqueConstraint(condition=models.Q(('ended_at', None), ('reason', 'schedule')), fields=('reason',), name='one_purge_of_the_schedule'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='PurgeRow',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('position', models.PositiveSmallIntegerField()),
                    ('record_set', models.CharField(max_length=20)),
                    ('row_id', models.UUIDField()),
                    ('event_id', models.UUIDField(null=True)),
                    ('removed_at', models.DateTimeField(null=True)),
                    ('kept_reason', models.CharField(blank=True, max_length=60)),
                    ('purge', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rows', to='rooftree.purge')),
                ],
                options={
                    'db_table': 'purge_row',
                    'indexes': [
                        models.Index(fields=['record_set', 'row_id'], name='purge_row_by_row'),
                        models.Index(condition=models.Q(('kept_reason', ''), ('removed_at', None)), fields=['purge', 'position'], name='purge_row_to_go'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(fields=('purge', 'record_set', 'row_id'), name='purge_row_once_a_purge'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='LegalHold',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('matter', models.CharField(max_length=120)),
                    ('reason', models.CharField(max_length=400)),
                    ('address', models.CharField(blank=True, max_length=254)),
                    ('from_date', models.DateField(null=True)),
                    ('until_date', models.DateField(null=True)),
                    ('placed_at', models.DateTimeField()),
                    ('lifted_at', models.DateTimeField(null=True)),
                    ('lift_reason', models.CharField(blank=True, max_length=400)),
                    ('lifted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rooftree.person')),
                    ('placed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('source', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rooftree.source')),
                ],
                options={
                    'db_table': 'legal_hold',
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('person__isnull', False), models.Q(('address', ''), _negated=True), ('source__isnull', False), models.Q(('from_date__isnull', False), ('until_date__isnull', False)), _connector='OR'), name='hold_is_of_something'),
                        models.CheckConstraint(condition=models.Q(models.Q(('lifted_at', None), ('lifted_by', None)), models.Q(('lift_reason', ''), _negated=True), _connector='OR'), name='hold_lifted_for_a_reason'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='RuleChange',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('number', models.PositiveIntegerField(unique=True)),
                    ('place', models.CharField(max_length=2)),
                    ('item', models.CharField(max_length=40)),
                    ('value', models.TextField(blank=True)),
                    ('from_date', models.DateField()),
                    ('cite', models.CharField(max_length=300)),
                    ('reason', models.CharField(max_length=300)),
                    ('is_looser', models.BooleanField()),
                    ('counsel', models.CharField(blank=True, max_length=200)),
                    ('dry_run', models.JSONField(null=True)),
                    ('tried_at', models.DateTimeField(null=True)),
                    ('written_at', models.DateTimeField()),
                    ('approved_at', models.DateTimeField(null=True)),
                    ('dropped_at', models.DateTimeField(null=True)),
                    ('drop_reason', models.CharField(blank=True, max_length=300)),
                    ('approved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('dropped_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('withdraws', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='withdrawals', to='rooftree.rulechange')),
                    ('written_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'db_table': 'rule_change',
                    'constraints': [
                        models.UniqueConstraint(condition=models.Q(('approved_at', None), ('dropped_at', None)), fields=('place', 'item'), name='one_waiting_rule_change'),
                        models.UniqueConstraint(condition=models.Q(('approved_at__isnull', False)), fields=('withdraws',), name='rule_change_withdrawn_once'),
                        models.CheckConstraint(condition=models.Q(models.Q(('approved_at', None), ('approved_by', None)), models.Q(('approved_at__isnull', False), ('approved_by__isnull', False), models.Q(('approved_by', models.F('written_by')), _negated=True)), _connector='OR'), name='rule_change_second_person'),
                        models.CheckConstraint(condition=models.Q(('approved_at', None), ('dropped_at', None), _connector='OR'), name='rule_change_decided_once'),
                        models.CheckConstraint(condition=models.Q(models.Q(('withdraws', None), models.Q(('value', ''), _negated=True)), models.Q(('value', ''), ('withdraws__isnull', False)), _connector='OR'), name='rule_change_sets_or_withdraws'),
                        models.CheckConstraint(condition=models.Q(('is_looser', False), models.Q(('counsel', ''), _negated=True), _connector='OR'), name='rule_change_looser_has_counsel'),
                        models.CheckConstraint(condition=models.Q(models.Q(('cite', ''), _negated=True), models.Q(('reason', ''), _negated=True)), name='rule_change_says_why'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='NumberService',
                fields=[
                    ('id', models.CharField(max_length=20, primary_key=True, serialize=False)),
                    ('key', rooftree.db.sealed_text.SealedTextField()),
                    ('project', models.CharField(blank=True, max_length=60)),
                    ('covers', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=9), default=list)),
                    ('asks_reassigned', models.BooleanField(default=False)),
                    ('changed_at', models.DateTimeField()),
                    ('answered_at', models.DateTimeField(null=True)),
                    ('failing_since', models.DateTimeField(null=True)),
                    ('problem', models.CharField(blank=True, max_length=300)),
                ],
                options={
                    'db_table': 'number_service',
                },
            ),
            migrations.CreateModel(
                name='NumberQuestion',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('kind', models.CharField(max_length=10)),
                    ('number', models.CharField(max_length=16)),
                    ('since', models.DateField(null=True)),
                    ('asked_at', models.DateTimeField()),
                    ('due_at', models.DateTimeField(null=True)),
                    ('attempts', models.PositiveSmallIntegerField(default=0)),
                    ('problem', models.CharField(blank=True, max_length=300)),
                    ('service', models.CharField(blank=True, max_length=20)),
                    ('answered_at', models.DateTimeField(null=True)),
                    ('response', models.CharField(blank=True, max_length=7)),
                    ('covers', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=9), default=list)),
                    ('listed', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=9), default=list)),
                    ('answer', models.JSONField(null=True)),
                    ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='rooftree.person')),
                ],
                options={
                    'db_table': 'number_question',
                    'indexes': [
                        models.Index(condition=models.Q(('answered_at', None)), fields=['kind', 'due_at'], name='question_due'),
                        models.Index(fields=['number', 'kind', '-answered_at'], name='question_of_number'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(models.Q(('kind', rooftree.compliance.numbers.number_vendor.QuestionKind['LISTS']), ('response', ''), ('since', None)), models.Q(('covers', []), ('kind', rooftree.compliance.numbers.number_vendor.QuestionKind['REASSIGNED']), ('since__isnull', False)), _connector='OR'), name='question_of_its_kind'),
                        models.UniqueConstraint(condition=models.Q(('answered_at', None)), fields=('kind', 'number', 'since', 'person'), name='one_open_question', nulls_distinct=False),
                        models.CheckConstraint(condition=models.Q(models.Q(('answer__isnull', True), ('answered_at', None), ('due_at__isnull', False)), models.Q(('answer__isnull', False), ('answered_at__isnull', False), ('due_at', None)), _connector='OR'), name='question_open_or_answered'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='CallRecording',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('notice', models.CharField(max_length=600)),
                    ('language', models.CharField(max_length=5)),
                    ('call_id', models.CharField(blank=True, max_length=120)),
                    ('notice_played_at', models.DateTimeField(null=True)),
                    ('objected_at', models.DateTimeField(null=True)),
                    ('requested_at', models.DateTimeField(null=True)),
                    ('carrier', models.CharField(blank=True, max_length=20)),
                    ('carrier_id', models.CharField(blank=True, max_length=120)),
                    ('seconds', models.PositiveIntegerField(null=True)),
                    ('ended_at', models.DateTimeField(null=True)),
                    ('erase_from', models.DateTimeField(null=True)),
                    ('erased_at', models.DateTimeField(null=True)),
                    ('due_at', models.DateTimeField(null=True)),
                    ('problem', models.CharField(blank=True, max_length=300)),
                    ('attempt', models.OneToOneField(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='recording', to='rooftree.contactattempt')),
                    ('objected_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'db_table': 'call_recording',
                    'indexes': [
                        models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='recording_due'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('erased_at', None), ('erase_from__isnull', False), _connector='OR'), name='recording_erased_for_a_reason'),
                        models.CheckConstraint(condition=models.Q(('requested_at', None), ('notice_played_at__isnull', False), _connector='OR'), name='recorded_after_notice'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='CrmImport',
                fields=[
                    ('sheet', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='transfer', serialize=False, to='rooftree.spreadsheet')),
                    ('cursor', models.JSONField(null=True)),
                    ('token', rooftree.db.sealed_text.SealedTextField(blank=True)),
                    ('owners', models.JSONField(default=list)),
                    ('officers', models.JSONField(default=dict)),
                    ('stages', models.JSONField(default=dict)),
                    ('declared', models.JSONField(default=dict)),
                    ('listed', models.JSONField(default=dict)),
                    ('before', models.JSONField(default=dict)),
                    ('pages', models.PositiveIntegerField(default=0)),
                    ('attempts', models.PositiveSmallIntegerField(default=0)),
                    ('due_at', models.DateTimeField(null=True)),
                    ('problem', models.CharField(blank=True, max_length=400)),
                    ('read_at', models.DateTimeField(null=True)),
                ],
                options={
                    'db_table': 'crm_import',
                    'indexes': [
                        models.Index(condition=models.Q(('read_at', None)), fields=['due_at'], name='transfer_due'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='DncFolderFile',
                fields=[
                    ('path', models.CharField(max_length=300, primary_key=True, serialize=False)),
                    ('size', models.BigIntegerField()),
                    ('changed_at', models.DateTimeField()),
                    ('seen_at', models.DateTimeField()),
                    ('problem', models.CharField(blank=True, max_length=300)),
                    ('file', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rooftree.dncfile')),
                ],
                options={
                    'db_table': 'dnc_folder_file',
                },
            ),
            migrations.CreateModel(
                name='Enrollment',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('next_step', models.PositiveSmallIntegerField(default=0)),
                    ('due_at', models.DateTimeField(null=True)),
                    ('started_at', models.DateTimeField()),
                    ('ended_at', models.DateTimeField(null=True)),
                    ('end_reason', models.CharField(blank=True, max_length=60)),
                    ('lead', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='enrolments', to='rooftree.lead')),
                    ('sequence', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='enrolments', to='rooftree.sequence')),
                ],
                options={
                    'db_table': 'enrollment',
                    'indexes': [
                        models.Index(condition=models.Q(('ended_at', None)), fields=['due_at'], name='enrolment_due'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('lead',), name='one_live_enrolment_a_lead'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='ExportRequest',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('subject', models.CharField(max_length=80)),
                    ('query', models.CharField(blank=True, max_length=500)),
                    ('number', models.PositiveIntegerField()),
                    ('reason', models.CharField(max_length=300)),
                    ('requested_at', models.DateTimeField()),
                    ('decided_at', models.DateTimeField(null=True)),
                    ('is_refused', models.BooleanField(default=False)),
                    ('downloaded_at', models.DateTimeField(null=True)),
                    ('requested_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'db_table': 'export_request',
                    'indexes': [
                        models.Index(condition=models.Q(('downloaded_at', None), ('is_refused', False)), fields=['requested_by', 'subject'], name='export_open'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('decided_by', None), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='export_decided_by_another'),
                        models.CheckConstraint(condition=models.Q(('downloaded_at', None), models.Q(('decided_at__isnull', False), ('is_refused', False)), _connector='OR'), name='export_taken_once_allowed'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='FairLendingReport',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('month', models.DateField()),
                    ('measure', models.CharField(max_length=20)),
                    ('groups', models.JSONField()),
                    ('at', models.DateTimeField()),
                    ('places', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rooftree.minoritysharefile')),
                ],
                options={
                    'db_table': 'fair_lending_report',
                    'constraints': [
                        models.UniqueConstraint(fields=('month', 'measure'), name='one_fair_report_a_month'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='ImportedActivity',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('kind', models.CharField(max_length=8)),
                    ('key', models.CharField(max_length=200)),
                    ('subject', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=255), default=list)),
                    ('at', models.DateTimeField(null=True)),
                    ('title', models.CharField(blank=True, max_length=300)),
                    ('text', models.TextField(blank=True)),
                    ('direction', models.CharField(blank=True, max_length=3)),
                    ('owner_id', models.CharField(blank=True, max_length=80)),
                    ('by', models.CharField(blank=True, max_length=200)),
                    ('due_at', models.DateTimeField(null=True)),
                    ('is_open', models.BooleanField(default=False)),
                    ('problem', models.CharField(blank=True, max_length=16)),
                    ('lead', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='past', to='rooftree.lead')),
                    ('sheet', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='past', to='rooftree.spreadsheet')),
                    ('source', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='past', to='rooftree.source')),
                ],
                options={
                    'db_table': 'imported_activity',
                    'indexes': [
                        models.Index(fields=['lead', 'at'], name='past_entry_by_lead'),
                        models.Index(condition=models.Q(('lead', None), ('problem', '')), fields=['sheet', 'id'], name='past_entry_waiting'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(fields=('source', 'kind', 'key'), name='past_entry_once'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='MinorityShare',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('key', models.CharField(max_length=80)),
                    ('minority_pct', models.DecimalField(decimal_places=2, max_digits=5)),
                    ('file', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='shares', to='rooftree.minoritysharefile')),
                ],
                options={
                    'db_table': 'minority_share',
                    'constraints': [
                        models.UniqueConstraint(fields=('file', 'key'), name='place_once_a_file'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='MinorityShareFile',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('name', models.CharField(max_length=200)),
                    ('sha256', models.CharField(max_length=64, unique=True)),
                    ('places', models.PositiveIntegerField()),
                    ('loaded_at', models.DateTimeField()),
                    ('loaded_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'db_table': 'minority_share_file',
                },
            ),
            migrations.CreateModel(
                name='PartnerPermission',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('steps', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), default=list)),
                    ('evidence', models.CharField(max_length=200)),
                    ('at', models.DateTimeField()),
                    ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('introduction', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='permissions', to='rooftree.introduction')),
                ],
                options={
                    'db_table': 'partner_permission',
                },
            ),
            migrations.CreateModel(
                name='PossibleDuplicate',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('speaks_for', models.CharField(max_length=300)),
                    ('against', models.CharField(blank=True, max_length=300)),
                    ('number', models.CharField(blank=True, max_length=16)),
                    ('found_at', models.DateTimeField()),
                    ('answer', models.CharField(blank=True, max_length=5)),
                    ('answered_at', models.DateTimeField(null=True)),
                    ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('newer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='rooftree.person')),
                    ('older', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='rooftree.person')),
                ],
                options={
                    'db_table': 'possible_duplicate',
                    'indexes': [
                        models.Index(condition=models.Q(('answer', '')), fields=['found_at'], name='likeness_open'),
                        models.Index(condition=models.Q(('answer', ''), _negated=True), fields=['answered_at'], name='likeness_answered'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(fields=('older', 'newer'), name='likeness_once_a_pair'),
                        models.CheckConstraint(condition=models.Q(models.Q(('answer', ''), ('answered_at', None)), models.Q(('answer__in', ['same', 'two', 'moved']), ('answered_at__isnull', False)), _connector='OR'), name='likeness_answer_known'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='RateLimitCount',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('on_date', models.DateField()),
                    ('count', models.PositiveIntegerField(default=0)),
                    ('last_at', models.DateTimeField()),
                    ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='floods', to='rooftree.source')),
                ],
                options={
                    'db_table': 'rate_limit_count',
                    'constraints': [
                        models.UniqueConstraint(fields=('source', 'on_date'), name='floods_once_a_day'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='RejectionCount',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('adapter', models.CharField(max_length=30)),
                    ('reason', models.CharField(max_length=24)),
                    ('on_date', models.DateField()),
                    ('count', models.PositiveIntegerField(default=0)),
                ],
                options={
                    'db_table': 'rejection_count',
                    'constraints': [
                        models.UniqueConstraint(fields=('adapter', 'reason', 'on_date'), name='rejections_once_a_day'),
                    ],
                },
            ),
            migrations.CreateModel(
                name='RollupDelta',
                fields=[
                    ('id', models.UUIDField(default=rooftree.core.uuid7.uuid7, primary_key=True, serialize=False)),
                    ('idempotency_key', models.CharField(max_length=160, unique=True)),
                    ('arrival_date', models.DateField()),
                    ('event_date', models.DateField()),
                    ('measure', models.CharField(max_length=16)),
                    ('bucket', models.SmallIntegerField(default=0)),
                    ('amount', models.BigIntegerField()),
                    ('folded_at', models.DateTimeField(null=True)),
                    ('branch', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='rooftree.branch')),
                    ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='rooftree.source')),
                ],
                options={
                    'db_table': 'rollup_delta',
                    'indexes': [
                        models.Index(condition=models.Q(('folded_at', None)), fields=['arrival_date'], name='delta_unfolded'),
                    ],
                },
            ),
        ]),
        migrations.RunSQL([
            install_sql(), FENCE, LICENSED, LEDGER, ACCESS_LOG, HASHES, EDITIONS, APPEND_ONLY,
            CLAIM_STEPS, REVIEWED_FACTS, RELEASES, RULE_CHANGES, DOOR,
        ]),
    ]

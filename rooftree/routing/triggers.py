"""Declare the triggers that decide who can have a lead: the invariant *Licensed*.

Nothing here trusts the code above it. A row of `offer` or `ownership` is refused if its officer
was not entitled at the row's own time, `lead.officer` can only mirror the live ownership, and what
a change of license, employment or property state makes unlawful ends in the transaction of that
change, so some of these triggers are on tables of rooms below.

Source of rule: LIC-01 (12 USC 5103; 12 CFR 1007, 1008).
"""

from rooftree.db.triggers import Function, RoomTriggers, Trigger
from rooftree.routing.promise_triggers import PROMISE_FUNCTIONS, PROMISE_TRIGGERS

# The time of a change: the one that the program set for this transaction (`db.trigger_clock`),
# otherwise the current time.
_TRIGGER_TIME = Function(
    name="said_moment",
    sql="""
create or replace function said_moment() returns timestamptz language sql stable as $$
    select coalesce(nullif(current_setting('rooftree.at', true), '')::timestamptz, now())
$$
""",
)

# Why an officer cannot have a lead in a state at a time; null if they can. Locks nothing: whoever
# writes by the answer locks the rows that it depends on first (`refuse_unentitled`).
_ENTITLEMENT_PROBLEM = Function(
    name="entitlement_problem",
    sql="""
create or replace function entitlement_problem(the_officer uuid, the_state text, moment timestamptz)
returns text language plpgsql as $$
declare
    officer loan_officer%rowtype;
    lender company%rowtype;
    day date;
begin
    select * into officer from loan_officer o where o.id = the_officer;
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
      limit 1;
    if not found then
        return 'the company is not licensed in ' || the_state;
    end if;
    perform 1 from license l
      where l.officer_id = the_officer and l.state = the_state and lower(l.status) in ('approved', 'temporary authority')
        and l.from_date <= day and (l.until_date is null or l.until_date > day)
      limit 1;
    if not found then
        return 'the loan officer is not licensed in ' || the_state;
    end if;
    return null;
end $$
""",  # noqa: E501
)

_REFUSE_UNENTITLED = Function(
    name="refuse_unentitled",
    sql="""
create or replace function refuse_unentitled(the_officer uuid, the_lead uuid, moment timestamptz)
returns void language plpgsql as $$
declare
    the_state text;
    problem text;
begin
    -- Nothing that the answer depends on can change between this look and the commit.
    select l.property_state into the_state from lead l where l.id = the_lead for share;
    perform 1 from loan_officer o where o.id = the_officer for share;
    perform 1 from company_license l where l.state = the_state for share;
    perform 1 from license l where l.officer_id = the_officer and l.state = the_state for share;
    problem := entitlement_problem(the_officer, the_state, moment);
    if problem is not null then
        raise exception 'Not allowed: %.', problem
            using errcode = 'check_violation', constraint = 'licensed';
    end if;
end $$
""",
)

_OFFER_LICENSED = Function(
    name="offer_licensed",
    sql="""
create or replace function offer_licensed() returns trigger language plpgsql as $$
begin
    perform refuse_unentitled(
        new.officer_id, new.lead_id, greatest(new.offered_at, coalesce(new.accepted_at, new.offered_at))
    );
    return new;
end $$
""",  # noqa: E501
)

_OWNERSHIP_LICENSED = Function(
    name="ownership_licensed",
    sql="""
create or replace function ownership_licensed() returns trigger language plpgsql as $$
begin
    perform refuse_unentitled(new.officer_id, new.lead_id, new.from_at);
    return new;
end $$
""",
)

_OWNERSHIP_STAYS_ENDED = Function(
    name="ownership_stays_ended",
    sql="""
create or replace function ownership_stays_ended() returns trigger language plpgsql as $$
begin
    raise exception 'An ownership that ended does not begin again; write a new one.'
        using errcode = 'check_violation', constraint = 'licensed';
end $$
""",
)

# `lead.officer_id` and `lead.branch_id` follow the live ownership, whoever writes it.
_MIRROR_OWNERSHIP = Function(
    name="mirror_ownership",
    sql="""
create or replace function mirror_ownership() returns trigger language plpgsql as $$
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
end $$
""",
)

_LEAD_OFFICER_MIRRORS = Function(
    name="lead_officer_mirrors",
    sql="""
create or replace function lead_officer_mirrors() returns trigger language plpgsql as $$
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
end $$
""",
)

# Ends each live offer and ownership that is unlawful at the time of the change, among those of one
# officer, one state or one lead (null: any), and writes an event for each. Leads that are funded or
# archived keep their last owner as history.
_END_UNLAWFUL = Function(
    name="end_unlawful",
    sql="""
create or replace function end_unlawful(
    the_officer uuid, the_state text, the_lead uuid, because text
) returns setof uuid language plpgsql as $$
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
end $$
""",
)

_WATCH_LEAD = Function(
    name="watch_lead",
    sql="""
create or replace function watch_lead() returns trigger language plpgsql as $$
begin
    perform end_unlawful(null, null, new.id, 'property_state_changed');
    return new;
end $$
""",
)

_WATCH_LICENSE = Function(
    name="watch_license",
    sql="""
create or replace function watch_license() returns trigger language plpgsql as $$
begin
    perform end_unlawful(old.officer_id, old.state, null, 'license_changed');
    return null;
end $$
""",
)

_WATCH_COMPANY_LICENSE = Function(
    name="watch_company_license",
    sql="""
create or replace function watch_company_license() returns trigger language plpgsql as $$
begin
    perform end_unlawful(null, old.state, null, 'company_license_changed');
    return null;
end $$
""",
)

_WATCH_EMPLOYMENT = Function(
    name="watch_employment",
    sql="""
create or replace function watch_employment() returns trigger language plpgsql as $$
begin
    perform end_unlawful(new.id, null, null,
        case when new.terminated_at is null then 'sponsorship_changed' else 'terminated' end);
    return null;
end $$
""",
)

_WATCH_COMPANY = Function(
    name="watch_company",
    sql="""
create or replace function watch_company() returns trigger language plpgsql as $$
begin
    perform end_unlawful(null, null, null, 'company_kind_changed');
    return null;
end $$
""",
)

TRIGGERS = RoomTriggers(
    triggers=(
        *PROMISE_TRIGGERS,
        Trigger(
            name="offer_licensed",
            table="offer",
            events="before insert or update of officer_id, lead_id, offered_at, accepted_at",
            function=_OFFER_LICENSED,
        ),
        Trigger(
            name="ownership_licensed",
            table="ownership",
            events="before insert or update of officer_id, lead_id, from_at",
            function=_OWNERSHIP_LICENSED,
        ),
        Trigger(
            name="ownership_stays_ended",
            table="ownership",
            events="before update of until_at",
            function=_OWNERSHIP_STAYS_ENDED,
            condition="old.until_at is not null and new.until_at is null",
        ),
        Trigger(
            name="mirror_ownership",
            table="ownership",
            events="after insert or delete or update of until_at, officer_id, lead_id",
            function=_MIRROR_OWNERSHIP,
        ),
        Trigger(
            name="lead_officer_mirrors",
            table="lead",
            events="before insert or update of officer_id",
            function=_LEAD_OFFICER_MIRRORS,
        ),
        Trigger(
            name="watch_lead",
            table="lead",
            events="after update of property_state, state",
            function=_WATCH_LEAD,
            condition=(
                "old.property_state is distinct from new.property_state"
                " and new.property_state <> ''"
                " or old.state in ('funded', 'retired') and new.state not in ('funded', 'retired')"
            ),
        ),
        Trigger(
            name="watch_license",
            table="license",
            events="after update or delete",
            function=_WATCH_LICENSE,
        ),
        Trigger(
            name="watch_company_license",
            table="company_license",
            events="after update or delete",
            function=_WATCH_COMPANY_LICENSE,
        ),
        Trigger(
            name="watch_employment",
            table="loan_officer",
            events="after update of terminated_at, sponsored_from_date, nmls_id, zone",
            function=_WATCH_EMPLOYMENT,
        ),
        Trigger(
            name="watch_company",
            table="company",
            events="after update of kind",
            function=_WATCH_COMPANY,
            condition="old.kind is distinct from new.kind",
        ),
    ),
    functions=(
        _TRIGGER_TIME,
        _ENTITLEMENT_PROBLEM,
        _REFUSE_UNENTITLED,
        _END_UNLAWFUL,
        *PROMISE_FUNCTIONS,
    ),
)

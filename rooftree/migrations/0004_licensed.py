"""The database's own guard over who may have a lead: invariant *Licensed*.

Nothing below trusts the code above it. A row of `offer` or `ownership` is
refused when its officer was not entitled at the row's own moment, `lead.officer`
can only mirror the live ownership, and whatever a change of license, employment
or property state makes unlawful is ended in the transaction of that change.

Source of rule: LIC-01 (12 USC 5103; 12 CFR 1007, 1008).
"""

from django.db import migrations

FORWARD = r"""
create index lead_open_by_officer on lead (officer_id)
    where officer_id is not null and first_talk_at is null and state in ('new', 'working');
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
      where l.officer_id = the_officer and l.state = the_state and lower(l.status) = 'approved'
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
        new.officer_id, new.lead_id, greatest(new.offered_at, coalesce(new.taken_at, new.offered_at))
    );
    return new;
end $$;

create trigger offer_licensed before insert or update of officer_id, lead_id, offered_at, taken_at
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
             where o.taken_at is null and o.passed_at is null and o.lapsed_at is null
               and (the_officer is null or o.officer_id = the_officer)
               and (the_state is null or l.property_state = the_state)
               and (the_lead is null or l.id = the_lead)
        ) live
        where entitlement_problem(live.officer_id, live.property_state, moment) is not null
        order by 1, 2
    loop
        for ended in
            with lapsed as (
                update offer o set lapsed_at = greatest(moment, o.offered_at), ended_because = because
                  from lead l
                 where l.id = o.lead_id and o.officer_id = pair.officer_id
                   and l.property_state = pair.property_state
                   and (the_lead is null or l.id = the_lead)
                   and o.taken_at is null and o.passed_at is null and o.lapsed_at is null
                returning o.lead_id, o.id, 'routing.offer.lapsed' as kind
            ), released as (
                update ownership w set until_at = greatest(moment, w.from_at), ended_because = because
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

BACKWARD = """
drop trigger watch_company on company;
drop trigger watch_employment on loan_officer;
drop trigger watch_company_license on company_license;
drop trigger watch_license on license;
drop trigger watch_lead on lead;
drop trigger lead_officer_mirrors on lead;
drop trigger mirror_ownership on ownership;
drop trigger ownership_stays_ended on ownership;
drop trigger ownership_licensed on ownership;
drop trigger offer_licensed on offer;
drop function watch_company, watch_employment, watch_company_license, watch_license, watch_lead,
    lead_officer_mirrors, mirror_ownership, ownership_stays_ended, ownership_licensed,
    offer_licensed, end_unlawful, refuse_unentitled, entitlement_problem, said_moment;
drop index ownership_by_start, lead_open_by_officer;
"""


class Migration(migrations.Migration):
    dependencies = [("rooftree", "0003_reversals")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

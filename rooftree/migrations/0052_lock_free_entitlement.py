"""The question whether an officer can have a lead locks no rows; the triggers that ask lock them.

`rooftree check` asks it about every live offer and ownership, and must wait for nobody.
"""

from django.db import migrations

ENTITLEMENT_PROBLEM = """
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
"""
REFUSE_UNENTITLED = """
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
"""
FORMER_ENTITLEMENT_PROBLEM = """
create or replace function entitlement_problem(the_officer uuid, the_state text, moment timestamptz)
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
end $$
"""
FORMER_REFUSE_UNENTITLED = """
create or replace function refuse_unentitled(the_officer uuid, the_lead uuid, moment timestamptz)
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
end $$
"""


class Migration(migrations.Migration):

    dependencies = [
        ('rooftree', '0049_undo_snooze'),
    ]

    operations = [
        migrations.RunSQL(
            [ENTITLEMENT_PROBLEM, REFUSE_UNENTITLED],
            [FORMER_ENTITLEMENT_PROBLEM, FORMER_REFUSE_UNENTITLED],
        ),
    ]

"""The tables of arrivals and imports, for retention."""
# ruff: noqa: S608 (no user input)

from rooftree.db.record_sets import (
    ADS_CLASS,
    CONSENT_CLASS,
    LEAD_FILE_CLASS,
    Clock,
    RecordSet,
    RecordSetPart,
    RoomRecords,
)

_PROVES_CONSENT = (
    "exists (select from consent c where c.delivery_id = r.id and c.status = 'granted')"
)
_LAST_USED_AT = """greatest(r.received_at,
    (select max(a.at) from touch t join contact_attempt a on a.person_id = t.person_id
      where t.delivery_id = r.id),
    (select max(l.last_inquiry_at) from touch t join lead l on l.id = t.lead_id
      where t.delivery_id = r.id))"""
# Deliveries without a touch of their own go with the first one: repeats of the same bytes (within a
# month; no vendor repeats for longer) and all later messages of the conversation it started.
_DELIVERY_AND_REPEATS = """(select unnest(%(ids)s::uuid[])
    union all select d.id from delivery r join delivery d
        on d.source_id = r.source_id and d.body_sha256 = r.body_sha256 and d.state = 'duplicate'
       and d.received_at between r.received_at and r.received_at + interval '30 days'
     where r.id = any(%(ids)s)
    union all select (e.data->>'delivery')::uuid from touch t join event e
        on e.lead_id = t.lead_id and e.kind = 'capture.touch.amended'
       and e.data->>'touch' = t.id::text
     where t.delivery_id = any(%(ids)s))"""
_DELIVERY = RecordSet(
    name="delivery",
    table="delivery",
    created_column="received_at",
    record_class=CONSENT_CLASS,
    condition="r.state <> 'received'",
    clocks=(
        Clock(record_class=CONSENT_CLASS, starts_at=_LAST_USED_AT, condition=_PROVES_CONSENT),
        Clock(
            record_class=LEAD_FILE_CLASS,
            starts_at=_LAST_USED_AT,
            condition=f"not {_PROVES_CONSENT}",
        ),
    ),
    people_sql="array(select t.person_id from touch t where t.delivery_id = r.id)",
    requester_condition="""r.id in (select t.delivery_id from touch t
        where t.person_id = any(%(people)s)) and not exists (select from touch t
        where t.delivery_id = r.id and t.person_id <> all(%(people)s))""",
    removal_statements=(
        """delete from certificate where touch_id in
             (select id from touch where delivery_id = any(%(ids)s))""",
        """delete from form_certificate where touch_id in
             (select id from touch where delivery_id = any(%(ids)s))""",
        f"""update retrieval set path = 'not kept ' || id, query = '[]', body = '', problem = ''
             where delivery_id in {_DELIVERY_AND_REPEATS}""",
        f"update delivery_key set answer_body = '' where delivery_id in {_DELIVERY_AND_REPEATS}",
        f"""update delivery set query = '{{}}', headers = '{{}}', body = '', remote_addr = null,
                warnings = '{{}}', problem = '' where id in {_DELIVERY_AND_REPEATS}""",
    ),
    remains_condition="r.body <> '' or r.headers <> '{}' or r.query <> '{}'",
)
_SPREADSHEET = RecordSet(
    name="spreadsheet",
    table="spreadsheet",
    created_column="uploaded_at",
    record_class=LEAD_FILE_CLASS,
    clocks=(
        Clock(
            record_class=LEAD_FILE_CLASS,
            starts_at="case when r.state in ('done', 'dropped') "
            "then coalesce(r.ended_at, r.uploaded_at) end",
        ),
    ),
    people_sql="""array(select distinct t.person_id from imported_row i
        join touch t on t.delivery_id = i.delivery_id where i.spreadsheet_id = r.id)""",
    removal_statements=(
        "delete from imported_activity where lead_id is null and sheet_id = any(%(ids)s)",
        "delete from spreadsheet_part where spreadsheet_id = any(%(ids)s)",
        """update spreadsheet set file_name = 'no longer kept', findings = '{}', remarks = '[]'
             where id = any(%(ids)s)""",
    ),
    remains_condition="""r.findings <> '{}'
        or exists (select from spreadsheet_part p where p.spreadsheet_id = r.id)""",
)

RECORDS = RoomRecords(
    tables_by_class={
        LEAD_FILE_CLASS: (
            *("imported_activity", "spreadsheet", "spreadsheet_part", "imported_row"),
            # These have shorter periods of their own: days or minutes.
            *("form_draft", "placed_bid", "sweep"),
        ),
        CONSENT_CLASS: ("retrieval", "certificate", "form_certificate"),
        ADS_CLASS: ("form_page",),
    },
    tables_about_nobody=(
        *("baseline", "map_edition", "mailbox", "crm_import", "certificate_account"),
        "form_version",  # consents point at it
    ),
    record_sets=(_DELIVERY, _SPREADSHEET),
    parts=(
        RecordSetPart(
            record_set="lead",
            removal_statements=("delete from imported_activity where lead_id = any(%(ids)s)",),
        ),
    ),
)

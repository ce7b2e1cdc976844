"""All carriers. To add one, write its module and add a line here.

A carrier is a module with `Settings`, `send_text`, `find_text`, `place_call`, `find_call_end`,
`start_recording`, `list_recordings`, `erase_recordings`, `parse_status`, `parse_recording` and
`parse_inbound`.
"""

CARRIERS = {
    "twilio": "rooftree.outreach.media.twilio",
    "console": "rooftree.outreach.media.console",
    "none": "rooftree.outreach.media.no_carrier",
}

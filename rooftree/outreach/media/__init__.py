"""Every carrier. To add one: write its file, then add its line here.

A carrier is a module with `Settings`, `send_text`, `find_text`, `place_call`,
`parse_status` and `parse_inbound`.
"""

CARRIERS = {
    "twilio": "rooftree.outreach.media.twilio",
    "console": "rooftree.outreach.media.console",
}

"""Every LOS we can hand a loan to. To add an LOS, write its file, then add its line here.

An adapter is one class, without Django, with `create_loan`, `find_by_lead_id`,
`read_loan` and `find_changed_since`. It raises the errors of `core.vendor_errors`.
"""

ADAPTERS = {
    "encompass": "rooftree.los.adapters.encompass:Encompass",
}

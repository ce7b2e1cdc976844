"""Every LOS we can hand a loan to. To add one: write its file, then add its line here.

An adapter is one class, without Django, that can `create`, `find_by_lead_id`,
`read` and say what `changed_since`. It raises the failures of `core.failures`.
"""

ADAPTERS = {
    "encompass": "rooftree.los.adapters.encompass:Encompass",
}

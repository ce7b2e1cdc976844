"""The invariant of removals, in the form of the other invariants."""

from datetime import datetime

from rooftree.reporting.invariants import Finding, build_finding
from rooftree.retention import purge_proof


def check_removals(at: datetime) -> Finding:
    """Check that exactly the records listed as removed are gone, and that nothing dangles."""
    proof = purge_proof.prove_purges()
    return build_finding(
        "purged",
        [(problem,) for problem in proof.problems],
        f"All {proof.removed} removed records are gone, as the ledger says.",
        "{n} records differ from what the ledger says was removed.",
        figures={"removed": proof.removed, "slices": proof.slices},
    )

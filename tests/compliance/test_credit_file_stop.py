"""The stop of messages while the status of a loan has no meaning here."""

import pytest

from rooftree.compliance.gate.credit_file_stop import check_credit_stop
from rooftree.compliance.gate.facts import Purpose
from rooftree.compliance.gate.verdict import Decision
from tests.compliance.usual import facts


@pytest.mark.parametrize("purpose", ["marketing", "informational", "transactional"])
def test_unmapped_status_holds_automatic_messages(purpose):
    ruling = check_credit_stop(facts(credit_stop="unmapped", purpose=Purpose(purpose)))

    assert (ruling.decision, ruling.reason) == (Decision.REQUIRE, "loan_status_unmapped")


def test_unmapped_status_holds_what_a_suspended_file_alone_would_let_go():
    both = "suspended+unmapped"
    update = {"purpose": Purpose.TRANSACTIONAL, "has_promo": False}
    assert check_credit_stop(facts(credit_stop="suspended", **update)) is None

    held = check_credit_stop(facts(credit_stop=both, **update))
    blocked = check_credit_stop(facts(credit_stop=both, purpose=Purpose.MARKETING))

    assert (held.decision, held.reason) == (Decision.REQUIRE, "loan_status_unmapped")
    assert (blocked.decision, blocked.reason) == (Decision.BLOCK, "file_suspended")
    assert check_credit_stop(facts(credit_stop=both, is_automated=False, **update)) is None
    by_hand = facts(credit_stop="denied+unmapped", purpose=Purpose.MARKETING, is_automated=False)
    assert check_credit_stop(by_hand).reason == "file_denied"


@pytest.mark.parametrize(
    "changes",
    [{"is_automated": False}, {"purpose": Purpose.CONFIRMATION}, {"purpose": Purpose.LEGAL_NOTICE}],
)
def test_unmapped_status_leaves_staff_confirmations_and_notices_alone(changes):
    assert check_credit_stop(facts(credit_stop="unmapped", **changes)) is None

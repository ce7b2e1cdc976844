"""The gate: verdicts per second on complete facts, in one thread, without the database.

A message is decided at least twice with the same wording. So both cases are measured:
wording that the process has checked before, and new wording.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from measurements import parse_options, report_results
from temp_installation import open_installation

SIZES = {"verdicts": (2_000, "decisions to make, half texts and half emails")}
FLOOR_TURNS = 20


def main() -> None:
    """Load the stored facts of one lead's messages, and decide them again."""
    options = parse_options(__doc__, **SIZES)
    with open_installation():
        facts = _load_stored_facts()

        started_at = time.process_time()
        for _ in range(FLOOR_TURNS):
            for fact in facts:
                hash(repr(fact))
        floor = len(facts) * FLOOR_TURNS / (time.process_time() - started_at)
        rate = _verdicts_per_s([facts[n % len(facts)] for n in range(options.verdicts)])
        new_rate = _verdicts_per_s(
            [_with_new_text(facts[n % len(facts)], n) for n in range(options.verdicts)]
        )
    report_results(
        options,
        "gate",
        verdicts_per_s=round(rate),
        ms_a_verdict=round(1e3 / rate, 3),
        on_new_words_per_s=round(new_rate),
        floor_reprs_per_s=round(floor),
        ratio_to_floor=round(rate / floor, 2),
        facts_in_turn=len(facts),
    )


def _verdicts_per_s(facts: Sequence[Any]) -> float:
    from rooftree.compliance.gate import message_gate

    began = time.process_time()
    for fact in facts:
        message_gate.decide(fact)
    return len(facts) / (time.process_time() - began)


def _with_new_text(facts: Any, n: int) -> Any:
    """Return the same facts with wording the process has not checked yet."""
    return replace(facts, text=f"{facts.text}\n{n}")


def _load_stored_facts() -> list:
    """Store one lead and return the facts of its text and email, as they were decided."""
    import lender_setup

    from rooftree.compliance.gate import message_gate
    from rooftree.compliance.gate.facts_json import facts_from_json
    from rooftree.compliance.models import Verdict
    from rooftree.flow import clock
    from rooftree.tasks.drain_queue import run_queued_tasks

    lender_setup.create_company(officers=3)
    site = lender_setup.create_website_source()
    with clock.freeze(lender_setup.NOON):
        lender_setup.store_delivery(site, lender_setup.form_post(1))
        run_queued_tasks(by=lender_setup.NOON)
    loaded = []
    for decision, facts in Verdict.objects.values_list("decision", "facts"):
        loaded.append(facts_from_json(facts))
        new_decision = message_gate.decide(loaded[-1]).decision
        if not decision == new_decision == "allow":
            raise RuntimeError(f"The gate decided {decision} first and {new_decision} now.")
    return loaded


if __name__ == "__main__":
    main()

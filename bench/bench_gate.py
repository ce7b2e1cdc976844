"""The gate: verdicts a second on total facts, in one thread; nothing is read or stored.

A message is decided on twice at least, with the same words. So both are measured: words that
the process has read before, and words that it meets for the first time.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from measurements import parse_options, report_results
from temp_installation import open_installation

SIZES = {"verdicts": (2_000, "decisions to make, half texts and half e-mails")}
FLOOR_TURNS = 20


def main() -> None:
    """Take the facts that production stored for one lead's messages, and decide them again."""
    asked = parse_options(__doc__, **SIZES)
    with open_installation():
        facts = _load_stored_facts()

        began = time.process_time()
        for _ in range(FLOOR_TURNS):
            for fact in facts:
                hash(repr(fact))
        floor = len(facts) * FLOOR_TURNS / (time.process_time() - began)
        rate = _verdicts_per_s([facts[n % len(facts)] for n in range(asked.verdicts)])
        unread = _verdicts_per_s(
            [_with_new_text(facts[n % len(facts)], n) for n in range(asked.verdicts)]
        )
    report_results(
        asked,
        "gate",
        verdicts_per_s=round(rate),
        ms_a_verdict=round(1e3 / rate, 3),
        on_new_words_per_s=round(unread),
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
    """The same facts of a message that nobody has read yet."""
    return replace(facts, text=f"{facts.text}\n{n}")


def _load_stored_facts() -> list:
    """The facts of a text and an e-mail, as they were decided on."""
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
    found = []
    for decision, facts in Verdict.objects.values_list("decision", "facts"):
        found.append(facts_from_json(facts))
        again = message_gate.decide(found[-1]).decision
        if not decision == again == "allow":
            raise RuntimeError(f"The gate said {decision}, and now {again}.")
    return found


if __name__ == "__main__":
    main()

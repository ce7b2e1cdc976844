"""The gate: verdicts a second on total facts, in one thread; nothing is read or stored.

A message is decided on twice at least, with the same words. So both are measured: words that
the process has read before, and words that it meets for the first time.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from readings import options, say
from scratch import open_installation

SIZES = {"verdicts": (2_000, "decisions to make, half texts and half e-mails")}
FLOOR_TURNS = 20


def main() -> None:
    """Take the facts that production stored for one lead's messages, and decide them again."""
    asked = options(__doc__, **SIZES)
    with open_installation():
        facts = _stored_facts()

        began = time.process_time()
        for _ in range(FLOOR_TURNS):
            for one in facts:
                hash(repr(one))
        floor = len(facts) * FLOOR_TURNS / (time.process_time() - began)
        rate = _verdicts_per_s([facts[n % len(facts)] for n in range(asked.verdicts)])
        unread = _verdicts_per_s(
            [_said_anew(facts[n % len(facts)], n) for n in range(asked.verdicts)]
        )
    say(
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
    from rooftree.compliance import gate

    began = time.process_time()
    for one in facts:
        gate.decide(one)
    return len(facts) / (time.process_time() - began)


def _said_anew(facts: Any, n: int) -> Any:
    """The same facts of a message that nobody has read yet."""
    return replace(facts, text=f"{facts.text}\n{n}")


def _stored_facts() -> list:
    """The facts of a text and an e-mail, as they were decided on."""
    import company

    from rooftree.compliance import gate
    from rooftree.compliance.facts_json import from_json
    from rooftree.compliance.models import Verdict
    from rooftree.flow import moment
    from rooftree.tasks.drain import drain

    company.found(officers=3)
    site = company.website()
    with moment.at(company.NOON):
        company.arrive(site, company.form_post(1))
        drain(by=company.NOON)
    found = []
    for decision, facts in Verdict.objects.values_list("decision", "facts"):
        found.append(from_json(facts))
        again = gate.decide(found[-1]).decision
        if not decision == again == "allow":
            raise RuntimeError(f"The gate said {decision}, and now {again}.")
    return found


if __name__ == "__main__":
    main()

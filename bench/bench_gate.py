"""The gate: verdicts a second on total facts, in one thread; nothing is read or stored."""

import time

from readings import options, say
from scratch import open_installation

SIZES = {"verdicts": (2_000, "decisions to make, half texts and half e-mails")}
FLOOR_TURNS = 20


def main() -> None:
    """Take the facts that production stored for one lead's messages, and decide them again."""
    asked = options(__doc__, **SIZES)
    with open_installation():
        facts = _stored_facts()
        from rooftree.compliance import gate

        began = time.process_time()
        for _ in range(FLOOR_TURNS):
            for one in facts:
                hash(repr(one))
        floor = len(facts) * FLOOR_TURNS / (time.process_time() - began)
        began = time.process_time()
        for n in range(asked.verdicts):
            gate.decide(facts[n % len(facts)])
        rate = asked.verdicts / (time.process_time() - began)
    say(
        asked,
        "gate",
        verdicts_per_s=round(rate),
        ms_a_verdict=round(1e3 / rate, 3),
        floor_reprs_per_s=round(floor),
        ratio_to_floor=round(rate / floor, 2),
        facts_in_turn=len(facts),
    )


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

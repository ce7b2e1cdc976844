"""A burst: leads come as fast as they are taken; when was the last of them answered and owned?"""

import time

from bench_worked import baseline_inserts_per_second
from full_system import open_full_system
from load_generator import post_number
from measurements import parse_options, quantile, report_results

SIZES = {
    "leads": (60, "leads in the burst; the goal is for 10000"),
    "people": (1_000, "people on file before"),
    "officers": (40, "loan officers"),
    "consent": (50, "percent of leads that prove consent to texts"),
    "threads": (6, "tasks at once in the worker"),
    "connections": (8, "connections that post at once"),
}


def main() -> None:
    """Post them all, wait for the last text at the carrier and the last officer."""
    asked = parse_options(__doc__, **SIZES)
    kinds = {name: getattr(asked, name) for name in ("people", "officers", "consent", "threads")}
    with open_full_system(**kinds) as whole:
        floor = baseline_inserts_per_second(whole.here.address)
        began, before, size = time.time(), whole.cpu_by_part(), whole.size()
        posts = post_number(whole.target, connections=asked.connections, number=asked.leads)
        taken = time.time() - began
        whole.wait()
        lasted = time.time() - began
        used = {name: value - before[name] for name, value in whole.cpu_by_part().items()}
        texts = [at - began for at in whole.texts().values()]
        grown = whole.size() - size
    report_results(
        asked,
        "burst",
        accepted_in_s=round(taken, 1),
        accepting=posts,
        first_texts_s={
            "p50": round(quantile(texts, 0.5), 1),
            "p95": round(quantile(texts, 0.95), 1),
            "last": round(max(texts), 1),
        },
        all_worked_in_s=round(lasted, 1),
        leads_per_s=round(asked.leads / lasted, 1),
        inserts_a_lead_costs=round(floor * lasted / asked.leads, 1),
        disk_kb_a_lead=round(grown / asked.leads / 1000, 1),
        cpu_ms_a_lead={name: round(one / asked.leads * 1e3, 1) for name, one in used.items()},
    )


if __name__ == "__main__":
    main()

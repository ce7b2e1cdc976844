"""A burst of leads, posted as fast as they are accepted: time until the last one is worked."""

import time

from bench_worked import baseline_inserts_per_second
from full_system import open_full_system
from load_generator import post_number
from measurements import parse_options, quantile, report_results

SIZES = {
    "leads": (60, "leads in the burst; the goal is set for 10000"),
    "people": (1_000, "people already on file"),
    "officers": (40, "loan officers"),
    "consent": (50, "percent of leads that prove consent to texts"),
    "threads": (6, "concurrent tasks in the worker"),
    "connections": (8, "concurrent connections"),
}


def main() -> None:
    """Post all leads, then wait for the last text at the carrier and the last officer."""
    options = parse_options(__doc__, **SIZES)
    setup = {name: getattr(options, name) for name in ("people", "officers", "consent", "threads")}
    with open_full_system(**setup) as system:
        floor = baseline_inserts_per_second(system.installation.address)
        started_at, before, size = time.time(), system.cpu_by_part(), system.size()
        posts = post_number(system.target, connections=options.connections, number=options.leads)
        accepted_s = time.time() - started_at
        system.wait()
        worked_s = time.time() - started_at
        used = {name: value - before[name] for name, value in system.cpu_by_part().items()}
        texts = [at - started_at for at in system.texts().values()]
        grown = system.size() - size
    report_results(
        options,
        "burst",
        accepted_in_s=round(accepted_s, 1),
        accepting=posts,
        first_texts_s={
            "p50": round(quantile(texts, 0.5), 1),
            "p95": round(quantile(texts, 0.95), 1),
            "last": round(max(texts), 1),
        },
        all_worked_in_s=round(worked_s, 1),
        leads_per_s=round(options.leads / worked_s, 1),
        inserts_a_lead_costs=round(floor * worked_s / options.leads, 1),
        disk_kb_a_lead=round(grown / options.leads / 1000, 1),
        cpu_ms_a_lead={
            name: round(seconds / options.leads * 1e3, 1) for name, seconds in used.items()
        },
    )


if __name__ == "__main__":
    main()

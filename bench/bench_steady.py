"""Time from the post to the carrier's request and to the officer, at a steady pace of leads."""

from full_system import open_full_system
from load_generator import post_at_pace
from measurements import latency_summary, parse_options, report_results

SIZES = {
    "pace": (3, "leads per second"),
    "seconds": (15, "seconds of posting"),
    "people": (1_000, "people already on file"),
    "officers": (40, "loan officers"),
    "consent": (50, "percent of leads that prove consent to texts"),
    "threads": (6, "concurrent tasks in the worker"),
}
WARMUP = {"connections": 2, "seconds": 3, "pace": 2.0}


def main() -> None:
    """Warm up, post leads, wait until all are worked, and compute the delays."""
    options = parse_options(__doc__, **SIZES)
    setup = {name: getattr(options, name) for name in ("people", "officers", "consent", "threads")}
    with open_full_system(**setup) as system:
        post_at_pace(system.target, **WARMUP)
        system.wait()
        warmup_numbers, before = set(system.target.sent_at), system.cpu_by_part()
        warmup_owned = len(system.owner_delays())
        posts = post_at_pace(
            system.target, connections=8, seconds=options.seconds, pace=options.pace
        )
        system.wait()
        used = {name: value - before[name] for name, value in system.cpu_by_part().items()}
        sent_at, texts = system.target.sent_at, system.texts()
        to_carrier = [at - sent_at[n] for n, at in texts.items() if n not in warmup_numbers]
        to_officer = system.owner_delays()[warmup_owned:]
    report_results(
        options,
        "steady",
        accepted=posts,
        capture_to_carrier=latency_summary(to_carrier) | {"texts": len(to_carrier)},
        create_to_owner=latency_summary(to_officer) | {"leads": len(to_officer)},
        cpu_ms_a_lead={
            name: round(seconds / posts["posts"] * 1e3, 1) for name, seconds in used.items()
        },
    )


if __name__ == "__main__":
    main()

"""From the post to the carrier's request, and to the officer, while leads come at a steady pace."""

from full_system import open_full_system
from load_generator import post_at_pace
from measurements import latency_summary, parse_options, report_results

SIZES = {
    "pace": (3, "leads a second"),
    "seconds": (15, "seconds for which they come"),
    "people": (1_000, "people on file before"),
    "officers": (40, "loan officers"),
    "consent": (50, "percent of leads that prove consent to texts"),
    "threads": (6, "tasks at once in the worker"),
}
WARMUP = {"connections": 2, "seconds": 3, "pace": 2.0}


def main() -> None:
    """Warm up, let leads come, wait for the end of the work, and read both clocks."""
    asked = parse_options(__doc__, **SIZES)
    kinds = {name: getattr(asked, name) for name in ("people", "officers", "consent", "threads")}
    with open_full_system(**kinds) as whole:
        post_at_pace(whole.target, **WARMUP)
        whole.wait()
        early, before = set(whole.target.left_at), whole.cpu_by_part()
        already = len(whole.owned())
        posts = post_at_pace(whole.target, connections=8, seconds=asked.seconds, pace=asked.pace)
        whole.wait()
        used = {name: value - before[name] for name, value in whole.cpu_by_part().items()}
        left, texts = whole.target.left_at, whole.texts()
        to_carrier = [at - left[n] for n, at in texts.items() if n not in early]
        to_officer = whole.owned()[already:]
    report_results(
        asked,
        "steady",
        accepted=posts,
        capture_to_carrier=latency_summary(to_carrier) | {"texts": len(to_carrier)},
        create_to_owner=latency_summary(to_officer) | {"leads": len(to_officer)},
        cpu_ms_a_lead={name: round(one / posts["posts"] * 1e3, 1) for name, one in used.items()},
    )


if __name__ == "__main__":
    main()

"""From the post to the carrier's request, and to the officer, while leads come at a steady pace."""

from readings import options, say, spread
from traffic import paced
from whole import open_whole

SIZES = {
    "pace": (3, "leads a second"),
    "seconds": (15, "seconds for which they come"),
    "people": (1_000, "people on file before"),
    "officers": (40, "loan officers"),
    "consent": (50, "percent of leads that prove consent to texts"),
    "threads": (6, "tasks at once in the worker"),
}
WARM = {"connections": 2, "seconds": 3, "pace": 2.0}


def main() -> None:
    """Warm up, let leads come, wait for the end of the work, and read both clocks."""
    asked = options(__doc__, **SIZES)
    kinds = {name: getattr(asked, name) for name in ("people", "officers", "consent", "threads")}
    with open_whole(**kinds) as whole:
        paced(whole.target, **WARM)
        whole.wait()
        early, before = set(whole.target.left_at), whole.cpu()
        already = len(whole.owned())
        posts = paced(whole.target, connections=8, seconds=asked.seconds, pace=asked.pace)
        whole.wait()
        used = {name: value - before[name] for name, value in whole.cpu().items()}
        left, texts = whole.target.left_at, whole.texts()
        to_carrier = [at - left[n] for n, at in texts.items() if n not in early]
        to_officer = whole.owned()[already:]
    say(
        asked,
        "steady",
        accepted=posts,
        capture_to_carrier=spread(to_carrier) | {"texts": len(to_carrier)},
        create_to_owner=spread(to_officer) | {"leads": len(to_officer)},
        cpu_ms_a_lead={name: round(one / posts["posts"] * 1e3, 1) for name, one in used.items()},
    )


if __name__ == "__main__":
    main()

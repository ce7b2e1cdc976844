"""The worker of a benchmark: the product's own, with the clock at noon, when texts are lawful."""

import asyncio

import django

django.setup()


def main() -> None:
    """Work until stopped, as `rooftree worker` does, with the clock at noon."""
    from lender_setup import NOON

    from rooftree.core.process_supervisor import exit_with_parent
    from rooftree.flow import clock
    from rooftree.management.commands.worker import _run_until_signal

    exit_with_parent()
    with clock.freeze(NOON):
        asyncio.run(_run_until_signal())


main()

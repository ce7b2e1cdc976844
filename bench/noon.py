"""The worker process of a benchmark: the product's own, at an hour when texts are lawful."""

import asyncio

import django

django.setup()


def main() -> None:
    """Work until asked to stop, as `rooftree worker` does, with the clock at noon."""
    from company import NOON

    from rooftree.core.supervise import follow_parent
    from rooftree.flow import moment
    from rooftree.management.commands.worker import _until_asked

    follow_parent()
    with moment.at(NOON):
        asyncio.run(_until_asked())


main()

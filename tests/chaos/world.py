"""The lender of a life, and the faults of its simulated vendors. Needs Django set up."""

from datetime import UTC, datetime

from django.db import transaction

from rooftree.los import adapter_pool
from rooftree.org.models import LoanOfficer
from rooftree_demo import actors, demo_company
from rooftree_demo.simulator_addresses import SimulatorAddresses
from rooftree_demo.simulator_client import SimulatorClient
from rooftree_simulators.start_simulators import Simulators
from tests.make import AROUND_THE_CLOCK

TEXTS = {"method": "POST", "path_regex": "Messages"}
CALLS = {"method": "POST", "path_regex": "Calls"}
ALL_REQUESTS = {"method": "", "path_regex": "."}
FAULTS = {
    "twilio": [
        (TEXTS, "status:429", 0.06),
        (TEXTS, "status_after_commit:500", 0.06),
        (TEXTS, "drop_after_commit", 0.06),
        (TEXTS, "timeout_after_commit:2500", 0.04),
        (TEXTS, "drop_before", 0.04),
        (TEXTS, "delay:1200", 0.15),
        (TEXTS, "html_maintenance", 0.03),
        (CALLS, "status_after_commit:500", 0.05),
        (CALLS, "drop_after_commit", 0.05),
        (CALLS, "status:429", 0.05),
        (ALL_REQUESTS, "malformed_json", 0.02),
    ],
    "enc": [
        (TEXTS | {"path_regex": "loans"}, "drop_after_commit", 0.15),
        (TEXTS | {"path_regex": "loans"}, "status_after_commit:500", 0.1),
        (TEXTS | {"path_regex": "loans"}, "status:429", 0.1),
        (ALL_REQUESTS, "expire_token", 0.05),
        (ALL_REQUESTS, "delay:800", 0.15),
        (ALL_REQUESTS, "status:503", 0.05),
        (ALL_REQUESTS, "malformed_json", 0.02),
    ],
}
SWITCHES = {
    "twilio": {"dup_rate": 0.3, "reorder": True, "loss_rate": 0.05, "opt_out_handling": False},
    "enc": {"dup_rate": 0.3, "reorder": True, "loss_rate": 0.05, "pipeline_lag_s": 45},
}


def create_lender(
    control: SimulatorClient, addresses: SimulatorAddresses, *, web: str, public: str
) -> None:
    """Create the lender, open at any hour, and register it with the vendors."""
    at = datetime.now(UTC)
    with transaction.atomic():
        demo_company.ensure_company(at=at)
        LoanOfficer.objects.update(hours=AROUND_THE_CLOCK, daily_cap=30_000, open_cap=30_000)
    connection = demo_company.prepare_run(addresses, at=at)
    actors.seed_simulators(control, web=web, public=public)
    adapter_pool.get_adapter(connection).subscribe(
        f"{web}/in/encompass/{connection.slug}/", demo_company.LOS_SIGNING_KEY
    )


def start_faults(control: SimulatorClient) -> None:
    """Make the vendors slow, busy, duplicate, late, or silent after accepting."""
    for vendor, switches in SWITCHES.items():
        control.call(f"{vendor}/switches", switches)
        for match, action, rate in FAULTS[vendor]:
            control.call(f"{vendor}/faults", {"match": match, "action": action, "rate": rate})
    for number, phone in enumerate(LoanOfficer.objects.values_list("phone", flat=True)):
        behavior = ({"voice": "answer", "answer_after_s": 1.0, "digits": ["1"]},
                     {"voice": "no-answer"}, {"voice": "busy"})[number % 3]  # fmt: skip
        control.set_behavior(phone, **behavior)


def stop_faults(simulators: Simulators) -> None:
    """End the vendors' faults; their data stays."""
    for vendor in (simulators.twilio, simulators.encompass):
        vendor.faults.clear_faults()

"""Every LOS we can hand a loan to. To add an LOS, write its file, then add its line here.

The shape of an adapter and of its profile: `rooftree/los/los_adapter.py`.
"""

from functools import cache
from importlib import import_module
from typing import Any

from rooftree.los.los_adapter import LosProfile

ADAPTERS = {
    "encompass": "rooftree.los.adapters.encompass:Encompass",
    "byte": "rooftree.los.adapters.byte:Byte",
    "calyx": "rooftree.los.adapters.calyx:Calyx",
    "lendingpad": "rooftree.los.adapters.lendingpad:LendingPad",
}
"""The adapter class of each LOS. What each one needs: docs/los/<key>.md."""


@cache
def load_profile(los: str) -> LosProfile:
    """Return the profile of a registered LOS."""
    profile: LosProfile = import_module(ADAPTERS[los].partition(":")[0]).PROFILE
    return profile


def list_profiles() -> tuple[LosProfile, ...]:
    """Return the profile of every registered LOS, in the order of the registry."""
    return tuple(load_profile(los) for los in ADAPTERS)


def load_adapter_class(los: str) -> Any:
    """Return the adapter class of a registered LOS."""
    module, _, class_name = ADAPTERS[los].partition(":")
    return getattr(import_module(module), class_name)


def load_settings_class(los: str) -> Any:
    """Return the `Settings` of a registered LOS."""
    return import_module(ADAPTERS[los].partition(":")[0]).Settings

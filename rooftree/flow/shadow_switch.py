"""Turn shadow mode on and off: what waits is ended with it, and nothing is sent late."""

from datetime import datetime

from django.db import OperationalError, transaction

from rooftree.core.user_errors import UserError
from rooftree.nurture import sequence_enrollment
from rooftree.nurture.models import Enrollment
from rooftree.org import shadow_mode
from rooftree.org.models import ShadowPeriod, User
from rooftree.outreach.releases import release_control
from rooftree.outreach.releases.models import Release

END_REASON = "shadow mode ended"


def turn_on(*, by: User, at: datetime) -> ShadowPeriod:
    """Turn shadow mode on; return the open period if it is on already.

    Raises `UserError` while a message, a call or a hand-off is going out: it could not be undone.
    """
    if period := shadow_mode.current_period():
        return period
    try:
        with transaction.atomic():
            return shadow_mode.begin_period(by=by, at=at)
    except OperationalError as problem:
        raise UserError(
            "A message, a call or a hand-off is going out right now. Try again in a minute."
        ) from problem


def turn_off(*, by: User, at: datetime) -> ShadowPeriod | None:
    """Turn shadow mode off; return the ended period, None if it was off.

    The database ends the unsent messages of the period. Sequences and campaigns that began in it
    end too, so that nothing of it is sent later.
    """
    with transaction.atomic():
        period = shadow_mode.current_period()
        if period is None or not shadow_mode.end_period(period, by=by, at=at):
            return None
        begun = Enrollment.objects.filter(ended_at=None, started_at__gte=period.from_at)
        for lead_id in begun.values_list("lead_id", flat=True):
            sequence_enrollment.stop_sequence(lead_id=lead_id, because=END_REASON, at=at)
        made = Release.objects.filter(
            made_at__gte=period.from_at, state__in=release_control.OPEN_STATES
        )
        for release in made:
            release_control.stop_release(release, by=by, because="Shadow mode ended.", at=at)
    return period

"""How long a plan lasts. One that has ended leaves everything readable and nothing to be changed."""

from datetime import datetime

from counterfoil.kit.clock import utc_now
from counterfoil.kit.errors import EntitlementRequired

TRIAL = "trial"


class PlanExpired(EntitlementRequired):
    code, title = "plan_expired", "Your plan has ended: everything can be read, nothing can be changed"


class TrialExpired(PlanExpired):
    code, title = "trial_expired", "Your trial has ended: everything can be read, nothing can be changed"


def require_current(plan: str, expires_at: datetime | None) -> None:
    """Pass while the plan lasts.

    Raises:
        TrialExpired: the trial is over.
        PlanExpired: another plan is.
    """
    if expires_at is None or expires_at > utc_now():
        return
    ended = f"It ended on {expires_at:%Y-%m-%d}."
    raise TrialExpired(ended) if plan == TRIAL else PlanExpired(ended)

"""What a facility gives is set."""

from datetime import datetime

from sqlalchemy import Connection

from reservation.domain.benefit import BenefitPolicy
from reservation.handlers import known
from reservation.store import grants


def set_policy(connection: Connection, facility_id: str, policy: BenefitPolicy, now: datetime) -> None:
    """The facility gives by this policy from now on. Raises Unknown."""
    facility = known.facility(connection, facility_id)
    grants.set_policy(connection, facility.id, policy, now)

"""Where on the earth a facility and a guest's car are, and how far it is to drive (S200, M1)."""

from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt

EARTH_KM = 6_371.0
"""Mean radius."""
DETOUR = 1.4
"""How much longer a road is than the straight line, rather too long: an SOC that is promised must be reached."""


@dataclass(frozen=True, slots=True)
class Position:
    """Degrees of WGS 84. Raises ValueError for what is not on the earth."""

    latitude: float
    longitude: float

    def __post_init__(self) -> None:
        if not (-90 <= self.latitude <= 90 and -180 <= self.longitude <= 180):
            raise ValueError("a latitude is from -90 to 90, a longitude from -180 to 180 degrees")


def drive_km(start: Position, end: Position) -> float:
    """About how far it is to drive: the great circle (haversine formula), with the usual detour. To 100 m."""
    north, south = radians(start.latitude), radians(end.latitude)
    half = sin((south - north) / 2) ** 2
    half += cos(north) * cos(south) * sin(radians(end.longitude - start.longitude) / 2) ** 2
    return round(DETOUR * 2 * EARTH_KM * asin(sqrt(min(1.0, half))), 1)

"""What a station reports of its charging profiles (K09), against what we believe that it holds."""

from collections.abc import Iterable, Mapping
from typing import Any

from csms.domain.charging_rules import Known

OURS = "CSO"


def differences(ours: Iterable[Known], reported: Iterable[Mapping[str, Any]], asked: Mapping[str, Any]) -> list[str]:
    """Where the two do not agree, in sentences: of what was `asked` for (GetChargingProfiles), and not set by somebody else.

    `reported` holds `chargingLimitSource`, `evseId` and `chargingProfile`, one entry for each profile.
    """
    mine = {known.profile["id"]: known for known in ours}
    theirs = {entry["chargingProfile"]["id"]: entry for entry in reported if entry["chargingLimitSource"] == OURS}
    strangers = [f"profile {number} is there, but not ours" for number in theirs if number not in mine]
    others = [
        f"profile {number} is not what we have set"
        for number, entry in theirs.items()
        if number in mine and _core(entry["chargingProfile"]) != _core(mine[number].profile)
    ]
    wanted = [number for number, known in mine.items() if _fits(known, asked)]
    return [*strangers, *others, *(f"profile {number} is not there" for number in wanted if number not in theirs)]


def differing(ours: Iterable[Known], reported: Iterable[Mapping[str, Any]]) -> set[int]:
    """The ids of our profiles that are not reported, or not as we have set them."""
    theirs = {entry["chargingProfile"]["id"]: entry for entry in reported if entry["chargingLimitSource"] == OURS}
    return {
        known.profile["id"]
        for known in ours
        if (entry := theirs.get(known.profile["id"])) is None or _core(entry["chargingProfile"]) != _core(known.profile)
    }


def _core(profile: Mapping[str, Any]) -> tuple[Any, ...]:
    """What two tellings of one profile must agree on: stations add times and phases of their own (validFrom 1970)."""
    schedule = profile["chargingSchedule"][0]
    periods = [(period["startPeriod"], period.get("limit")) for period in schedule["chargingSchedulePeriod"]]
    names = ("chargingProfilePurpose", "chargingProfileKind", "stackLevel", "transactionId")
    return (*(profile.get(name) for name in names), schedule["chargingRateUnit"], periods)


def _fits(known: Known, asked: Mapping[str, Any]) -> bool:
    criteria, profile = asked.get("chargingProfile", {}), known.profile
    return (
        asked.get("evseId") in (None, known.evse_id)
        and criteria.get("chargingProfilePurpose") in (None, profile["chargingProfilePurpose"])
        and criteria.get("stackLevel") in (None, profile["stackLevel"])
        and profile["id"] in (criteria.get("chargingProfileId") or [profile["id"]])
        and OURS in (criteria.get("chargingLimitSource") or [OURS])
    )

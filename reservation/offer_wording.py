"""What an offer says, in the member's language, by the facility's own words where it has some."""

from collections.abc import Sequence

from contracts.units import money
from reservation.domain.facility import Facility
from reservation.domain.member import Member
from reservation.domain.message import Language
from reservation.domain.paid import PaidPeriod, bay_power_w, most_earned_minor
from reservation.wording import when

_TEXTS = {
    Language.EN: "At {facility}, cars that park here are paid for their help at these times:\n{periods}\n{reward}\n{link}",
    Language.JA: "{facility}では、次の時間に駐車中のお車のご協力に謝礼をお支払いします。\n{periods}\n{reward}\n{link}",
}
_REWARDS = {Language.EN: "Your car can earn up to {}.", Language.JA: "お車で最大{}相当を受け取れます。"}
_LINKS = {Language.EN: "Book: {}", Language.JA: "ご予約: {}"}
_DECLINES = {Language.EN: "No more offers: {}", Language.JA: "配信停止: {}"}
_SUBJECTS = {Language.EN: "{}: paid times for your car", Language.JA: "{}: お車のご協力に謝礼のある時間"}


def language_of(facility: Facility, member: Member) -> Language:
    """The member's language, else the facility's."""
    return member.language or facility.language


def subject(facility: Facility, member: Member) -> str:
    """What stands above it where the channel has such a line."""
    return _SUBJECTS[language_of(facility, member)].format(facility.name)


def text(facility: Facility, member: Member, paid: Sequence[PaidPeriod], *, link: str, decline: str) -> str:
    """The periods, what the member's car can earn in all of them at most, and the links that there are. Whatever the
    facility's own words are, how to decline stands at the end."""
    language = language_of(facility, member)
    template = facility.messages.get(language, {}).get("offer") or _TEXTS[language]
    declining = _DECLINES[language].format(decline) if decline else ""
    filled = template.format(
        facility=facility.name,
        member=member.name,
        periods="\n".join(f"- {when(facility, one.period, language)}" for one in paid),
        reward=_reward(facility, member, paid, language),
        link=_LINKS[language].format(link) if link else "",
        unsubscribe=declining,
    )
    ended = filled if declining in filled else f"{filled}\n{declining}"
    return "\n".join(line for line in ended.split("\n") if line.strip())


def _reward(facility: Facility, member: Member, paid: Sequence[PaidPeriod], language: Language) -> str:
    car = member.car
    if car is None:
        return ""
    most = sum(most_earned_minor(one, car, bay_power_w(facility, one.direction)) for one in paid)
    return _REWARDS[language].format(money(most, facility.currency)) if most else ""

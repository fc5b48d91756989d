"""What a member is told of a stay, in the member's language, by the facility's own words where it has some."""

from datetime import date

from reservation.domain.booking import Booking, Place
from reservation.domain.facility import Facility
from reservation.domain.member import Member
from reservation.domain.message import Language
from reservation.domain.period import Period
from reservation.domain.promise import Promise

_TEXTS: dict[Language, dict[str, str]] = {
    Language.EN: {
        "booked": "Your stay at {facility} is booked: {when}, {place}. {car} Check in with {code}.",
        "changed": "Your stay at {facility} is changed: {when}, {place}. {car} Check in with {code}.",
        "cancelled": "Your stay at {facility} is cancelled: {when}.",
        "no_show": "You did not come to your stay at {facility}: {when}. It is kept no longer.",
        "free": "At {facility} a period is free that you have been waiting for: {when}. Who books first has it.",
    },
    Language.JA: {
        "booked": "{facility}のご予約を承りました。{when}、{place}。{car}チェックインコードは{code}です。",
        "changed": "{facility}のご予約を変更しました。{when}、{place}。{car}チェックインコードは{code}です。",
        "cancelled": "{facility}のご予約をキャンセルしました。{when}。",
        "no_show": "{facility}にお見えにならなかったため、ご予約({when})を取り消しました。",
        "free": "{facility}でお待ちの時間が空きました。{when}。ご予約は先着順です。",
    },
}
_WEEKDAYS = "月火水木金土日"


def booked(facility: Facility, booking: Booking, place: Place, member: Member) -> str:
    """The booking is complete (M3): when, where, and what the car can have at departure (X1)."""
    return _of_stay("booked", facility, booking, place, member)


def changed(facility: Facility, booking: Booking, place: Place, member: Member) -> str:
    """The booking is another one now."""
    return _of_stay("changed", facility, booking, place, member)


def given_up(kind: str, facility: Facility, booking: Booking, member: Member) -> str:
    """The stay will not happen: `cancelled`, or a `no_show`."""
    language, resource = language_of(facility, member), facility.resource(booking.resource_id)
    return _filled(
        kind,
        facility,
        language,
        when=when(facility, booking.period, language),
        resource=resource.name if resource else booking.resource_id,
        service=_service(facility, booking.service_id),
        member=member.name,
    )


def free(facility: Facility, period: Period, service_id: str, member: Member) -> str:
    """What the member has been waiting for is free."""
    language = language_of(facility, member)
    told = when(facility, period, language)
    return _filled("free", facility, language, when=told, service=_service(facility, service_id), member=member.name)


def title(facility: Facility, booking: Booking) -> str:
    """The stay in a few words, for a calendar: where, and for what if there is a choice."""
    return f"{facility.name}: {_service(facility, booking.service_id)}" if len(facility.services) > 1 else facility.name


def language_of(facility: Facility, member: Member) -> Language:
    """In which language the member is told things by the facility."""
    return member.language or facility.language


def when(facility: Facility, period: Period, language: Language) -> str:
    """A period for people, as the facility's clocks show it."""
    start, end = facility.local(period.start), facility.local(period.end)
    same = start.date() == end.date()
    if language is Language.JA:
        until = f"{end:%H:%M}" if same else f"{day(end.date(), language)} {end:%H:%M}"
        return f"{day(start.date(), language)} {start:%H:%M}〜{until}"
    until = f"{end:%H:%M}" if same else f"{day(end.date(), language)}, {end:%H:%M}"
    return f"{start:%A} {day(start.date(), language)}, {start:%H:%M} to {until}"


def day(of: date, language: Language) -> str:
    """A day for people."""
    if language is Language.JA:
        return f"{of.year}年{of.month}月{of.day}日({_WEEKDAYS[of.weekday()]})"
    return f"{of.day} {of:%B %Y}"


def _of_stay(kind: str, facility: Facility, booking: Booking, place: Place, member: Member) -> str:
    language = language_of(facility, member)
    return _filled(
        kind,
        facility,
        language,
        when=when(facility, booking.period, language),
        place=_place(facility, booking, place, language),
        resource=place.resource.name,
        service=_service(facility, booking.service_id),
        bay=place.bay.id if place.bay else "",
        member=member.name,
        party=str(booking.party),
        code=booking.code,
        car=_car(booking, language),
    )


def _filled(kind: str, facility: Facility, language: Language, **fields: str) -> str:
    template = facility.messages.get(language, {}).get(kind) or _TEXTS[language][kind]
    return " ".join(template.format(facility=facility.name, **fields).split(" ")).replace("  ", " ").strip()


def _service(facility: Facility, service_id: str) -> str:
    service = facility.service(service_id)
    return service.name if service else service_id


def _place(facility: Facility, booking: Booking, place: Place, language: Language) -> str:
    service = _service(facility, booking.service_id) if len(facility.services) > 1 else ""
    parking = {Language.EN: "parking bay {}", Language.JA: "駐車枠{}"}[language]
    told = [service, place.resource.name, parking.format(place.bay.id) if place.bay else ""]
    return {Language.EN: ", ", Language.JA: "、"}[language].join(filter(None, told))


def _car(booking: Booking, language: Language) -> str:
    if booking.charging is None or booking.promise is None:
        return ""
    if language is Language.JA:
        helps = "駐車中、お車が電力の安定に協力します。" if booking.charging.dr else ""
        return helps + _promise_ja(booking.promise)
    helps = "Your car helps the grid while it is parked. " if booking.charging.dr else ""
    promise = booking.promise
    return helps + (f"It leaves with at least {promise.wanted_soc_pct} %." if promise.kept else promise.reason)


def _promise_ja(promise: Promise) -> str:
    if promise.kept:
        return f"出発時の充電は{promise.wanted_soc_pct}%以上です。"
    if promise.expected_soc_pct is None:
        return f"現在の充電が分からないため、出発時の{promise.wanted_soc_pct}%はお約束できません。"
    return f"出発時の充電は{promise.expected_soc_pct}%ほどで、ご希望の{promise.wanted_soc_pct}%には届きません。"

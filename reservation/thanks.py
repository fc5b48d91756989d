"""What a member is told of benefits (S504), for each kind, in Japanese and English."""

from dataclasses import dataclass
from datetime import date

from contracts.units import money
from reservation.domain.benefit import Kind
from reservation.domain.facility import Facility
from reservation.domain.message import Language

_TEXTS: dict[Language, dict[str, str]] = {
    Language.EN: {
        "thanks": "You helped the grid{energy} during your stay at {facility} on {day}. You receive {worth}.",
        "energy": " with {kwh} kWh",
        "more": "The figures of your stay at {facility} on {day} were corrected. You receive {worth} more.",
        "less": "The figures of your stay at {facility} on {day} were corrected. {worth} were taken back.",
        "pending": "It can be spent once the figures are final.",
        "free": "The figures of {day} are final: you can spend {worth} at {facility} from now on.",
        "owed": "{worth} of that were spent already; later benefits make it good first.",
        "repaid": "{worth} of that make good what was taken back before.",
        "expired": "{worth} of {facility} were not spent in time and have expired.",
    },
    Language.JA: {
        "thanks": "{facility}({day})のご滞在中{energy}、電力の安定にご協力いただきありがとうございました。"
        "{worth}を差し上げます。",
        "energy": "に{kwh}kWh",
        "more": "{facility}({day})のご滞在の実績が訂正されました。{worth}を追加で差し上げます。",
        "less": "{facility}({day})のご滞在の実績が訂正されました。{worth}を取り消しました。",
        "pending": "実績の確定後にお使いいただけます。",
        "free": "{day}の実績が確定しました。{facility}で{worth}をお使いいただけます。",
        "owed": "うち{worth}はすでにお使いのため、今後の特典から差し引きます。",
        "repaid": "うち{worth}は以前の取り消し分に充てました。",
        "expired": "{facility}の{worth}は、期限までに使われなかったため失効しました。",
    },
}
_WORTH: dict[Language, dict[Kind, str]] = {
    Language.EN: {
        Kind.POINTS: "{count} points",
        Kind.AMOUNT_OFF: "{money} off your next payment",
        Kind.RATE_OFF: "{rate} % off your next payment",
        Kind.CASH: "{money} in cash",
        Kind.ITEM: "{money} towards a gift",
    },
    Language.JA: {
        Kind.POINTS: "{count}ポイント",
        Kind.AMOUNT_OFF: "次回のお支払いから{money}の割引",
        Kind.RATE_OFF: "次回のお支払いの{rate}%割引",
        Kind.CASH: "現金{money}",
        Kind.ITEM: "プレゼントと交換できる{money}分のクレジット",
    },
}


@dataclass(frozen=True, slots=True)
class Worth:
    """A kind of benefit, its unit and a language, for saying amounts of it."""

    kind: Kind
    unit: str
    language: Language = Language.EN

    def of(self, amount: int) -> str:
        """An amount for people, such as `1,312 points`."""
        if self.kind is Kind.POINTS and amount == 1 and self.language is Language.EN:
            return "1 point"
        fields = {"count": f"{amount:,}"}
        if self.kind is Kind.RATE_OFF:
            fields = {"rate": f"{amount / 100:g}"}
        elif self.kind is not Kind.POINTS:
            fields = {"money": self._money(amount)}
        return _WORTH[self.language][self.kind].format(**fields)

    def _money(self, amount: int) -> str:
        if self.language is Language.JA and self.unit == "JPY":
            return f"{amount:,}円"
        return money(amount, self.unit)


@dataclass(frozen=True, slots=True)
class Told:
    """What a statement changed for a member: how much was `added` to the benefit (negative: taken back), whether it is the
    first time, what became `free` to spend, whether it still is `pending`, and what is newly `owed` (negative: made
    good)."""

    added: int = 0
    first: bool = True
    delivered_wh: int = 0
    free: int = 0
    pending: bool = False
    owed: int = 0


def of_statement(facility: Facility, stay: date, worth: Worth, told: Told) -> str:
    """What the member earned and for what, or what a correction changed; empty when nothing did."""
    sentences = []
    if told.added:
        what = ("thanks" if told.first else "more") if told.added > 0 else "less"
        sentences.append(_say(what, facility, stay, worth, abs(told.added), told.delivered_wh))
    if told.owed:
        sentences.append(_say("owed" if told.owed > 0 else "repaid", facility, stay, worth, abs(told.owed)))
    if told.free:
        sentences.append(_say("free", facility, stay, worth, told.free))
    elif told.pending and told.added:
        sentences.append(_TEXTS[worth.language]["pending"])
    return _joined(sentences, worth.language)


def expired(facility: Facility, worth: Worth, amount: int) -> str:
    """What was not spent in time."""
    return _TEXTS[worth.language]["expired"].format(facility=facility.name, worth=worth.of(amount))


def _say(what: str, facility: Facility, stay: date, worth: Worth, amount: int, delivered_wh: int = 0) -> str:
    texts = _TEXTS[worth.language]
    energy = texts["energy"].format(kwh=f"{delivered_wh / 1000:.1f}") if delivered_wh > 0 else ""
    day = _day(stay, worth.language)
    return texts[what].format(facility=facility.name, day=day, worth=worth.of(amount), energy=energy)


def _joined(sentences: list[str], language: Language) -> str:
    return ("" if language is Language.JA else " ").join(sentences)


def _day(day: date, language: Language) -> str:
    return f"{day.year}年{day.month}月{day.day}日" if language is Language.JA else f"{day.day} {day:%B %Y}"

"""A guest with an account: how to reach them, what car they drive, what they allow it to do."""

import re
from dataclasses import dataclass
from unicodedata import normalize

from contracts.csms import Token
from contracts.ids import MemberId
from contracts.reservation import Car
from reservation.domain.message import Language

PHONE = re.compile(r"\s*\+?[0-9][0-9 ().-]{2,30}")


@dataclass(frozen=True, slots=True)
class Preferences:
    """What holds for a booking that says nothing else. Taking part and discharging need the member's yes (X1).

    Raises ValueError unless 0 <= floor <= wanted <= 100, in percent of the usable battery.
    """

    dr: bool = False
    discharge: bool = False
    wanted_soc_pct: int = 80
    floor_soc_pct: int = 20

    def __post_init__(self) -> None:
        refuse_bad_soc(self.floor_soc_pct, self.wanted_soc_pct)


@dataclass(frozen=True, slots=True)
class Member:
    """`number` and `phone` each name one member (S200). The phone is kept as `phone_number` writes it, the cars' number
    plates as `plate_number` does. `language` None: the facility's. `car_name` is what the car is called, `car_model_id` the
    model it was chosen from, which may have left the list since."""

    id: MemberId
    number: str
    name: str
    preferences: Preferences
    phone: str | None = None
    email: str | None = None
    tokens: tuple[Token, ...] = ()
    car: Car | None = None
    language: Language | None = None
    plates: tuple[str, ...] = ()
    car_name: str = ""
    car_model_id: str | None = None

    def __post_init__(self) -> None:
        keys = {(token.value, token.type) for token in self.tokens}
        if len(keys) < len(self.tokens):
            raise ValueError("each token is given once")


def plate_number(text: str) -> str:
    """A number plate as it is kept and compared: letters, kana, kanji and digits, wide or narrow, without what is
    between."""
    return "".join(sign for sign in normalize("NFKC", text).upper() if sign.isalnum())


def refuse_bad_soc(floor_soc_pct: int, wanted_soc_pct: int) -> None:
    """Raises ValueError unless 0 <= floor <= wanted <= 100 (X1)."""
    if not 0 <= floor_soc_pct <= wanted_soc_pct <= 100:
        raise ValueError(
            f"the SOC floor is at most the SOC wanted, both 0 to 100 %: floor {floor_soc_pct}, wanted {wanted_soc_pct}"
        )


def phone_number(text: str) -> str:
    """A phone number as it is kept and compared: digits, after a + if it has one. Empty for what is no phone number."""
    if not PHONE.fullmatch(text):
        return ""
    return "".join(sign for sign in text if sign in "+0123456789")

"""Car models that members can choose from: the list is the operator's, loaded from a table that somebody publishes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from re import findall
from unicodedata import combining, normalize

from contracts.reservation import Car


@dataclass(frozen=True, slots=True)
class CarModel:
    """A model in one of its versions, as a table has it. Usable battery in Wh, power of charging with AC in W. None: the
    table does not say. `bidirectional`: whether its maker lets power out of it into a house or the grid, `max_discharge_w`
    how much. `plugs` are what it is charged with, such as `chademo`, `ccs2`, `type2`."""

    make: str
    model: str
    battery_wh: int
    max_charge_w: int
    year: int | None = None
    max_discharge_w: int | None = None
    bidirectional: bool | None = None
    consumption_wh_per_km: int | None = None
    plugs: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Made of what it is, so that the same line of a table is the same model when the table is loaded again."""
        told = (self.make, self.model, self.year, self.battery_wh, self.max_charge_w, self.max_discharge_w, self.plugs)
        return sha256(repr(told).encode()).hexdigest()[:16]

    @property
    def name(self) -> str:
        """What a person calls it."""
        return f"{self.make} {self.model}" + (f" ({self.year})" if self.year else "")


ModelOf = Callable[[str], CarModel | None]
"""The model by id, None for one that is not in the list."""


@dataclass(frozen=True, slots=True)
class NamedCar:
    """A member's car: its figures, what it is called, and which model it was chosen from, if it was."""

    figures: Car
    name: str = ""
    model_id: str | None = None


@dataclass(frozen=True, slots=True)
class AskedCar:
    """What somebody says of a car. What is None is the model's."""

    model_id: str | None = None
    name: str = ""
    battery_wh: int | None = None
    max_charge_w: int | None = None
    max_discharge_w: int | None = None
    consumption_wh_per_km: int | None = None
    plugs: tuple[str, ...] | None = None

    def car(self, model_of: ModelOf) -> NamedCar:
        """The car that is meant; what is said goes before what the model has. Raises ValueError for figures that neither
        has."""
        model = model_of(self.model_id) if self.model_id is not None else None
        told = [(name, getattr(of, name)) for of in (model, self) if of is not None for name in Car.__struct_fields__]
        figures = {name: value for name, value in told if value is not None}
        if not {"battery_wh", "max_charge_w"} <= figures.keys():
            raise ValueError(
                f"there is no car model {self.model_id!r}; search for one, or give the car's battery_wh and max_charge_w"
            )
        name = self.name or (model.name if model else "")
        return NamedCar(Car(**{"max_discharge_w": 0} | figures), name, self.model_id)


def words_of(text: str) -> list[str]:
    """The words that a name is found by: letters and digits in lower case, without accents."""
    plain = "".join(sign for sign in normalize("NFKD", text).casefold() if not combining(sign))
    return findall(r"[^\W_]+", plain)


def sought_by(model: CarModel) -> str:
    """All beginnings of searches that find the model, each after a space: its words, and neighbours written as one (`ID.3`
    and `id3`, `e-tron` and `etron`)."""
    words = words_of(model.name)
    return " " + " ".join([*words, *(first + second for first, second in pairwise(words))])


def distinct(models: Sequence[CarModel]) -> list[CarModel]:
    """Each model once, in the given order."""
    return list({model.id: model for model in models}.values())

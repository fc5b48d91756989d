"""Car models, and cars that are chosen from them."""

import pytest

from contracts.reservation import Car
from reservation.domain.car_model import AskedCar, CarModel, NamedCar, distinct, sought_by, words_of

LEAF = CarModel("Nissan", "Leaf e+", 59_000, 6_600, 2021, 6_000, True, 171, ("chademo", "type2"))


def model_of(model_id: str) -> CarModel | None:
    return LEAF if model_id == LEAF.id else None


def test_a_chosen_car_has_the_models_figures_and_name() -> None:
    figures = Car(
        battery_wh=59_000,
        max_charge_w=6_600,
        max_discharge_w=6_000,
        consumption_wh_per_km=171,
        plugs=("chademo", "type2"),
    )
    assert AskedCar(model_id=LEAF.id).car(model_of) == NamedCar(figures, "Nissan Leaf e+ (2021)", LEAF.id)


def test_what_is_said_goes_before_what_the_model_has() -> None:
    asked = AskedCar(LEAF.id, "Our Leaf", battery_wh=50_000, max_discharge_w=0, plugs=("chademo",))
    car = asked.car(model_of)
    assert (car.name, car.figures.battery_wh, car.figures.max_charge_w) == ("Our Leaf", 50_000, 6_600)
    assert (car.figures.max_discharge_w, car.figures.plugs) == (0, ("chademo",))


def test_a_car_with_its_own_figures_needs_no_model_that_is_still_listed() -> None:
    gone = AskedCar("0" * 16, "Old car", battery_wh=24_000, max_charge_w=3_300).car(model_of)
    assert gone == NamedCar(Car(battery_wh=24_000, max_charge_w=3_300, max_discharge_w=0), "Old car", "0" * 16)
    with pytest.raises(ValueError, match="no car model '0000"):
        AskedCar("0" * 16, battery_wh=24_000).car(model_of)


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("ID.3 Pro", "id3"),
        ("ID.3 Pro", "id.3"),
        ("e-tron GT", "etron"),
        ("e-tron GT", "E TRON"),
        ("Zoé", "zoe"),
        ("Leaf", "ＬＥＡＦ"),
    ],
)
def test_names_are_found_as_they_are_typed(name: str, typed: str) -> None:
    listed = sought_by(CarModel("Make", name, 1, 1))
    assert all(f" {word}" in listed for word in words_of(typed))


def test_the_same_line_is_the_same_model() -> None:
    again = CarModel("Nissan", "Leaf e+", 59_000, 6_600, 2021, 6_000, True, 171, ("chademo", "type2"))
    assert distinct([LEAF, again, CarModel("Nissan", "Leaf", 39_000, 6_600)])[0] == LEAF
    assert len(distinct([LEAF, again])) == 1

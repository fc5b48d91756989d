"""Tables of car models of others."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from gridstay.car_tables import BadTable, read
from tests.conftest import SHARED

OWN = "make,model,year,battery_kwh,ac_kw,discharge_kw,plugs\n"
CHARGEPRICE = (
    "brand,model,variant,release_year,vehicle_type,usable_battery_kwh,ac_max_kw,ac_ports,dc_ports,consumption_kwh_100km\n"
)
OPEN_EV = "make,model,trim,variant,year,battery_net_kwh,ac_max_kw,ports,v2l,v2h,v2g,range_wltp_km\n"
EV2GYM = "model,battery_capacity,max_ac_charge_power,max_ac_discharge_power\n"
PUBLISHED = SHARED / "data" / "ev_models"


def models(folder: Path, text: str) -> list[dict[str, Any] | None]:
    (folder / "cars.csv").write_text(text, "utf-8")
    return [
        row.body and {name: value for name, value in row.body.items() if value is not None}
        for row in read(folder / "cars.csv")
    ]


def test_our_own_columns(tmp_path: Path) -> None:
    assert models(tmp_path, OWN + "Nissan,Sakura,2022,20,2.9,3,chademo|TYPE1\n") == [
        {
            "make": "Nissan",
            "model": "Sakura",
            "year": 2022,
            "battery_wh": 20_000,
            "max_charge_w": 2_900,
            "max_discharge_w": 3_000,
            "bidirectional": True,
            "plugs": ["chademo", "type1"],
        }
    ]


def test_chargeprices_columns(tmp_path: Path) -> None:
    lines = (
        "Nissan,Leaf,e+,2019.0,car,59.0,6.6,type2,chademo,17.2\n"
        "Kia,Soul,,2015.0,car,27,6.6,type1,ccs|chademo|tesla_suc,\n"
        "Citroen,Ami ONE,,,car,5.5,0,,,\n"
        "Zero Motorcycles,SR,,,motorbike,12.6,1.3,,,\n"
    )
    leaf, soul, *none = models(tmp_path, CHARGEPRICE + lines)
    assert leaf == {
        "make": "Nissan",
        "model": "Leaf e+",
        "year": 2019,
        "battery_wh": 59_000,
        "max_charge_w": 6_600,
        "consumption_wh_per_km": 172,
        "plugs": ["chademo", "type2"],
    }
    assert soul is not None
    assert soul["plugs"] == ["ccs1", "chademo", "type1"]
    assert none == [None, None]


def test_open_ev_datas_columns(tmp_path: Path) -> None:
    lines = (
        "Audi,A6 e-tron,Base,Sportback,2024,94.9,11,ccs2,,,,700\nBYD,Dolphin,Base,,2024,44.9,7,ccs2|gb_t_dc,True,False,,\n"
    )
    audi, byd = models(tmp_path, OPEN_EV + lines)
    assert audi is not None
    assert byd is not None
    assert (audi["model"], audi["consumption_wh_per_km"], audi["plugs"]) == ("A6 e-tron Sportback", 136, ["ccs2", "type2"])
    assert ("bidirectional" in audi, byd["bidirectional"], byd["plugs"]) == (False, False, ["ccs2", "gb_t_dc", "type2"])


def test_ev2gyms_columns(tmp_path: Path) -> None:
    [tesla] = models(tmp_path, EV2GYM + "Tesla Model 3,57.5,11.0,11.0\n")
    assert tesla is not None
    assert (tesla["make"], tesla["model"], tesla["max_discharge_w"], tesla["bidirectional"]) == (
        "Tesla",
        "Model 3",
        11_000,
        True,
    )


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a,b\n1,2\n", "line 1: no table of car models"),
        ("", "line 1: no table"),
        (OWN + "Nissan,Leaf,2021,40,6.6,,\nNissan,Sakura,2022,twenty,2.9,,\n", "line 3: battery_kwh is 'twenty'"),
        (OWN + 'Nissan,"Leaf\n40",2021,40,-1,,\n', "line 3: ac_kw is '-1'"),
        (OWN + "Nissan,Leaf,2021,nan,6.6,,\n", "line 2: battery_kwh is 'nan'"),
        (OPEN_EV + "BYD,Dolphin,Base,,2024,44.9,7,ccs2,,maybe,,\n", "line 2: v2h or v2g is 'maybe'"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(BadTable, match=what):
        models(tmp_path, text)


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "cars.csv.gz").write_bytes(gzip.compress((OWN + "Nissan,Sakura,2022,20,2.9,,\n" * 1_000).encode())[:-20])
    (tmp_path / "cars.csv").write_bytes(b"make,model,battery_kwh,ac_kw\n\xff\xfe,1,1,1\n")
    for name in ("cars.csv.gz", "cars.csv", "none.csv"):
        with pytest.raises(BadTable, match="cannot read"):
            list(read(tmp_path / name))


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published tables are not beside this checkout")
def test_the_published_tables_are_read() -> None:
    counts = {}
    for path in PUBLISHED.iterdir():
        found = [row.body for row in read(path)]
        counts[path.name] = (len(found), sum(body is not None for body in found))
    assert counts == {
        "chargeprice_open_ev_data.csv": (293, 258),
        "open_ev_data_2025.csv.gz": (1189, 1189),
        "ev2gym_nl_2024_v2g.csv": (8, 8),
    }

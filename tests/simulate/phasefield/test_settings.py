from __future__ import annotations

import re
from dataclasses import replace

import pytest
from nanotexture.errors import UserError
from nanotexture.film.materials import built_in
from nanotexture.simulate.phasefield.grid import grid_of
from nanotexture.simulate.phasefield.settings import Electrical, Layer, Settings, Surroundings, wall_width

from .superlattices import lead_titanate, superlattice


def test_a_material_without_a_table_of_its_energy_is_refused_by_the_name_of_that_table() -> None:
    with pytest.raises(UserError, match="material SrRuO3: elastic: expected a table"):
        Layer(built_in("SrRuO3"), 8, 3.93)
    with pytest.raises(UserError, match="material KTaO3: electrostriction: expected a table"):
        Layer(built_in("KTaO3"), 8, 3.989)


def test_nodes_too_far_apart_for_the_walls_are_refused_with_a_step_that_works() -> None:
    with pytest.raises(UserError, match="under-sample walls") as refused:
        superlattice(period=160.0, step=16.0)
    works = float(re.search(r"step = ([\d.]+)", str(refused.value)).group(1))  # type: ignore[union-attr]
    assert 8.0 <= works <= wall_width(lead_titanate(1), 298.15) * 1.01
    superlattice(period=160.0, step=0.99 * works)


def test_too_many_cells_to_a_node_are_refused_with_a_number_that_works() -> None:
    with pytest.raises(UserError, match="cells_per_node = 2 or less works"):
        superlattice(cells_per_node=4)
    superlattice(cells_per_node=2)


def test_a_box_beyond_the_memory_is_refused_with_the_nodes_that_fit() -> None:
    with pytest.raises(UserError, match=r"(\d+) nodes fit") as refused:
        superlattice(width=1e5, period=1e5)
    fits = int(re.search(r"(\d+) nodes fit", str(refused.value)).group(1))  # type: ignore[union-attr]
    within = superlattice(period=4.0 * (fits // 32))
    assert within.shape[0] * within.shape[2] <= fits
    with pytest.raises(UserError, match="nodes fit"):
        superlattice(period=4.0 * (fits // 32 + 2))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("layers", ()),
        ("period", -1.0),
        ("width", 0.0),
        ("in_plane", float("nan")),
        ("dtype", "float16"),
        ("cells_per_node", 3),
        ("cells_per_node", 0),
        ("electrical", Electrical.ELECTRODES),
        ("temperature", 0.0),
    ],
)
def test_what_cannot_be_run_is_refused_by_its_name(field: str, value: object) -> None:
    with pytest.raises(UserError, match=field):
        replace(superlattice(), **{field: value})  # type: ignore[arg-type]


def test_layers_without_cells_and_films_without_vacuum_are_refused() -> None:
    with pytest.raises(UserError, match="layer of PbTiO3: cells"):
        lead_titanate(0)
    elastic = built_in("SrTiO3").elastic
    assert elastic is not None
    for field in ("below", "above"):
        with pytest.raises(UserError, match=field):
            Surroundings(elastic, **{field: 0})
    with pytest.raises(UserError, match="uniform"):
        replace(superlattice(), surroundings=Surroundings(elastic), uniform=True)


def test_the_grid_spans_the_box_exactly() -> None:
    settings = Settings(layers=(lead_titanate(10),), in_plane=3.95, period=83.0, width=41.0, step=4.0)
    for length, count, spacing in zip((8.3, 4.1, 3.95), settings.shape, settings.spacing, strict=True):
        assert count * spacing == pytest.approx(length)
        assert spacing <= 0.4


def test_a_device_that_is_not_here_is_refused() -> None:
    with pytest.raises(UserError, match="device: expected one that torch finds here"):
        grid_of(superlattice(device="abacus"))
    with pytest.raises(UserError, match="device"):
        grid_of(superlattice(device="cuda:97"))

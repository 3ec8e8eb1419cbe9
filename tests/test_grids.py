"""Maps of one reflection put on one grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanotexture.grids import on_one_grid
from nanotexture.quantities import ReciprocalMap
from nanotexture.schema import MAP, labelled

STEP = (0.001, 0.004)


def a_map(first: tuple[float, float], shape: tuple[int, int], seed: int = 0) -> ReciprocalMap:
    counts = np.random.default_rng(seed).poisson(20.0, shape).astype(float)
    values = {
        "qx": (first[0] + np.arange(shape[0])) * STEP[0],
        "qz": (first[1] + np.arange(shape[1])) * STEP[1],
        "intensity": counts,
        "variance": counts + 1,
        "mask": np.zeros(shape, np.uint8),
        "hkl": np.array([1, 0, 3]),
        "temperature": 300.0,
        "energy": 8.048,
        "scale": 1.0,
    }
    return ReciprocalMap(labelled(values, MAP))


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(-5, 5), st.integers(400, 410), st.integers(2, 9), st.integers(2, 9)),
        min_size=1,
        max_size=4,
    )
)
def test_maps_of_one_lattice_keep_every_number_on_the_grid_that_holds_them_all(
    places: list[tuple[int, int, int, int]],
) -> None:
    maps = [a_map((x, z), (nx, nz), seed=i) for i, (x, z, nx, nz) in enumerate(places)]
    laid = on_one_grid(maps)
    for before, after in zip(maps, laid, strict=True):
        np.testing.assert_array_equal(after["qx"], laid[0]["qx"])
        np.testing.assert_array_equal(after["qz"], laid[0]["qz"])
        assert (after["mask"] == 0).sum() == before["mask"].size
        back = after.sel(qx=before["qx"], qz=before["qz"], method="nearest")
        np.testing.assert_array_equal(back["intensity"], before["intensity"])
        np.testing.assert_array_equal(back["variance"], before["variance"])
        assert np.isnan(after["intensity"].values[after["mask"].values == 1]).all()


def test_maps_of_other_lattices_are_interpolated_onto_the_first() -> None:
    first, shifted = a_map((0, 400), (8, 6)), a_map((0.5, 400), (8, 6))
    laid = on_one_grid([first, shifted])
    np.testing.assert_array_equal(laid[1]["qx"], first["qx"])
    between = (shifted["intensity"].values[:-1] + shifted["intensity"].values[1:]) / 2
    assert laid[1]["intensity"].values[1:] == pytest.approx(between)
    assert (laid[1]["mask"].values[0] == 1).all()

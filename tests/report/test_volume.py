"""A texture of both directions of the plane as slices and sums that the figures of plane textures can draw."""

import numpy as np
import pytest
import xarray as xr
from nanotexture.report.fields import derivative_fields, displacement_fields
from nanotexture.report.volume import orders_along, slice_level, slice_upright, summed_map

NX, NY, NZ = 6, 4, 5


@pytest.fixture
def texture():
    rng = np.random.default_rng(0)
    names = ["x", "y", "z"]
    shears = ["xx", "yy", "zz", "xy", "yz", "xz"]
    u = rng.normal(size=(3, NX, NY, NZ))
    u[1] = np.nan
    return xr.Dataset(
        {
            "displacement": (("component", "x", "y", "z"), u, {"units": "angstrom"}),
            "displacement_std": (("component", "x", "y", "z"), 0.1 + 0 * u),
            "strain": (("strain_component", "x", "y", "z"), rng.normal(size=(6, NX, NY, NZ)), {"units": "1"}),
            "rotation": (("component", "x", "y", "z"), rng.normal(size=(3, NX, NY, NZ)), {"units": "rad"}),
            "period": 80.0,
            "period_y": 60.0,
        },
        {
            "x": np.arange(NX) / NX,
            "y": np.arange(NY) / NY,
            "z": 4.0 * np.arange(NZ),
            "component": names,
            "strain_component": shears,
        },
    )


def test_an_upright_slice_is_the_plane_at_y_0(texture):
    cut = slice_upright(texture)
    fields = {one.key: one for one in displacement_fields(cut)}
    assert list(fields) == ["displacement_x", "displacement_z"]
    np.testing.assert_array_equal(fields["displacement_z"].value, texture["displacement"].values[2, :, 0])


def test_a_level_slice_has_y_in_angstrom_over_two_periods_in_the_place_of_z(texture):
    cut = slice_level(texture)
    np.testing.assert_allclose(cut["z"], 15.0 * np.arange(2 * NY))
    found = displacement_fields(cut)[0].value
    np.testing.assert_array_equal(found, np.tile(texture["displacement"].values[0, :, :, NZ // 2], (1, 2)))


def test_all_components_of_strain_and_rotation_have_their_own_field(texture):
    keys = [one.key.rsplit("_", 1)[-1] for one in derivative_fields(slice_upright(texture))]
    assert keys == ["xx", "yy", "zz", "xy", "yz", "xz", "x", "y", "z"]


def test_a_map_is_summed_over_what_was_measured():
    counts = np.arange(24.0).reshape(2, 3, 4)
    mask = np.zeros(counts.shape, np.uint8)
    mask[0, 1, 2], mask[1, :, 3] = 1, 1
    names = {name: (("qx", "qy", "qz"), counts) for name in ("intensity", "variance", "model")}
    one = xr.Dataset(names | {"mask": (("qx", "qy", "qz"), mask)}, {"qx": [1.0, 2.0], "qy": [0.0, 1.0, 2.0]})
    flat = summed_map(one, "qy")
    assert flat["intensity"].dims == ("qx", "qz")
    assert float(flat["intensity"][0, 2]) == counts[0, 0, 2] + counts[0, 2, 2]
    assert np.isnan(flat["model"].values[1, 3])
    assert flat["mask"].values.sum() == 1
    across = summed_map(one, "qx")
    np.testing.assert_array_equal(across["qx"], [0.0, 1.0, 2.0])


def test_rows_of_orders_are_laid_out_as_those_of_plane_textures():
    values = np.arange(15.0).reshape(3, 5)
    orders = xr.Dataset(
        {
            name: (("order", "order_y"), values + i)
            for i, name in enumerate(
                ("intensity", "line_position", "line_width", "line_position_y", "line_width_y")
            )
        },
        {"order": [-1, 0, 1], "order_y": [-2, -1, 0, 1, 2]},
    )
    along_x, along_y = orders_along(orders, "x"), orders_along(orders, "y")
    np.testing.assert_array_equal(along_x["intensity"], values[:, 2])
    np.testing.assert_array_equal(along_y["intensity"], values[1])
    np.testing.assert_array_equal(along_y["line_position"], values[1] + 3)
    assert along_y["order"].values.tolist() == [-2, -1, 0, 1, 2]

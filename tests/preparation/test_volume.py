"""Orders (n, m) of a map qx, qy, qz: what was put on its lines comes back, from under each other's tails too."""

import numpy as np
import pytest
from nanotexture.preparation.line_shape import LineShape, line_matrix
from nanotexture.preparation.lines import LineFit, MapWindow
from nanotexture.preparation.volume import bands_from_shape, fit_bands, orders_from_lines, unmixed

SPACING, STEP = 0.0803, 0.008
QX = 1.6 + STEP * np.arange(-28, 29)
QY = STEP * np.arange(-28, 29)
QZ = np.linspace(4.5, 4.7, 21)
SHAPE_X = LineShape(1.6, SPACING, (0.014, 0.02, 0.028), (0.2, 0.4, 0.4))
SHAPE_Y = LineShape(0.0, SPACING, (0.014, 0.022, 0.03), (0.2, 0.4, 0.4))
ORDERS = np.arange(-2, 3)


def line_fit(shape, along):
    lines = line_matrix(along, ORDERS, shape)
    empty = np.zeros((len(ORDERS), len(QZ)))
    return LineFit(shape, shape, ORDERS, empty, empty, lines, np.zeros((len(along), len(QZ))), 1.0)


def planted(seed=0, decades=1.5, size=1.0, background=3.0):
    """Orders (n, m, nz) over so many decades and the counts expected (nx, ny, nz)."""
    rng = np.random.default_rng(seed)
    heights = size * 10.0 ** rng.uniform(0.0, decades, (5, 5, 1))
    heights[2, 2] = size * 10.0**decades
    orders = heights * (1.0 + np.sin(40 * QZ + rng.uniform(0, 6, (5, 5, 1)))) / 2
    lines = line_matrix(QX, ORDERS, SHAPE_X), line_matrix(QY, ORDERS, SHAPE_Y)
    return orders, np.einsum("nx,my,nmz->xyz", *lines, orders) + background


def fitted(counts, bands):
    maps = []
    for m in range(len(bands.orders)):
        flat = counts[:, bands.band == m].sum(axis=1)
        maps.append(MapWindow(QX, QZ, flat, np.maximum(flat, 1.0), np.ones(flat.shape, bool)))
    return fit_bands(line_fit(SHAPE_X, QX), line_fit(SHAPE_Y, QY), bands, maps)


def test_every_voxel_of_qy_belongs_to_the_nearest_order_or_to_none():
    bands = bands_from_shape(QY, SHAPE_Y)
    centres = SHAPE_Y.centre + SPACING * ORDERS
    nearest = np.abs(QY[:, None] - centres).argmin(1)
    within = np.abs(QY) < 2.5 * SPACING
    np.testing.assert_array_equal(bands.band[within], nearest[within])
    assert (bands.band[~within] == -1).all()


def test_the_shares_of_a_line_in_all_bands_are_what_of_it_lies_on_them():
    bands = bands_from_shape(QY, SHAPE_Y)
    on = bands.lines[:, bands.band >= 0].sum(1) * STEP
    np.testing.assert_allclose(bands.shares.sum(0), on)
    assert (np.diag(bands.shares) > 0.8).all()


def test_orders_without_noise_come_back_whatever_their_neighbours():
    orders, counts = planted()
    bands = bands_from_shape(QY, SHAPE_Y)
    found = fitted(counts, bands)
    np.testing.assert_allclose(found.intensity.reshape(5, 5, -1), orders, atol=2e-3 * orders.max())
    np.testing.assert_array_equal(found.pairs[:6], [[-2, -2], [-2, -1], [-2, 0], [-2, 1], [-2, 2], [-1, -2]])
    model = np.einsum("nx,my,nmz->xyz", found.along_x.line, bands.lines, found.intensity.reshape(5, 5, -1))
    ground = found.background[bands.nearest].swapaxes(0, 1)
    within = bands.band >= 0
    np.testing.assert_allclose((model + ground)[:, within], counts[:, within], atol=0.02 * counts.max())


def test_errors_of_the_orders_are_those_of_poisson_counts():
    """Where no bright neighbour's uncertain tail is counted in."""
    orders, counts = planted(decades=0.3, size=0.005, background=0.5)
    bands, rng = bands_from_shape(QY, SHAPE_Y), np.random.default_rng(1)
    found = [fitted(rng.poisson(counts).astype(float), bands) for _ in range(12)]
    off = np.array([one.intensity.reshape(5, 5, -1) - orders for one in found])
    pulls = off / np.sqrt([one.variance.reshape(5, 5, -1) for one in found])
    assert 0.7 < np.sqrt((pulls**2).mean()) < 1.2
    assert abs(pulls.mean()) < 0.2


def test_unmixing_undoes_the_shares():
    rng = np.random.default_rng(2)
    true = rng.uniform(1, 5, (3, 4, 6))
    shares = np.eye(4) * 0.9 + 0.02
    raw = np.einsum("ab,nbz->naz", shares, true)
    found, variance = unmixed(raw, 0 * raw, shares, np.ones(4, bool))
    np.testing.assert_allclose(found, true)
    assert (variance > 0).all()  # of tails that are not known well


def test_a_band_that_was_not_measured_is_nan_and_leaves_the_others_as_they_are():
    rng = np.random.default_rng(3)
    true = rng.uniform(1, 5, (3, 4, 6))
    shares, seen = np.eye(4) * 0.9 + 0.02, np.array([True, True, True, False])
    raw = np.einsum("ab,nbz->naz", shares[:3, :3], true[:, :3])
    raw = np.concatenate([raw, np.full((3, 1, 6), np.nan)], axis=1)
    found, _ = unmixed(raw, np.ones_like(raw), shares, seen)
    np.testing.assert_allclose(found[:, :3], true[:, :3])
    assert np.isnan(found[:, 3]).all()


@pytest.mark.parametrize("masked", [0.0, 0.05])
def test_orders_on_known_lines_come_back_through_dead_voxels(masked):
    rng = np.random.default_rng(4)
    true = rng.uniform(10, 100, (5, len(QZ)))
    counts = line_matrix(QX, ORDERS, SHAPE_X).T @ true + 5.0
    measured = rng.random(counts.shape) >= masked
    found = orders_from_lines(
        MapWindow(QX, QZ, np.where(measured, counts, 0.0), np.maximum(counts, 1.0), measured), SHAPE_X
    )
    known = np.isfinite(found.intensity)
    np.testing.assert_allclose(found.intensity[known], true[known], rtol=1e-3)

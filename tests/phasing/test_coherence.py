"""A partly coherent beam blurs the intensity: the blur is a convolution, its projection keeps the truth, its width is found."""

import numpy as np
import pytest
from nanotexture.phasing.coherence import PartlyCoherent, blurred, fitted_widths, transfer
from nanotexture.phasing.constraints import Data
from nanotexture.phasing.farfield import from_corner
from nanotexture.simulate.crystal import (
    Counting,
    FacetedCrystal,
    density_of_crystal,
    expected_counts,
    pattern_of_density,
)

WIDTHS = (0.7, 0.3, 1.1)


def test_the_blur_is_a_convolution_with_a_gaussian_of_unit_area():
    shape = (15, 16, 18)
    one = np.zeros(shape)
    one[7, 8, 9] = 3.0
    found = blurred(one, transfer(shape, (1.5, 1.2, 1.8)))
    r = np.meshgrid(*(np.arange(n) - c for n, c in zip(shape, (7, 8, 9), strict=True)), indexing="ij")
    exponent = sum(x**2 / (2 * s**2) for x, s in zip(r, (1.5, 1.2, 1.8), strict=True))
    gaussian = np.exp(-exponent) / np.prod([s * np.sqrt(2 * np.pi) for s in (1.5, 1.2, 1.8)])
    assert found.sum() == pytest.approx(3.0, rel=1e-3)
    np.testing.assert_allclose(found, 3.0 * gaussian, atol=1e-4)


def crystal_data(widths):
    psi = density_of_crystal(FacetedCrystal(shape=(32, 30, 28), size=11, phase_range=2.0, seed=1))
    counts = expected_counts(pattern_of_density(psi), Counting(peak_counts=1e6, coherence=widths))
    return psi, Data.centred(np.sqrt(counts), np.ones(counts.shape, bool), dtype=np.float64)


def test_the_true_crystal_stays_where_it_is():
    psi, data = crystal_data(WIDTHS)
    w = psi.conj().astype(complex)
    blurry = PartlyCoherent(data.amplitude, data.free, WIDTHS)
    w *= np.sqrt(data.amplitude.max() ** 2 / (blurry.seen(from_corner(w)) ** 2).max())
    moved = blurry.project(w)
    assert np.abs(moved - w).max() < 0.01 * np.abs(w).max()
    assert np.abs(Data(data.amplitude, data.free).project(w) - w).max() > 0.05 * np.abs(w).max()


def test_without_width_it_is_the_projection_of_a_coherent_beam():
    _, data = crystal_data((0, 0, 0))
    rng = np.random.default_rng(0)
    x = rng.normal(size=data.amplitude.shape) + 1j * rng.normal(size=data.amplitude.shape)
    same = PartlyCoherent(data.amplitude, data.free, (0.0, 0.0, 0.0)).project(x)
    np.testing.assert_allclose(same, data.project(x), atol=1e-4 * np.abs(x).max())


def test_the_width_of_the_blur_is_found_along_each_axis():
    psi, data = crystal_data(WIDTHS)
    np.testing.assert_allclose(fitted_widths(psi.conj(), data), WIDTHS, atol=0.08)


@pytest.mark.parametrize("first", [(1.0, 1.0, 1.0), (0.02, 0.02, 0.02), (2.0, 0.02, 1.0)])
def test_it_is_found_from_a_poor_first_guess(first):
    psi, data = crystal_data(WIDTHS)
    np.testing.assert_allclose(fitted_widths(psi.conj(), data, first), WIDTHS, atol=0.08)

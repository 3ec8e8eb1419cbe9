"""Vortices written down: no charge, the sizes published for (PbTiO3)16/(SrTiO3)16, leak into the other layers."""

import numpy as np
import pytest
from nanotexture.film.materials import built_in
from nanotexture.film.stack import Layer, Stack
from nanotexture.simulate.vortices import Vortices, motif_from_vortices

FINE = Stack(3.905, (Layer(built_in("SrTiO3"), 64, 1.0), Layer(built_in("PbTiO3"), 64, 1.0)), repeat=2)
POLAR = np.tile(np.repeat([False, True], 64), 2)


@pytest.fixture(scope="module")
def polarization():
    return motif_from_vortices(stack=FINE, texture=Vortices(117.0)).polarization[[0, 2], :, 0]


def test_the_sizes_are_those_of_the_published_field(polarization):
    """|P_z| 0.60 in mid-layer, |P_x| 0.48 near the interfaces, 0.05 to 0.17 through SrTiO3."""
    assert np.abs(polarization[1]).max() == pytest.approx(0.60, abs=0.005)
    assert np.abs(polarization[0]).max() == pytest.approx(0.48, abs=0.04)
    assert 0.05 < np.abs(polarization[1][:, ~POLAR]).max() < 0.17


def test_there_is_no_charge_inside_a_layer(polarization):
    """Exactly for the function; to a step's square for differences between planes 1 angstrom apart."""
    slope = 2j * np.pi * np.fft.fftfreq(64, 117.0 / 64)
    along = np.fft.ifft(slope[:, None] * np.fft.fft(polarization[0], axis=0), axis=0).real
    up = np.gradient(polarization[1], 1.0, axis=1)
    inside = POLAR & np.roll(POLAR, 1) & np.roll(POLAR, -1)
    assert np.abs((along + up)[:, inside]).max() < 1e-3 * np.abs(along).max()


def test_a_core_stands_in_the_middle_of_the_layer(polarization):
    layer = polarization[:, :, 64:128]
    size = np.hypot(*layer)
    x, z = np.unravel_index(size.argmin(), size.shape)
    assert x in (16, 48)
    assert abs(z - 31.5) < 1


def test_one_repeat_is_like_the_other():
    motif = motif_from_vortices(stack=FINE, texture=Vortices(117.0, leak=0.0))
    for field in (motif.polarization, motif.displacement):
        np.testing.assert_allclose(field[..., :128], field[..., 128:], atol=1e-12)
    np.testing.assert_array_equal(motif.polarization[..., ~POLAR], 0.0)

"""Random textures: the sizes asked for, smooth, free of charge, the same from the same seed."""

import numpy as np
import pytest
from nanotexture.errors import UserError
from nanotexture.simulate.random_texture import (
    RandomTexture,
    motif_from_random,
    random_displacement,
    random_polarization,
)

from .films import FILM, divergence

X, Z = np.arange(128) / 128, np.linspace(0, 200, 201)


@pytest.mark.parametrize("seed", range(4))
def test_the_sizes_are_the_asked_ones(seed):
    motif = motif_from_random(stack=FILM, texture=RandomTexture(120.0, 0.2, 0.5, seed=seed))
    np.testing.assert_allclose(np.sqrt((motif.displacement[[0, 2]] ** 2).mean(axis=(1, 2, 3))), 0.2)
    assert np.sqrt((motif.polarization**2).sum(axis=0)).max() == pytest.approx(0.5)


def test_seeds_repeat_and_differ():
    one, same, other = (
        motif_from_random(stack=FILM, texture=RandomTexture(120.0, seed=s)) for s in (3, 3, 4)
    )
    np.testing.assert_array_equal(one.displacement, same.displacement)
    assert np.abs(one.displacement - other.displacement).max() > 0.05
    assert one.polarization is None


def test_it_vanishes_at_the_substrate_and_holds_no_more_harmonics_than_asked():
    u = random_displacement(texture=RandomTexture(120.0, harmonics=3), x=X, z=Z, thickness=200.0)
    np.testing.assert_allclose(u[:, :, 0], 0.0, atol=1e-12)
    spectrum = np.abs(np.fft.rfft(u, axis=1)).max(axis=(0, 2))
    assert spectrum[1:4].min() > 1e-3 * spectrum.max()
    assert spectrum[[0, *range(4, 65)]].max() < 1e-10 * spectrum.max()


def test_the_polarization_has_no_charge_and_stays_in_the_film():
    p = random_polarization(texture=RandomTexture(120.0, polarization=0.6), x=X, z=Z, thickness=200.0)
    np.testing.assert_allclose(p[1][:, [0, -1]], 0.0, atol=1e-12)
    along = np.abs(np.diff(p[0], axis=0)).max() * len(X) / 120.0
    assert np.abs(divergence(p, 120.0, Z)).max() < 5e-3 * along


@pytest.mark.parametrize(
    ("field", "value"),
    [("period", 0.0), ("amplitude", 0.0), ("polarization", 1.7), ("harmonics", 0), ("modes", 40)],
)
def test_what_is_no_texture_is_refused_by_name(field, value):
    with pytest.raises(UserError, match=rf"^texture\.{field}: expected .*, found "):
        RandomTexture(**({"period": 120.0} | {field: value}))

"""Two codes that share no sum, places here and the differentiable forward model, see the same film in the same light."""

import numpy as np
import pytest
import torch
from nanotexture.film.maps import LineShape, lines_from_shape, map_from_texture
from nanotexture.film.reflection import Sampling, reflection_from_stack
from nanotexture.simulate.axes import Axes
from nanotexture.simulate.brightness import bright_map
from nanotexture.simulate.instrument import Instrument
from nanotexture.simulate.places import Disorder

from .textured import BELOW, CELLS, ENERGY, PERIOD, STACK, A, texture

HKL, GAP = (1, 0, 3), 0.2
GX, Q0 = 2 * np.pi / A, 2 * np.pi / PERIOD
AXES = Axes(GX + np.linspace(-2.5, 2.5, 501) * Q0, np.linspace(4.5, 4.75, 126))


def both(disorder):
    """Maps (qx, qz) of places and of the forward model."""
    motif = texture()
    places = bright_map(
        motif=motif, stack=STACK, substrate=BELOW, hkl=HKL, axes=AXES, disorder=disorder, seed=3, gap=GAP,
        instrument=Instrument(energy_kev=ENERGY, resolution=(0.0, 0.0), stop=None),
    ).intensity  # fmt: skip
    reflection = reflection_from_stack(
        stack=STACK, hkl=HKL, qz=AXES.qz, sampling=Sampling(motif.periods, (CELLS, 1), (6, 0)), energy_kev=ENERGY,
        substrate=BELOW, dtype=torch.complex128,
    )  # fmt: skip
    shape = LineShape(sigma=disorder.width, period_step=disorder.cumulative)
    lines = lines_from_shape(reflection=reflection, shape=shape, qx=AXES.qx)
    fields = (torch.from_numpy(f) for f in (motif.displacement, motif.polarization))
    return places, map_from_texture(reflection, lines, *fields, gap=GAP).numpy()


def summed(found, n):
    """Intensity across order n, (qz,)."""
    return found[np.abs(AXES.qx - GX - n * Q0) < 0.45 * Q0].sum(axis=0)


def test_without_disorder_every_order_is_the_forward_models():
    places, model = both(Disorder(coherence=1500.0, places=1))
    for n in (-2, -1, 0, 1, 2):
        one, other = summed(places, n), summed(model, n)
        np.testing.assert_allclose(one, other, rtol=0.01, atol=3e-3 * other.max())


@pytest.mark.parametrize(("sigma", "allowed"), [(0.02, 0.01), (0.06, 0.07)])
def test_with_disorder_satellites_are_the_forward_models_but_for_the_places_drawn(sigma, allowed):
    """Along qz, relative rms of order n: what finitely many places and the overlap of broad lines leave."""
    places, model = both(Disorder(coherence=1500.0, places=300, cumulative=sigma))
    for n in (-2, -1, 1, 2):
        one, other = summed(places, n), summed(model, n)
        assert np.sqrt(((one - other) ** 2).mean() / (other**2).mean()) < allowed

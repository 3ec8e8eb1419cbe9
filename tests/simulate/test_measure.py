"""Simulated maps: orders of the textbook sum, counts of Poisson, one flux for all reflections."""

import numpy as np
import pytest
from nanotexture.film.config import FilmConfig, LayerConfig, SubstrateConfig
from nanotexture.film.kernel import plane_kernel, substrate_amplitude
from nanotexture.film.materials import built_in
from nanotexture.film.stack import Layer, Stack, Substrate
from nanotexture.simulate.measure import ORDERS, Brightness, bright_map, counted, order_amplitudes
from nanotexture.stages.models import SimulateConfig
from nanotexture.stages.simulate import simulate_map, simulate_truth

STACK = Stack(3.905, (Layer(built_in("PbTiO3"), 20, 4.08),))
BELOW = Substrate(built_in("SrTiO3"), 3.905)
HKL = ((0, 0, 2), (1, 0, 3))


def amplitudes(displacement, hkl=(1, 0, 3), substrate=None, qz=None):
    qz = 4.62 + np.linspace(-0.1, 0.1, 9) if qz is None else qz
    return qz, order_amplitudes(
        displacement=displacement,
        stack=STACK,
        substrate=substrate,
        hkl=hkl,
        period=120.0,
        qz=qz,
        energy_kev=8.048,
    )


def test_a_flat_film_shines_in_order_0_with_the_substrate_added_as_an_amplitude():
    qz, found = amplitudes(np.zeros((2, 32, 20)), substrate=BELOW)
    kernel = plane_kernel(stack=STACK, hkl=(1, 0, 3), qz=qz, energy_kev=8.048)
    below = substrate_amplitude(substrate=BELOW, hkl=(1, 0, 3), qz=qz, in_plane=3.905, energy_kev=8.048)
    np.testing.assert_allclose(found[ORDERS], kernel.sum(1) + below, rtol=1e-10)
    np.testing.assert_allclose(np.delete(found, ORDERS, axis=0), 0.0, atol=1e-9)


def test_every_order_is_the_sum_over_cells_at_its_own_q():
    rng = np.random.default_rng(0)
    u = 0.2 * rng.normal(size=(2, 24, 20))
    qz, found = amplitudes(u)
    kernel = plane_kernel(stack=STACK, hkl=(1, 0, 3), qz=qz, energy_kev=8.048)
    for n in (-2, 0, 1):
        qx = 2 * np.pi / 3.905 + 2 * np.pi * n / 120.0
        expected = np.zeros(len(qz), complex)
        for i in range(24):
            for p in range(20):
                expected += (
                    kernel[:, p]
                    * np.exp(1j * (qx * u[0, i, p] + qz * u[1, i, p] - 2 * np.pi * n * i / 24))
                    / 24
                )
        np.testing.assert_allclose(found[ORDERS + n], expected, rtol=1e-9)


def test_a_constant_displacement_of_a_free_film_changes_phases_only():
    u = 0.1 * np.random.default_rng(1).normal(size=(2, 24, 20))
    _, one = amplitudes(u)
    _, other = amplitudes(u + np.array([0.3, -0.2])[:, None, None])
    np.testing.assert_allclose(np.abs(one), np.abs(other), rtol=1e-9)


def test_a_map_is_centred_on_the_peak_and_masks_the_substrate():
    found = bright_map(
        displacement=np.zeros((2, 16, 20)),
        stack=STACK,
        substrate=BELOW,
        hkl=(1, 0, 3),
        period=120.0,
        correlation_length=800.0,
        energy_kev=8.048,
    )
    i, j = np.unravel_index(np.where(found.mask, 0, found.intensity).argmax(), found.intensity.shape)
    assert found.qx[i] == pytest.approx(2 * np.pi / 3.905, abs=1e-3)
    assert found.qz[j] == pytest.approx(2 * np.pi * 3 / 4.08, abs=5e-3)
    hidden = np.argwhere(found.mask)
    assert np.abs(found.qz[hidden[:, 1]] - 2 * np.pi * 3 / 3.905).max() < 0.01
    assert found.mask.any()
    assert found.peak == found.intensity[found.mask == 0].max()


def test_the_lines_hold_all_photons_of_an_order():
    u = np.zeros((2, 32, 20))
    u[1] = 0.1 * np.sin(2 * np.pi * np.arange(32) / 32)[:, None]
    found = bright_map(
        displacement=u,
        stack=STACK,
        substrate=None,
        hkl=(1, 0, 3),
        period=120.0,
        correlation_length=800.0,
        energy_kev=8.048,
    )
    _, orders = amplitudes(u, qz=found.qz)
    total = found.intensity.sum(0) * (found.qx[1] - found.qx[0])
    np.testing.assert_allclose(total, (np.abs(orders) ** 2).sum(0), rtol=0.02)


def test_counts_are_poisson_and_repeatable():
    bright = Brightness(
        np.arange(200.0), np.arange(200.0), np.full((200, 200), 3.0), np.zeros((200, 200), np.uint8)
    )
    counts = counted(bright, flux=4.0, background=2.0, seed=(1, -1, 0, 3))
    assert counts.mean() == pytest.approx(14.0, abs=5 * np.sqrt(14 / 40_000))
    assert counts.var() == pytest.approx(14.0, rel=0.05)
    np.testing.assert_array_equal(counts, np.rint(counts))
    np.testing.assert_array_equal(counts, counted(bright, flux=4.0, background=2.0, seed=(1, -1, 0, 3)))
    assert (counts != counted(bright, flux=4.0, background=2.0, seed=(1, 1, 0, 3))).any()


@pytest.fixture(scope="module")
def config():
    layer = LayerConfig(material=built_in("PbTiO3"), cells=None, c=4.08)
    film = FilmConfig(
        in_plane=3.905,
        layers=(layer,),
        thickness=82.0,
        substrate=SubstrateConfig(material=built_in("SrTiO3"), c=3.905),
    )
    return SimulateConfig(
        film=film, hkl=HKL[0], reflections=HKL, period=120.0, amplitude=0.3, tilt=10.0, duty=0.5, wall=20.0,
        correlation_length=800.0, peak_counts=1e5, background=2.0, energy=8.048, seed=3,
    )  # fmt: skip


def test_all_reflections_share_one_flux(config):
    """The brightest voxel of all has peak_counts; the ratio of two maps is that of their models."""
    maps = {hkl: simulate_map(config=config.model_copy(update={"hkl": hkl})) for hkl in HKL}
    tops = {hkl: float(np.nanmax(one["intensity"])) for hkl, one in maps.items()}
    assert max(tops.values()) == pytest.approx(1e5, rel=0.02)
    alone = simulate_map(config=config.model_copy(update={"hkl": (1, 0, 3), "reflections": ((1, 0, 3),)}))
    ratio = float(np.nanmax(alone["intensity"])) / tops[(1, 0, 3)]
    assert ratio == pytest.approx(1e5 / tops[(1, 0, 3)], rel=0.02)
    for one in maps.values():
        assert np.isnan(one["intensity"].values[one["mask"].values != 0]).all()
        seen = one["intensity"].values[one["mask"].values == 0]
        np.testing.assert_array_equal(seen, np.rint(seen))


def test_the_truth_is_what_the_maps_were_made_from(config):
    truth = simulate_truth(config=config)
    assert float(truth["period"]) == 120.0
    assert float(truth["thickness"]) == pytest.approx(20 * 4.08)
    np.testing.assert_allclose(truth["displacement"].mean(("x", "z")), 0.0, atol=1e-12)
    assert np.isnan(truth["polarization"]).all()

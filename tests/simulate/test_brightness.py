"""Bright maps: ideal satellites, flat films and crystals of the textbook, disorder, masks, diffuse, refusals."""

import time
from dataclasses import replace

import numpy as np
import pytest
from nanotexture.errors import UserError
from nanotexture.film.materials import built_in
from nanotexture.film.stack import Layer, Stack, Substrate
from nanotexture.film.structure_factor import structure_factor
from nanotexture.simulate.axes import Axes, sensible_axes, with_qy
from nanotexture.simulate.brightness import bright_map, intensity_from_places
from nanotexture.simulate.instrument import Instrument
from nanotexture.simulate.motif import Motif
from nanotexture.simulate.places import STREAM, Disorder, place_products, texture_phases, window_amplitudes
from nanotexture.simulate.texture_factor import Specimen, texture_factor
from scipy.special import voigt_profile

from .textured import BELOW, CELLS, ENERGY, PERIOD, STACK, A, columns, texture

HKL = (1, 0, 3)
GX, Q0 = 2 * np.pi / A, 2 * np.pi / PERIOD
SHARP = Instrument(energy_kev=ENERGY, resolution=(0.0, 0.0), stop=None)
CALM = Disorder(coherence=700.0, places=1)


def flat(stack):
    return Motif((PERIOD, A), np.zeros((3, 4, 1, len(stack.heights))), None)


def shine(
    motif=None, stack=STACK, substrate=None, axes=None, disorder=CALM, instrument=SHARP, seed=1, gap=0.0
):
    axes = axes or sensible_axes(period=PERIOD, stack=stack, hkl=HKL, shape=(106, 41))
    return bright_map(
        motif=motif or texture(stack=stack), stack=stack, substrate=substrate, hkl=HKL, axes=axes, disorder=disorder,
        instrument=instrument, seed=seed, gap=gap,
    )  # fmt: skip


def test_without_disorder_every_satellite_is_the_sum_over_the_atoms_of_one_period():
    """Intensity integrated across order n = |sum of f exp(i Q.r) over 30 columns of cells / 30|^2 at Gx + 2 pi n / L."""
    qz = np.linspace(4.55, 4.75, 401)
    qx = GX + np.linspace(-2.5, 2.5, 751) * Q0
    found = shine(axes=Axes(qx, qz)).intensity[:, ::100]
    motif = texture()
    for n in (-2, -1, 0, 1, 2):
        window = np.abs(qx - GX - n * Q0) < 0.5 * Q0
        area = found[window].sum(axis=0) * (qx[1] - qx[0])
        q = GX + n * Q0
        waves = np.exp(1j * q * A * np.arange(CELLS)) / CELLS
        expected = [abs(waves @ columns(motif, np.array([q, 0, z]))) ** 2 for z in qz[::100]]
        np.testing.assert_allclose(area, expected, rtol=0.01, atol=2e-3 * max(expected))


def test_a_disordered_place_is_the_sum_over_its_cells():
    """|sum over cells of w exp(i qx x) W(phi(x))|^2 with W summed atom by atom, cross terms of the orders included."""
    motif, disorder = texture(), Disorder(cumulative=0.1, coherence=250.0, window="flat", places=2)
    qx, qz = GX + np.array([-0.13, -0.051, 0.0, 0.02, 0.09]), np.array([4.58, 4.66])
    factor = texture_factor(
        specimen=Specimen(motif, STACK, None, 0.0, ENERGY), qx=(qx[0], qx[-1]), qy=0.0, qz=qz
    )
    told = {"period": PERIOD, "in_plane": A, "disorder": disorder}
    products = place_products(dq=qx - GX, harmonics=factor.harmonics, seed=7, **told)
    found = intensity_from_places(factor=factor, qx=qx, products=products)
    x, w = window_amplitudes(disorder=disorder, in_plane=A)
    rng = np.random.Generator(np.random.PCG64([7, STREAM]))
    phases = texture_phases(x=x, period=PERIOD, disorder=disorder, rng=rng)
    harmonics = np.rint(np.fft.fftfreq(CELLS, 1 / CELLS))
    for i, a in enumerate(qx):
        for j, c in enumerate(qz):
            period = np.fft.fft(columns(motif, np.array([a, 0, c]))) / CELLS
            cells = np.exp(2j * np.pi * phases[..., None] * harmonics) @ period
            expected = (np.abs((w * np.exp(1j * a * x) * cells).sum(axis=1)) ** 2).mean()
            assert found[i, j] == pytest.approx(expected, rel=2e-3, abs=1e-6 * found.max())


def test_a_flat_film_shows_the_fringes_of_n_planes():
    stack = Stack(A, (Layer(built_in("PbTiO3"), 30, 4.08),))
    qz = np.linspace(4.5, 4.75, 120)
    found = shine(flat(stack), stack, axes=Axes(GX + np.linspace(-2, 2, 3) * 1e-4, qz)).intensity[1]
    step = qz[1] - qz[0]
    fine = qz[:, None] + step * ((np.arange(40) + 0.5) / 40 - 0.5)
    f = structure_factor(
        material=stack.layers[0].material, h=np.array(1.0), k=0.0, qz=fine, in_plane=A, c=4.08, energy_kev=ENERGY
    )  # fmt: skip
    interference = (np.sin(30 * fine * 4.08 / 2) / np.sin(fine * 4.08 / 2)) ** 2
    expected = (np.abs(f) ** 2 * interference).mean(axis=1) / (np.sqrt(2 * np.pi) * CALM.width)
    np.testing.assert_allclose(found, expected, rtol=0.02, atol=3e-3 * expected.max())


def test_a_film_of_the_substrates_own_crystal_leaves_a_truncation_rod_without_fringes():
    """The film is coherent with the rod: one half-infinite crystal, |F|^2 / (4 sin^2(qz c / 2)), has no thickness."""
    stack = Stack(A, (Layer(BELOW.material, 30, BELOW.c),))
    qz = np.linspace(4.86, 5.05, 60)
    axes = Axes(GX + np.linspace(-2, 2, 3) * 1e-4, qz)
    found = shine(flat(stack), stack, BELOW, axes).intensity[1]
    f = structure_factor(
        material=BELOW.material, h=np.array(1.0), k=0.0, qz=qz, in_plane=A, c=BELOW.c, energy_kev=ENERGY
    )  # fmt: skip
    expected = np.abs(f) ** 2 / (4 * np.sin(qz * BELOW.c / 2) ** 2) / (np.sqrt(2 * np.pi) * CALM.width)
    inside = np.abs(qz - 6 * np.pi / BELOW.c) > 0.01
    np.testing.assert_allclose(found[inside], expected[inside], rtol=0.03)
    apart = shine(flat(stack), stack, BELOW, axes, gap=1.0).intensity[1]
    assert np.abs(apart[inside] / expected[inside] - 1).max() > 0.5


def test_disorder_takes_nothing_from_order_0_of_a_flat_film():
    stack = Stack(A, (Layer(built_in("PbTiO3"), 10, 4.08),))
    one, other = (
        shine(flat(stack), stack, disorder=replace(CALM, cumulative=c)).intensity for c in (0.0, 0.2)
    )
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6 * one.max())


def test_cumulative_disorder_lowers_satellites_by_their_growing_width():
    """The Voigt line's peak, of half width pi sigma^2 n^2 q0 over the window's Gaussian, lowers order n."""
    weak = texture(0.1)
    axes = Axes(GX + np.linspace(-2.2, 2.2, 441) * Q0, np.linspace(4.6, 4.7, 5))
    told = {"coherence": 2500.0, "places": 120}
    calm, wild = (
        shine(weak, axes=axes, disorder=Disorder(cumulative=c, **told)).intensity for c in (0.0, 0.06)
    )
    width = Disorder(**told).width
    step = axes.qx[1] - axes.qx[0]
    for n in (-1, 1, 2):
        i = 220 + 100 * n
        fine = np.linspace(-0.5, 0.5, 21) * step
        half = np.pi * 0.06**2 * n**2 * Q0
        expected = voigt_profile(fine, width, half).mean() / voigt_profile(fine, width, 0.0).mean()
        np.testing.assert_allclose(wild[i] / calm[i], expected, rtol=0.15)


def test_the_resolution_keeps_the_intensity():
    blurred = replace(SHARP, resolution=(2e-3, 4e-3))
    axes = Axes(GX + np.linspace(-2.45, 2.45, 148) * Q0, np.linspace(4.2, 5.1, 160))
    one, other = (shine(axes=axes, instrument=i).intensity for i in (SHARP, blurred))
    assert other.max() < 0.8 * one.max()
    assert other.sum() == pytest.approx(one.sum(), rel=0.01)


def test_a_beam_stop_hides_a_rectangle_and_an_attenuator_all_qx_around_the_substrates_peak():
    axes = Axes(GX + np.linspace(-2, 2, 81) * Q0, np.linspace(4.5, 4.9, 81))
    stopped = shine(substrate=BELOW, axes=axes, instrument=replace(SHARP, stop=(0.02, 0.015)))
    near = np.abs(axes.qz - 6 * np.pi / BELOW.c) <= 0.015
    np.testing.assert_array_equal(stopped.mask.astype(bool), (np.abs(axes.qx - GX) <= 0.02)[:, None] & near)
    dimmed = shine(
        substrate=BELOW, axes=axes, instrument=replace(SHARP, stop=(0.02, 0.015), stop_shape="attenuator")
    )
    np.testing.assert_array_equal(dimmed.mask.astype(bool), np.broadcast_to(near, (81, 81)))
    assert stopped.peak == stopped.intensity[stopped.mask == 0].max() < stopped.intensity.max()
    assert not shine(axes=axes, instrument=replace(SHARP, stop=(0.02, 0.015))).mask.any()


def test_along_qy_stands_a_line_that_holds_the_plane():
    axes = sensible_axes(period=PERIOD, stack=STACK, hkl=HKL, shape=(60, 21))
    deep = with_qy(axes, stack=STACK, hkl=HKL, half=0.03, number=61)
    plane, volume = shine(axes=axes).intensity, shine(axes=deep, substrate=None)
    assert volume.intensity.shape == volume.mask.shape == (60, 61, 21)
    np.testing.assert_allclose(volume.intensity.sum(axis=1) * (deep.qy[1] - deep.qy[0]), plane, rtol=1e-6)


def test_diffuse_scattering_is_a_share_of_the_peak_around_it():
    clean, hazy = (shine(instrument=replace(SHARP, diffuse=d, diffuse_width=0.05)) for d in (0.0, 1e-3))
    extra = (hazy.intensity - clean.intensity) / clean.peak
    i, j = np.unravel_index(extra.argmax(), extra.shape)
    axes = hazy.axes
    assert extra.max() == pytest.approx(1e-3, rel=0.01)
    assert abs(axes.qx[i] - GX) < axes.qx[1] - axes.qx[0]
    assert abs(axes.qz[j] - 6 * np.pi / STACK.mean_c) < axes.qz[1] - axes.qz[0]


def test_a_seed_fixes_the_map_and_another_gives_other_places():
    disorder = Disorder(cumulative=0.1, coherence=300.0, places=2)
    one, same, other = (shine(disorder=disorder, seed=s).intensity for s in (4, 4, 5))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 1e-3 * one.max()


def test_a_map_of_145_x_169_voxels_and_60_places_takes_2_s():
    stack = Stack(A, (Layer(built_in("SrTiO3"), 16, 3.905), Layer(built_in("PbTiO3"), 16, 4.02)), 3)
    axes = sensible_axes(period=PERIOD, stack=stack, hkl=HKL)
    assert axes.shape == (145, 169)
    motif, disorder = texture(stack=stack), Disorder(cumulative=0.06, places=60)
    shine(motif, stack, BELOW, replace(axes, qx=axes.qx[:9]), disorder)
    start = time.process_time()
    shine(motif, stack, BELOW, axes, disorder, Instrument())
    assert time.process_time() - start < 2.0


@pytest.mark.parametrize(
    ("axes", "words"),
    [
        (Axes(np.array([1.0]), np.array([4.0, 4.1])), "axes.qx: expected a uniform, rising axis of 2"),
        (Axes(np.array([1.0, 1.01]), np.array([4.1, 4.0])), "axes.qz: expected a uniform, rising"),
        (Axes(np.array([1.0, 1.01]), np.array([4.0, 4.1, 4.3])), "axes.qz: expected a uniform"),
        (Axes(np.linspace(1, 2, 11), np.linspace(4, 5, 11)), r"axes.qx: expected steps of 0.0268 .*got 0.1"),
    ],
)
def test_axes_that_cannot_be_are_refused(axes, words):
    with pytest.raises(UserError, match=words):
        shine(axes=axes)


@pytest.mark.parametrize("period", [0.0, -3.0, np.nan, np.inf])
def test_a_period_that_is_no_length_has_no_axes(period):
    with pytest.raises(UserError, match=r"period: expected a length above 0 angstrom, e\.g\. 120"):
        sensible_axes(period=period, stack=STACK, hkl=HKL)


def test_a_texture_in_both_directions_asks_for_an_axis_along_qy():
    u = np.zeros((3, 8, 8, len(STACK.heights)))
    with pytest.raises(UserError, match=r"axes\.qy"):
        shine(Motif((PERIOD, PERIOD), u, None))


def test_the_middle_of_the_axes_is_the_films_peak():
    axes = sensible_axes(period=PERIOD, stack=STACK, hkl=HKL)
    assert axes.qx[72] == pytest.approx(GX)
    assert axes.qz[84] == pytest.approx(6 * np.pi / STACK.mean_c)
    assert axes.qx[-1] - axes.qx[0] == pytest.approx(7 * Q0)
    assert axes.qz[1] - axes.qz[0] <= 2 * np.pi / STACK.thickness / 5


def test_a_substrate_of_another_c_shows_its_peak_where_bragg_says():
    axes = Axes(GX + np.linspace(-2, 2, 3) * 1e-3, np.linspace(4.6, 5.0, 401))
    found = shine(substrate=Substrate(built_in("KTaO3"), 3.95), axes=axes).intensity[1]
    assert axes.qz[found.argmax()] == pytest.approx(6 * np.pi / 3.95, abs=2e-3)

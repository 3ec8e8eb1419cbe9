"""Order intensities against sums over planes and Bessel functions; derivatives against differences."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nanotexture.phasing.modes import Modes, legendre_profiles
from nanotexture.phasing.motif_model import (
    Nuisance,
    ReflectionData,
    amplitudes,
    harmonics,
    order_intensities,
    psi_from_fields,
    smear_from_resolution,
)
from nanotexture.phasing.motif_slopes import Slopes
from nanotexture.phasing.unknowns import Block, Unknowns
from scipy.special import jv

PERIOD, C = 120.0, 4.0
SQUARE = np.eye(2)[None]  # displacement along x and z of one group of atoms
GROUPS = np.array(  # ux, uz, Px, Pz of three groups: each moves by u and by its own share of P
    [[[1, 0], [0, 1], [s, 0], [0, t]] for s, t in ((0.1, 0.12), (-0.06, -0.05), (-0.32, -0.37))]
)
INCLINED = np.array([[[-0.3, 0.95]]])  # one displacement along Q


def film(lift=SQUARE, planes=25, rows=13, highest=2, substrate=True, smear=True, detuned=False, seed=0):
    """One reflection of a film with complex, uneven planes, that every group of atoms shares in its own measure."""
    rng = np.random.default_rng(seed)
    z, g = np.arange(planes) * C, np.array([-1.6, 2 * np.pi * 3 / C])
    qz = g[1] + np.linspace(-0.12, 0.12, rows)
    shape = 2 * highest + 1, rows
    rod = 60 * np.exp(1j * rng.uniform(0, 6, rows)) / (0.1 + np.abs(qz - qz.mean() - 0.03))
    uneven = rng.normal(size=(len(lift), planes)) * 3 + 40 + 5j * rng.normal(size=(len(lift), planes))
    weights = 1 + 0.3 * (rng.normal(size=(len(lift), *shape)) + 1j * rng.normal(size=(len(lift), *shape))) * (
        len(lift) > 1
    )
    along = np.arange(-highest, highest + 1) * 2 * np.pi / PERIOD
    detuning = np.stack(np.broadcast_arrays(along[:, None], (qz - g[1])[None]), -1) * float(detuned)
    kernel = uneven[:, None] * np.exp(1j * qz[:, None] * z)
    return ReflectionData(
        orders=torch.arange(-highest, highest + 1),
        intensity=torch.zeros(shape, dtype=torch.float64),
        sigma=torch.ones(shape, dtype=torch.float64),
        work=torch.ones(shape, dtype=torch.bool),
        free=torch.zeros(shape, dtype=torch.bool),
        weights=torch.from_numpy(weights.astype(complex)),
        planes=torch.from_numpy(kernel),
        lift=torch.from_numpy(np.asarray(lift, float)),
        g=torch.from_numpy(g),
        detuning=torch.from_numpy(detuning.copy()),
        substrate=torch.from_numpy(rod.astype(complex)) if substrate else torch.zeros(rows) + 0j,
        qz=torch.from_numpy(qz),
        resolution=0.8 * float(qz[1] - qz[0]) if smear else 0.0,
        scale=0.37,
    )


def unknowns(number=2, polar=0, planes=25, points=32, lean=0.0):
    """Displacement fields and, with a mean of their own, polarization fields; lean in periods through the film."""
    profiles = legendre_profiles(z=np.arange(planes) * C, number=3, thickness=planes * C)
    tilt = lean / (planes * C)
    sizes = (
        (number, Modes(2, profiles, PERIOD, lean=tilt)),
        (polar, Modes(2, profiles.first(2), PERIOD, constant=True, lean=tilt)),
    )
    blocks = [Block(m, n, torch.ones(n, len(m.index)), 0.3) for n, m in sizes if n]
    return Unknowns(tuple(blocks), points)


def extras(log_scale=0.0, log_resolution=0.0, gap=0.0, batch=1):
    """Parameters beside the texture, the same for a whole batch."""
    return Nuisance(*(torch.full((batch,), v, dtype=torch.float64) for v in (log_scale, log_resolution, gap)))


def blur(data, log_resolution):
    """sum_k c_k cos(pi k (i + 1/2) / N) cos(pi k (j + 1/2) / N) exp(-(sigma pi k / (N step))^2 / 2), term by term."""
    number, step = len(data.qz), float(data.qz[1] - data.qz[0])
    k = np.arange(number)
    waves = np.cos(np.pi * k[:, None] * (k + 0.5) / number)
    sigma = data.resolution * np.exp(log_resolution)
    falls = np.where(k == 0, 1.0, 2.0) / number * np.exp(-0.5 * (sigma * np.pi * k / (number * step)) ** 2)
    return waves.T @ (falls[:, None] * waves)


def wave(data, v, n, row, second_order):
    """exp(i Q.v) of displacements v (2, ...) at the order and row, or the same with exp(i (Q - G).v) to second order."""
    d = np.tensordot(data.detuning[n, row].numpy(), v, axes=1)
    beside = 1 + 1j * d - 0.5 * d**2 if second_order else np.exp(1j * d)
    return np.exp(1j * np.tensordot(data.g.numpy(), v, axes=1)) * beside


def by_places(data, fields, gap=0.0, second_order=True):
    """A_n(qz) = sum_a w_a sum_z E_a (1/N) sum_x exp(2 pi i n x) exp(i Q.v_a) + [n = 0] rod, term by term."""
    number, found = fields.shape[1], np.zeros(data.intensity.shape, complex)
    for (i, row), _ in np.ndenumerate(found):
        n = int(data.orders[i])
        at = np.exp(2j * np.pi * n * np.arange(number) / number)[:, None] / number
        for a in range(len(data.lift)):
            v = np.tensordot(data.lift[a].numpy().T, fields, axes=1)
            planes = (at * wave(data, v, i, row, second_order)).sum(0) * data.planes[a, row].numpy()
            found[i, row] += data.weights[a, i, row].numpy() * planes.sum()
        if n == 0:
            found[i, row] += data.substrate[row].numpy() * np.exp(-1j * gap * float(data.qz[row]))
    return found


def motif(unknown, batch=1, seed=1, amplitude=0.15):
    c = torch.from_numpy(amplitude * np.random.default_rng(seed).normal(size=(batch, unknown.size)))
    return c, unknown.fields(c)


FILMS = {"x and z": (SQUARE, 2, 0), "along Q": (INCLINED, 1, 0), "three groups": (GROUPS, 2, 2)}


@pytest.mark.parametrize("kind", FILMS)
@pytest.mark.parametrize("substrate", [True, False])
@pytest.mark.parametrize("detuned", [True, False])
def test_order_intensities_are_the_sum_over_atoms_planes_and_places(kind, substrate, detuned):
    lift, number, polar = FILMS[kind]
    data = film(lift, planes=9, rows=5, substrate=substrate, detuned=detuned)
    unknown = unknowns(number, polar, planes=9, points=24)
    _, fields = motif(unknown, batch=2)
    log_scale, log_resolution, gap = (
        torch.tensor(pair, dtype=torch.float64) for pair in ([0.2, -0.1], [0.4, -0.3], [0.3, -0.4])
    )
    nuisance = Nuisance(log_scale, log_resolution, gap)
    found = order_intensities(data, fields, nuisance)
    fitted = Slopes(data, unknown).at(fields, nuisance).intensity
    for b in range(2):
        bright = (
            data.scale
            * np.exp(float(log_scale[b]))
            * np.abs(by_places(data, fields[b].numpy(), float(gap[b]))) ** 2
        )
        expected = bright @ blur(data, float(log_resolution[b])).T
        np.testing.assert_allclose(found[b], expected, rtol=1e-10)
        np.testing.assert_allclose(fitted[b], expected, rtol=1e-10)


@pytest.mark.parametrize("size", [0.05, 0.1, 0.2])
def test_the_expansion_about_g_is_good_to_third_order(size):
    """|exp(ix) - (1 + ix - x^2/2)| <= |x|^3 / 6 in every atom's wave."""
    data, unknown = film(GROUPS, planes=9, rows=5, detuned=True, substrate=False), unknowns(2, 2, 9, 24)
    _, fields = motif(unknown, amplitude=size)
    found = amplitudes(data, fields, psi_from_fields(data, fields), torch.zeros(1).double())[0].numpy()
    exact = by_places(data, fields[0].numpy(), second_order=False)
    v = np.einsum("afc,fxz->acxz", data.lift, fields[0])
    furthest = np.abs(np.einsum("nqc,acxz->naqxz", data.detuning, v)).max((3, 4))
    bound = np.einsum("naq,anq,aq->nq", furthest**3 / 6, data.weights.abs(), data.planes.abs().sum(2)) + 1e-9
    assert (np.abs(found - exact) < bound).all()
    assert np.abs(found - exact).max() > 1e-3 * bound.max()


@given(st.floats(0.0, 0.8), st.floats(0.0, 1.0))
@settings(max_examples=20)
def test_a_sine_constant_in_z_gives_bessel_functions(amplitude, where):
    """exp(i G u0 sin(2 pi (x - x0))) = sum_m J_m(G u0) exp(2 pi i m (x - x0))  (Jacobi-Anger); order n picks m = -n."""
    points, planes = 64, 3
    data = film(np.array([[[0.0, 1.0]]]), planes=planes)
    x = np.arange(points) / points
    u = amplitude * np.sin(2 * np.pi * (x - where))[None, None, :, None] * np.ones(planes)
    found = harmonics(psi_from_fields(data, torch.from_numpy(u)), (4,))[0, 0]
    n = np.arange(-4, 5)
    expected = jv(-n, float(data.g[1]) * amplitude) * np.exp(2j * np.pi * n * where)
    np.testing.assert_allclose(found, np.repeat(expected[:, None], planes, axis=1), atol=1e-12)


@given(st.integers(0, 1000), st.sampled_from([16, 31, 32]))
@settings(max_examples=20)
def test_all_orders_together_hold_every_photon(seed, points):
    """Parseval: sum_n |psi_n(z)|^2 = 1 at every plane, since |psi| = 1."""
    data = film(GROUPS)
    _, fields = motif(unknowns(2, 2, points=points), seed=seed)
    psi = psi_from_fields(data, fields)
    half = (points - 1) // 2
    found = (harmonics(psi, (half,)).abs() ** 2).sum(-2)
    assert found.max() <= 1 + 1e-12
    nyquist = torch.zeros_like(found)
    if points % 2 == 0:
        turns = torch.from_numpy((-1.0) ** np.arange(points)).to(psi.dtype)
        nyquist = torch.einsum("baxz,x->baz", psi, turns / points).abs() ** 2
    np.testing.assert_allclose(found + nyquist, 1.0, rtol=1e-12)
    np.testing.assert_allclose(harmonics(psi, (half,))[..., half, :], psi.mean(-2), atol=1e-14)


def jacobian_and_differences(data, unknown, seed=3):
    """The model's derivative by every parameter, and that of its intensities by central differences, (parameter, n, q)."""
    c, _ = motif(unknown, seed=seed, amplitude=0.1)
    start = torch.cat([c, torch.tensor([[0.15, 0.3, 0.2]], dtype=torch.float64)], 1)

    def bright(parameters):
        nuisance = Nuisance(*parameters[:, -3:].T)
        return order_intensities(data, unknown.fields(parameters[:, :-3]), nuisance)

    nuisance = Nuisance(*start[:, -3:].T)
    found = Slopes(data, unknown).at(unknown.fields(c), nuisance).jacobian[0]
    step = 1e-5 * torch.eye(start.shape[1], dtype=torch.float64)
    pairs = [bright(torch.cat([start + one, start - one])) for one in step[:, None]]
    return found.double().numpy(), torch.stack([(p[0] - p[1]) / 2e-5 for p in pairs]).numpy()


@pytest.mark.parametrize("kind", FILMS)
@pytest.mark.parametrize("substrate", [True, False])
@pytest.mark.parametrize("smear", [True, False])
@pytest.mark.parametrize("lean", [0.0, -1.3])
def test_the_jacobian_at_g_is_the_derivative_for_every_parameter(kind, substrate, smear, lean):
    """To single precision, where Q - G is zero, of modes that stand upright or lean."""
    lift, number, polar = FILMS[kind]
    unknown = unknowns(number, polar, lean=lean)
    found, numeric = jacobian_and_differences(film(lift, substrate=substrate, smear=smear), unknown)
    assert len(found) == unknown.size + 3
    for one, other in zip(found, numeric, strict=True):
        np.testing.assert_allclose(
            one, other, atol=1e-5 * max(np.abs(other).max(), 1e-3 * np.abs(numeric).max())
        )


@pytest.mark.parametrize("kind", FILMS)
def test_the_jacobian_off_g_is_the_derivative_but_for_a_few_per_cent(kind):
    lift, number, polar = FILMS[kind]
    unknown = unknowns(number, polar)
    found, numeric = jacobian_and_differences(film(lift, detuned=True), unknown)
    off = np.sqrt(((found - numeric) ** 2).sum((1, 2)) / (numeric**2).sum((1, 2)))
    assert off[:-3].max() < 0.1
    assert np.sqrt((off[:-3] ** 2).mean()) < 0.05
    np.testing.assert_allclose(found[-3:], numeric[-3:], rtol=1e-4, atol=1e-5 * np.abs(numeric[-3:]).max())


def test_a_shift_along_x_changes_no_intensity_and_a_constant_only_the_beat_with_the_substrate():
    data = film()
    _, u = motif(unknowns(points=24))
    zero = extras()
    base = order_intensities(data, u, zero)
    np.testing.assert_allclose(order_intensities(data, torch.roll(u, 5, dims=2), zero), base, rtol=1e-9)
    lifted = u + torch.tensor([0.0, 0.4], dtype=torch.float64)[None, :, None, None]
    assert not np.allclose(order_intensities(data, lifted, zero)[0, 2], base[0, 2], rtol=1e-3)
    free = replace(data, substrate=torch.zeros_like(data.substrate))
    np.testing.assert_allclose(
        order_intensities(free, lifted, zero), order_intensities(free, u, zero), rtol=1e-9
    )


def test_mirroring_the_motif_swaps_positive_and_negative_orders_where_q_has_no_x():
    data = replace(film(), g=torch.tensor([0.0, 4.7], dtype=torch.float64))
    _, u = motif(unknowns(points=24))
    mirrored = torch.roll(u.flip(2), 1, dims=2)
    base = order_intensities(data, u, extras())
    np.testing.assert_allclose(order_intensities(data, mirrored, extras()), base.flip(1), rtol=1e-9)
    assert not np.allclose(base, base.flip(1), rtol=0.1)


def test_the_scale_multiplies_and_the_gap_moves_the_rod_only():
    data = film(smear=False)
    _, u = motif(unknowns())
    base = order_intensities(data, u, extras())
    scaled = order_intensities(data, u, extras(log_scale=0.7))
    np.testing.assert_allclose(scaled, base * np.exp(0.7), rtol=1e-12)
    moved = order_intensities(data, u, extras(gap=0.7))
    np.testing.assert_array_equal(moved[0, [0, 1, 3, 4]], base[0, [0, 1, 3, 4]])
    turned = replace(data, substrate=data.substrate * torch.exp(-1j * data.qz * 0.7))
    np.testing.assert_allclose(order_intensities(turned, u, extras()), moved, rtol=1e-10)
    assert not np.allclose(moved[0, 2], base[0, 2], rtol=1e-2)


def test_a_flat_film_shines_in_order_0_only():
    data = film(substrate=False, smear=False)
    flat = torch.zeros(1, 2, 24, 25).double()
    found = order_intensities(data, flat, extras())[0]
    np.testing.assert_allclose(found[2], data.scale * data.planes[0].sum(1).abs() ** 2, rtol=1e-12)
    np.testing.assert_allclose(found[[0, 1, 3, 4]], 0, atol=1e-20 * float(found.max()) + 1e-18)


def test_a_uniform_polarization_makes_no_satellites_but_dims_or_brightens_the_film():
    data = film(GROUPS, substrate=False, smear=False)
    uniform = torch.zeros(1, 4, 24, 25).double()
    uniform[:, 3] = 0.5
    found, flat = (order_intensities(data, f, extras())[0] for f in (uniform, 0 * uniform))
    np.testing.assert_allclose(found[[0, 1, 3, 4]], 0, atol=1e-18)
    assert not np.allclose(found[2], flat[2], rtol=0.05)


@pytest.mark.parametrize("rows", [1, -2])
def test_a_motif_that_leans_moves_order_n_by_minus_2_pi_n_lean_along_qz(rows):
    """I_n(qz) of f(x - lean z) is I_n(qz + 2 pi n lean) of f: here 2 pi lean is a number of rows."""
    data = film(substrate=False, smear=False, rows=41)
    even = 70 * torch.exp(1j * data.qz[:, None] * torch.arange(25) * C)  # no weights of their own along qz
    data = replace(data, planes=even[None])
    step = float(data.qz[1] - data.qz[0])
    unknown, lean = unknowns(points=64), rows * step / (2 * np.pi)
    c, upright = motif(unknown)
    tilted = unknowns(points=64, lean=lean * 25 * C).fields(c)
    still, moved = (order_intensities(data, u, extras())[0].numpy() for u in (upright, tilted))
    inner = slice(4, -4)
    for i, n in enumerate(data.orders.tolist()):
        expected = np.roll(still[i], -n * rows)[inner]
        np.testing.assert_allclose(moved[i][inner], expected, rtol=1e-9, atol=1e-9 * still.max())
    assert not np.allclose(moved[3], still[3], atol=0.1 * still[3].max())


@given(st.floats(-2, 2), st.floats(0.2, 4.0))
@settings(max_examples=20)
def test_the_resolution_keeps_the_sum_and_leaves_a_flat_intensity_flat(log_resolution, rows):
    data = film()
    data = replace(data, resolution=rows * float(data.qz[1] - data.qz[0]))
    weight, slope = smear_from_resolution(data, torch.tensor([log_resolution], dtype=torch.float64))
    np.testing.assert_allclose(weight.sum(2), 1.0)
    np.testing.assert_allclose(weight.sum(1), 1.0)
    np.testing.assert_allclose(slope.sum((1, 2)), 0.0, atol=1e-12)
    np.testing.assert_allclose(slope.sum(2), 0.0, atol=1e-12)


@pytest.mark.parametrize("sigma", [1.5, 4.0])
def test_a_resolution_wider_than_a_row_is_a_gaussian_mirrored_at_both_ends(sigma):
    """Its images at i + 2 N m and -1 - i + 2 N m; what the series cuts off is exp(-(pi sigma)^2 / 2)."""
    data = film(rows=20)
    step = float(data.qz[1] - data.qz[0])
    weight, _ = smear_from_resolution(replace(data, resolution=sigma * step), torch.zeros(1).double())
    i, j, image = np.arange(20)[:, None, None], np.arange(20)[None, :, None], 40 * np.arange(-3, 4)
    places = np.stack([i - j + image, i + j + 1 + image])
    expected = np.exp(-0.5 * (places / sigma) ** 2).sum((0, 3)) / (sigma * np.sqrt(2 * np.pi))
    np.testing.assert_allclose(weight[0], expected, atol=2 * np.exp(-0.5 * (np.pi * sigma) ** 2) + 1e-12)


@pytest.mark.parametrize("sigma", [0.3, 0.5, 1.0])
def test_on_coarse_rows_a_gaussian_line_gets_the_added_variance_and_keeps_its_sum(sigma):
    """Where a Gaussian sampled at the rows, narrower than they are far apart, would not widen it by so much."""
    data, own = film(rows=41), 1.2
    step = float(data.qz[1] - data.qz[0])
    offset = np.arange(41) - 19.7

    def line(width):
        return np.exp(-0.5 * (offset / width) ** 2) / (width * np.sqrt(2 * np.pi))

    weight, _ = smear_from_resolution(replace(data, resolution=sigma * step), torch.zeros(1).double())
    wide = weight[0].numpy() @ line(own)
    np.testing.assert_allclose(wide, line(np.hypot(own, sigma)), atol=1e-3 * line(own).max())
    assert wide.sum() == pytest.approx(line(own).sum(), rel=1e-12)
    assert (wide * offset**2).sum() == pytest.approx(own**2 + sigma**2, rel=1e-2)


def test_the_resolution_widens_a_line_in_quadrature():
    data = film(rows=301)
    step = float(data.qz[1] - data.qz[0])
    offset = (data.qz - data.qz[150]) / step
    line = torch.exp(-0.5 * (offset / 10) ** 2)
    weight, _ = smear_from_resolution(replace(data, resolution=4 * step), torch.tensor([np.log(2.0)]))
    wide = weight[0] @ line
    assert float(torch.sqrt((wide * offset**2).sum() / wide.sum())) == pytest.approx(
        np.hypot(10, 8), rel=1e-3
    )
    none, _ = smear_from_resolution(replace(data, resolution=0.0), torch.zeros(1, dtype=torch.float64))
    np.testing.assert_allclose(none[0], np.eye(301), atol=1e-12)

"""Order intensities against sums over planes and Bessel functions; derivatives against differences."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nanotexture.phasing.modes import Modes
from nanotexture.phasing.motif_model import (
    Nuisance,
    ReflectionData,
    displacement_from_coefficients,
    evaluate_reflection,
    harmonics_of_psi,
    order_intensities,
    smear_from_resolution,
)
from scipy.special import jv

PERIOD, C = 120.0, 4.0


def film(planes=25, rows=13, highest=2, fields=2, substrate=True, smear=True, seed=0):
    """Modes and one reflection of a film with complex, uneven planes."""
    rng = np.random.default_rng(seed)
    z = np.arange(planes) * C
    qz = 2 * np.pi * 3 / C + np.linspace(-0.12, 0.12, rows)
    kernel = (rng.normal(size=planes) * 3 + 40 + 5j * rng.normal(size=planes)) * np.exp(1j * qz[:, None] * z)
    rod = (
        60 * np.exp(1j * rng.uniform(0, 6, rows)) / (0.1 + np.abs(qz - qz.mean() - 0.03))
        if substrate
        else np.zeros(rows)
    )
    shape = 2 * highest + 1, rows
    g = np.array([-1.6, 4.7])[:fields] if fields == 2 else np.array([4.96])
    data = ReflectionData(
        orders=torch.arange(-highest, highest + 1),
        intensity=torch.zeros(shape, dtype=torch.float64),
        sigma=torch.ones(shape, dtype=torch.float64),
        work=torch.ones(shape, dtype=torch.bool),
        free=torch.zeros(shape, dtype=torch.bool),
        kernel=torch.from_numpy(kernel),
        substrate=torch.from_numpy(rod.astype(complex)),
        qz=torch.from_numpy(qz),
        resolution=0.8 * float(qz[1] - qz[0]) if smear else 0.0,
        g=torch.from_numpy(g),
        scale=0.37,
    )
    return data, Modes(2, 3, tuple(z.tolist()), PERIOD, planes * C), qz


def extras(log_scale=0.0, log_resolution=0.0, gap=0.0, batch=1):
    """Parameters beside the texture, the same for a whole batch."""
    return Nuisance(*(torch.full((batch,), v, dtype=torch.float64) for v in (log_scale, log_resolution, gap)))


def blur(data, log_resolution):
    """Normalised Gaussian weights between rows."""
    qz, sigma = data.qz.numpy(), data.resolution * np.exp(log_resolution)
    if sigma == 0:
        return np.eye(len(qz))
    weight = np.exp(-0.5 * ((qz[:, None] - qz[None, :]) / sigma) ** 2)
    return weight / weight.sum(1, keepdims=True)


def by_planes(data, displacement, log_scale, log_resolution, gap):
    """I_n(qz) = s |sum_z K (1/N) sum_x exp(i(G.u - 2 pi n x)) + [n = 0] rod exp(-i qz gap)|^2, smeared."""
    number = displacement.shape[1]
    kernel, rod = data.kernel.numpy(), data.substrate.numpy()
    bright = []
    for n in data.orders.numpy():
        amplitude = np.zeros(len(kernel), complex)
        for plane in range(kernel.shape[1]):
            for i in range(number):
                phase = sum(float(g) * displacement[f, i, plane] for f, g in enumerate(data.g))
                amplitude += kernel[:, plane] * np.exp(1j * (phase - 2 * np.pi * n * i / number)) / number
        if n == 0:
            amplitude += rod * np.exp(-1j * gap * data.qz.numpy())
        bright.append(blur(data, log_resolution) @ (data.scale * np.exp(log_scale) * np.abs(amplitude) ** 2))
    return np.array(bright)


def motif(modes, fields, batch=1, seed=1, amplitude=0.15, points=24):
    rng = np.random.default_rng(seed)
    c = torch.from_numpy(amplitude * rng.normal(size=(batch, fields, len(modes.index))))
    return c, displacement_from_coefficients(coefficients=c, basis=modes.basis(points))


@pytest.mark.parametrize("fields", [1, 2])
@pytest.mark.parametrize("substrate", [True, False])
def test_order_intensities_are_the_sum_over_planes_and_places(fields, substrate):
    data, modes, _ = film(fields=fields, substrate=substrate, planes=9, rows=5)
    _, u = motif(modes, fields, batch=2)
    log_scale, log_resolution, gap = (
        torch.tensor(pair, dtype=torch.float64) for pair in ([0.2, -0.1], [0.4, -0.3], [0.3, -0.4])
    )
    nuisance = Nuisance(log_scale, log_resolution, gap)
    found = order_intensities(data, u, nuisance)
    fitted = evaluate_reflection(data, modes, u, nuisance).intensity
    for b in range(2):
        others = float(log_scale[b]), float(log_resolution[b]), float(gap[b])
        expected = by_planes(data, u[b].numpy(), *others)
        np.testing.assert_allclose(found[b], expected, rtol=1e-10)
        np.testing.assert_allclose(fitted[b], expected, rtol=1e-10)


@given(st.floats(0.0, 0.8), st.floats(0.0, 1.0))
@settings(max_examples=20, deadline=None)
def test_a_sine_constant_in_z_gives_bessel_functions(amplitude, where):
    """exp(i G u0 sin(2 pi (x - x0))) = sum_n J_n(G u0) exp(2 pi i n (x - x0))  (Jacobi-Anger)."""
    points, planes, g = 64, 3, 4.7
    x = np.arange(points) / points
    u = amplitude * np.sin(2 * np.pi * (x - where))[None, None, :, None] * np.ones(planes)
    found = harmonics_of_psi(
        displacement=torch.from_numpy(u), g=torch.tensor([g], dtype=torch.float64), highest=4
    )[0]
    n = np.arange(-4, 5)
    expected = jv(n, g * amplitude) * np.exp(-2j * np.pi * n * where)
    np.testing.assert_allclose(found, np.repeat(expected[:, None], planes, axis=1), atol=1e-12)


@given(st.integers(0, 1000), st.sampled_from([16, 31, 32]))
@settings(max_examples=20, deadline=None)
def test_all_orders_together_hold_every_photon(seed, points):
    """Parseval: sum_n |psi_n(z)|^2 = 1 at every plane, since |psi| = 1."""
    _, modes, _ = film()
    _, u = motif(modes, 2, seed=seed, points=points)
    spectrum = (
        torch.fft.fft(
            torch.exp(1j * torch.einsum("f,bfxz->bxz", torch.tensor([-1.6, 4.7], dtype=torch.float64), u)),
            dim=1,
        )
        / points
    )
    np.testing.assert_allclose((spectrum.abs() ** 2).sum(1), 1.0, rtol=1e-12)
    half = (points - 1) // 2
    found = harmonics_of_psi(displacement=u, g=torch.tensor([-1.6, 4.7], dtype=torch.float64), highest=half)
    assert (found.abs() ** 2).sum(1).max() <= 1 + 1e-12
    np.testing.assert_allclose(found[0, half], spectrum[0, 0], atol=1e-14)


@pytest.mark.parametrize("fields", [1, 2])
@pytest.mark.parametrize("substrate", [True, False])
@pytest.mark.parametrize("smear", [True, False])
def test_the_jacobian_is_the_derivative_for_every_parameter(fields, substrate, smear):
    data, modes, _ = film(fields=fields, substrate=substrate, smear=smear)
    points = 32
    c, _ = motif(modes, fields, seed=3)
    start = torch.cat([c.flatten(1), torch.tensor([[0.15, 0.3, 0.2]], dtype=torch.float64)], 1)

    def intensity(parameters):
        own = parameters[:, :-3].unflatten(1, (fields, -1))
        u = displacement_from_coefficients(coefficients=own, basis=modes.basis(points))
        return evaluate_reflection(data, modes, u, Nuisance(*parameters[:, -3:].T))

    found = intensity(start).jacobian[0]
    assert found.shape[-1] == start.shape[1]
    step = 1e-5
    for j in range(start.shape[1]):
        ahead, behind = start.clone(), start.clone()
        ahead[0, j] += step
        behind[0, j] -= step
        numeric = (intensity(ahead).intensity - intensity(behind).intensity)[0] / (2 * step)
        scale = max(float(found[..., j].abs().max()), 1e-6)
        np.testing.assert_allclose(
            found[..., j], numeric, atol=1e-6 * scale + 1e-3 * step * float(found.abs().max())
        )


def test_a_shift_along_x_changes_no_intensity_and_a_constant_only_the_beat_with_the_substrate():
    data, modes, _ = film()
    points = 24
    _, u = motif(modes, 2, points=points)
    zero = extras()
    base = order_intensities(data, u, zero)
    np.testing.assert_allclose(order_intensities(data, torch.roll(u, 5, dims=2), zero), base, rtol=1e-9)
    lifted = u + torch.tensor([0.0, 0.4], dtype=torch.float64)[None, :, None, None]
    assert not np.allclose(order_intensities(data, lifted, zero)[0, 2], base[0, 2], rtol=1e-3)
    free = replace(data, substrate=torch.zeros_like(data.substrate))
    np.testing.assert_allclose(
        order_intensities(free, lifted, zero), order_intensities(free, u, zero), rtol=1e-9
    )


def test_the_scale_multiplies_and_the_gap_moves_the_rod_only():
    data, modes, qz = film(smear=False)
    _, u = motif(modes, 2)
    zero = extras()
    base = order_intensities(data, u, zero)
    np.testing.assert_allclose(
        order_intensities(data, u, extras(log_scale=0.7)), base * np.exp(0.7), rtol=1e-12
    )
    moved = order_intensities(data, u, extras(gap=0.7))
    np.testing.assert_array_equal(moved[0, [0, 1, 3, 4]], base[0, [0, 1, 3, 4]])
    turned = replace(data, substrate=data.substrate * torch.from_numpy(np.exp(-1j * qz * 0.7)))
    np.testing.assert_allclose(order_intensities(turned, u, zero), moved, rtol=1e-10)


def test_a_flat_film_shines_in_order_0_only():
    data, modes, _ = film(substrate=False, smear=False)
    flat = torch.zeros(1, 2, 24, len(modes.z)).double()
    zero = extras()
    found = order_intensities(data, flat, zero)[0]
    np.testing.assert_allclose(found[2], data.scale * data.kernel.sum(1).abs() ** 2, rtol=1e-12)
    np.testing.assert_allclose(found[[0, 1, 3, 4]], 0, atol=1e-20 * float(found.max()) + 1e-18)


@given(st.floats(-2, 2), st.floats(0.2, 4.0))
@settings(max_examples=20, deadline=None)
def test_a_flat_intensity_stays_flat_under_the_resolution(log_resolution, rows):
    data, _, qz = film()
    data = replace(data, resolution=rows * float(qz[1] - qz[0]))
    weight, slope = smear_from_resolution(data, torch.tensor([log_resolution], dtype=torch.float64))
    np.testing.assert_allclose(weight.sum(2), 1.0)
    np.testing.assert_allclose(slope.sum(2), 0.0, atol=1e-12)
    assert (weight >= 0).all()


def test_the_resolution_widens_a_line_in_quadrature():
    data, _, _ = film(rows=301)
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

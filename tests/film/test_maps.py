"""From orders to maps: lines of unit area where they belong, intensity kept, widths as stated, derivatives."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nanotexture.errors import UserError
from nanotexture.film.forward import amplitudes
from nanotexture.film.maps import (
    LineShape,
    lines_from_shape,
    map_from_orders,
    map_from_texture,
    sigma_from_coherent_width,
    smear_from_resolution,
    voigt,
)
from scipy.special import voigt_profile

from .textures import SINGLE, leaning, model, tensors

NX, ORDERS, L = 12, 3, 100.0
K = 2 * math.pi / L


def reflection(ny=1, orders=(ORDERS, 0), **options):
    return model(SINGLE, (1, 0, 3), NX, ny, orders, periods=(L, L), **options)


def axis(middle, half=3.6 * K, number=721):
    return np.linspace(middle - half, middle + half, number)


GX = 2 * math.pi / SINGLE.in_plane
QX = axis(GX)


@given(st.floats(1e-4, 0.1), st.floats(0.0, 0.1))
@settings(max_examples=50)
def test_the_line_is_the_voigt_profile(sigma, half_width):
    offset = torch.linspace(-0.3, 0.3, 61, dtype=torch.float64)
    found = voigt(offset=offset, sigma=sigma, half_width=torch.tensor(half_width, dtype=torch.float64))
    expected = voigt_profile(offset.numpy(), sigma, half_width)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-8, atol=1e-11 * expected.max())


def test_the_derivatives_of_the_line_are_those_of_finite_differences():
    values = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in ([0.01, -0.02], 0.01, 0.004)]
    assert torch.autograd.gradcheck(lambda q, s, g: voigt(offset=q, sigma=s, half_width=g), values)


def test_a_map_keeps_the_intensity_of_every_order_and_of_all():
    """Integrated over qx, a map is the sum of |A_n|^2, diffuse part included: lines have unit area."""
    u, p = tensors(*leaning(SINGLE, NX))
    here = reflection()
    wide = axis(GX, half=2.0, number=20001)
    shape = LineShape(sigma=0.002, period_step=0.02, diffuse=0.1, diffuse_width=0.05)
    found = map_from_texture(here, lines_from_shape(reflection=here, shape=shape, qx=wide), u, p)
    total = amplitudes(here, u, p).abs().square().sum((0, 1))
    torch.testing.assert_close(found.sum(0) * (wide[1] - wide[0]), total, rtol=1e-3, atol=0.0)


@pytest.mark.parametrize("n", [-3, -1, 0, 2])
def test_a_single_order_is_a_line_at_its_place_with_its_width(n):
    """Centre Gx + n k; where the Lorentzian rules, full width 2 pi s^2 n^2 k; order 0 as narrow as the instrument."""
    here = reflection()
    step = 0.1
    intensity = torch.zeros(2 * ORDERS + 1, 1, 9, dtype=torch.float64)
    intensity[n + ORDERS] = 1.0
    fine = axis(GX + n * K, half=0.02, number=40001)
    lines = lines_from_shape(reflection=here, shape=LineShape(sigma=5e-5, period_step=step), qx=fine)
    profile = map_from_orders(intensity=intensity, lines=lines)[:, 4].numpy()
    above = fine[profile > 0.5 * profile.max()]
    expected = 2 * math.pi * step**2 * n**2 * K if n else 2.355 * 5e-5
    assert fine[profile.argmax()] == pytest.approx(GX + n * K, abs=2e-6)
    assert np.ptp(above) == pytest.approx(expected, rel=0.05)


def test_orders_leak_into_each_other_by_the_tails_of_their_lines():
    """At the place of order 1 the tail of order 2 is g / (pi k^2), its Lorentzian far from the centre."""
    here = reflection()
    intensity = torch.zeros(2 * ORDERS + 1, 1, 9, dtype=torch.float64)
    intensity[2 + ORDERS] = 1.0
    lines = lines_from_shape(
        reflection=here, shape=LineShape(sigma=0.001, period_step=0.05), qx=np.array([GX + K])
    )
    half_width = math.pi * 0.05**2 * 4 * K
    leaked = float(map_from_orders(intensity=intensity, lines=lines)[0, 0])
    assert leaked == pytest.approx(half_width / math.pi / (K**2 + half_width**2), rel=2e-3)


def test_diffuse_intensity_is_taken_from_the_sharp_line():
    here = reflection()
    u, p = tensors(*leaning(SINGLE, NX))
    at_peak = np.array([GX])
    sharp, both = (
        map_from_texture(
            here,
            lines_from_shape(
                reflection=here, shape=LineShape(sigma=1e-4, diffuse=d, diffuse_width=0.2), qx=at_peak
            ),
            u,
            p,
        )
        for d in (0.0, 0.25)
    )
    torch.testing.assert_close(both, 0.75 * sharp, rtol=0.02, atol=0.0)


def test_resolution_along_qz_keeps_a_constant_and_adds_in_squares():
    qz = torch.linspace(4.0, 5.0, 401, dtype=torch.float64)
    smear = smear_from_resolution(qz=qz, sigma=0.02)
    torch.testing.assert_close(smear.sum(1), torch.ones_like(qz))
    line = torch.exp(-0.5 * ((qz - 4.5) / 0.03) ** 2)
    wide = smear @ line
    width = ((qz - 4.5) ** 2 * wide).sum() / wide.sum()
    assert float(width.sqrt()) == pytest.approx(math.hypot(0.02, 0.03), rel=1e-3)


def test_no_resolution_changes_nothing():
    qz = torch.linspace(4.0, 5.0, 51, dtype=torch.float64)
    torch.testing.assert_close(smear_from_resolution(qz=qz, sigma=0.0), torch.eye(51, dtype=torch.float64))
    assert smear_from_resolution(qz=qz[:1], sigma=0.1).tolist() == [[1.0]]


def test_background_is_added_everywhere():
    here = reflection()
    u, p = tensors(*leaning(SINGLE, NX))
    lines = lines_from_shape(reflection=here, shape=LineShape(sigma=0.003), qx=QX)
    plain, lifted = (map_from_texture(here, lines, u, p, background=b) for b in (0.0, 7.0))
    assert plain.shape == (721, 9)
    torch.testing.assert_close(lifted - plain, torch.full_like(plain, 7.0))


def test_a_map_in_three_dimensions_integrates_to_the_one_in_two():
    here = reflection(3, (2, 1))
    u, p = tensors(*leaning(SINGLE, NX, 3))
    shape = LineShape(sigma=0.004, resolution_z=0.01)
    qx, qy = axis(GX, number=61), axis(0.0, half=0.2, number=301)
    solid = map_from_texture(here, lines_from_shape(reflection=here, shape=shape, qx=qx, qy=qy), u, p)
    flat = map_from_texture(here, lines_from_shape(reflection=here, shape=shape, qx=qx), u, p)
    assert solid.shape == (61, 301, 9)
    torch.testing.assert_close(solid.sum(1) * (qy[1] - qy[0]), flat, rtol=1e-4, atol=1e-4)


def test_a_batch_of_textures_is_a_batch_of_maps():
    here = reflection()
    pairs = [tensors(*leaning(SINGLE, NX, size=s)) for s in (0.1, 0.3)]
    lines = lines_from_shape(reflection=here, shape=LineShape(sigma=0.003), qx=QX)
    together = map_from_texture(here, lines, *(torch.stack(f) for f in zip(*pairs, strict=True)))
    for found, (u, p) in zip(together, pairs, strict=True):
        torch.testing.assert_close(found, map_from_texture(here, lines, u, p))


def test_derivatives_pass_through_a_map_to_texture_gap_and_line_shape():
    here = model(SINGLE, (1, 0, 3), 3, orders=(1, 0), periods=(L, L), qz=np.array([4.6, 4.65]), expansion=1)
    u, p = tensors(*leaning(SINGLE, 3))
    numbers = [torch.tensor(v, dtype=torch.float64) for v in (0.1, 0.01, 0.1, 0.03, 0.2)]
    inputs = tuple(v.requires_grad_() for v in (0.2 * u[..., :], p, *numbers))

    def root(a, b, gap, sigma, step, along_z, diffuse):
        shape = LineShape(sigma=sigma, period_step=step, resolution_z=along_z, diffuse=diffuse)
        lines = lines_from_shape(reflection=here, shape=shape, qx=np.array([GX, GX + 0.5 * K]))
        return map_from_texture(here, lines, a, b, gap).log()

    assert torch.autograd.gradcheck(root, inputs)


def test_a_coherent_width_and_the_instrument_add_in_squares():
    """|transform of exp(-x^2 / 2 w^2)|^2 = exp(-q^2 w^2): standard deviation 1 / (sqrt 2 w)."""
    x = np.linspace(-3000, 3000, 6001)
    q = np.linspace(-0.02, 0.02, 401)
    line = abs(np.exp(1j * np.outer(q, x)) @ np.exp(-(x**2) / (2 * 300.0**2))) ** 2
    measured = math.sqrt((q**2 * line).sum() / line.sum())
    assert sigma_from_coherent_width(width=300.0, resolution=0.0) == pytest.approx(measured, rel=1e-6)
    assert sigma_from_coherent_width(width=300.0, resolution=0.003) == pytest.approx(
        math.hypot(measured, 0.003), rel=1e-6
    )


@pytest.mark.parametrize("name", ["sigma", "diffuse_width"])
def test_a_line_without_width_is_refused(name):
    with pytest.raises(UserError, match=f"{name}: expected a width above 0"):
        lines_from_shape(reflection=reflection(), shape=LineShape(**({"sigma": 0.01} | {name: 0.0})), qx=QX)


def test_a_map_that_does_not_fit_is_refused():
    with pytest.raises(UserError, match="voxels fit"):
        lines_from_shape(reflection=reflection(), shape=LineShape(sigma=0.01), qx=QX, memory_limit=1000.0)

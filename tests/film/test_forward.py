"""Amplitudes of the orders: against sums over single atoms, closed forms, and the mathematics of derivatives."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from nanotexture.film.forward import (
    amplitudes,
    atom_displacement,
    part_amplitude,
    plane_moments,
    substrate_orders,
)
from nanotexture.film.limits import remainder
from nanotexture.film.materials import Atom, Material, built_in
from nanotexture.film.rod import ABSORPTION
from nanotexture.film.stack import Layer, Stack, Substrate
from nanotexture.geometry import atomic_form_factor
from scipy.special import jv
from scipy.stats import norm

from .textures import CU, SINGLE, SUPERLATTICE, A, around, leaning, model, tensors

torch.set_num_threads(1)
POINT = Stack(A, (Layer(Material("X", (A, A, 4.0), (Atom("Ti", (0.0, 0.0, 0.0)),)), 10, 4.0),))


def relative(found, expected):
    """Largest deviation of an order over the largest amplitude of that order."""
    found, expected = np.asarray(found), np.asarray(expected)
    return float((abs(found - expected).max(-1) / abs(expected).max(-1)).max())


def sum_over_atoms(stack, u, p, q, repeats):
    """sum over every atom of a film of repeats x repeats periods of f exp(i Q.R), per cell of area; q (3,)."""
    nx, ny = u.shape[1:3]
    cells = [(i, j) for i in range(nx * repeats) for j in range(ny * (repeats if ny > 1 else 1))]
    bottom, total = 0.0, 0.0
    for plane, c in enumerate(stack.spacings):
        for atom in stack.layers[stack.plane_materials[plane]].material.atoms:
            place = np.array(atom.position) * (stack.in_plane, stack.in_plane, c)
            form = atomic_form_factor(atom.element, np.linalg.norm(q), CU)
            for i, j in cells:
                corner = np.array([i * stack.in_plane, j * stack.in_plane, bottom])
                move = u[:, i % nx, j % ny, plane]
                if p is not None:
                    move = move + np.array(atom.displacement_per_polarization) * p[:, i % nx, j % ny, plane]
                total += form * np.exp(1j * np.dot(q, corner + place + move))
        bottom += c
    return total / len(cells)


def at_orders(stack, hkl, u, p, orders, qz, repeats):
    """The sum over atoms at the positions of the orders, (n, m, qz)."""
    nx, ny = u.shape[1:3]
    found = np.empty((2 * orders[0] + 1, 2 * orders[1] + 1, len(qz)), complex)
    for (i, j, k), _ in np.ndenumerate(found):
        n, m = i - orders[0], j - orders[1]
        q = 2 * np.pi / stack.in_plane * np.array([hkl[0] + n / nx, hkl[1] + m / ny, 0.0]) + (0.0, 0.0, qz[k])
        found[i, j, k] = sum_over_atoms(stack, u, p, q, repeats)
    return found


@pytest.mark.parametrize("hkl", [(0, 0, 2), (0, 0, 3), (1, 0, 3), (-1, 1, 2)])
def test_the_orders_are_the_sum_over_the_atoms_of_a_film_of_several_periods(hkl):
    u, p = leaning(SUPERLATTICE, 10)
    qz = around(SUPERLATTICE, hkl, rows=4)
    found = amplitudes(model(SUPERLATTICE, hkl, 10, qz=qz), *tensors(u, p))
    expected = at_orders(SUPERLATTICE, hkl, u, p, (3, 0), qz, repeats=3)
    assert found.shape == expected.shape
    assert relative(found, expected) < 1e-4


def test_the_orders_of_a_texture_in_three_dimensions_are_the_sum_over_its_atoms():
    stack = Stack(A, (Layer(built_in("SrTiO3"), 1, 3.905), Layer(built_in("PbTiO3"), 2, 4.08)))
    u, p = leaning(stack, 7, 5)
    qz = around(stack, (1, 0, 3), rows=2)
    found = amplitudes(model(stack, (1, 0, 3), 7, 5, (2, 1), qz=qz), *tensors(u, p))
    expected = at_orders(stack, (1, 0, 3), u, p, (2, 1), qz, repeats=2)
    assert relative(found, expected) < 1e-4


def test_without_polarization_the_atoms_stay_in_their_cells():
    u, _ = leaning(SUPERLATTICE, 8)
    qz = around(SUPERLATTICE, (1, 0, 3), rows=3)
    reflection = model(SUPERLATTICE, (1, 0, 3), 8, qz=qz, polar=False)
    assert [len(part.per_polarization) for part in reflection.parts] == [1, 1]
    expected = at_orders(SUPERLATTICE, (1, 0, 3), u, None, (3, 0), qz, repeats=1)
    assert relative(amplitudes(reflection, *tensors(u)), expected) < 1e-4


def test_film_and_substrate_add_as_amplitudes_in_order_zero():
    """The rod as a sum over planes at -gap - j c, damped by exp(-eps) a plane below the first."""
    below, gap = Substrate(built_in("KTaO3"), 3.9885), 0.37
    u, p = tensors(*leaning(SUPERLATTICE, 8))
    qz = around(SUPERLATTICE, (0, 0, 2), rows=5)
    bare = amplitudes(model(SUPERLATTICE, (0, 0, 2), 8, qz=qz), u, p)
    whole = amplitudes(model(SUPERLATTICE, (0, 0, 2), 8, qz=qz, substrate=below), u, p, gap)
    rod = np.zeros(len(qz), complex)
    for row, q in enumerate(qz):
        j = np.arange(20000)
        planes = np.exp(-1j * q * (gap + (j + 1) * below.c) - ABSORPTION * j).sum()
        cell = sum(
            atomic_form_factor(a.element, q, CU) * np.exp(1j * q * a.position[2] * below.c)
            for a in below.material.atoms
        )
        rod[row] = cell * planes
    added = (whole - bare).numpy()
    np.testing.assert_allclose(added[3, 0], rod, rtol=1e-5)
    assert not np.delete(added, 3, axis=0).any()


def test_a_flat_film_has_its_fringes_and_no_satellites():
    """|A|^2 = |F|^2 sin^2(N qz c / 2) / sin^2(qz c / 2)."""
    qz = around(SINGLE, (0, 0, 2), rows=61, half=0.3) + 1e-4
    flat = torch.zeros(3, 9, 1, 12, dtype=torch.float64)
    found = amplitudes(model(SINGLE, (0, 0, 2), 9, qz=qz), flat).numpy()
    c, number = 4.08, 12
    factor = sum(
        atomic_form_factor(a.element, qz, CU) * np.exp(1j * qz * a.position[2] * c)
        for a in built_in("PbTiO3").atoms
    )
    fringes = abs(factor) ** 2 * np.sin(number * qz * c / 2) ** 2 / np.sin(qz * c / 2) ** 2
    np.testing.assert_allclose(abs(found[3, 0]) ** 2, fringes, rtol=1e-8)
    assert abs(np.delete(found, 3, axis=0)).max() < 1e-9 * abs(found).max()


def test_a_weak_wave_has_the_satellites_of_first_order_perturbation():
    """A_(+-1) = sum_z F exp(i qz z) i Q.U_(-+1)(z), U_n the Fourier coefficient of u; second orders stay second order."""
    hkl, size, phase = (1, 0, 3), 1e-3, np.linspace(0, 2, 10)
    x = np.arange(12)[:, None] / 12
    u = np.zeros((3, 12, 1, 10))
    u[0, :, 0], u[2, :, 0] = size * np.sin(2 * np.pi * x + phase), 0.5 * size * np.cos(2 * np.pi * x - phase)
    qz = around(POINT, hkl)
    found = amplitudes(model(POINT, hkl, 12, orders=(2, 0), qz=qz), *tensors(u)).numpy()[:, 0]
    for n in (-1, 1):
        qx = 2 * np.pi / A * (1 + n / 12)
        along_x = (
            size * np.exp(-1j * n * phase) * (n * 0.5j)
        )  # average of sin(2 pi x + phase) exp(2 pi i n x)
        along_z = 0.5 * size * np.exp(1j * n * phase) * 0.5  # average of cos(2 pi x - phase) exp(2 pi i n x)
        form = atomic_form_factor("Ti", np.hypot(qx, qz), CU)
        heights = np.exp(1j * np.outer(qz, POINT.heights))
        expected = form * (heights @ (1j * qx * along_x) + 1j * qz * (heights @ along_z))
        np.testing.assert_allclose(found[n + 2], expected, rtol=3e-5, atol=1e-5 * abs(expected).max())
    assert abs(found[[0, 4]]).max() < 1e-2 * abs(found[[1, 3]]).max()


@pytest.mark.parametrize("hkl", [(0, 0, 4), (2, 0, 2)])
def test_a_strong_wave_has_bessel_functions_of_all_orders(hkl):
    """exp(i Q.U sin 2 pi x) averages with exp(2 pi i n x) to J_(-n)(Q.U), for Q.U up to 6 rad."""
    direction = np.array([0.6, 0.0, 0.5])
    wave = np.sin(2 * np.pi * np.arange(64) / 64)
    u = np.broadcast_to(direction[:, None, None, None] * wave[None, :, None, None], (3, 64, 1, 10)).copy()
    qz = around(POINT, hkl)
    reflection = model(POINT, hkl, 64, orders=(8, 0), periods=(120.0, A), qz=qz, expansion=6)
    found = amplitudes(reflection, *tensors(u)).numpy()[:, 0]
    planes = np.exp(1j * np.outer(qz, POINT.heights)).sum(1)
    for n in range(-8, 9):
        qx = 2 * np.pi * (hkl[0] / A + n / 120.0)
        form = atomic_form_factor("Ti", np.hypot(qx, qz), CU)
        expected = form * planes * jv(-n, qx * 0.6 + qz * 0.5)
        np.testing.assert_allclose(found[n + 8], expected, atol=1e-4 * abs(form * planes).max())


def test_all_orders_of_one_plane_hold_its_whole_intensity():
    """Parseval: with |psi| = 1 and form factors that do not change, sum_n |A_n|^2 = f^2."""
    one = Stack(A, (Layer(POINT.layers[0].material, 1, 4.0),))
    u, _ = leaning(one, 21)
    qz = np.array([4.71])
    reflection = model(
        one, (0, 0, 3), 21, orders=(10, 0), qz=qz, expansion=0, form_factor=lambda e, q, k: 20.0 + 0 * q + 0j
    )
    total = amplitudes(reflection, *tensors(u)).abs().square().sum()
    assert float(total) == pytest.approx(400.0, rel=1e-12)


def test_a_shift_along_x_turns_the_orders_and_leaves_their_intensity():
    u, p = tensors(*leaning(SINGLE, 16))
    reflection = model(SINGLE, (1, 0, 3), 16)
    here, moved = amplitudes(reflection, u, p), amplitudes(reflection, u.roll(5, -3), p.roll(5, -3))
    turn = torch.exp(2j * np.pi * torch.arange(-3.0, 4.0, dtype=torch.float64) * 5 / 16)[:, None, None]
    torch.testing.assert_close(moved, here * turn, rtol=1e-9, atol=1e-9)


def test_the_inverse_of_a_crystal_without_absorption_has_the_same_intensities():
    """u(r) -> -u(-r), P(r) -> -P(-r) where every cell is its own inverse: atoms at half height only; f'' left out."""
    real = {"form_factor": lambda e, q, k: atomic_form_factor(e, q, k).real + 0j}
    u, p = tensors(*leaning(SINGLE, 16))
    atoms = tuple(replace(a, position=(0.0, 0.0, 0.5)) for a in built_in("PbTiO3").atoms[:2])
    stack = Stack(A, (Layer(replace(built_in("PbTiO3"), atoms=atoms), 12, 4.08),))
    reflection = model(stack, (1, 0, 3), 16, **real)
    there = (-(f.flip(-1).flip(-3).roll(1, -3)) for f in (u, p))
    torch.testing.assert_close(
        amplitudes(reflection, *there).abs(), amplitudes(reflection, u, p).abs(), rtol=1e-9, atol=1e-9
    )


def test_planes_are_the_same_however_the_layers_are_written():
    lead, strontium = built_in("PbTiO3"), built_in("SrTiO3")
    once = (Layer(strontium, 3, 3.905), Layer(lead, 1, 4.08), Layer(lead, 3, 4.08))
    split = Stack(A, once + once)
    assert len(model(split, (0, 0, 2), 8).parts) == 2
    u, p = tensors(*leaning(SUPERLATTICE, 8))
    torch.testing.assert_close(
        amplitudes(model(split, (0, 0, 2), 8), u, p), amplitudes(model(SUPERLATTICE, (0, 0, 2), 8), u, p)
    )


def test_an_oblique_displacement_of_the_whole_film_turns_every_row_by_q_u():
    u, p = tensors(*leaning(SINGLE, 16, size=0.1))
    shift = torch.tensor([0.03, 0.0, -0.05], dtype=torch.float64)
    reflection = model(SINGLE, (1, 0, 3), 16, expansion=5)
    qx = 2 * np.pi / A * (1 + torch.arange(-3, 4) / 16)
    turn = torch.exp(1j * (qx[:, None, None] * shift[0] + reflection.qz * shift[2]))
    moved = amplitudes(reflection, u + shift[:, None, None, None], p)
    torch.testing.assert_close(moved, amplitudes(reflection, u, p) * turn, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("power", [1, 2, 3, 4])
def test_the_error_of_the_series_stays_below_its_first_neglected_term(power):
    u, p = tensors(*leaning(SUPERLATTICE, 16))
    best = amplitudes(model(SUPERLATTICE, (1, 0, 3), 16, expansion=10), u, p)
    reflection = model(SUPERLATTICE, (1, 0, 3), 16, expansion=power)
    error = float((amplitudes(reflection, u, p) - best).abs().max() / best.abs().max())
    bound = remainder(reflection, u, p)
    assert 1e-3 * bound < error < bound


def test_the_series_holds_all_terms_up_to_its_power_and_none_above():
    """K = 1 about G: <exp(2 pi i (n x + m y)) exp(i G.w) (1 + i k.w)> with k = Q - G, for one plane of one atom."""
    one = Stack(A, (Layer(POINT.layers[0].material, 1, 4.0),))
    w = np.random.default_rng(0).normal(scale=0.2, size=(3, 5, 5, 1))
    qz = np.array([4.6, 4.8])
    flat = {"form_factor": lambda e, q, k: 1.0 + 0j * q}
    found = amplitudes(model(one, (1, 0, 3), 5, 5, (2, 2), qz=qz, expansion=1, **flat), *tensors(w)).numpy()
    x, y = np.arange(5)[:, None] / 5, np.arange(5)[None] / 5
    at_g = np.exp(1j * (2 * np.pi / A * w[0, ..., 0] + 4.7 * w[2, ..., 0]))
    for (i, j, k), value in np.ndenumerate(found):
        n, m = i - 2, j - 2
        away = 2 * np.pi / (5 * A) * (n * w[0, ..., 0] + m * w[1, ..., 0]) + (qz[k] - 4.7) * w[2, ..., 0]
        expected = (np.exp(2j * np.pi * (n * x + m * y)) * at_g * (1 + 1j * away)).mean()
        assert value == pytest.approx(expected, abs=1e-12)


def test_a_rough_surface_fills_its_planes_by_the_error_function():
    qz = around(SINGLE, (0, 0, 2))
    flat = torch.zeros(3, 3, 1, 12, dtype=torch.float64)
    rough = amplitudes(model(SINGLE, (0, 0, 2), 3, orders=(0, 0), qz=qz, roughness=5.0), flat).numpy()[0, 0]
    smooth = amplitudes(model(SINGLE, (0, 0, 2), 3, orders=(0, 0), qz=qz), flat).numpy()[0, 0]
    middle = (np.arange(12) + 0.5) * 4.08
    heights = np.exp(1j * np.outer(qz, np.arange(12) * 4.08))
    filled = norm.sf(middle, loc=12 * 4.08, scale=5.0)
    np.testing.assert_allclose(rough / smooth, (heights @ filled) / heights.sum(1), rtol=1e-9)


# Numbers and derivatives.


def test_single_precision_agrees_with_double():
    u, p = tensors(*leaning(SUPERLATTICE, 16))
    double = amplitudes(model(SUPERLATTICE, (1, 0, 3), 16), u, p)
    single = amplitudes(model(SUPERLATTICE, (1, 0, 3), 16, dtype=torch.complex64), u.float(), p.float())
    assert single.dtype == torch.complex64
    taken = amplitudes(model(SUPERLATTICE, (1, 0, 3), 16, dtype=torch.complex64), u, p)
    torch.testing.assert_close(taken, single)
    assert relative(single, double) < 1e-5


def test_a_batch_is_its_members_in_a_loop():
    below = Substrate(built_in("KTaO3"), 3.9885)
    reflection = model(SUPERLATTICE, (1, 0, 3), 9, substrate=below)
    pairs = [tensors(*leaning(SUPERLATTICE, 9, size=s, polar=2 * s)) for s in (0.05, 0.1, 0.2)]
    u, p = (torch.stack(fields).unsqueeze(0) for fields in zip(*pairs, strict=True))
    gaps = torch.tensor([[0.0, 0.1, -0.3]], dtype=torch.float64)
    together = amplitudes(reflection, u, p, gaps)
    assert together.shape == (1, 3, 7, 1, 9)
    for i, (one, two) in enumerate(pairs):
        torch.testing.assert_close(together[0, i], amplitudes(reflection, one, two, gaps[0, i]))


def test_the_public_pieces_add_up_to_the_amplitudes():
    u, p = tensors(*leaning(SUPERLATTICE, 9))
    reflection = model(SUPERLATTICE, (0, 0, 3), 9, substrate=Substrate(built_in("KTaO3"), 3.9885))
    total = substrate_orders(reflection, 0.2)
    for part in reflection.parts:
        moments = plane_moments(reflection, atom_displacement(part, u, p))
        assert moments.shape == (len(part.per_polarization), 7, 1, 4, len(part.planes))
        total = total + part_amplitude(reflection, part, moments)
    torch.testing.assert_close(total, amplitudes(reflection, u, p, 0.2))


TINY = Stack(A, (Layer(built_in("SrTiO3"), 1, 3.905), Layer(built_in("PbTiO3"), 2, 4.08)))


@pytest.mark.parametrize("ny", [1, 3])
def test_the_derivatives_are_those_of_finite_differences(ny):
    u, p = tensors(*leaning(TINY, 3, ny))
    orders = (1, 1 if ny > 1 else 0)
    below = Substrate(built_in("KTaO3"), 3.9885)
    reflection = model(TINY, (1, 0, 3), 3, ny, orders, qz=np.array([4.6, 4.7]), expansion=2, substrate=below)
    gap = torch.tensor(0.2, dtype=torch.float64)
    inputs = tuple(value.requires_grad_() for value in (u, p, gap))
    assert torch.autograd.gradcheck(lambda a, b, g: amplitudes(reflection, a, b, g), inputs)


def test_forward_and_reverse_derivatives_are_adjoint():
    """<v, J du> = <J^T v, du> for random directions."""
    u, p = tensors(*leaning(SUPERLATTICE, 12))
    reflection = model(SUPERLATTICE, (1, 0, 3), 12)
    generator = torch.Generator().manual_seed(1)
    du = torch.randn(u.shape, generator=generator, dtype=torch.float64)

    def intensity(field):
        return amplitudes(reflection, field, p).abs().square()

    value, forward = torch.func.jvp(intensity, (u,), (du,))
    v = torch.randn(value.shape, generator=generator, dtype=torch.float64)
    (reverse,) = torch.func.vjp(intensity, u)[1](v)
    assert float((v * forward).sum()) == pytest.approx(float((reverse * du).sum()), rel=1e-10)

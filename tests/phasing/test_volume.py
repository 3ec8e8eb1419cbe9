"""Textures that are periodic along x and y: their waves, orders (n, m) and derivatives."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from nanotexture.phasing.alignment import align
from nanotexture.phasing.modes import Modes, legendre_profiles
from nanotexture.phasing.motif import solve_motif
from nanotexture.phasing.motif_model import (
    Nuisance,
    ReflectionData,
    order_intensities,
)
from nanotexture.phasing.motif_settings import MotifSettings, Schedule
from nanotexture.phasing.motif_slopes import Slopes
from nanotexture.phasing.unknowns import Block, Unknowns, random_starts
from scipy.special import jv

LENGTHS, C, PLANES, POINTS = (120.0, 90.0), 4.0, 12, 20
Z = np.arange(PLANES) * C


def modes(harmonics=2, profiles=3):
    return Modes(
        harmonics,
        legendre_profiles(z=Z, number=profiles, thickness=PLANES * C),
        LENGTHS[0],
        period_y=LENGTHS[1],
    )


def unknowns(number=3, harmonics=2):
    own = modes(harmonics)
    return Unknowns((Block(own, number, torch.ones(number, len(own.index)).double(), 0.3),), POINTS)


def reflection(g=(1.6, -1.6, 4.7), rows=9, highest=2, detuned=True, reach=0.1):
    """One reflection of a film of equal planes, the displacement's three components unknown."""
    n, m = (one.ravel() for one in np.meshgrid(*[np.arange(-highest, highest + 1)] * 2, indexing="ij"))
    qz = g[2] + np.linspace(-reach, reach, rows)
    steps = 2 * np.pi / np.array(LENGTHS)
    detuning = np.broadcast_arrays((n * steps[0])[:, None], (m * steps[1])[:, None], qz[None] - g[2])
    shape = len(n), rows
    rod = np.where(np.arange(rows) < 20, 30.0 / (0.05 + np.abs(qz - g[2] - 0.02)), 0.0)
    return ReflectionData(
        orders=torch.from_numpy(n),
        intensity=torch.zeros(shape, dtype=torch.float64),
        sigma=torch.ones(shape, dtype=torch.float64),
        work=torch.ones(shape, dtype=torch.bool),
        free=torch.zeros(shape, dtype=torch.bool),
        weights=torch.ones(1, *shape, dtype=torch.complex128),
        planes=torch.from_numpy(np.exp(1j * qz[:, None] * Z))[None],
        lift=torch.eye(3, dtype=torch.float64)[None],
        g=torch.tensor(g, dtype=torch.float64),
        detuning=torch.from_numpy(np.stack(detuning, -1) * float(detuned)),
        substrate=torch.from_numpy(rod + 0j),
        qz=torch.from_numpy(qz),
        resolution=0.0,
        scale=1.0,
        orders_y=torch.from_numpy(m),
    )


SHIFTS = np.array(
    [[0.02, 0.02, 0.02], [-0.31, -0.31, -0.36], [0.1, 0.0, 0.0]]
)  # angstrom per C/m^2, as atoms have


def polar_reflection(g=(1.6, -1.6, 4.7), rows=9, detuned=True, reach=0.1, seed=2):
    """One reflection of cells of three groups of atoms, each with its own shift b P beside the displacement."""
    one = reflection(g, rows=rows, detuned=detuned, reach=reach)
    rng = np.random.default_rng(seed)
    factors = torch.from_numpy(rng.normal(size=3) + 2.0 + 1j * rng.normal(size=3))
    lift = [np.concatenate([np.eye(3), np.diag(shift)]) for shift in SHIFTS]
    return replace(
        one,
        weights=one.weights * factors[:, None, None],
        planes=one.planes.expand(3, -1, -1),
        lift=torch.from_numpy(np.stack(lift)),
    )


def polar_unknowns(harmonics=1):
    """Displacement and polarization along x, y and z; the latter has a constant."""
    own = modes(harmonics)
    rich = replace(own, constant=True)
    blocks = [Block(o, 3, torch.ones(3, len(o.index)).double(), s) for o, s in ((own, 0.3), (rich, 0.5))]
    return Unknowns(tuple(blocks), POINTS)


def extras(batch=1, gap=0.1):
    return Nuisance(*(torch.full((batch,), v, dtype=torch.float64) for v in (0.0, 0.0, gap)))


@pytest.mark.parametrize("harmonics", [1, 2, 3])
def test_every_wave_is_there_once_and_its_opposite_never(harmonics):
    waves = modes(harmonics).waves
    both = set(waves) | {(-k, -n) for k, n in waves}
    assert len(both) == 2 * len(waves) - 1
    assert {(harmonics, 0), (0, harmonics), (1, 1), (1, -1)} <= set(waves)
    inside = {(k, n) for k in range(-9, 10) for n in range(-9, 10) if np.hypot(k, n) < harmonics + 0.5}
    assert both == inside


def test_waves_are_orthogonal_on_the_grid():
    own = modes(2, 1)
    flat = own.basis(POINTS).mean(-1).flatten(1)
    gram = (flat @ flat.T / flat.shape[1]).numpy()
    np.testing.assert_allclose(gram, 0.5 * np.eye(len(own.index)), atol=1e-12)


def test_a_field_of_the_modes_is_projected_onto_its_own_coefficients():
    own = modes()
    c = torch.from_numpy(np.random.default_rng(0).normal(size=(2, len(own.index))))
    field = torch.einsum("bm,mxyz->bxyz", c, own.basis(POINTS))
    torch.testing.assert_close(own.project(field), c)


def test_slopes_are_those_of_finite_differences():
    own = modes()
    fine = replace(
        own, profiles=legendre_profiles(z=np.linspace(Z[0], Z[-1], 401), number=3, thickness=PLANES * C)
    )
    value, slopes = own.basis(48), own.gradient(48)
    for axis, (length, one) in enumerate(zip(LENGTHS, slopes[:2], strict=True)):
        step = 2 * length / 48
        ahead, behind = (torch.roll(value, -side, dims=1 + axis) for side in (1, -1))
        np.testing.assert_allclose((ahead - behind) / step, one, atol=0.02 * float(one.abs().max()))
    up = np.gradient(fine.basis(4).numpy(), fine.profiles.z.numpy(), axis=-1)
    np.testing.assert_allclose(fine.gradient(4)[2, ..., 5:-5], up[..., 5:-5], atol=1e-4)


def test_moving_the_motif_along_either_direction_changes_no_intensity():
    one, own = reflection(), unknowns()
    c = random_starts(own, [(0, 1)])
    step = 1e-4
    for along in (0, 1):
        moved = c + step * own.shift_direction(c, along)
        before, after = (order_intensities(one, own.fields(x), extras()) for x in (c, moved))
        other = order_intensities(one, own.fields(c + step * own.shift_direction(c, along).flip(1)), extras())
        assert (after - before).abs().max() < 1e-3 * (other - before).abs().max()


def test_a_wave_along_a_diagonal_has_orders_of_bessel_functions_on_that_diagonal():
    """exp(i a sin(x + y)) = sum_n J_n(a) exp(i n (x + y)), in every plane alike."""
    size = 0.21
    x = 2 * np.pi * np.arange(POINTS) / POINTS
    field = np.zeros((1, 3, POINTS, POINTS, PLANES))
    field[0, 2] = size * np.sin(x[:, None] + x[None, :])[..., None]
    one = replace(reflection(detuned=False), substrate=torch.zeros(9, dtype=torch.complex128))
    found = order_intensities(one, torch.from_numpy(field), extras())[0].numpy()
    flat = np.abs(one.planes[0].numpy().sum(1)) ** 2
    n, m = one.orders.numpy(), one.orders_y.numpy()
    share = np.where(n == m, jv(n, 4.7 * size) ** 2, 0.0)
    np.testing.assert_allclose(found, share[:, None] * flat, atol=1e-9 * flat.max())


def test_a_texture_that_is_uniform_along_y_has_the_orders_of_a_plane_map():
    """The same texture, told once as (x, z) and once as (x, y, z)."""
    x = 2 * np.pi * np.arange(POINTS) / POINTS
    rng = np.random.default_rng(3)
    u = 0.1 * (np.cos(x[:, None] + rng.uniform(0, 6, (2, 1, PLANES))) + np.sin(2 * x)[:, None] * Z / 50)
    whole = reflection(g=(1.6, 0.0, 4.7))
    row = whole.orders_y == 0
    flat = ReflectionData(
        **{name: getattr(whole, name) for name in ("planes", "substrate", "qz", "resolution", "scale")},
        **{name: getattr(whole, name)[row] for name in ("orders", "intensity", "sigma", "work", "free")},
        weights=whole.weights[:, row],
        lift=torch.eye(2, dtype=torch.float64)[None],
        g=whole.g[[0, 2]],
        detuning=whole.detuning[row][..., [0, 2]],
    )
    wide = np.stack([u[0], 0 * u[0], u[1]])[:, :, None].repeat(POINTS, axis=2)
    found = order_intensities(whole, torch.from_numpy(wide[None]), extras())
    expected = order_intensities(flat, torch.from_numpy(u[None]), extras())
    np.testing.assert_allclose(found[:, row], expected, rtol=1e-9)
    assert float(found[:, ~row].max()) < 1e-9 * float(found.max())


def test_derivatives_are_those_of_finite_differences():
    """In the directions of a few coefficients; the Jacobian leaves out (Q - G).v beside 1, so Q is taken at G."""
    one, own = reflection(detuned=False), unknowns(harmonics=1)
    c = 0.3 * random_starts(own, [(0, 2)])
    found = Slopes(one, own).at(own.fields(c), extras()).jacobian[0].double()
    step = 1e-6
    for i in range(0, own.size, 5):
        ahead, behind = c.clone(), c.clone()
        ahead[0, i] += step
        behind[0, i] -= step
        there, here = (order_intensities(one, own.fields(x), extras())[0] for x in (ahead, behind))
        slope = (there - here) / (2 * step)
        np.testing.assert_allclose(found[i], slope, atol=2e-5 * float(found[i].abs().max()) + 1e-3)


def test_derivatives_by_a_polarization_in_three_components_are_those_of_finite_differences():
    one, own = polar_reflection(detuned=False), polar_unknowns()
    c = 0.3 * random_starts(own, [(0, 3)])
    found = Slopes(one, own).at(own.fields(c), extras()).jacobian[0].double()
    step, first = 1e-6, own.blocks[0].size
    for i in range(first, own.size, 4):
        ahead, behind = c.clone(), c.clone()
        ahead[0, i] += step
        behind[0, i] -= step
        there, here = (order_intensities(one, own.fields(x), extras())[0] for x in (ahead, behind))
        slope = (there - here) / (2 * step)
        np.testing.assert_allclose(found[i], slope, atol=2e-5 * float(found[i].abs().max()) + 1e-3)


def test_a_polarization_that_is_uniform_along_y_has_the_orders_of_a_plane_map():
    """Displacement and polarization of components x and z, told once as (x, z) and once as (x, y, z)."""
    rng = np.random.default_rng(5)
    x = 2 * np.pi * np.arange(POINTS) / POINTS
    fields = rng.normal(size=(4, 1, PLANES)) * np.cos(x[:, None] + rng.uniform(0, 6, (4, 1, PLANES)))
    fields *= np.array([0.1, 0.1, 0.3, 0.3])[:, None, None]
    whole = polar_reflection(g=(1.6, 0.0, 4.7))
    row = whole.orders_y == 0
    flat = replace(
        whole.only(row),
        orders_y=None,
        lift=whole.lift[:, [0, 2, 3, 5]][..., [0, 2]],
        g=whole.g[[0, 2]],
        detuning=whole.detuning[row][..., [0, 2]],
    )
    none = np.zeros_like(fields[0])
    wide = np.stack([fields[0], none, fields[1], fields[2], none, fields[3]])[:, :, None].repeat(
        POINTS, axis=2
    )
    found = order_intensities(whole, torch.from_numpy(wide[None]), extras())
    expected = order_intensities(flat, torch.from_numpy(fields[None]), extras())
    np.testing.assert_allclose(found[:, row], expected, rtol=1e-9)
    assert float(found[:, ~row].max()) < 1e-9 * float(found.max())


def test_a_planted_texture_is_found_from_nearby_and_its_error_is_honest():
    own = unknowns(harmonics=1)
    truth = random_starts(own, [(0, 5)])
    data = []
    rng = np.random.default_rng(0)
    for g in ((0.0, 0.0, 3.1), (1.6, 0.0, 4.7), (0.0, 1.6, 4.7), (1.6, 1.6, 4.7)):
        one = reflection(g, rows=21, reach=0.4)
        exact = order_intensities(one, own.fields(truth), extras())[0]
        sigma = 0.01 * exact + 0.002 * exact[one.distance > 0].max()
        noise = torch.from_numpy(rng.normal(size=exact.shape))
        data.append(replace(one, intensity=exact + sigma * noise, sigma=sigma))
    near = truth + 0.05 * random_starts(own, [(0, 6)])
    found = solve_motif(
        data=tuple(data),
        unknowns=own,
        settings=MotifSettings(harmonics=1, polynomials=3, schedule=Schedule.LAST),
        start=near,
        gap=torch.tensor([0.1], dtype=torch.float64),
    )
    planted = own.fields(truth)[0].numpy()
    back = align(found.fields.numpy(), planted, allow_inversion=False)
    off = back.fields - (planted - planted.mean((1, 2, 3), keepdims=True))
    assert 0.8 < float(found.cost) < 1.2
    assert float(back.nrmse[0]) < 0.1
    # moves along x and y, which no intensity fixes, are not in the error
    assert 0.3 < np.sqrt(((off / found.fields_std.numpy()) ** 2).mean()) < 3.0
    assert found.slope_std.shape[2] == 3


def test_a_planted_polarization_is_found_beside_a_planted_displacement():
    """Seven reflections whose groups of atoms scatter by unlike factors: seven phases for six fields."""
    own = polar_unknowns()
    truth = random_starts(own, [(0, 7)])
    rng, data = np.random.default_rng(1), []
    for i, (h, k, index) in enumerate(
        ((0, 0, 2), (0, 0, 3), (1, 0, 3), (0, 1, 3), (1, 0, 4), (0, 1, 4), (1, 1, 3))
    ):
        one = polar_reflection((1.6 * h, 1.6 * k, 1.55 * index), rows=21, reach=0.4, seed=i)
        exact = order_intensities(one, own.fields(truth), extras())[0]
        sigma = 0.003 * exact + 0.0005 * exact[one.distance > 0].max()
        noise = torch.from_numpy(rng.normal(size=exact.shape))
        data.append(replace(one, intensity=exact + sigma * noise, sigma=sigma))
    found = solve_motif(
        data=tuple(data),
        unknowns=own,
        settings=MotifSettings(harmonics=1, polynomials=3, schedule=Schedule.LAST),
        start=truth + 0.05 * random_starts(own, [(0, 8)]),
        gap=torch.tensor([0.1], dtype=torch.float64),
    )
    planted, free = own.fields(truth)[0].numpy(), np.arange(6) < 3
    back = align(found.fields.numpy(), planted, allow_inversion=False, constant=free)
    off = back.fields[0] - np.where(
        free[:, None, None, None], planted - planted.mean((1, 2, 3), keepdims=True), planted
    )
    assert 0.8 < float(found.cost) < 1.2
    assert (np.sqrt((off**2).mean((1, 2, 3))) < 0.15 * planted.std((1, 2, 3))).all()
    assert 0.3 < np.sqrt(((off / found.fields_std[0].numpy()) ** 2).mean()) < 3.0


def test_a_centred_cell_has_waves_of_even_sum_alone_and_lights_no_odd_order():
    """f(x + 1/2, y + 1/2) = f(x, y)."""
    own = replace(modes(), centred=True)
    assert all((k + n) % 2 == 0 for k, n in own.waves)
    assert set(own.waves) == {wave for wave in modes().waves if sum(wave) % 2 == 0}
    c = torch.from_numpy(np.random.default_rng(0).normal(size=(1, 3, len(own.index))))
    field = 0.05 * torch.einsum("bfm,mxyz->bfxyz", c, own.basis(POINTS))
    half = POINTS // 2
    torch.testing.assert_close(torch.roll(field, (half, half), dims=(2, 3)), field)
    one = reflection()
    found = order_intensities(one, field, extras())[0]
    odd = (one.orders + one.orders_y) % 2 != 0
    assert float(found[odd].max()) < 1e-12 * float(found.max())

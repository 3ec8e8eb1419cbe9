"""Displacement in mechanical equilibrium with a polarization: the balance of forces, and closed forms of elasticity."""

import numpy as np
import pytest
import torch
from nanotexture.phasing.elastic_response import repeating_response
from nanotexture.phasing.equilibrium import Equilibrium
from nanotexture.phasing.modes import Modes, repeat_profiles
from nanotexture.phasing.motif_problem import ELASTIC, Tied
from nanotexture.phasing.unknowns import Block, Unknowns

PERIOD, REPEAT, POINTS, PLANES = 120.0, 44.0, 32, 45
STIFFNESS = (175.0, 79.4, 111.1)
Q11, Q12, Q44 = 0.089, -0.026, 0.0675
X = np.arange(POINTS)[:, None] / POINTS
Z = np.arange(PLANES)[None, :] / PLANES
FLAT = np.zeros((POINTS, PLANES))


def repeating(harmonics, planes=PLANES, constant=False, profiles=5):
    """Modes of one repeat."""
    waves = repeat_profiles(z=np.arange(planes) * REPEAT / planes, number=profiles, repeat=REPEAT)
    return Modes(harmonics, waves, PERIOD, constant=constant)


def equilibrium(stiffness=STIFFNESS, q=(Q11, Q12, Q44), planes=PLANES, points=POINTS):
    """Of electrostriction q, (3,) or (3, planes)."""
    coefficients = np.broadcast_to(np.array(q).reshape(3, -1), (3, planes)).copy()
    elastic = np.broadcast_to(np.array(stiffness).reshape(3, -1), (3, planes)).copy()
    return Equilibrium(
        stiffness=torch.from_numpy(elastic),
        electrostriction=torch.from_numpy(coefficients),
        response=repeating_response(
            stiffness=elastic,
            spacings=np.full(planes, REPEAT / planes),
            period=PERIOD,
            harmonics=points // 2 - 1,
        ),
        period=PERIOD,
        height=REPEAT,
        points=points,
        carrier=repeating(4, planes),
    )


def induced(tie, px, pz):
    """ux, uz that follow from Px and Pz, each (x, z)."""
    fields = torch.from_numpy(np.stack([0 * px, 0 * px, px, pz])[None])
    return tie.added(fields)[0, :2].numpy()


def textures():
    """Vortices that lean: Px, Pz (x, z) of few waves, so that their squares are resolved."""
    px = (
        0.3 * np.sin(2 * np.pi * (X + 0.2)) * np.cos(2 * np.pi * Z)
        + 0.1 * np.cos(2 * np.pi * (2 * X + Z))
        + 0.05
    )
    pz = 0.5 * np.cos(2 * np.pi * X) + 0.2 * np.sin(2 * np.pi * (X - Z)) + 0.1 * np.cos(2 * np.pi * Z)
    return px, pz


def derivative(field, axis):
    """Spectral d/dx (axis -2) or d/dz (axis -1) in 1/angstrom."""
    length = PERIOD if axis == -2 else REPEAT
    number = field.shape[axis]
    q = 2j * np.pi * np.fft.fftfreq(number, length / number)
    shape = (-1, 1) if axis == -2 else (1, -1)
    return np.fft.ifft(np.fft.fft(field, axis=axis) * q.reshape(shape), axis=axis).real


def stress(u, px, pz, q):
    """C (eps(u) - e0), components xx, zz, xz; plane strain, eigenstrain e0 of electrostriction."""
    c11, c12, c44 = STIFFNESS
    q11, q12, q44 = q
    xx = derivative(u[0], -2) - (q11 * px**2 + q12 * pz**2)
    yy = -q12 * (px**2 + pz**2)
    zz = derivative(u[1], -1) - (q11 * pz**2 + q12 * px**2)
    xz = 0.5 * (derivative(u[0], -1) + derivative(u[1], -2)) - 0.5 * q44 * px * pz
    return c11 * xx + c12 * (yy + zz), c11 * zz + c12 * (xx + yy), 2 * c44 * xz


def force(u, px, pz, q):
    """Divergence of the stress, (2, x, z)."""
    xx, zz, xz = stress(u, px, pz, q)
    return np.stack([derivative(xx, -2) + derivative(xz, -1), derivative(xz, -2) + derivative(zz, -1)])


def test_the_forces_balance_at_every_point_but_for_those_alike_at_all_x():
    """Those are borne by the spacing of the planes, which is fitted by itself: no plane is displaced as a whole."""
    q, (px, pz) = np.array([Q11, Q12, Q44]), textures()
    u = induced(equilibrium(q=q), px, pz)
    left, scale = force(u, px, pz, q), np.abs(force(0 * u, px, pz, q)).max()
    np.testing.assert_allclose(left - left.mean(1, keepdims=True), 0, atol=0.01 * scale)
    np.testing.assert_allclose(u.mean(axis=1), 0, atol=1e-12)
    assert np.abs(u).max() > 0.05


def test_walls_across_x_follow_the_plane_strain_laminate():
    """Fields of x only: d ux/dx = e_xx + c12/c11 (e_yy + e_zz), d uz/dx = 2 e_xz, but for the means."""
    px, pz = 0.1 + 0.2 * np.sin(2 * np.pi * X) + FLAT, 0.6 * np.cos(2 * np.pi * X) + 0.1 + FLAT
    u = induced(equilibrium(), px, pz)
    e_xx, e_yy = Q11 * px**2 + Q12 * pz**2, Q12 * (px**2 + pz**2)
    e_zz = Q11 * pz**2 + Q12 * px**2
    along = e_xx + STIFFNESS[1] / STIFFNESS[0] * (e_yy + e_zz)
    np.testing.assert_allclose(derivative(u[0], -2), along - along.mean(), atol=1e-12)
    shear = Q44 * px * pz
    np.testing.assert_allclose(derivative(u[1], -2), shear - shear.mean(), atol=1e-12)


def test_a_dilation_in_an_isotropic_body_is_goodiers_potential():
    """u = grad phi, (lambda + 2 mu) laplacian phi = (3 lambda + 2 mu) e for the eigenstrain e of a dilation."""
    lame, shear, q = 60.0, 40.0, 0.05
    tie = equilibrium((lame + 2 * shear, lame, shear), (q, q, 0.0))
    kx, kz = 2 * np.pi / PERIOD, 2 * np.pi / REPEAT
    wave = np.cos(2 * np.pi * (X + Z))
    px = 0.4 * np.sqrt(1 + 0.5 * wave)  # P^2 = 0.16 + 0.08 wave
    u = induced(tie, px, FLAT)
    factor = (3 * lame + 2 * shear) / (lame + 2 * shear) * q * 0.08 / (kx**2 + kz**2)
    sine = np.sin(2 * np.pi * (X + Z))
    expected = factor * np.stack([kx * sine, kz * sine])
    np.testing.assert_allclose(u, expected, atol=2e-3 * np.abs(expected).max())


def test_fields_of_z_only_move_nothing():
    """They change the spacing of the planes alone."""
    px, pz = 0.1 + 0.3 * np.cos(2 * np.pi * Z) + 0 * X, 0.5 + 0.2 * np.sin(2 * np.pi * Z) + 0 * X
    np.testing.assert_allclose(induced(equilibrium(), px, pz), 0, atol=1e-12)


def test_a_uniform_polarization_moves_nothing():
    np.testing.assert_allclose(induced(equilibrium(), FLAT + 0.3, FLAT - 0.5), 0, atol=1e-14)


def test_mirroring_the_polarization_mirrors_the_displacement():
    """x to -x with Px to -Px: ux to -ux, uz the same; all of P reversed: the same displacement."""
    px, pz = textures()
    tie = equilibrium()
    ux, uz = induced(tie, px, pz)

    def mirror(field):
        return np.roll(field[::-1], 1, axis=0)

    mirrored = induced(tie, -mirror(px), mirror(pz))
    np.testing.assert_allclose(mirrored, np.stack([-mirror(ux), mirror(uz)]), atol=1e-12)
    np.testing.assert_allclose(induced(tie, -px, -pz), [ux, uz], atol=1e-14)
    assert np.abs(uz - mirror(uz)).max() > 0.1 * np.abs(uz).max()


def test_what_is_added_is_removed():
    fields = torch.from_numpy(np.random.default_rng(0).normal(size=(3, 4, POINTS, PLANES)))
    tie = equilibrium()
    np.testing.assert_allclose(tie.removed(tie.added(fields)), fields, atol=1e-12)
    np.testing.assert_array_equal(tie.added(fields)[:, 2:], fields[:, 2:])
    assert not np.allclose(tie.added(fields)[:, :2], fields[:, :2], atol=1e-2)


def unknowns(planes=PLANES, harmonics=2, points=POINTS):
    displaced, polar = repeating(2 * harmonics, planes), repeating(harmonics, planes, constant=True)
    return Unknowns(tuple(Block(m, 2, torch.ones(2, len(m.index)), 0.3) for m in (displaced, polar)), points)


@pytest.mark.parametrize("planes", [10, 11])
@pytest.mark.parametrize("points", [24, 25])
def test_the_slopes_are_the_change_of_the_induced_displacement_in_its_carrier(planes, points):
    """Up to single precision, of every start."""
    unknown = unknowns(planes, points=points)
    q = np.array([Q11, Q12, Q44])[:, None] * np.linspace(0.5, 1.5, planes)
    tie = equilibrium(q=q, planes=planes, points=points)
    polar, first, step = unknown.blocks[1], unknown.blocks[0].size, 1e-5
    c = torch.from_numpy(0.2 * np.random.default_rng(1).normal(size=(2, unknown.size)))
    found = tie.slopes(polar, unknown.fields(c))
    assert found.shape == (2, 2 * len(tie.carrier.index), polar.size)
    for j in range(0, polar.size, 7):
        change = torch.zeros_like(c)
        change[:, first + j] = step
        ahead, behind = (
            tie.carrier.project(tie.added(unknown.fields(c + s * change))[:, :2]) for s in (1, -1)
        )
        numeric = (ahead - behind).flatten(1) / (2 * step)
        np.testing.assert_allclose(found[..., j], numeric, atol=1e-5 * float(found.abs().max()))
    assert float(found.abs().max()) > 0.1


def test_twice_the_harmonics_hold_all_of_the_induced_displacement_along_x():
    """The eigenstrain is a square of P: with K harmonics of P, nothing of u lies above 2 K."""
    unknown, tie = unknowns(), equilibrium()
    c = torch.from_numpy(0.2 * np.random.default_rng(1).normal(size=(1, unknown.size)))
    u = tie.added(unknown.fields(c))[0, :2] - unknown.fields(c)[0, :2]
    spectrum = torch.fft.fft(u, dim=1).abs()
    assert float(spectrum[:, 5:-4].max()) < 1e-10 * float(spectrum.max())
    assert float(spectrum[:, 4].max()) > 1e-4 * float(spectrum.max())


def precision_of(px, pz):
    """The prior's cost of a polarization, whose fields must be made of the modes."""
    unknown, tie = unknowns(), equilibrium()
    fields = torch.from_numpy(np.stack([FLAT, FLAT, px, pz])[None])
    c = unknown.project(fields)
    np.testing.assert_allclose(unknown.fields(c), fields, atol=1e-9)
    own = c[0, unknown.blocks[0].size :]
    many = len(unknown.blocks[1].modes.index)
    return float(own @ tie.polar_precision(unknown.blocks[1]) @ own) / many * tie.longitudinal**2


KX, KZ = 2 * np.pi / PERIOD, 2 * np.pi / REPEAT


def test_a_polarization_that_binds_no_charge_costs_nothing():
    """P = curl of a potential, (-d/dz, d/dx) psi; and any uniform P."""
    wave, other = 2 * np.pi * (X + 0.1), 2 * np.pi * Z
    vortex = 0.3 / KX * np.stack([KZ * np.sin(wave) * np.sin(other), KX * np.cos(wave) * np.cos(other)])
    assert precision_of(*vortex) < 1e-20
    assert precision_of(FLAT + 0.2, FLAT - 0.5) < 1e-20
    assert precision_of(*vortex[:, ::-1]) > 1e-3  # mirrored, with Px not turned over


def test_a_longitudinal_polarization_costs_its_mean_square():
    """Gradient of a potential: every wave lies along its own wave vector."""
    slanted = 2 * np.pi * (2 * X - Z)
    along = np.stack([2 * KX * np.cos(slanted), -KZ * np.cos(slanted)]) * 5.0
    assert precision_of(*along) == pytest.approx((along**2).sum(0).mean(), rel=1e-9)
    head_on = 0.4 * np.cos(2 * np.pi * X) + FLAT
    assert precision_of(head_on, FLAT) == pytest.approx(0.08, rel=1e-9)
    assert precision_of(FLAT, head_on) < 1e-20
    assert precision_of(FLAT, 0.4 * np.sin(2 * np.pi * Z) + FLAT) == pytest.approx(0.08, rel=1e-9)


def test_the_prior_of_bound_charge_is_never_negative():
    precision = equilibrium().polar_precision(unknowns().blocks[1])
    np.testing.assert_allclose(precision, precision.T, atol=1e-9 * float(precision.abs().max()))
    assert float(torch.linalg.eigvalsh(precision).min()) > -1e-9 * float(precision.abs().max())


def test_doubt_of_the_elastic_constants_is_a_share_of_the_displacement_they_give():
    tie = equilibrium()
    generator = torch.Generator().manual_seed(3)
    modes = repeating(2, profiles=3)
    free = Block(modes, 2, torch.ones(2, len(modes.index)), 0.1)
    polar = Block(modes, 2, torch.ones(2, len(modes.index)), 0.3)
    unknowns = Unknowns((free, polar), POINTS)
    coefficients = 0.2 * torch.randn(1, unknowns.size, generator=generator, dtype=torch.float64)
    coefficients[:, : free.size] = 0.0
    fields = tie.added(unknowns.fields(coefficients))
    tied = Tied.of(tie, unknowns, fields)
    doubt = tied.doubt(coefficients[:, free.size :])[0]
    basis = tied.carried.blocks[0].modes.basis(POINTS).flatten(1)
    size = len(basis)
    for i in range(2):
        own = doubt[i * size : (i + 1) * size, i * size : (i + 1) * size]
        std = ((own @ basis) * basis).sum(0).clamp_min(0).sqrt()
        carried = tied.carried.blocks[0].modes.project(fields[:, i : i + 1])[0, 0]
        expected = ELASTIC * (carried @ basis).abs()
        assert float((std - expected).abs().max()) < 0.02 * float(expected.max())
    assert float(doubt[2 * size :].abs().max()) == 0.0

"""What the solver is told of a measurement: directions, groups of atoms, rows, and what the data can tell apart."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from nanotexture.film.forward import amplitudes as forward_amplitudes
from nanotexture.film.materials import Material
from nanotexture.film.reflection import Sampling, reflection_from_stack
from nanotexture.phasing.motif_model import Nuisance, amplitudes, order_intensities, psi_from_fields
from nanotexture.stages.motif_data import (
    SYSTEMATIC,
    field_axes,
    first_modes,
    motif_data,
    refolded,
)

from .planted import GAP, PBTIO3, PERIOD, SINGLE, SUPERLATTICE, A, measured, orders, reference

ALL = ((0, 0, 1), (0, 0, 2), (0, 0, 3), (1, 0, 3), (-1, 0, 3), (1, 0, 1), (2, 0, 2))


def test_one_direction_of_q_gives_one_unknown_along_it():
    vectors = np.array([[-1.6, 4.7], [-3.2, 9.4]])
    np.testing.assert_allclose(field_axes(vectors), [vectors[0] / np.linalg.norm(vectors[0])])


@pytest.mark.parametrize("vectors", [[[-1.6, 4.7], [1.6, 4.7]], [[0.0, 3.1], [1.6, 4.7], [0.0, 6.2]]])
def test_two_directions_of_q_give_x_and_z(vectors):
    np.testing.assert_array_equal(field_axes(np.array(vectors)), np.eye(2))


def test_opposite_reflections_are_one_direction():
    assert len(field_axes(np.array([[0.0, 3.1], [0.0, -3.1]]))) == 1


def leaning(points, planes, size=0.25, polar=0.5):
    """ux, uz, Px, Pz (x, z) without any mirror: waves that lean and grow through the film."""
    x, z = np.arange(points)[:, None] / points, np.arange(planes)[None] / planes
    turn = 2 * np.pi * (x + 0.4 * z)
    u = size * np.stack(
        [z * (np.sin(turn) + 0.4 * np.cos(2 * turn)), np.cos(turn + 0.7) + 0.3 * np.sin(2 * turn)]
    )
    p = polar * np.stack([np.cos(turn + 5 * z), np.tanh(2 * np.sin(turn))])
    return np.concatenate([u, p])


def forward(film, hkl, qz, fields, expansion):
    """Amplitudes (n, q) of fields (ux, uz, Px, Pz) on every plane by the forward model of the simulations."""
    points = fields.shape[1]
    scattering = reflection_from_stack(
        stack=film.stack(c=4.08, thickness=57.12),
        hkl=hkl,
        qz=qz,
        sampling=Sampling((PERIOD, A), (points, 1), (3, 0)),
        energy_kev=8.048,
        substrate=film.below(),
        expansion=expansion,
        dtype=torch.complex128,
    )
    space = np.zeros((2, 3, points, 1, fields.shape[2]))
    space[0, [0, 2], :, 0], space[1, [0, 2], :, 0] = fields[:2], fields[2:]
    return forward_amplitudes(scattering, *torch.from_numpy(space), gap=GAP)[:, 0].numpy()


@pytest.mark.parametrize("film", [SINGLE, SUPERLATTICE], ids=["single", "superlattice"])
@pytest.mark.parametrize("hkl", [(0, 0, 2), (1, 0, 3), (-1, 0, 3), (2, 0, 2)])
@pytest.mark.parametrize("polarization", [True, False])
def test_the_amplitudes_are_those_of_the_forward_model(film, hkl, polarization):
    """To rounding at its expansion of second order, and near its higher ones; signs along x and z with it.

    Not where the substrate's peak hides the film: there the rod is held down to its brightest value beside.
    """
    data = motif_data(orders(film, [*ALL, hkl]), reference(film), film, polarization)
    one, fields = data.full[-1], leaning(40, len(data.z))
    fields[2:] *= polarization
    known = torch.from_numpy(fields[None, : one.lift.shape[1]])
    found = amplitudes(one, known, psi_from_fields(one, known), torch.tensor([GAP]).double())[0].numpy()
    on_planes = data.on_planes(torch.from_numpy(fields))
    clear = one.work[one.orders == 0][0].numpy()
    assert (~clear).sum() < 5
    first, second, exact = (
        forward(film, hkl, one.qz.numpy(), on_planes, expansion)[:, clear] for expansion in (1, 2, 4)
    )
    found = found[:, clear]
    np.testing.assert_allclose(found, second, atol=1e-9 * np.abs(found).max())
    off = np.abs(found - exact).max(1) / np.abs(exact).max(1)
    assert off.max() < 0.01
    first_order = np.abs(first - exact).max(1) / np.abs(exact).max(1)
    assert (off < 0.4 * first_order).all()


def shares(**changes):
    """PbTiO3 whose atoms move with a polarization as told."""
    atoms = tuple(replace(atom, **changes) for atom in PBTIO3.atoms)
    return replace(PBTIO3, atoms=atoms)


def polar_axes(hkl, material: Material = PBTIO3):
    film = SINGLE.model_copy(update={"layers": (SINGLE.layers[0].model_copy(update={"material": material}),)})
    return motif_data(orders(film, hkl), reference(film), film, True).polar_axes.tolist()


X, Z = [1.0, 0.0], [0.0, 1.0]


@pytest.mark.parametrize(
    ("hkl", "axes"),
    [
        (ALL, [X, Z]),
        (((0, 0, 2), (1, 0, 3), (-1, 0, 3)), [Z]),  # 103 and -103 weigh the atoms alike
        (((0, 0, 2), (1, 0, 1), (1, 0, 3)), [Z]),  # and so does 101, with h + l even
        (((0, 0, 2), (1, 0, 3), (2, 0, 2)), [X, Z]),
        (((0, 0, 1), (0, 0, 2)), [Z]),
        (((1, 0, 3), (-1, 0, 3)), []),
        (((0, 0, 2),), []),
    ],
)
def test_polarization_is_told_from_displacement_where_reflections_weigh_the_atoms_differently(hkl, axes):
    assert polar_axes(hkl) == axes
    for axis, column in ((X, 0), (Z, 2)):
        shifts = [phase_per_polarization(one, column) for one in hkl if one[column]]
        different = len(shifts) > 1 and max(shifts) - min(shifts) > 0.02
        assert different is (axis in axes)


def phase_per_polarization(hkl, column):
    """Displacement (angstrom) that turns the phase of the flat film as 1 C/m^2 of polarization does, by the forward model."""
    free = SINGLE.model_copy(update={"substrate": None})
    qz = np.array([2 * np.pi * hkl[2] / 4.08])
    fields, step = np.zeros((2, 4, 7, 14)), 1e-5
    fields[0, 2 + column // 2], fields[1, column // 2] = step, step
    polar, moved, flat = (forward(free, hkl, qz, one, 3)[3, 0] for one in (*fields, 0 * fields[0]))
    return float(np.angle(polar / flat) / np.angle(moved / flat))


def test_atoms_that_move_alike_cannot_be_told_from_a_displacement():
    assert polar_axes(ALL, shares(displacement_per_polarization=(0.2, 0.2, 0.2))) == []
    assert polar_axes(ALL, shares(displacement_per_polarization=(0.0, 0.0, 0.0))) == []


def test_without_polarization_there_is_one_group_of_atoms_per_material():
    film = SUPERLATTICE
    without = motif_data(orders(film, ALL), reference(film), film, False)
    assert without.polar_axes.shape == (0, 2)
    assert [len(one.lift) for one in without.full] == [2] * len(ALL)
    assert all(one.lift.shape[1] == 2 for one in without.full)


def test_every_repeat_shows_the_same_motif():
    data = motif_data(orders(SUPERLATTICE, ALL), reference(SUPERLATTICE), SUPERLATTICE, True)
    np.testing.assert_array_equal(data.slots, [*range(8), *range(8)])
    assert len(data.z) == 8
    once = torch.arange(8.0)
    np.testing.assert_array_equal(data.on_planes(once), [*range(8), *range(8)])


def bright(per_fringe, held=None, **values):
    """Orders of a bell of satellites in the middle of the rows, and the solver's data of them."""
    empty = orders(SINGLE, ALL[:4], per_fringe=per_fringe, fringes=8.0)
    rows = np.linspace(-8, 8, empty.sizes["row"])
    bell = 1000.0 * np.exp(-0.5 * (rows / 0.7) ** 2) * np.array([1, 2, 4, 9, 4, 2, 1])[:, None] + 1e-6
    shape = empty["intensity"].shape
    told = {"intensity": np.broadcast_to(bell, shape).copy(), "variance": np.full(shape, 9.0)} | values
    if held is not None:
        told["held_out"] = np.broadcast_to(held(rows), shape).astype(np.uint8)
    found = orders(SINGLE, ALL[:4], per_fringe=per_fringe, fringes=8.0, **told)
    return motif_data(found, reference(SINGLE), SINGLE, False)


def step_of(one):
    return float(one.qz[1] - one.qz[0])


def test_averaging_rows_lowers_the_counting_error_and_not_the_systematic_one():
    data = bright(42)
    full, few = data.full[1], data.reflections[1]
    many = round(step_of(few) / step_of(full))
    assert many == 12  # of 42 rows a fringe
    systematic = SYSTEMATIC * few.intensity
    counting = few.sigma**2 - systematic**2
    np.testing.assert_allclose(counting[few.work], 9.0 / many, rtol=1e-6)
    assert few.work.any(1).all()
    assert (few.sigma >= systematic).all()


def test_the_model_on_fewer_rows_is_the_average_of_the_model():
    """Their span is a resolution: a Gaussian in place of a box, of the same width."""
    data = bright(42)
    fields = torch.from_numpy(leaning(40, len(data.z))[None, :2])
    zero = torch.zeros(1, dtype=torch.float64)
    full, few = data.full[3], data.reflections[3]
    whole, part = (order_intensities(one, fields, Nuisance(zero, zero, zero + GAP))[0] for one in (full, few))
    many, number = round(step_of(few) / step_of(full)), len(few.qz)
    first = round(float(few.qz[0] - full.qz[0]) / step_of(full) - 0.5 * (many - 1))
    average = whole[:, first : first + many * number].unflatten(1, (number, many)).mean(2)
    inner = slice(3, -3)  # beyond the ends the series goes on mirrored
    satellites = (full.orders != 0).nonzero()[:, 0]  # the substrate's peak is sharper than any row
    part, average = part[satellites][:, inner], average[satellites][:, inner]
    top = average.amax(1)
    off = (part - average).abs().amax(1) / top
    assert off.max() < 0.01
    sharp = order_intensities(replace(few, resolution=0.0), fields, Nuisance(zero, zero, zero + GAP))[0]
    assert (off < (sharp[satellites][:, inner] - average).abs().amax(1) / top).all()


@pytest.mark.parametrize("index", [1, 3])
def test_the_model_on_fewer_rows_is_the_average_in_order_0_as_well_where_it_is_fitted(index):
    """Film and rod together, to two per cent of the value or a thousandth of the brightest: ends and hidden rows are left out."""
    data = bright(14)
    fields = torch.from_numpy(leaning(40, len(data.z))[None, :2])
    zero = torch.zeros(1, dtype=torch.float64)
    full, few = data.full[index], data.reflections[index]
    middle = int((full.orders == 0).nonzero())
    whole, part = (
        order_intensities(one, fields, Nuisance(zero, zero, zero + GAP))[0, middle] for one in (full, few)
    )
    many, number = round(step_of(few) / step_of(full)), len(few.qz)
    first = round(float(few.qz[0] - full.qz[0]) / step_of(full) - 0.5 * (many - 1))
    average = whole[first : first + many * number].unflatten(0, (number, many)).mean(1)
    fitted = few.work[middle]
    assert many == 4
    off = (part - average)[fitted].abs()
    assert (off < 0.02 * average[fitted] + 1e-3 * average[fitted].max()).all()


def test_the_rod_of_hidden_rows_is_no_brighter_than_beside_them_and_keeps_its_phase():
    """Or the resolution, a series over all rows, would carry the substrate's peak to every one of them."""
    data, hidden = motif_data(orders(SINGLE, ALL), reference(SINGLE), SINGLE, False), 0
    for one, hkl in zip(data.full, ALL, strict=True):
        seen = one.work[one.orders == 0][0]
        size = one.substrate.abs()
        hidden += int((~seen).sum())
        assert (size <= size[seen].max() * (1 + 1e-12)).all()
        below = forward(SINGLE, hkl, one.qz.numpy(), np.zeros((4, 7, 14)), 2)[3]
        free = SINGLE.model_copy(update={"substrate": None})
        above = forward(free, hkl, one.qz.numpy(), np.zeros((4, 7, 14)), 2)[3]
        rod = (below - above) * np.exp(1j * one.qz.numpy() * GAP)
        np.testing.assert_allclose(one.substrate[seen], rod[seen], rtol=1e-6, atol=1e-6 * np.abs(rod).min())
        np.testing.assert_allclose(one.substrate / size, rod / np.abs(rod), atol=1e-6)
    assert hidden > 2


@pytest.mark.parametrize("lean", [0.9, -0.6])
def test_the_lean_of_a_planted_motif_is_found_from_its_orders(lean):
    """Periods through the film; a fifth of one is not told from none."""
    height = SINGLE.thickness
    z = np.arange(14) * 4.08

    def found(periods):
        x = np.arange(40)[:, None] / 40 - periods * z[None] / height
        fields = 0.25 * np.stack([0.3 * np.cos(2 * np.pi * x), np.sin(2 * np.pi * x)])
        told = measured(SINGLE, ALL[1:5], fields, polarization=False, highest=2, fringes=5.0)
        return motif_data(told, reference(SINGLE), SINGLE, False)

    data = found(lean)
    assert data.lean * height == pytest.approx(lean, rel=0.15)
    assert data.unknowns(2, 3, 0.03).blocks[0].modes.lean == data.lean
    assert found(0.2).lean == 0.0


def test_other_folds_hold_out_other_satellites_and_lose_none():
    data = bright(16)
    one, two = refolded(data, seed=1), refolded(data, seed=2)
    for before, a, b in zip(data.reflections, one.reflections, two.reflections, strict=True):
        use = before.work | before.free
        for fold in (a, b):
            np.testing.assert_array_equal(fold.work | fold.free, use)
            assert not (fold.work & fold.free).any()
            assert not fold.free[fold.orders == 0].any()
        assert a.free.any()
        assert (a.free != b.free).any()


def test_the_first_modes_are_the_highest_order_seen_and_two_polynomials_a_fringe():
    assert first_modes(bright(16))[0] == 3
    data = bright(16)
    weak = tuple(
        replace(one, intensity=torch.where((one.orders.abs() == 3)[:, None], 0.0, one.intensity))
        for one in data.reflections
    )
    assert first_modes(replace(data, reflections=weak))[0] == 2
    assert first_modes(replace(data, fringes=2.4))[1] == 5

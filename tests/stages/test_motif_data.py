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

from .planted import GAP, PBTIO3, PERIOD, SINGLE, SUPERLATTICE, A, orders, reference

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
    """To rounding at its expansion of second order, and near its higher ones; signs along x and z with it."""
    data = motif_data(orders(film, [*ALL, hkl]), reference(film), film, polarization)
    one, fields = data.full[-1], leaning(40, len(data.z))
    fields[2:] *= polarization
    known = torch.from_numpy(fields[None, : one.lift.shape[1]])
    found = amplitudes(one, known, psi_from_fields(one, known), torch.tensor([GAP]).double())[0].numpy()
    on_planes = data.on_planes(torch.from_numpy(fields))
    qz = one.qz.numpy()
    np.testing.assert_allclose(found, forward(film, hkl, qz, on_planes, 2), atol=1e-9 * np.abs(found).max())
    exact = forward(film, hkl, qz, on_planes, 4)
    off = np.abs(found - exact).max(1) / np.abs(exact).max(1)
    assert off.max() < 0.01
    first_order = np.abs(forward(film, hkl, qz, on_planes, 1) - exact).max(1) / np.abs(exact).max(1)
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


def test_fewer_rows_hold_the_same_intensity():
    data = bright(42)
    for full, few in zip(data.full, data.reflections, strict=True):
        many = round(float((few.qz[1] - few.qz[0]) / (full.qz[1] - full.qz[0])))
        assert many == 5
        satellites = full.orders != 0
        everywhere = full.intensity[satellites].sum(1)
        np.testing.assert_allclose(few.intensity[satellites].sum(1) * many, everywhere, rtol=1e-4)
        for i, q in enumerate(few.qz):
            middle = int((full.qz - q).abs().argmin())
            seen = full.work[:, middle - 2 : middle + 3]
            rows = torch.where(seen, full.intensity[:, middle - 2 : middle + 3], 0.0)
            expected = rows.sum(1) / seen.sum(1).clamp_min(1)
            np.testing.assert_allclose(few.intensity[:, i], expected, rtol=1e-12)


def test_averaging_rows_lowers_the_counting_error_and_not_the_systematic_one():
    data = bright(42)
    full, few = data.full[1], data.reflections[1]
    whole = few.work.clone()
    whole[full.orders == 0] = False  # its rows near the substrate's peak are not fitted
    systematic = SYSTEMATIC * few.intensity
    counting = few.sigma**2 - systematic**2
    np.testing.assert_allclose(counting[whole], 9.0 / 5, rtol=1e-6)
    assert (few.sigma >= systematic).all()


def test_rows_that_are_partly_held_out_are_neither_fitted_nor_held():
    data = bright(42, held=lambda rows: (rows > 0.0) & (rows < 0.45))
    for full, few in zip(data.full, data.reflections, strict=True):
        assert not (few.work & few.free).any()
        assert few.free.any()
        step = float(full.qz[1] - full.qz[0])
        for n, i in few.free.nonzero().tolist():
            assert full.free[n, (full.qz - few.qz[i]).abs() < 2.4 * step].all()
        for n, i in few.work.nonzero().tolist():
            assert not full.free[n, (full.qz - few.qz[i]).abs() < 2.4 * step].any()


def test_rows_far_from_the_satellites_are_left_out_and_few_rows_are_kept_as_they_are():
    """Satellites above 3 sigma within about 2.5 fringes, 4 fringes beside them."""
    data = bright(8)
    full, few = data.full[0], data.reflections[0]
    step = float(full.qz[1] - full.qz[0])
    assert float(few.qz[1] - few.qz[0]) == pytest.approx(step)
    span = float(few.qz[-1] - few.qz[0]) / (2 * np.pi / data.stack.thickness)
    assert 10.0 < span < 15.0
    kept = (full.qz >= few.qz[0]) & (full.qz <= few.qz[-1])
    np.testing.assert_array_equal(few.work, full.work[:, kept])
    np.testing.assert_array_equal(few.intensity[few.work], full.intensity[:, kept][few.work])


def test_the_model_on_fewer_rows_is_the_average_of_the_model():
    """Their span is a resolution: a Gaussian in place of a box, of the same width."""
    data = bright(42)
    fields = torch.from_numpy(leaning(40, len(data.z))[None, :2])
    zero = torch.zeros(1, dtype=torch.float64)
    full, few = data.full[3], data.reflections[3]
    whole, part = (order_intensities(one, fields, Nuisance(zero, zero, zero + GAP))[0] for one in (full, few))
    first = int((full.qz - few.qz[0]).abs().argmin()) - 2
    many = len(few.qz)
    average = whole[:, first : first + 5 * many].unflatten(1, (many, 5)).mean(2)
    inner = slice(3, -3)  # the kernel is cut at the ends
    satellites = (full.orders != 0).nonzero()[:, 0]  # the substrate's peak is sharper than any row
    part, average = part[satellites][:, inner], average[satellites][:, inner]
    top = average.amax(1)
    off = (part - average).abs().amax(1) / top
    assert off.max() < 0.01
    sharp = order_intensities(replace(few, resolution=0.0), fields, Nuisance(zero, zero, zero + GAP))[0]
    assert (off < (sharp[satellites][:, inner] - average).abs().amax(1) / top).all()


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

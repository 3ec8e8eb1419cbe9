"""Hops between look-alikes of textures with two directions: what they change, and that they find what is planted."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from nanotexture.phasing.alignment import align, inverted, shifted
from nanotexture.phasing.hops import Turn, first_waves, mirrored, moves_of, turned, upside_down
from nanotexture.phasing.modes import legendre_profiles
from nanotexture.phasing.motif import solve_motif
from nanotexture.phasing.motif_model import order_intensities
from nanotexture.phasing.motif_settings import Hops, MotifSettings, Schedule
from nanotexture.phasing.unknowns import Block, Unknowns, random_starts

from .test_volume import POINTS, extras, modes, polar_unknowns, reflection, unknowns

BOTH = {(1, 0), (0, 1)}


def alike(turn):
    return dict.fromkeys(BOTH, turn)


def test_the_first_waves_are_the_shortest_of_the_cell():
    assert set(first_waves(modes())) == BOTH
    assert set(first_waves(replace(modes(), centred=True))) == {(1, 1), (1, -1)}


def test_profiles_upside_down_are_even_and_odd_ones_with_their_signs():
    profiles = legendre_profiles(z=np.arange(12) * 4.0, number=4, thickness=48.0)
    np.testing.assert_allclose(upside_down(profiles), np.diag([1.0, -1.0, 1.0, -1.0]), atol=1e-9)


@pytest.mark.parametrize("own", [unknowns(), polar_unknowns()], ids=["displacement", "polar"])
def test_all_waves_turned_alike_are_the_motif_turned(own):
    """Inverted: u(r) to -u(-r), and P alike; conjugate: turned by half about z with components kept; upside down."""
    c = random_starts(own, [(0, 3)])
    field = own.fields(c).numpy()
    back = np.roll(field[..., ::-1, ::-1, :], (1, 1), (2, 3))
    for turn, expected in (
        (Turn(True, True), inverted(field, 2)),
        (Turn(True, False), back),
        (Turn(False, True), field[..., ::-1]),
    ):
        found = own.fields(turned(own, alike(turn), c)).numpy()
        np.testing.assert_allclose(found, expected, atol=1e-9)


def test_one_wave_turned_leaves_the_other_and_begins_the_rest_anew():
    own = unknowns()
    c = random_starts(own, [(0, 4)])
    changed = turned(own, {(1, 0): Turn(True, False), (0, 1): Turn(False, False)}, c)
    before, after = (np.fft.fft2(own.fields(one).numpy()[0], axes=(1, 2)) for one in (c, changed))
    np.testing.assert_allclose(after[:, 1, 0], before[:, 1, 0].conj(), atol=1e-9)
    np.testing.assert_allclose(after[:, 0, 1], before[:, 0, 1], atol=1e-9)
    np.testing.assert_allclose(after[:, 0, 0], before[:, 0, 0], atol=1e-9)
    assert np.abs(after[:, 1, 1]).max() < 1e-9 * np.abs(before[:, 1, 1]).max()


def test_an_inverted_wave_of_a_weak_texture_has_the_intensities_of_what_it_was():
    own = unknowns(harmonics=1)
    only = torch.from_numpy((own.blocks[0].modes.vectors == (1, 0)).all(1)).repeat(3)
    c = 1e-3 * random_starts(own, [(0, 5)]) * only
    one = replace(reflection(), substrate=torch.zeros(9, dtype=torch.complex128))
    changed = turned(own, {(1, 0): Turn(True, True), (0, 1): Turn(False, False)}, c)
    assert float((changed - c).abs().max()) > 0.1 * float(c.abs().max())
    before, after = (order_intensities(one, own.fields(x), extras())[0] for x in (c, changed))
    satellites = one.distance == 1
    bright = float(before[satellites].max())
    np.testing.assert_allclose(after[satellites], before[satellites], atol=0.02 * bright)


def test_a_mirrored_component_keeps_what_is_in_phase_with_the_upright_one_and_its_size():
    """The product with the upright component changes to its complex conjugate where the profiles are alike."""
    own = Unknowns((Block(modes(1, 1), 3, torch.ones(3, 8).double(), 0.3),), POINTS)
    c = random_starts(own, [(0, 6)])
    changed = mirrored(own, (1, 1), [0], 2, c)
    before, after = (np.fft.fft2(own.fields(one).numpy()[0], axes=(1, 2))[:, 1, 1, 0] for one in (c, changed))
    assert after[0] * after[2].conj() == pytest.approx((before[0] * before[2].conj()).conj())
    np.testing.assert_allclose(after[1:], before[1:])
    twice = mirrored(own, (1, 1), [0], 2, changed)
    torch.testing.assert_close(twice, c)


def test_every_combination_of_turns_is_tried_once():
    own = unknowns()
    c = random_starts(own, [(0, 7)])
    made = [move(c) for move in moves_of(own, Hops.WAVES)]
    assert len(made) == 4**2 - 1
    gaps = [float((a - b).abs().max()) for i, a in enumerate(made) for b in (c, *made[:i])]
    assert min(gaps) > 1e-3
    assert len(list(moves_of(own, Hops.COMPONENTS))) == 2 * (1 + 2)
    assert list(moves_of(own, Hops.NONE)) == []


def test_a_planted_texture_whose_one_wave_stands_upside_down_is_found_by_hops_and_not_without():
    own = unknowns(harmonics=1)
    truth = random_starts(own, [(0, 5)])
    rng, data = np.random.default_rng(0), []
    for g in ((0.0, 0.0, 3.1), (1.6, 0.0, 4.7), (0.0, 1.6, 4.7), (1.6, 1.6, 4.7)):
        one = reflection(g, rows=21, reach=0.4)
        exact = order_intensities(one, own.fields(truth), extras())[0]
        sigma = 0.01 * exact + 0.002 * exact[one.distance > 0].max()
        data.append(
            replace(
                one, intensity=exact + sigma * torch.from_numpy(rng.normal(size=exact.shape)), sigma=sigma
            )
        )
    wrong = turned(own, {(1, 0): Turn(True, True), (0, 1): Turn(False, False)}, truth)
    planted, found = own.fields(truth)[0].numpy(), {}
    for schedule in (Schedule.LAST, Schedule.HOPPING):
        ended = solve_motif(
            data=tuple(data),
            unknowns=own,
            settings=MotifSettings(harmonics=1, polynomials=3, schedule=schedule),
            start=wrong,
            gap=torch.tensor([0.1], dtype=torch.float64),
        )
        back = align(ended.fields.numpy(), planted, allow_inversion=False)
        found[schedule] = float(ended.cost[0]), float(back.nrmse[0])
    assert found[Schedule.LAST][0] > 1.5
    assert found[Schedule.LAST][1] > 0.5
    assert found[Schedule.HOPPING][0] < 1.2
    assert found[Schedule.HOPPING][1] < 0.1


def test_a_shift_changes_nothing_that_hops_look_at():
    own = unknowns()
    c = random_starts(own, [(0, 8)])
    moved = own.project(torch.from_numpy(shifted(own.fields(c).numpy(), 0.2)))
    for made, other in zip(
        *(tuple(move(x) for move in moves_of(own, Hops.COMPONENTS)) for x in (c, moved)), strict=True
    ):
        expected = shifted(own.fields(made).numpy(), 0.2)
        np.testing.assert_allclose(own.fields(other).numpy(), expected, atol=1e-6)

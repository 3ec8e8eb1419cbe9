"""Films drawn at random: what a prior over textures learns from. Single films; the families in HELD_OUT are never drawn.

Nor is a film of the benchmark suite: seeds of random textures begin at SEEDS, and no drawn film has as many planes as one of
the suite, so that its thickness differs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

from nanotexture.film.materials import Material
from nanotexture.film.materials import built_in as read_built_in
from nanotexture.film.stack import Layer, Stack, Substrate
from nanotexture.simulate.axes import Hkl
from nanotexture.simulate.closure import Closure
from nanotexture.simulate.laminate import Laminate
from nanotexture.simulate.motif import Motif
from nanotexture.simulate.random_texture import RandomTexture
from nanotexture.simulate.relaxed_film import RelaxedFilm, relaxed_film
from nanotexture.simulate.suite import films, rotated_cell
from nanotexture.simulate.textures import Texture, motif_from_texture
from nanotexture.simulate.vortices import Vortices

Rng = np.random.Generator
Family = Literal["laminate", "closure", "vortices", "phase_field", "elastic", "polar", "mixed"]

HELD_OUT = ("a_c_domains", "stripes")  # kinds of textures
POLAR = ("closure", "vortices", "phase_field", "polar", "mixed")  # families that have a polarization
SEEDS = 1000  # the suite's random textures have seeds below
PERIODS, THICKNESSES = (50.0, 300.0), (100.0, 600.0)  # angstrom
GAPS = (-0.3, 0.6)  # angstrom
# reflections of perovskites and of cells of two layers (b/a of sqrt 2), each with its mirror image's partner
CUBIC: tuple[Hkl, ...] = (
    (0, 0, 1), (0, 0, 2), (0, 0, 3), (0, 0, 4), (1, 0, 2), (-1, 0, 2), (1, 0, 3), (-1, 0, 3), (1, 0, 1), (2, 0, 3),
)  # fmt: skip
TWICE: tuple[Hkl, ...] = (
    (0, 0, 2), (0, 0, 4), (0, 0, 6), (0, 0, 8), (2, 0, 6), (-2, 0, 6), (2, 0, 8), (-2, 0, 8), (2, 0, 4),
)  # fmt: skip


@dataclass(frozen=True)
class DrawnFilm:
    """A film with its texture; reflections: those that may be measured of it; gap in angstrom."""

    family: Family
    stack: Stack
    substrate: Substrate
    texture: Texture | RelaxedFilm
    motif: Motif
    reflections: tuple[Hkl, ...]
    gap: float


@dataclass(frozen=True)
class _Plan:
    """What a family draws before its motif is computed."""

    stack: Stack
    substrate: Substrate
    texture: Texture
    reflections: tuple[Hkl, ...] = CUBIC


def random_film(*, seed: int, number: int, families: tuple[Family, ...] = ()) -> DrawnFilm:
    """Film `number`, fixed by (seed, number) and the families to choose from, all of them by default."""
    rng = np.random.Generator(np.random.PCG64([seed, number, 11]))
    known: tuple[Family, ...] = families or (*_PLANS, "phase_field")
    family = known[int(rng.integers(len(known)))]
    if family == "phase_field":
        found = relaxed_film(rng, taken=_suite_planes())
        gap = float(rng.uniform(*GAPS))
        return DrawnFilm(family, found.stack, found.substrate, found.texture, found.motif, CUBIC, gap)
    return _written_down(rng, family)


def _written_down(rng: Rng, family: Family) -> DrawnFilm:
    """A film whose texture is a formula."""
    plan = _PLANS[family](rng)
    while planes_of(plan.stack) in _suite_planes():
        plan = _PLANS[family](rng)
    below = plan.substrate.material.elastic
    motif = motif_from_texture(stack=plan.stack, texture=plan.texture, below=below)
    gap = float(rng.uniform(*GAPS))
    return DrawnFilm(family, plan.stack, plan.substrate, plan.texture, motif, plan.reflections, gap)


def planes_of(stack: Stack) -> int:
    """Planes of cells of a whole stack."""
    return len(stack.heights)


@cache
def built_in(name: str) -> Material:
    """A built-in material, read once: thousands of films are of few."""
    return read_built_in(name)


@cache
def _suite_planes() -> set[int]:
    return {planes_of(film.stack) for film in films()}


def _laminate(rng: Rng) -> _Plan:
    material, below = built_in("Ca2RuO4_L"), Substrate(_turned_aluminate(), 3.79)
    cells = int(rng.integers(9, 50))
    texture = Laminate(
        period=_period(rng, 50.0, 200.0),
        duty=float(rng.uniform(0.3, 0.7)),
        wall=float(rng.uniform(5.0, 20.0)),
        order=float(rng.uniform(0.3, 1.0)),
    )
    stack = Stack(below.c * 2**0.5, (Layer(material, cells, _near(rng, 12.264)),))
    return _Plan(stack, below, texture, TWICE)


@cache
def _turned_aluminate() -> Material:
    return rotated_cell(built_in("LaAlO3"))


def _closure(rng: Rng) -> _Plan:
    stack, below = _titanate(rng)
    texture = Closure(
        period=_period(rng, 50.0, 200.0),
        polarization=float(rng.uniform(0.35, 0.75)),
        wall=float(rng.uniform(8.0, 12.0)),
        points=64,
    )
    return _Plan(stack, below, texture)


def _vortices(rng: Rng) -> _Plan:
    stack, below = _titanate(rng)
    polarization = float(rng.uniform(0.35, 0.7))
    # charge-free vortices in a film much thinner than half a period would need more P_x than P_z
    period = _period(rng, 50.0, min(200.0, 2.5 * stack.thickness))
    return _Plan(stack, below, Vortices(period=period, polarization=polarization, leak=0.05))


def _elastic(rng: Rng) -> _Plan:
    material, c = _pick(rng, ("SrRuO3", 3.96), ("PbTiO3", 4.08), ("SrTiO3", 3.92), ("BiFeO3", 4.03))
    below = _below(rng)
    return _Plan(Stack(below.c, (_layer(rng, material, c),)), below, _random(rng, polar=False))


def _polar(rng: Rng) -> _Plan:
    stack, below = _titanate(rng)
    return _Plan(stack, below, _random(rng, polar=True))


def _mixed(rng: Rng) -> _Plan:
    below = _below(rng)
    lower, c = _pick(rng, ("SrRuO3", 3.96), ("SrTiO3", 3.90))
    share = float(rng.uniform(0.15, 0.5))
    cells = _cells(rng, 4.05)
    first = Layer(built_in(lower), max(4, round(share * cells)), _near(rng, c))
    second = Layer(built_in("PbTiO3"), max(8, round((1 - share) * cells)), _near(rng, 4.07))
    return _Plan(Stack(below.c, (first, second)), below, _random(rng, polar=True))


_PLANS: dict[Family, Callable[[Rng], _Plan]] = {
    "laminate": _laminate,
    "closure": _closure,
    "vortices": _vortices,
    "elastic": _elastic,
    "polar": _polar,
    "mixed": _mixed,
}


def _random(rng: Rng, *, polar: bool) -> RandomTexture:
    return RandomTexture(
        period=_period(rng, *PERIODS),
        amplitude=float(np.exp(rng.uniform(np.log(0.05), np.log(0.25)))),
        polarization=float(rng.uniform(0.2, 0.7)) if polar else 0.0,
        harmonics=int(rng.integers(2, 5)),
        modes=int(rng.integers(2, 5)),
        seed=SEEDS + int(rng.integers(2**31)),
    )


def _titanate(rng: Rng) -> tuple[Stack, Substrate]:
    """A film of PbTiO3."""
    below = _below(rng)
    return Stack(below.c, (_layer(rng, "PbTiO3", 4.07),)), below


def _layer(rng: Rng, material: str, c: float) -> Layer:
    return Layer(built_in(material), _cells(rng, c), _near(rng, c))


def _cells(rng: Rng, c: float) -> int:
    low, high = THICKNESSES
    return round(float(np.exp(rng.uniform(np.log(low), np.log(high)))) / c)


def _near(rng: Rng, c: float) -> float:
    """A reference c within 1.2 per cent of the usual one."""
    return c * float(rng.uniform(0.988, 1.012))


def _below(rng: Rng) -> Substrate:
    name, c = _pick(rng, ("SrTiO3", 3.905), ("DyScO3", 3.95), ("KTaO3", 3.9885))
    return Substrate(built_in(name), c)


def _period(rng: Rng, low: float, high: float) -> float:
    """Uniform in its logarithm."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _pick(rng: Rng, *choices: tuple[str, float]) -> tuple[str, float]:
    return choices[int(rng.integers(len(choices)))]

"""Stage: textures that a denoiser learns from, as coefficients on the modes that all films share, some in each task."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nanotexture.engine.stage import stage
from nanotexture.film.stack import Stack
from nanotexture.priors.texture_modes import CONDITIONS, SHAPE, Surroundings, common_of_fields
from nanotexture.quantities import TextureExamples
from nanotexture.schema import TEXTURE_EXAMPLES, labelled
from nanotexture.simulate.film_draws import DrawnFilm, Family, random_film
from nanotexture.simulate.laminate import Laminate, lamellae
from nanotexture.simulate.random_texture import RandomTexture
from nanotexture.simulate.superlattice_draws import random_superlattice
from nanotexture.stages.config import Config
from nanotexture.stages.motif_rows import LEAST_LEAN

Array = NDArray[np.float64]

# of the single films, in parts: of textures that are all alike few are enough
PARTS: tuple[Family, ...] = (
    *("laminate", "elastic", "polar", "mixed") * 3,
    *("closure", "vortices") * 2,
    "phase_field",
)
LEAN_ERROR = 0.02  # of a laminate's lean as found from its maps, relative
FALSE_LEAN, MOST_LEAN = (
    0.25,
    1.0,
)  # share of upright textures in which one is found, and how much, in periods through the film


class TextureExamplesConfig(Config):
    """Seed, share of superlattices, and which textures."""

    seed: int
    superlattices: float
    numbers: tuple[int, ...]


@stage(version=2)
def make_texture_examples(*, config: TextureExamplesConfig) -> TextureExamples:
    """Coefficients of textures, each fixed by (seed, number), the families held out never among them."""
    found = [_example(config, number) for number in config.numbers]
    values = {
        "texture": np.array(config.numbers),
        "coefficient": np.array([one[0] for one in found]).reshape(-1, *SHAPE),
        "given": np.array([one[1] for one in found], np.int64),
        "told": np.array([one[2] for one in found]).reshape(-1, CONDITIONS),
        "family": [one[3] for one in found],
    }
    return TextureExamples(labelled(values, TEXTURE_EXAMPLES))


def _example(config: TextureExamplesConfig, number: int) -> tuple[Array, list[int], Array, str]:
    """Coefficients, which fields there are, surroundings and family of one texture."""
    rng = np.random.Generator(np.random.PCG64([config.seed, number, 12]))
    repeats = bool(rng.random() < config.superlattices)
    if repeats:
        film = random_superlattice(seed=config.seed, number=number)
    else:
        film = random_film(seed=config.seed, number=number, families=PARTS)
    around = _surroundings(film, repeats, rng)
    values = np.zeros(SHAPE)
    z = film.stack.heights
    if not repeats:  # the displacement of a superlattice follows from its polarization
        moved = film.motif.displacement[[0, 2], :, 0] / around.period
        values[:2] = common_of_fields(moved, z=z, thickness=film.stack.thickness, lean=around.lean)
    if film.motif.polarization is not None:
        planes = polar_planes(film.stack)
        polar = film.motif.polarization[[0, 2], :, 0][..., planes]
        values[2:] = common_of_fields(polar, z=z[planes], thickness=film.stack.thickness, lean=around.lean)
    given = [int(not repeats)] * 2 + [int(film.motif.polarization is not None)] * 2
    return values, given, around.told(), "superlattice" if repeats else film.family


def _surroundings(film: DrawnFilm, repeats: bool, rng: np.random.Generator) -> Surroundings:
    """What is known of a drawn film; its lean as it would be found."""
    height, polar = film.stack.thickness, polar_planes(film.stack)
    extent = np.flatnonzero(polar)
    ends = (extent[0] / len(polar), (extent[-1] + 1) / len(polar)) if len(extent) else (0.0, 0.0)
    has = film.motif.polarization is not None
    lean = 0.0 if repeats else _found_lean(film, rng)
    return Surroundings(
        film.motif.periods[0],
        height,
        (float(ends[0]), float(ends[1])) if has else (0.0, 0.0),
        lean if abs(lean) * height > LEAST_LEAN else 0.0,
        repeats,
    )


def _found_lean(film: DrawnFilm, rng: np.random.Generator) -> float:
    if isinstance(film.texture, Laminate):
        normal = lamellae(film.texture).normal
        true = -float(normal[1] / normal[0]) / film.motif.periods[0]
        return true * (1.0 + LEAN_ERROR * float(rng.normal()))
    random = isinstance(film.texture, RandomTexture)
    share = FALSE_LEAN * (1.0 if random else 0.5)
    return float(rng.uniform(-MOST_LEAN, MOST_LEAN)) / film.stack.thickness if rng.random() < share else 0.0


def polar_planes(stack: Stack) -> NDArray[np.bool_]:
    """Planes (z,) of one repeat that are in its first polar layer, none where there is none."""
    layer = np.array(stack.plane_materials)[: len(stack.heights) // stack.repeat]
    polar = [i for i, one in enumerate(stack.layers) if one.material.polar]
    return np.asarray(layer == polar[0] if polar else np.zeros(len(layer), bool))

"""What the motif solver is given: reflections, unknown fields with their priors, schedules and first gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from nanotexture.film.stack import Stack
from nanotexture.phasing.elastic_response import Stiffness, film_response, repeating_response
from nanotexture.phasing.equilibrium import Equilibrium
from nanotexture.phasing.modes import Modes, Profiles, layer_profiles, legendre_profiles, repeat_profiles
from nanotexture.phasing.motif_model import ReflectionData
from nanotexture.phasing.motif_settings import MotifSettings, Schedule
from nanotexture.phasing.unknowns import Block, Unknowns, correction_width, polar_width, strain_width
from nanotexture.stages.models import Tie

Array = NDArray[np.float64]

STARTS_OF_GAP = (0.0, 0.3, -0.3, 0.6, -0.6)  # angstrom around the first guess: starts take turns
START_PHASE = 2.0  # rms of Q.u of a random start, rad
START_POLARIZATION = 0.3  # rms of a random start, C/m^2
POLARIZATION = 0.4  # prior size, C/m^2
INDUCED = 0.1  # of POLARIZATION: prior size in the layers between the polar ones
# prior sizes (angstrom, and of the strain of the planes' spacing) of a displacement beside the one that follows from the
# polarization: elastic constants of layers are known to 10 %, one constant for all planes leaves a third of it
CORRECTION = {Tie.LAYERS: (0.002, 0.003), Tie.MEAN: (0.005, 0.006)}
FREE = 4, 7  # harmonics and profiles at most of that displacement
CARRIED = 8, 13  # harmonics and profiles of a displacement that bends with the square of the polarization
STRESSED = 16  # harmonics at most of the stress that bends the lattice: twice those of a polarization
VOLUME = 3, 8  # harmonics and polynomials at most of a texture that is periodic along x and y
PER_LAYER = 5  # polynomials through a layer of a superlattice at most


@dataclass(frozen=True)
class MotifData:
    """Reflections as the solver wants them, and with all rows of their maps (full).

    axes (f, 2): directions of the unknown displacement fields; polar_axes (p, 2): of the polarization fields; slots
    (planes,): height of the motif that each plane shows, the same in every repeat of a superlattice; lean: of the motif, in
    periods per angstrom of height; tie: of displacement and polarization; below:
    c11, c12, c44 of the substrate in Pa, None for those of the film; period_y
    (angstrom): of a texture that is periodic along y too, else None; centred: whether its cell is, as a checkerboard's.
    """

    reflections: tuple[ReflectionData, ...]
    full: tuple[ReflectionData, ...]
    axes: Array
    polar_axes: Array
    stack: Stack
    slots: NDArray[np.int64]
    period: float
    gap: float
    highest: int
    fringes: float
    block: tuple[int, ...]
    lean: float = 0.0
    tie: Tie = Tie.NONE
    below: Stiffness | None = None
    period_y: float | None = None
    centred: bool = False

    @property
    def repeats(self) -> bool:
        """Whether the motif is one repeat of a superlattice."""
        return self.stack.repeat > 1

    @property
    def tied(self) -> bool:
        """Whether the displacement is the one in mechanical equilibrium with the polarization, but for a correction."""
        return self.tie is not Tie.NONE

    @property
    def z(self) -> Array:
        """Heights of the motif, (z,) in angstrom."""
        return self.stack.heights[: int(self.slots.max()) + 1]

    def unknowns(self, harmonics: int, polynomials: int, strain: float) -> Unknowns:
        """Fields on the planes of the film, with enough points along x for the harmonics of exp(i Q.u)."""
        harmonics, polynomials = self.limited(harmonics, polynomials)
        points = max(32 if self.period_y is None else 16, 4 * (harmonics + self.highest))
        longest = max(float(one.g.norm()) for one in self.reflections)
        if self.tied:
            modes = self._modes(min(harmonics, FREE[0]), FREE[1])
            width = correction_width(modes, *CORRECTION[self.tie])
            displacement = Block(modes, 2, width, 0.0, judged=False)
        else:
            modes, number = self._modes(harmonics, polynomials), len(self.axes)
            width = self._shared(strain_width(modes, number, strain), modes)
            displacement = Block(modes, number, width, START_PHASE / longest)
        if len(self.polar_axes) == 0:
            return Unknowns((displacement,), points)
        polar = Modes(
            harmonics,
            self._polar_profiles(polynomials),
            self.period,
            constant=True,
            lean=self.lean,
            period_y=self.period_y,
            centred=self.centred,
        )
        number = len(self.polar_axes)
        width = self._shared(polar_width(polar, number, POLARIZATION), polar) * self._induced(polar)
        return Unknowns((displacement, Block(polar, number, width, START_POLARIZATION)), points)

    def _shared(self, width: torch.Tensor, modes: Modes) -> torch.Tensor:
        """Prior widths as large in all as those of a texture with one direction: the waves of two share them."""
        return width * float(np.sqrt((2 * modes.harmonics + 1) / (2 * len(modes.waves) - 1)))

    def _modes(self, harmonics: int, polynomials: int) -> Modes:
        if self.repeats:
            profiles = repeat_profiles(z=self.z, number=polynomials, repeat=self._repeat)
        else:
            profiles = legendre_profiles(z=self.z, number=polynomials, thickness=self.stack.thickness)
        return Modes(
            harmonics,
            profiles,
            self.period,
            lean=self.lean,
            period_y=self.period_y,
            centred=self.centred,
        )

    def limited(self, harmonics: int, polynomials: int) -> tuple[int, int]:
        """At most VOLUME of a texture that is periodic in both directions: its unknowns grow with the square of the harmonics."""
        if self.period_y is None:
            return harmonics, polynomials
        return min(harmonics, VOLUME[0]), min(polynomials, VOLUME[1])

    def _polar_profiles(self, polynomials: int) -> Profiles:
        layer = np.array(self.stack.plane_materials)[: len(self.z)]
        most = min(polynomials, PER_LAYER) if self.repeats else polynomials
        polar = {i: one.material.polar for i, one in enumerate(self.stack.layers)}
        # beside the polar layers only the smooth field that their charges induce
        many = {i: most if polar[i] else 3 for i in polar if polar[i] or self.tied}
        number = {i: min(n, int((layer == i).sum())) for i, n in many.items()}
        return layer_profiles(z=self.z, layer=layer, number=number)

    def _induced(self, modes: Modes) -> torch.Tensor:
        """Factor of every mode's prior (modes,): INDUCED where it lives in layers that are not polar by themselves."""
        layer = np.array(self.stack.plane_materials)[: len(self.z)]
        polar = np.array([one.material.polar for one in self.stack.layers])[layer]
        share = (modes.profiles.values[:, torch.from_numpy(polar)] != 0).any(1)
        return torch.where(share[modes.index[:, 2]], 1.0, INDUCED)

    @property
    def _repeat(self) -> float:
        return self.stack.thickness / self.stack.repeat

    def equilibrium(self, unknowns: Unknowns) -> Equilibrium | None:
        """What ties the displacement to the polarization, if the film's materials say."""
        if not self.tied:
            return None
        layer = np.array(self.stack.plane_materials)[: len(self.z)]
        # of the polar layers alone: what no reflection sees must not bend the lattice
        constants = [
            one.material.electrostriction if one.material.polar else None for one in self.stack.layers
        ]
        q = np.array([(e.q11, e.q12, e.q44) if e is not None else (0.0,) * 3 for e in constants])
        return Equilibrium(
            stiffness=torch.from_numpy(self._stiffness),
            electrostriction=torch.from_numpy(np.ascontiguousarray(q[layer].T)),
            response=self._response(unknowns.points),
            period=self.period,
            height=self._repeat,
            points=unknowns.points,
            carrier=self._modes(CARRIED[0], CARRIED[1]),
            faces=not self.repeats,
        )

    @property
    def _stiffness(self) -> Array:
        """c11, c12, c44 of every plane of the motif, (3, z) in Pa: the mean where a material has none."""
        mean = mean_stiffness(self.stack)
        known = [one.material.elastic for one in self.stack.layers]
        own = [mean if e is None or self.tie is Tie.MEAN else (e.c11, e.c12, e.c44) for e in known]
        return np.ascontiguousarray(np.array(own)[np.array(self.stack.plane_materials)[: len(self.z)]].T)

    def _response(self, points: int) -> torch.Tensor:
        stiffness, spacings = self._stiffness, self.stack.spacings[: len(self.z)]
        harmonics = min(points // 2 - 1, STRESSED)
        if self.repeats:
            return repeating_response(
                stiffness=stiffness, spacings=spacings, period=self.period, harmonics=harmonics
            )
        return film_response(
            stiffness=stiffness,
            below=self.below or mean_stiffness(self.stack),
            spacings=spacings,
            period=self.period,
            harmonics=harmonics,
        )

    def settings(self, harmonics: int, unknowns: Unknowns) -> MotifSettings:
        """Solver settings whose finest rung has all modes."""
        most = max(len(block.modes.profiles) for block in unknowns.blocks)
        finest = max(block.modes.harmonics for block in unknowns.blocks)
        return MotifSettings(harmonics=max(harmonics, finest), polynomials=most)

    def schedules(self) -> tuple[Schedule, ...]:
        """Ways from coarse to fine that starts take turns with."""
        if self.period_y is not None:
            return (Schedule.HOPPING,)
        return (Schedule.GRADUAL, Schedule.WHOLE) if self.tied else (Schedule.COARSE, Schedule.GRADUAL)

    def first_gaps(self, starts: Sequence[int]) -> torch.Tensor:
        """First guess of the film-substrate gap of each start, angstrom."""
        return torch.tensor(
            [self.gap + STARTS_OF_GAP[i % len(STARTS_OF_GAP)] for i in starts], dtype=torch.float64
        )

    def on_planes(self, fields: torch.Tensor) -> Array:
        """Fields (..., z of the motif) on all planes of the film."""
        return np.asarray(fields.numpy()[..., self.slots])


def mean_stiffness(stack: Stack) -> tuple[float, float, float]:
    """c11, c12, c44 in Pa, the mean over the planes whose material has them."""
    known = [(one.cells, one.material.elastic) for one in stack.layers if one.material.elastic is not None]
    total = sum(cells for cells, _ in known)
    c11, c12, c44 = (
        sum(cells * getattr(elastic, name) for cells, elastic in known) / total
        for name in ("c11", "c12", "c44")
    )
    return c11, c12, c44

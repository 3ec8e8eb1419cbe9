"""What a phase-field run is told: layers, box, strain, electrical condition, steps; and what is refused before it starts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum

from nanotexture.errors import UserError
from nanotexture.film.energetics import Elastic
from nanotexture.film.materials import Material

ANGSTROM = 0.1  # nm, the length of the reduced units (nm, GPa, C/m^2)
GPA = 1e-9  # of 1 J/m^3
GRADIENT_UNIT = 1e9  # J m^3/C^2 in GPa nm^2 per (C/m^2)^2
VACUUM_PERMITTIVITY = 8.8541878128e-12 * 1e9  # (C/m^2)^2 / GPa
_ENERGETICS = ("elastic", "electrostriction", "landau", "gradient")
_WORK_NUMBERS = (
    320  # reals per node that a run holds at its peak, measured in boxes of 64 x 64 x 32, both number types
)


class Electrical(Enum):
    """Condition on the field: its mean zero, no mean flux along z, or both faces of the film at one potential."""

    SHORT = "short circuit"
    OPEN = "open circuit"
    ELECTRODES = "electrodes"


@dataclass(frozen=True)
class Layer:
    """Cells of one material and the lattice parameter in angstrom of its cubic, unpolarized cell at the temperature."""

    material: Material
    cells: int
    cubic: float

    def __post_init__(self) -> None:
        """Refuse a layer without cells, lattice or energetics."""
        where = f"layer of {self.material.name}"
        if self.cells < 1:
            raise UserError(f"{where}: cells: expected 1 or more, found {self.cells}")
        _refuse_not_positive(f"{where}: cubic", self.cubic, "angstrom")
        for name in _ENERGETICS:
            if getattr(self.material, name) is None:
                raise UserError(f"material {self.material.name}: {name}: expected a table, found none")


@dataclass(frozen=True)
class Surroundings:
    """What a single film lies between: cells of an elastic, unpolar substrate below and of vacuum above.

    The vacuum is an elastic medium of `softness` times the substrate's stiffness; its permittivity is the background's.
    """

    substrate: Elastic
    below: int = 16
    above: int = 8
    softness: float = 1e-3

    def __post_init__(self) -> None:
        """Refuse a film without substrate or vacuum."""
        for name in ("below", "above"):
            if getattr(self, name) < 1:
                raise UserError(f"surroundings: {name}: expected 1 cell or more, found {getattr(self, name)}")
        if not 0.0 < self.softness <= 1.0:
            raise UserError(f"surroundings: softness: expected above 0 and up to 1, found {self.softness:g}")


@dataclass(frozen=True)
class Stepping:
    """How the run steps and ends.

    mobility in C^2/(J m s) sets the unit of time; first_step in s; force and stress are the residuals, relative to
    their own scale, at which a run has converged; keep is the elastic residual held at every step.
    """

    mobility: float = 4e4
    first_step: float = 1e-14
    most_steps: int = 20000
    force: float = 5e-5
    stress: float = 1e-8
    keep: float = 1e-4


@dataclass(frozen=True)
class Settings:
    """One run: layers from below, box and grid in angstrom, conditions.

    in_plane is the substrate's lattice parameter, also the reference lattice from which strain and displacement are
    measured; period and width are the box along x and y (width None: two-dimensional, nothing varies along y); step the
    largest distance of nodes in the plane; cells_per_node cells share one node along z; strain is the mean in-plane
    strain (xx, yy) from the substrate's lattice, free where not clamped; permittivity is the background's, relative;
    uniform takes one stiffness, the mean, everywhere; temperature in K; memory in bytes, dtype and device as torch's.
    """

    layers: tuple[Layer, ...]
    in_plane: float
    period: float
    width: float | None = None
    step: float = 4.0
    cells_per_node: int = 1
    temperature: float = 298.15
    strain: tuple[float, float] = (0.0, 0.0)
    clamped: bool = True
    permittivity: float = 10.0
    electrical: Electrical = Electrical.SHORT
    surroundings: Surroundings | None = None
    uniform: bool = False
    stepping: Stepping = field(default_factory=Stepping)
    seed: int = 0
    dtype: str = "float64"
    device: str = "cpu"
    memory: float = 4e9

    def __post_init__(self) -> None:
        """Refuse what cannot be run, with the numbers that would work."""
        if not self.layers:
            raise UserError("phase field: layers: expected at least one layer, found none")
        for name in ("in_plane", "period", "step", "temperature", "permittivity", "memory"):
            _refuse_not_positive(f"phase field: {name}", getattr(self, name), "")
        if self.width is not None:
            _refuse_not_positive("phase field: width", self.width, "angstrom")
        if self.dtype not in ("float32", "float64"):
            raise UserError(f"phase field: dtype: expected 'float32' or 'float64', found {self.dtype!r}")
        if self.electrical is Electrical.ELECTRODES and self.surroundings is None:
            raise UserError(
                "phase field: electrical: electrodes need a film with surroundings, found a superlattice"
            )
        if self.uniform and self.surroundings is not None:
            raise UserError(
                "phase field: uniform: one stiffness everywhere is for superlattices, found a film in vacuum"
            )
        _refuse_uneven_nodes(self)
        _refuse_coarse(self)
        _refuse_large(self)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Nodes along x, y, z."""
        ny = 1 if self.width is None else math.ceil(self.width / self.step - 1e-9)
        nz = self.below + self.above + sum(layer.cells for layer in self.layers) // self.cells_per_node
        return max(4, math.ceil(self.period / self.step - 1e-9)), ny, nz

    @property
    def below(self) -> int:
        """Nodes of the substrate along z."""
        return 0 if self.surroundings is None else self.surroundings.below // self.cells_per_node

    @property
    def above(self) -> int:
        """Nodes of the vacuum along z."""
        return 0 if self.surroundings is None else self.surroundings.above // self.cells_per_node

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distance of nodes along x, y, z in nm."""
        nx, ny, _ = self.shape
        width = self.in_plane if self.width is None else self.width
        lengths = (self.period / nx, width / ny, self.in_plane * self.cells_per_node)
        return lengths[0] * ANGSTROM, lengths[1] * ANGSTROM, lengths[2] * ANGSTROM


def wall_width(layer: Layer, kelvin: float) -> float:
    """Width in angstrom of a 180 degree wall, 2 sqrt((g44 + g44') / (2 |a1|)): the scale of the Landau energy."""
    landau, gradient = layer.material.landau, layer.material.gradient
    assert landau is not None
    assert gradient is not None
    return 2e10 * math.sqrt((gradient.g44 + gradient.g44_prime) / (2.0 * abs(landau.a1(kelvin))))


def _refuse_not_positive(where: str, value: float, unit: str) -> None:
    if not (math.isfinite(value) and value > 0.0):
        raise UserError(f"{where}: expected a number above 0 {unit}".rstrip() + f", found {value:g}")


def _refuse_uneven_nodes(settings: Settings) -> None:
    share = settings.cells_per_node
    counts = {f"layer of {layer.material.name}": layer.cells for layer in settings.layers}
    if settings.surroundings is not None:
        counts |= {"substrate": settings.surroundings.below, "vacuum": settings.surroundings.above}
    for where, cells in counts.items():
        if share < 1 or cells % share:
            raise UserError(
                f"phase field: cells_per_node: expected a divisor of {cells} (cells of the {where}), found {share}"
            )


def _refuse_coarse(settings: Settings) -> None:
    below = [layer for layer in settings.layers if _polar(layer, settings.temperature)]
    wall = min((wall_width(layer, settings.temperature) for layer in below), default=math.inf)
    height = settings.in_plane * settings.cells_per_node
    for name, value in (("step", settings.step), ("cells_per_node", height)):
        if value > wall:
            works = wall if name == "step" else int(wall // settings.in_plane)
            raise UserError(
                f"phase field: {name}: nodes {value:.3g} angstrom apart under-sample walls {wall:.3g} angstrom wide; "
                f"{name} = {works:.3g} or less works"
            )


def _polar(layer: Layer, kelvin: float) -> bool:
    assert layer.material.landau is not None
    return layer.material.landau.a1(kelvin) < 0.0


def _refuse_large(settings: Settings) -> None:
    size = 4 if settings.dtype == "float32" else 8
    nodes = math.prod(settings.shape)
    needed = nodes * _WORK_NUMBERS * size
    if needed > settings.memory:
        most = int(settings.memory // (_WORK_NUMBERS * size))
        raise UserError(
            f"phase field: {settings.shape} nodes need about {needed / 1e9:.2g} GB, memory is {settings.memory / 1e9:.2g} "
            f"GB: {most} nodes fit (larger step, smaller box, or dtype = 'float32')"
        )

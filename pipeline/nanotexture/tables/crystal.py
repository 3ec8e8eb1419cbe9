"""The tables of a recipe of kind "crystal": one nanocrystal's 3D coherent diffraction."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from nanotexture.tables.fields import Hkl, Length, Limits, Spacing, Table

Direction = tuple[float, float, float]
Voxels = Annotated[int, Field(ge=16, le=512)]


class CrystalInput(Table):
    """The file of the array, and of its mask (non-zero: not measured) where that has one of its own.

    Of frames: the file, the number of the scan in it, and what of Q is gridded.
    """

    kind: Literal["crystal"]
    files: tuple[str, ...]
    mask: str | None = None
    scan: Annotated[int, Field(ge=0)] | None = None
    qx_range: Limits | None = None
    qy_range: Limits | None = None
    qz_range: Limits | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_is_many(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("files"), str):
            return value | {"files": [value["files"]]}
        return value

    @model_validator(mode="after")
    def _one_file(self) -> CrystalInput:
        if len(self.files) != 1:
            raise ValueError(f"files: expected one array, found {len(self.files)}")
        return self


class Crystal(Table):
    """What the array is, and where it lies in reciprocal space.

    d_spacing of the reflection, or lattice of a cubic crystal; voxel of the object, or step of the array in 1/angstrom (one
    for all axes or one for each); q: direction of Q along the array's axes; nominal: whether voxel and q are but assumed;
    values, peak_counts: what the numbers are; unmeasured: which zeros were not measured; array, mask: names in the file.
    Of frames only d_spacing or lattice, step, and size: voxels of the box about the peak.
    """

    hkl: Hkl
    d_spacing: Length | None = None
    lattice: Length | None = None
    voxel: tuple[Length, Length, Length] | None = None
    step: tuple[Spacing, Spacing, Spacing] | None = None
    q: Direction | None = None
    nominal: bool = False
    values: Literal["counts", "amplitude"] = "counts"
    peak_counts: Annotated[float, Field(gt=0, le=1e15)] | None = None
    unmeasured: Literal["blank", "zeros", "none"] = "blank"
    array: str | None = None
    mask: str | None = None
    size: tuple[Voxels, Voxels, Voxels] | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_for_all(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return value | {k: [value[k]] * 3 for k in ("voxel", "step") if isinstance(value.get(k), str)}

    @model_validator(mode="after")
    def _one_of_each(self) -> Crystal:
        self.refuse_both("d_spacing", "lattice")
        if self.q is not None and not any(self.q):
            raise ValueError("q: expected a direction, found no length")
        return self

    def refuse_both(self, one: str, other: str) -> None:
        """ValueError where both or neither of two keys are told."""
        if (getattr(self, one) is None) == (getattr(self, other) is None):
            raise ValueError(f"expected either {one} or {other}, found both or neither")

    @property
    def spacing(self) -> float:
        """Spacing d of the reflection's planes in angstrom."""
        if self.d_spacing is not None:
            return self.d_spacing
        return (self.lattice or math.nan) / math.sqrt(sum(n * n for n in self.hkl))


class CrystalInvert(Table):
    """How the starts run; error reduction alone is not offered, it stagnates.

    cycles of `iterations` of the solver, then even_cycles as long with the modulus made even and bounded, as that of a crystal
    is, and twenty of error reduction; refine: steps of the gradients, which bound nothing; hops: how often both begin again from
    an even modulus; threshold of shrink-wrap and whether the beam is coherent: chosen by the held-out voxels unless told.
    prior: "auto" lets a network guess where start 0 begins, with the weights of data_manifest/, or those of a file; "none":
    all starts are random.
    """

    solver: Literal["hio", "raar", "dm"] = "hio"
    beta: Annotated[float, Field(gt=0, le=1)] = 0.9
    starts: Annotated[int, Field(gt=0, le=10_000)] = 16
    seed: Annotated[int, Field(ge=0)] = 0
    batch: Annotated[int, Field(gt=0)] = 4
    cycles: Annotated[int, Field(gt=0, le=1000)] = 2
    even_cycles: Annotated[int, Field(ge=0, le=1000)] = 2
    iterations: Annotated[int, Field(gt=0, le=10_000)] = 90
    threshold: Literal["auto"] | Annotated[float, Field(gt=0, lt=1)] = "auto"
    coherence: Literal["auto", "full", "partial"] = "auto"
    refine: Annotated[int, Field(ge=20, le=10_000)] = 120
    hops: Annotated[int, Field(ge=0, le=100)] = 3
    # where a start looks first: twice the crystal, or the halved autocorrelation
    first_support: Literal["box", "halved"] = "halved"
    prior: str = "none"

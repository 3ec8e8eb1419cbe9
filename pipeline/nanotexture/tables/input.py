"""The table [input] of a recipe: what was measured, and where it lies."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from nanotexture.tables.fields import Hkl, Limits, Spacing, Table, Temperature


class Align(Table):
    """Map of the substrate peak that fixes the goniometer offsets."""

    file: str
    hkl: Hkl


class LineScan(Table):
    """Symmetric two-theta-omega scan that checks the thickness."""

    file: str
    hkl: Hkl


Scans = Annotated[int, Field(ge=0)] | Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)]


class Input(Table):
    """What was measured."""

    kind: Literal["maps", "scans", "frames"]
    files: tuple[str, ...] = ()
    hkl: tuple[Hkl, ...] = ()
    scans: tuple[
        Scans, ...
    ] = ()  # of one SPEC file: each number, or each list of numbers together, makes one map
    temperatures: tuple[Temperature, ...] = ()
    align: Align | None = None
    thickness_scan: LineScan | None = None
    qx_range: Limits | None = None
    qy_range: Limits | None = None  # of frames
    qz_range: Limits | None = None
    voxel: tuple[Spacing, Spacing] | tuple[Spacing, Spacing, Spacing] | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_is_many(cls, value: Any) -> Any:
        if isinstance(value, dict):
            value = dict(value)
            if isinstance(value.get("files"), str):
                value["files"] = [value["files"]]
            hkl = value.get("hkl")
            if isinstance(hkl, list) and hkl and all(isinstance(n, int) for n in hkl):
                value["hkl"] = [hkl]
            if isinstance(value.get("scans"), int):
                value["scans"] = [value["scans"]]
        return value

    @model_validator(mode="after")
    def _complete(self) -> Input:
        if self.kind == "frames":
            self._refuse_lists_of_scans()
            return self
        self._refuse_of_frames()
        if self.scans and self.kind != "scans":
            raise ValueError(
                f'scans: expected only with kind = "scans" or "frames", found kind = "{self.kind}"'
            )
        if self.scans and len(self.files) != 1:
            raise ValueError(f"scans: expected with one file that holds them, found {len(self.files)} files")
        number, what = (len(self.scans), "scans") if self.scans else (len(self.files), "files")
        if self.kind == "scans" and len(self.hkl) not in (1, number):
            raise ValueError(
                f"hkl: expected one reflection, or one for each of {number} {what}, found {len(self.hkl)}"
            )
        if self.temperatures and len(self.temperatures) != number:
            raise ValueError(
                f"temperatures: expected one for each of {number} {what}, found {len(self.temperatures)}"
            )
        return self

    @model_validator(mode="after")
    def _scans_once(self) -> Input:
        """A scan that is told twice would be counted twice."""
        numbers = [n for one in self.scans for n in (one if isinstance(one, tuple) else (one,))]
        twice = next((n for n in numbers if numbers.count(n) > 1), None)
        if twice is not None:
            raise ValueError(f"scans: expected each scan once, found {twice} again")
        return self

    def _refuse_lists_of_scans(self) -> None:
        several = [one for one in self.scans if not isinstance(one, int)]
        if several:
            raise ValueError(f"scans: expected numbers, each of which makes a map, found {list(several[0])}")

    def _refuse_of_frames(self) -> None:
        if self.qy_range is not None:
            raise ValueError(f'qy_range: expected only with kind = "frames", found it with {self.kind!r}')
        if self.voxel is not None and len(self.voxel) != 2:
            raise ValueError(f"voxel: expected the steps of qx and qz, found {len(self.voxel)} steps")

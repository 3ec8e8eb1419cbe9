"""The task that makes one map, and what it is a map of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nanotexture.engine.task import Part, Source, Task
from nanotexture.stages.frame_models import Hkl


@dataclass(frozen=True)
class MapTask:
    """hkl and temperature (K, NaN where unknown) of a map, its file and task.

    scan: its number in the file, or the numbers as text, None for the only one; points: how many were measured, of frames the
    voxels of their grid; notes: what the file lacks; energy: keV, NaN where the header was not asked; pixels: of a frame.
    """

    file: Path
    hkl: Hkl
    temperature: float
    task: Task
    scan: int | str | None = None
    points: int = 0
    notes: tuple[str, ...] = ()
    energy: float = float("nan")
    pixels: int = 0

    @property
    def files(self) -> tuple[Path, ...]:
        """Files that the task and those before it read, but for those that still grow."""
        return files_before(self.task)


def files_of(maps: list[MapTask]) -> list[Path]:
    """Every file that maps are read from, images and linked files too."""
    return list(dict.fromkeys(path for one in maps for path in one.files))


def files_before(task: Task) -> tuple[Path, ...]:
    """Files that a task and those before it read, but for those that still grow."""
    found = [leaf for one in _before(task) for value in one.inputs for leaf in _listed(value)]
    sources = [leaf for leaf in found if isinstance(leaf, Source) and not isinstance(leaf, Part)]
    return tuple(dict.fromkeys(path.absolute() for leaf in sources for path in (leaf.path, *leaf.companions)))


def _listed(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else (value,)


def _before(task: Task) -> list[Task]:
    """A task and all that it needs, each once."""
    seen: dict[str, Task] = {}
    waiting = [task]
    while waiting:
        one = waiting.pop()
        if one.name not in seen:
            seen[one.name] = one
            waiting += one.upstream
    return list(seen.values())

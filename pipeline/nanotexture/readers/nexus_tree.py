"""Where things stand in a NeXus file: groups by their class, frames of a detector."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import h5py

from nanotexture.errors import InputError
from nanotexture.readers import hdf5

_NUMBERED = re.compile(r"^data_(\d+)$")


@dataclass(frozen=True)
class Tree:
    """Paths of the groups of one scan; empty where there is none."""

    entry: str
    instrument: str
    detector: str
    sample: str
    beam: str
    monitor: str
    frames: tuple[str, ...]


def nexus_tree(path: Path, handle: h5py.File, detector: str, monitor: str) -> Tree:
    """The one entry with a detector that has frames; InputError says what there is instead."""
    entries = _of_class(path, handle, "/", "NXentry") or ["/entry"]
    if len(entries) > 1:
        raise InputError(path, "/", "one NXentry", ", ".join(entries[:8]))
    entry = entries[0]
    hdf5.group(path, handle, entry)
    instrument = _first(path, handle, entry, "NXinstrument", "instrument")
    found = _detector(path, handle, entry, instrument, detector)
    sample = _first(path, handle, entry, "NXsample", "sample")
    beams = [b for g in (instrument, sample) if g for b in _of_class(path, handle, g, "NXbeam")]
    return Tree(
        entry=entry,
        instrument=instrument,
        detector=found,
        sample=sample,
        beam=beams[0] if beams else "",
        monitor=_monitor(path, handle, entry, monitor),
        frames=_frames(path, handle, entry, found),
    )


def _of_class(path: Path, handle: h5py.File, parent: str, kind: str) -> list[str]:
    """Groups of one NeXus class in a group; links that lead nowhere are left out."""
    found = []
    group = handle if parent == "/" else hdf5.group(path, handle, parent)
    for name in hdf5.names(path, handle, parent):
        field = f"{parent.rstrip('/')}/{name}"
        with hdf5.guarded(path, field):
            node = group.get(name)
        if isinstance(node, h5py.Group) and kind in hdf5.attribute(path, node, field, "NX_class"):
            found.append(field)
    return found


def _first(path: Path, handle: h5py.File, parent: str, kind: str, usual: str) -> str:
    found = _of_class(path, handle, parent, kind)
    named = f"{parent}/{usual}"
    if not found and hdf5.has(path, handle, named):
        return named
    return found[0] if found else ""


def _detector(path: Path, handle: h5py.File, entry: str, instrument: str, wanted: str) -> str:
    """The detector that has frames, or the only one."""
    field = f"{entry}/instrument"
    if not instrument:
        raise InputError(path, field, "a group NXinstrument", "none")
    all_of_them = _of_class(path, handle, instrument, "NXdetector")
    named = [d for d in all_of_them if wanted in ("", d.rpartition("/")[2])]
    with_data = [d for d in named if hdf5.has(path, handle, f"{d}/data")]
    chosen = with_data if len(with_data) == 1 else named
    if len(chosen) != 1:
        expected = f"one NXdetector{f' {wanted}' if wanted else ''} (name it, if there are more)"
        known = ", ".join(d.rpartition("/")[2] for d in all_of_them[:8]) or "none"
        raise InputError(path, instrument, expected, known)
    return chosen[0]


def _monitor(path: Path, handle: h5py.File, entry: str, wanted: str) -> str:
    found = _of_class(path, handle, entry, "NXmonitor")
    if wanted:
        found = [group for group in found if group.rpartition("/")[2] == wanted]
        if not found:
            raise InputError(path, f"{entry}/{wanted}", "a group NXmonitor", "none of that name")
    return found[0] if found else ""


def _frames(path: Path, handle: h5py.File, entry: str, detector: str) -> tuple[str, ...]:
    """Datasets of frames: the detector's own, else those of the entry, one or numbered without a gap."""
    for field in (f"{detector}/data", f"{entry}/data/data"):
        if hdf5.has(path, handle, field):
            return (field,)
    group = f"{entry}/data"
    names = hdf5.names(path, handle, group) if hdf5.has(path, handle, group) else []
    numbered = {int(match[1]): name for name in names if (match := _NUMBERED.match(name))}
    if not numbered:
        raise InputError(path, f"{detector}/data", "frames", "neither there nor in NXdata")
    first = min(numbered, default=1)
    for number in range(min(first, 1), max(numbered) + 1):
        if number not in numbered:
            raise InputError(path, f"{group}/data_{number:06d}", "to be there", "a gap in the numbering")
    return tuple(f"{group}/{numbered[number]}" for number in sorted(numbered))

"""What the trainings of all priors do alike: examples as tasks, the card beside the weights."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import xarray as xr

from nanotexture.engine.cluster import ClusterSettings, connect
from nanotexture.engine.progress import Progress
from nanotexture.engine.run import plan, run
from nanotexture.engine.store import ArtefactStore
from nanotexture.engine.task import Task
from nanotexture.priors.card import torch_version
from nanotexture.priors.training import Curves, Learnt


@dataclass(frozen=True)
class Begun:
    """One call of a training: the recipe's file and changes, and when it began."""

    path: Path
    changes: tuple[str, ...]
    wall: float = field(default_factory=time.perf_counter)
    processor: float = field(default_factory=time.process_time)


def computed(
    tasks: tuple[Task, ...], folder: Path, settings: ClusterSettings, progress: Progress
) -> list[xr.Dataset]:
    """What each task makes, computed or found in the folder."""
    store = ArtefactStore(folder / "artefacts")
    if plan(tasks, store).missing:
        with connect(settings) as connection:
            run(tasks, store, connection, progress)
    return [store.get(task.name) for task in tasks]


def finished(
    begun: Begun,
    weights: Path,
    told: dict[str, Any],
    *,
    parameters: int,
    curves: Curves,
    card: Path,
    markdown: Callable[[dict[str, Any]], str],
) -> Learnt:
    """Writes the card, as JSON and as text, beside weights that are written; told: what this prior's card says besides."""
    whole = told | {
        "parameters": parameters,
        "recipe": begun.path.read_text(encoding="utf-8"),
        "changes": list(begun.changes),
        "curves": asdict(curves) | {"best": curves.best},
        "seconds": round(time.process_time() - begun.processor, 1),
        "torch": torch_version(),
    }
    card.with_suffix(".json").write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    card.write_text(markdown(whole), encoding="utf-8")
    spent = round(time.perf_counter() - begun.wall, 1)
    return Learnt(weights, card, told["sha256"], len(curves.learnt), curves.validation[curves.best], spent)

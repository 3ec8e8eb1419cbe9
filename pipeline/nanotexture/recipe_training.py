"""Recipes of `nanotexture train`: what a prior learns from and how."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from nanotexture.errors import UserError
from nanotexture.recipe import model_of, read_tables
from nanotexture.tables.fields import Limits, Table

KIND = "train"
PRIORS = ("crystal", "film", "texture")
Share = Annotated[float, Field(ge=0, le=1)]


class Train(Table):
    """How the network learns; particles: how many, a share of them for validation; rate: the highest; half: bfloat16.

    network: "phases", whose weights a run takes, or "founding", that of Chan et al. (2021) for comparison, with a card alone;
    begin: weights of "phases" to learn on from, "auto" for those of data_manifest/, or a file; "none": from nothing.
    """

    prior: Literal["crystal"]
    network: Literal["phases", "founding"] = "phases"
    begin: str = "none"
    particles: Annotated[int, Field(ge=4, le=1_000_000)] = 2000
    validation: Annotated[float, Field(gt=0, lt=1)] = 0.1
    batch: Annotated[int, Field(gt=0, le=1024)] = 16
    epochs: Annotated[int, Field(gt=0, le=10_000)] = 40
    rate: Annotated[float, Field(gt=0, le=1)] = 2e-3
    patience: Annotated[int, Field(gt=0)] = 8
    half: bool = True
    seed: Annotated[int, Field(ge=0)] = 0
    task: Annotated[int, Field(gt=0)] = 100  # particles of one task

    @model_validator(mode="after")
    def _begins(self) -> Train:
        if self.network == "founding" and self.begin != "none":
            raise ValueError(f'begin: expected "none" for the founding network, found {self.begin!r}')
        return self


class Drawn(Table):
    """The particles; phase_range in rad, coherence and off_centre in voxels of the pattern; relaxed: share made of atoms."""

    sampling: Limits = (2.1, 4.5)
    phase_range: Limits = (0.0, 15.708)
    defects: Share = 0.4
    off_centre: Annotated[float, Field(ge=0, le=4)] = 1.0
    coherence: Annotated[float, Field(ge=0, le=2)] = 0.5
    relaxed: Share = 0.0

    @model_validator(mode="after")
    def _sampled(self) -> Drawn:
        if self.sampling[0] < 2.0:
            raise ValueError(
                "sampling: expected ratios of 2 or more: below, a pattern does not fix its crystal"
            )
        return self


class Counted(Table):
    """The detector; decades of the counts in the brightest voxel; coherence: widest blur in voxels on top of the particles'."""

    decades: Limits = (3.0, 7.0)
    background: Share = 0.5
    gaps: Share = 0.4
    coherence: Annotated[float, Field(ge=0, le=2)] = 0.0


class TrainingRecipe(Table):
    """A whole recipe of a prior."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    train: Train
    particles: Drawn = Drawn()
    detector: Counted = Counted()


class TrainFilm(Table):
    """How the network learns; films: how many are drawn, the first `validation` of them to validate on; rate: the highest."""

    prior: Literal["film"]
    films: Annotated[int, Field(ge=4, le=1_000_000)] = 3000
    validation: Annotated[int, Field(ge=1)] = 200
    batch: Annotated[int, Field(gt=0, le=1024)] = 16
    epochs: Annotated[int, Field(gt=0, le=10_000)] = 30
    rate: Annotated[float, Field(gt=0, le=1)] = 1e-3
    decay: Annotated[float, Field(ge=0, le=1)] = 1e-3  # of the weights
    seed: Annotated[int, Field(ge=0)] = 0
    task: Annotated[int, Field(gt=0)] = 100  # films of one task

    @model_validator(mode="after")
    def _both(self) -> TrainFilm:
        if self.validation >= self.films:
            raise ValueError(
                f"validation: expected fewer than the {self.films} films, found {self.validation}"
            )
        return self


class Seen(Table):
    """How films are shown: reflections at least and at most; shares of the films with specular reflections alone, with order 0
    hidden, and, of those that are not polar, whose polarization is asked for."""

    reflections: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(le=6)]] = (2, 6)
    specular: Share = 0.12
    hidden: Share = 0.2
    asked: Share = 0.2


class FilmTrainingRecipe(Table):
    """A whole recipe of a prior for films."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    train: TrainFilm
    shown: Seen = Seen()


def read_film_training(path: Path, changes: tuple[str, ...] = ()) -> FilmTrainingRecipe:
    """Recipe of a prior for films with changes applied; UserError names file, key and what was expected."""
    return model_of(FilmTrainingRecipe, read_tables(path, changes), path)


class TrainTexture(Table):
    """How a denoiser learns; textures: how many, a share of them for validation; decay of the rate with each epoch."""

    prior: Literal["texture"]
    textures: Annotated[int, Field(ge=20, le=1_000_000)] = 12000
    superlattices: Share = 0.12
    validation: Annotated[float, Field(gt=0, lt=1)] = 0.1
    batch: Annotated[int, Field(gt=0, le=4096)] = 256
    epochs: Annotated[int, Field(gt=0, le=10_000)] = 240
    rate: Annotated[float, Field(gt=0, le=1)] = 2e-3
    decay: Annotated[float, Field(gt=0, le=1)] = 0.985
    patience: Annotated[int, Field(gt=0)] = 60
    seed: Annotated[int, Field(ge=0)] = 0
    task: Annotated[int, Field(gt=0)] = 100  # textures of one task


class TextureTrainingRecipe(Table):
    """A whole recipe of a prior over textures."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    train: TrainTexture


def read_texture_training(path: Path, changes: tuple[str, ...] = ()) -> TextureTrainingRecipe:
    """Recipe of a prior over textures with changes applied; UserError names file, key and what was expected."""
    return model_of(TextureTrainingRecipe, read_tables(path, changes), path)


def told_prior(path: Path, changes: tuple[str, ...] = ()) -> str:
    """Which prior a recipe trains; "crystal" where it has no such key: its model then says what was expected."""
    table = read_tables(path, changes).get("train")
    told = table.get("prior", PRIORS[0]) if isinstance(table, dict) else PRIORS[0]
    if told not in PRIORS:
        raise UserError(f"{path}: train.prior: expected one of {', '.join(PRIORS)}, found {told!r}")
    return str(told)


def read_training(path: Path, changes: tuple[str, ...] = ()) -> TrainingRecipe:
    """Recipe with `table.key=value` changes applied; UserError names file, key and what was expected."""
    return model_of(TrainingRecipe, read_tables(path, changes), path)

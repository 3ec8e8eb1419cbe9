"""Datasets of `data_manifest/`: found in a mirror or downloaded, never used unless the checksum is right."""

from __future__ import annotations

import difflib
import hashlib
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pooch
from pydantic import BaseModel, ConfigDict, ValidationError

from nanotexture.errors import InputError, UserError

MIRROR = "NANOTEXTURE_MIRROR"
MANIFEST = "NANOTEXTURE_MANIFEST"
_SHIPPED = Path(__file__).resolve().parent / "priors" / "weights"  # with the package itself


class DataFile(BaseModel):
    """One file of a dataset; without url it can come from a mirror only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    origin: str
    bytes: int
    sha256: str
    url: str | None = None


class Dataset(BaseModel):
    """What one file of data_manifest/ says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str
    instrument: str
    licence: str
    redistribute: bool
    files: tuple[DataFile, ...]


@dataclass(frozen=True)
class Verified:
    """State of one file: "ok", "missing", or "wrong checksum"."""

    dataset: str
    file: str
    state: str
    path: Path | None


def list_datasets() -> list[Dataset]:
    """All datasets of the manifest, by name."""
    return [_load(path) for path in sorted(_manifest_folder().glob("*.toml"))]


def dataset(name: str) -> Dataset:
    """The dataset of this name; UserError names the nearest one."""
    known = {entry.name: entry for entry in list_datasets()}
    if name not in known:
        raise UserError(f"unknown dataset {name!r}{_nearest(name, list(known))}")
    return known[name]


def locate(name: str, file: str | None = None) -> list[Path]:
    """Paths of a dataset's files (or the one named), checksums verified; downloaded if no mirror has them."""
    entry = dataset(name)
    return [_path(entry, wanted) for wanted in _wanted(entry, file)]


def fetch(name: str) -> list[Path]:
    """All files of a dataset, as `locate`."""
    return locate(name)


def verify(name: str | None = None) -> list[Verified]:
    """State of every file of one dataset or of all, in mirror or cache; downloads nothing."""
    chosen = list_datasets() if name is None else [dataset(name)]
    return [_state(entry, file) for entry in chosen for file in entry.files]


def _manifest_folder() -> Path:
    """The manifest of the checkout that the package is installed from, or what the environment says."""
    folder = Path(os.environ.get(MANIFEST) or Path(__file__).resolve().parents[2] / "data_manifest")
    if not folder.is_dir():
        raise UserError(
            f"no folder data_manifest beside the package: install from a checkout (make install), "
            f"or set {MANIFEST} to the folder"
        )
    return folder


def _load(path: Path) -> Dataset:
    try:
        return Dataset.model_validate(tomllib.loads(path.read_text()))
    except (tomllib.TOMLDecodeError, ValidationError, OSError, UnicodeDecodeError) as error:
        raise InputError(path, "dataset", "a valid entry of data_manifest", str(error)) from error


def _wanted(entry: Dataset, file: str | None) -> tuple[DataFile, ...]:
    if file is None:
        return entry.files
    found = tuple(f for f in entry.files if f.name == file)
    if not found:
        raise UserError(
            f"dataset {entry.name!r} has no file {file!r}{_nearest(file, [f.name for f in entry.files])}"
        )
    return found


def _path(entry: Dataset, file: DataFile) -> Path:
    """Path of a file whose checksum is right."""
    found = _present(entry, file)
    if found is None:
        return _download(entry, file)
    digest = _sha256(found)
    if digest != file.sha256:
        raise InputError(found, "sha256", file.sha256, digest)
    return found


def _state(entry: Dataset, file: DataFile) -> Verified:
    found = _present(entry, file)
    state = "missing" if found is None else "ok" if _sha256(found) == file.sha256 else "wrong checksum"
    return Verified(entry.name, file.name, state, found)


def _present(entry: Dataset, file: DataFile) -> Path | None:
    """Where a file lies: below its dataset's folder of the mirror, at its top, or in the cache."""
    places = [_cache(entry) / file.name, _SHIPPED / file.name]
    if os.environ.get(MIRROR):
        mirror = Path(os.environ[MIRROR])
        places = [mirror / entry.name / file.name, mirror / file.name, *places]
    return next((place for place in places if place.is_file()), None)


def _download(entry: Dataset, file: DataFile) -> Path:
    if file.url is None:
        raise UserError(f"{_where(entry, file)}, and it has no address to download it from ({file.origin})")
    try:
        found = pooch.retrieve(file.url, f"sha256:{file.sha256}", fname=file.name, path=_cache(entry))
    except OSError as error:
        raise UserError(f"{_where(entry, file)}, and {file.url} cannot be reached: {error}") from error
    except ValueError as error:
        raise UserError(f"{file.url}: its checksum is not {file.sha256}: {error}") from error
    return Path(found)


def _where(entry: Dataset, file: DataFile) -> str:
    mirror = os.environ.get(MIRROR)
    looked = f"not in {MIRROR}={mirror}" if mirror else f"not found; set {MIRROR} to a folder that has it"
    return f"{entry.name}/{file.name}: {looked}"


def _cache(entry: Dataset) -> Path:
    return Path(pooch.os_cache("nanotexture")) / entry.name


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _nearest(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"

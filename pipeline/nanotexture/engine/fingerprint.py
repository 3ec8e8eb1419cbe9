"""What besides config and inputs decides a result: versions of libraries and the code that a stage runs."""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import importlib.util
import platform
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from nanotexture import __version__

ENGINE_VERSION = 1  # raise when the layout of artefacts or the meaning of a key changes
_ENGINE = __name__.rpartition(".")[0]
_PACKAGE = _ENGINE.partition(".")[0]

# Libraries that compute numbers. Those that only store, transport or draw them (zarr, dask, matplotlib) are
# left out on purpose: ENGINE_VERSION stands for the stored format; a patch of dask must not cost a night.
NUMERICAL_LIBRARIES = (
    "h5py",
    "numba",
    "numpy",
    "scikit-image",
    "scikit-learn",
    "scipy",
    "torch",
    "xarray",
    "xrayutilities",
)


@cache
def versions() -> tuple[tuple[str, str], ...]:
    """Name and version of everything that may change a number; 'absent' where not installed."""
    python = ".".join(platform.python_version_tuple()[:2])
    fixed = ((_PACKAGE, __version__), ("python", python))
    return fixed + tuple((name, _installed(name)) for name in NUMERICAL_LIBRARIES)


@cache
def code_digest(module: str) -> str:
    """Digest of a module and all it imports from its own package and nanotexture, comments and layout aside.

    An edited kernel gives new keys although nobody raised a stage's version; an edited comment does not.
    """
    digest = hashlib.sha256()
    for name, path in sorted(_closure(module).items()):
        digest.update(f"{name} {_source(path)[0]}\n".encode())
    for path in sorted(_data_files(module)):
        digest.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _installed(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def _closure(module: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = _file(name)
        engine = name == _ENGINE or name.startswith(f"{_ENGINE}.")  # ENGINE_VERSION stands for it
        if name in found or path is None or (engine and name != module):
            continue
        found[name] = path
        own = {_PACKAGE, module.partition(".")[0]}
        waiting += [i for i in _imports(name, path) if i.partition(".")[0] in own]
    return found


def _data_files(module: str) -> set[Path]:
    """Tables and weights that lie in the folders of the modules, the package's root left out."""
    folders = {path.parent for name, path in _closure(module).items() if "." in name}
    folders -= {_root(name) for name in (module, _PACKAGE)}
    files = (path for folder in folders if folder.name != "engine" for path in folder.rglob("*"))
    return {p for p in files if p.is_file() and p.suffix != ".py" and not _made_by_running(p)}


def _made_by_running(path: Path) -> bool:
    """What Python and numba leave beside the code: it comes and goes, and decides nothing."""
    return "__pycache__" in path.parts or path.name.startswith(".") or path.suffix == ".pyc"


@cache
def _source(path: Path) -> tuple[str, ast.Module]:
    tree = ast.parse(path.read_bytes(), filename=str(path))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            _drop_docstring(node)
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), tree


def _drop_docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    if ast.get_docstring(node, clean=False) is not None:
        node.body = node.body[1:]


@cache
def _imports(name: str, path: Path) -> tuple[str, ...]:
    """Absolute names that a module may import, its parent packages first; read once for all stages."""
    return tuple(_read_imports(name, path))


def _read_imports(name: str, path: Path) -> Iterator[str]:
    parts = name.split(".")
    yield from (".".join(parts[:n]) for n in range(1, len(parts)))
    package = parts if path.name == "__init__.py" else parts[:-1]
    for node in ast.walk(_source(path)[1]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield origin
            yield from (f"{origin}.{alias.name}" for alias in node.names)


@cache
def _root(name: str) -> Path | None:
    """Folder of the top-level package, or the file of a top-level module."""
    spec = importlib.util.find_spec(name.partition(".")[0])
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    return Path(spec.origin) if spec.has_location and spec.origin else None


def _file(name: str) -> Path | None:
    root, parts = _root(name), name.split(".")[1:]
    if root is None or root.suffix == ".py":
        return root if not parts else None
    stem = root.joinpath(*parts)
    candidates = [stem / "__init__.py"] + ([stem.with_name(f"{stem.name}.py")] if parts else [])
    return next((path for path in candidates if path.is_file()), None)

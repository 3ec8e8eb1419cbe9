from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from nanotexture.engine.cluster import ClusterSettings, Connection, InProcess, connect
from nanotexture.engine.store import ArtefactStore


@pytest.fixture
def workers() -> Iterator[Connection]:
    """Two worker processes of a test's own: another test's connection, closing, may close a shared event loop."""
    with connect(ClusterSettings(workers=2)) as connection:
        yield connection


@pytest.fixture
def in_process() -> Connection:
    return InProcess()


@pytest.fixture
def store(tmp_path: Path) -> ArtefactStore:
    store = ArtefactStore(tmp_path / "store")
    store.prepare()
    return store


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "source.dat"
    path.write_bytes(b"some bytes that an instrument wrote")
    return path

"""The data manifest: complete, found in a mirror, refused when a checksum is wrong; no downloads."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pooch
import pytest
from nanotexture import data
from nanotexture.errors import InputError, UserError

SHIPPED = ("crystal_prior", "film_prior", "texture_prior")  # with the package: no mirror has them
NAMES = [
    "bfo_series",
    *SHIPPED[:2],
    "gold64",
    "id01_missing_frames",
    "lab_maps",
    "lmn40",
    "lno_lao",
    "nno_6idb",
    "pto_kto",
    "staff54_34idc",
    *SHIPPED[2:],
]

ENTRY = """name = "small"
description = "d"
instrument = "i"
licence = "MIT"
redistribute = true
[[files]]
name = "a.txt"
origin = "here"
bytes = 5
sha256 = "{digest}"
"""


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A manifest of one dataset with one file, a mirror that has it, and a cache that is empty."""
    (tmp_path / "manifest").mkdir()
    entry = ENTRY.format(digest=hashlib.sha256(b"hello").hexdigest())
    (tmp_path / "manifest/small.toml").write_text(entry)
    (tmp_path / "mirror/small").mkdir(parents=True)
    (tmp_path / "mirror/small/a.txt").write_bytes(b"hello")
    monkeypatch.setenv("NANOTEXTURE_MANIFEST", str(tmp_path / "manifest"))
    monkeypatch.setenv("NANOTEXTURE_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setattr(pooch, "os_cache", lambda _: tmp_path / "cache")
    monkeypatch.setattr(pooch, "retrieve", unreachable)
    return tmp_path


def unreachable(*_: object, **__: object) -> str:
    raise OSError("no network in tests")


def test_every_dataset_is_in_the_manifest_with_its_origin_and_licence() -> None:
    found = data.list_datasets()
    assert [entry.name for entry in found] == NAMES
    for entry in found:
        assert entry.description
        assert entry.licence
        assert entry.instrument
        assert all(len(file.sha256) == 64 and file.bytes > 0 and file.origin for file in entry.files)
        assert all(file.url is None or file.url.startswith("https://") for file in entry.files)


def test_what_has_no_licence_is_not_to_be_redistributed() -> None:
    assert not data.dataset("pto_kto").redistribute
    assert all(data.dataset(name).redistribute for name in NAMES if name != "pto_kto")


@pytest.mark.parametrize("name", [name for name in NAMES if name not in SHIPPED])
def test_every_real_file_is_found_with_the_right_size_and_checksum(mirror: Path, name: str) -> None:
    entry = data.dataset(name)
    for path, file in zip(data.locate(name), entry.files, strict=True):
        assert path.is_relative_to(mirror)
        assert (path.name, path.stat().st_size) == (file.name, file.bytes)
    assert {state.state for state in data.verify(name)} == {"ok"}


@pytest.mark.parametrize("name", SHIPPED)
def test_the_weights_shipped_with_the_package_are_those_of_the_manifest(name: str) -> None:
    (path,) = data.locate(name)
    assert path.stat().st_size == data.dataset(name).files[0].bytes < 4e6
    assert {state.state for state in data.verify(name)} == {"ok"}


def test_a_file_is_found_below_its_dataset_or_at_the_top_of_the_mirror(small: Path) -> None:
    assert data.locate("small") == [small / "mirror/small/a.txt"]
    (small / "mirror/small/a.txt").rename(small / "mirror/a.txt")
    assert data.locate("small", "a.txt") == [small / "mirror/a.txt"]


def test_an_unknown_dataset_or_file_names_the_nearest(small: Path) -> None:
    with pytest.raises(UserError, match="unknown dataset 'smal'; did you mean 'small'"):
        data.locate("smal")
    with pytest.raises(UserError, match=r"no file 'b\.txt'; did you mean 'a\.txt'"):
        data.locate("small", "b.txt")


def test_a_wrong_checksum_names_the_file_and_both_checksums(small: Path) -> None:
    (small / "mirror/small/a.txt").write_bytes(b"jello")
    wrong, right = (hashlib.sha256(word).hexdigest() for word in (b"jello", b"hello"))
    with pytest.raises(InputError, match=rf"a\.txt: sha256: expected {right}, found {wrong}"):
        data.locate("small")
    assert [state.state for state in data.verify()] == ["wrong checksum"]


def test_a_missing_file_without_address_says_to_set_the_mirror(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NANOTEXTURE_MIRROR")
    with pytest.raises(UserError, match=r"set NANOTEXTURE_MIRROR to a folder that has it.*no address"):
        data.fetch("small")
    assert [state.state for state in data.verify("small")] == ["missing"]


def test_a_missing_file_that_cannot_be_downloaded_says_where_it_was_looked_for(small: Path) -> None:
    (small / "mirror/small/a.txt").unlink()
    entry = (small / "manifest/small.toml").read_text() + 'url = "https://example.org/a.txt"\n'
    (small / "manifest/small.toml").write_text(entry)
    with pytest.raises(UserError, match=r"not in NANOTEXTURE_MIRROR=.*example\.org/a\.txt cannot be reached"):
        data.fetch("small")


def test_a_damaged_manifest_entry_is_named(small: Path) -> None:
    (small / "manifest/small.toml").write_text("name = 3")
    with pytest.raises(InputError, match=r"small\.toml: dataset: expected a valid entry"):
        data.list_datasets()


def test_without_a_manifest_the_message_says_what_to_do(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NANOTEXTURE_MANIFEST", str(small / "nowhere"))
    with pytest.raises(UserError, match="install from a checkout"):
        data.list_datasets()


def test_no_path_of_a_machine_is_in_the_manifest() -> None:
    folder = Path(__file__).resolve().parents[1] / "data_manifest"
    assert not any(
        word in file.read_text() for file in folder.glob("*.toml") for word in ("/work", "/home", "/tmp")
    )

"""Zips are read in place, and one that is not safe is refused before anything of it is read."""

from __future__ import annotations

import stat
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from nanotexture.errors import InputError
from nanotexture.readers import archive
from nanotexture.readers.archive import IMAGES, Archive, Folder, Limits


def zip_of(
    path: Path, *members: tuple[zipfile.ZipInfo | str, bytes], method: int = zipfile.ZIP_DEFLATED
) -> Archive:
    with zipfile.ZipFile(path, "w", method) as handle:
        for name, content in members:
            handle.writestr(name, content)
    return Archive(path)


def test_members_read_as_files_of_a_folder_do(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/one.tif").write_bytes(b"1")
    (tmp_path / "a/.hidden").write_bytes(b"2")
    folder, packed = (
        Folder(tmp_path / "a"),
        zip_of(tmp_path / "z.zip", ("b/one.tif", b"1"), (".hidden", b"2")),
    )
    assert folder.names() == packed.names() == ["b/one.tif"]
    for place in (folder, packed):
        with place.opened() as read:
            assert read("b/one.tif") == b"1"
            with pytest.raises(InputError, match=r"two\.tif"):
                read("b/two.tif")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "z.zip"]


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (("/etc/x.tif", b"1"), "a name that leads out of it"),
        (("../x.tif", b"1"), "a name that leads out of it"),
        (("a/../../x.tif", b"1"), "a name that leads out of it"),
        (("C:x.tif", b"1"), "a name that leads out of it"),
        ((link("x.tif"), b"/etc/passwd"), "a symbolic link"),
    ],
)
def test_a_member_that_is_not_a_plain_file_inside_is_refused(tmp_path: Path, member, message: str) -> None:
    with pytest.raises(InputError, match=rf"z.zip: .*expected a plain file in the zip, found {message}"):
        zip_of(tmp_path / "z.zip", ("good.tif", b"1"), member).names()


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (replace(IMAGES, total=9000), "at most 9000 bytes in all, found 10000"),
        (replace(IMAGES, member=4000), r"a.tif.* found 5000 bytes, more than 4000"),
        (replace(IMAGES, members=1), "members: expected at most 1, found 2"),
        (replace(IMAGES, ratio=10), r"found 5000 bytes out of \d+, more than 10 times"),
    ],
)
def test_sizes_that_no_scan_has_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limits: Limits, message: str
) -> None:
    monkeypatch.setattr(archive, "SMALL", 1000)
    path = zip_of(tmp_path / "z.zip", ("a.tif", bytes(5000)), ("b.tif", bytes(5000))).path
    assert Archive(path).names() == ["a.tif", "b.tif"]
    with pytest.raises(InputError, match=message):
        Archive(path, limits).names()


def test_other_methods_of_compression_and_doubled_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="compression method 14"):
        zip_of(tmp_path / "l.zip", ("a.tif", b"1" * 99), method=zipfile.ZIP_LZMA).names()
    with pytest.warns(UserWarning, match="Duplicate name"):
        doubled = zip_of(tmp_path / "d.zip", ("a.tif", b"1"), ("a.tif", b"2"))
    with pytest.raises(InputError, match="each name once"):
        doubled.names()


def test_a_member_whose_checksum_is_wrong_is_refused(tmp_path: Path) -> None:
    packed = zip_of(tmp_path / "z.zip", ("a.tif", b"counts" * 50), method=zipfile.ZIP_STORED)
    content = bytearray(packed.path.read_bytes())
    content[content.index(b"counts") + 7] ^= 1
    packed.path.write_bytes(content)
    with (
        packed.opened() as read,
        pytest.raises(InputError, match=r"z.zip/a.tif: file: expected an undamaged member"),
    ):
        read("a.tif")


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "z.zip").write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(InputError, match="expected a complete zip"):
        Archive(tmp_path / "z.zip").names()
    with pytest.raises(InputError, match="expected a readable file"):
        Archive(tmp_path / "none.zip").names()

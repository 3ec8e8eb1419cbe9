from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path

import pytest
from nanotexture.engine import task as task_module
from nanotexture.engine.selftest import Nothing, Number, empty, numbers_of_file, total, waves
from nanotexture.engine.task import Source, Task, config_values
from nanotexture.errors import InputError


def of_file(path: Path) -> Task:
    return Task(numbers_of_file, Nothing(), (Source(path),))


def test_the_same_inputs_give_the_same_key(file: Path) -> None:
    first, second = (Task(waves, Number(value=1), (of_file(file),), label) for label in ("a", "b"))
    assert first.key == second.key
    assert first == second
    assert len({first, second}) == 1


def test_the_key_is_the_digest_of_the_identity(file: Path) -> None:
    task = of_file(file)
    assert task.key == hashlib.sha256(task.identity.encode()).hexdigest()
    assert task.name == f"numbers_of_file-{task.key}"


def test_another_config_gives_another_key() -> None:
    assert Task(empty, Number(value=1)).key != Task(empty, Number(value=1 + 2**-50)).key


def test_other_bytes_give_another_key(file: Path) -> None:
    before = of_file(file).key
    file.write_bytes(file.read_bytes() + b"!")
    assert of_file(file).key != before


def test_another_path_gives_the_same_key(file: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / f"other{file.suffix}"
    moved.parent.mkdir()
    shutil.copy(file, moved)
    assert of_file(moved).key == of_file(file).key


def test_another_suffix_gives_another_key(file: Path, tmp_path: Path) -> None:
    renamed = Path(shutil.copy(file, tmp_path / "source.nxs"))
    assert of_file(renamed).key != of_file(file).key


def test_a_companion_counts_by_its_bytes_and_the_name_the_file_finds_it_by(file: Path) -> None:
    image = file.with_name("image.tif")
    image.write_bytes(b"one")
    alone, together = Source(file), Source(file, (image,))
    before = together.identity
    image.write_bytes(b"another")
    assert alone.identity != before != Source(file, (image,)).identity
    assert before["companions"][0][0] == "image.tif"


def test_another_version_of_a_stage_gives_another_key() -> None:
    newer = dataclasses.replace(empty, version=empty.version + 1)
    assert Task(newer, Number()).key != Task(empty, Number()).key


def test_another_version_of_a_library_gives_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Task(empty, Number()).key
    versions = (*task_module.versions(), ("numpy", "99"))
    monkeypatch.setattr(task_module, "versions", lambda: versions)
    assert Task(empty, Number()).key != before


def test_another_input_gives_another_key_all_the_way_down() -> None:
    def chain(value: float) -> Task:
        return Task(total, Nothing(), ((Task(waves, Number(), (Task(empty, Number(value=value)),)),),))

    assert chain(1).key != chain(2).key


def test_the_order_of_a_list_counts() -> None:
    a, b = (Task(empty, Number(value=n)) for n in (1, 2))
    assert Task(total, Nothing(), ((a, b),)).key != Task(total, Nothing(), ((b, a),)).key


def test_the_identity_is_canonical_json_without_paths(file: Path) -> None:
    identity = of_file(file).identity
    assert json.loads(identity)["inputs"][0]["file"]["suffix"] == ".dat"
    assert str(file.parent) not in identity


def test_a_config_with_nan_and_infinity_survives() -> None:
    values = config_values(Number(value=float("nan")))
    assert Task(empty, Number(value=float("nan"))).key == Task(empty, Number(value=float("nan"))).key
    assert values["value"] != values["value"]


def test_a_missing_source_is_the_users_to_mend(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.nxs: file: expected a readable file, found No such file"):
        _ = of_file(tmp_path / "gone.nxs").key


def test_a_config_of_another_stage_is_refused() -> None:
    with pytest.raises(TypeError, match="config must be a Number, found Nothing"):
        Task(empty, Nothing())


def test_inputs_of_the_wrong_kind_are_refused(file: Path) -> None:
    with pytest.raises(TypeError, match=r"inputs must be \(datasets\), found \(dataset\)"):
        Task(total, Nothing(), (Task(empty, Number()),))
    with pytest.raises(TypeError, match=r"inputs must be \(dataset\), found \(\)"):
        Task(waves, Number())

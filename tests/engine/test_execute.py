from __future__ import annotations

import dataclasses
import json

import pytest
from nanotexture.engine.execute import execute
from nanotexture.engine.order import Order, Outcome
from nanotexture.engine.run import order_of
from nanotexture.engine.selftest import Number, empty
from nanotexture.engine.store import ArtefactStore
from nanotexture.engine.task import Task
from nanotexture.errors import InputError, UserError


class Unportable(UserError):
    """Cannot be made again from its args."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} and {two}")


@pytest.fixture
def order(store: ArtefactStore) -> Order:
    return order_of(Task(empty, Number(value=3)), store, {})


def altered(order: Order, **changes: object) -> Order:
    return dataclasses.replace(order, identity=json.dumps(json.loads(order.identity) | changes))


def test_an_order_travels_as_names_json_and_paths(order: Order) -> None:
    assert json.loads(json.dumps(dataclasses.asdict(order)))["location"].endswith("selftest:empty")


def test_a_worker_looks_in_the_store_before_it_computes(order: Order, store: ArtefactStore) -> None:
    assert [execute(order).reused for _ in range(2)] == [False, True]
    assert float(store.get(order.name)["value"]) == 3.0


def test_nothing_is_computed_after_a_refusal_upstream(order: Order, store: ArtefactStore) -> None:
    refusal = InputError("a", "b", "c", "d")
    assert execute(order, Outcome("before", refusal=refusal)).refusal is refusal
    assert not store.has(order.name)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"versions": {"numpy": "1.0"}}, "numpy"),
        ({"code": "other"}, "code"),
        ({"stage_version": 9}, "version 1 instead of 9"),
    ],
)
def test_a_worker_with_other_code_or_versions_refuses(
    order: Order, store: ArtefactStore, changes: dict[str, object], named: str
) -> None:
    refusal = execute(altered(order, **changes)).refusal
    assert type(refusal) is UserError
    assert named in str(refusal)
    assert not store.has(order.name)


def test_an_error_that_cannot_travel_keeps_its_text(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise Unportable("this", "that")

    monkeypatch.setattr("nanotexture.engine.execute._computed", refuse)
    refusal = execute(order).refusal
    assert (type(refusal), str(refusal)) == (UserError, "this and that")

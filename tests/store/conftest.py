"""A desk for each test, whose database must be whole when the test is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.store.desk import Desk


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "shop.db"


@pytest.fixture
def desk(path: Path, new_desk: Callable[..., Desk]) -> Desk:
    return new_desk()


@pytest.fixture
def new_desk(path: Path) -> Iterator[Callable[..., Desk]]:
    """Opens desks on one database; at the end each is closed and the file is read whole."""
    desks: list[Desk] = []

    def new(**options: object) -> Desk:
        for desk in desks:
            desk.store.close()
        desks.append(Desk(path, **options))  # type: ignore[arg-type]
        return desks[-1]

    yield new
    problems = desks[-1].store.check() if desks else []
    for desk in desks:
        desk.store.close()
    assert [] == problems

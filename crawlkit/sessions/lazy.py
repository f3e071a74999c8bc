"""`lazy`: an attribute that is computed when it is first read and can be set like any other.

What belongs here: the descriptor. It exists because most of what a Response offers is read by few programs,
and making it for every answer cost more than the exchange itself. (`functools.cached_property` takes a lock
on Python 3.11, and a lock inside an object that pickles is a nuisance.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

T = TypeVar("T")


class lazy(Generic[T]):  # noqa: N801 - reads as a decorator
    """A method whose result becomes the attribute. Assigning to the attribute simply replaces the value.

    Two threads that read it first at the same time may both compute it; one result stays.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object | None, owner: type) -> Self | T:
        if instance is None:
            return self
        # setdefault, so that readers in two threads end with one and the same object.
        value: T = instance.__dict__.setdefault(self._name, self._compute(instance))
        return value

    if TYPE_CHECKING:
        # At run time there is no __set__: an instance's own value must be able to stand before the descriptor.
        def __set__(self, instance: object, value: T) -> None: ...

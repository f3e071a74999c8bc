"""`offered`: an attribute that is computed from what has a private name, and that a subclass may take for its own.

What belongs here: the descriptor. It exists for what a Session has beyond requests': a program that was written for requests
may have attributes of its own by any of these names, as class attributes, methods, or assigned to the instance, and must
not meet ours. Nothing of ours reads an offered attribute.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

T = TypeVar("T")


class offered(Generic[T]):  # noqa: N801 - reads as a decorator
    """A property without a setter; to assign to it makes an ordinary attribute, which stands before it."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object | None, owner: type) -> Self | T:
        return self if instance is None else self._compute(instance)

    if TYPE_CHECKING:
        # At run time there is no __set__: the instance's own value must be able to stand before the descriptor.
        def __set__(self, instance: object, value: T) -> None: ...

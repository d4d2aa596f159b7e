"""What a case is, and the two lists: a function, its right rule, and the wrong ones that people wrote instead."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import tinygrad_lstm as tl

Arrays = tuple[Any, ...]


@dataclass(frozen=True)
class Case:
    """One gradient, and how its author would check it.

    ``forward(*inputs)`` and ``rule(g, y, *inputs)`` are on arrays, so that any framework can wrap them. Where the fault
    lives among tensors, ``program()`` returns the function and its parameters instead, and nobody else can be asked.
    ``truth`` is the right rule of a wrong one. ``refusal`` says that the fault is no number but a habit: whoever
    refuses the function has caught it.
    """

    name: str
    kind: str
    note: str
    forward: Callable[..., Any] | None
    rule: Callable[..., Any] | None
    inputs: Arrays
    check: str = "vjp"
    truth: Callable[..., Any] | None = None
    program: Callable[[], tuple[Any, list[Any]]] | None = None
    refusal: bool = False
    described: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    by_hand: bool = False

    def value(self, *inputs: Any) -> Any:
        """The forward on arrays, with its attributes."""
        assert self.forward is not None
        return np.asarray(self.forward(*inputs, **self.attributes))

    def gradients(self, upstream: Any, *inputs: Any, rule: Callable[..., Any] | None = None) -> Arrays:
        """What the rule, or another one, gives on arrays; summed to the shapes of the inputs, as an engine does."""
        given = (rule or self.rule)(upstream, self.value(*inputs), *inputs, **self.attributes)  # type: ignore[misc]
        return tuple(_summed(0.0 if g is None else g, x.shape) for g, x in zip(given, inputs, strict=True))

    @property
    def attributes(self) -> dict[str, Any]:
        return {name: value for name, value in self.options.items() if name != "rtol"}

    def run(self, rng: int = 0) -> Any:
        """Give it to the check that its author would choose; return the report, or raise."""
        if self.program is None:
            f = tl.primitive(_identifier(self.name), self.forward, self.rule, **self.described)
            parameters: list[Any] = []
        else:
            f, parameters = self.program()
        check = getattr(tl.testing, {"second": "check_second_order"}.get(self.check, f"check_{self.check}"))
        options = {**self.options, "rng": rng}
        if parameters:
            options["parameters"] = parameters
        return check(f, *self.inputs, **options)


RIGHT: list[Case] = []
WRONG: list[Case] = []


def differently(rule: Callable[..., Any] | None = None, **changed: Any) -> tuple[Callable[..., Any] | None, dict]:
    """Return a wrong rule that is checked in another way, or at other inputs, than the right one."""
    return rule, changed


def function(
    name: str,
    kind: str,
    forward: Callable[..., Any],
    rule: Callable[..., Any],
    *inputs: Any,
    right: str = "",
    wrong: dict[str, Any] | None = None,
    **more: Any,
) -> None:
    """Add a function with its right rule, and with each wrong one; a note says what is tricky, or wrong.

    Without ``right`` the right rule is not listed as a case of its own: it is the truth of the wrong ones only.
    """
    sound = Case(name, kind, right, forward, rule, inputs, **more)
    if right:
        RIGHT.append(sound)
    for note, said in (wrong or {}).items():
        mistaken, changed = said if isinstance(said, tuple) else (said, {})
        if "inputs" in changed:
            changed = {**changed, "inputs": tuple(changed["inputs"])}
        if "forward" not in changed:
            changed = {"truth": rule, **changed}
        WRONG.append(replace(sound, name=f"{name}: {note}", note=note, rule=mistaken, **changed))


def program(name: str, kind: str, build: Callable[[], Any], *inputs: Any, **more: Any) -> None:
    """Add a function of tensors, which ``build()`` returns, with its parameters if need be; a note says which it is."""

    def built() -> tuple[Any, list[Any]]:
        made = build()
        return made if isinstance(made, tuple) else (made, [])

    right, wrong = more.pop("right", ""), more.pop("wrong", "")
    case = Case(name, kind, right or wrong, None, None, inputs, program=built, **more)
    (RIGHT if right else WRONG).append(case)


def normal(*shape: int, seed: int = 0, scale: float = 1.0, dtype: Any = np.float64) -> Any:
    """Return what everybody draws to try a function."""
    return (scale * np.random.default_rng(seed).normal(size=shape)).astype(dtype)


def positive(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).uniform(0.5, 2.0, size=shape)


def _summed(g: Any, shape: tuple[int, ...]) -> Any:
    g = np.asarray(g)
    g = g.sum(axis=tuple(range(g.ndim - len(shape)))) if g.ndim > len(shape) else g
    stretched = tuple(i for i, n in enumerate(shape) if n == 1 and g.ndim == len(shape) and g.shape[i] != 1)
    return np.broadcast_to(g.sum(axis=stretched, keepdims=True), shape)


def _identifier(name: str) -> str:
    return "user_" + "".join(c if c.isascii() and c.isalnum() else "_" for c in name)

"""Targets: what a person's own file defines, named as in ``my_model.py:loss``."""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from ..engine.primitive import Primitive
from ..engine.tensor import Tensor
from ..nn.cell import Cell
from ..nn.module import Module


class TargetError(ValueError):
    """What is wrong with the target, in one line."""


def load(target: str) -> Tensor:
    """Return the tensor called so in a Python file, or what the function called so returns.

    ``target`` is ``FILE:NAME``. Raises TargetError if there is no such file or name, if the file fails, or if what it
    defines is not a tensor.
    """
    found = find(target, (Tensor,))
    file, _, name = target.rpartition(":")
    if callable(found):
        found = call(found, target)
    if not isinstance(found, Tensor):
        raise TargetError(f"{name} in {file} is no Tensor; its type is {type(found).__name__}")
    return found


def find(target: str, kinds: tuple[type, ...] = (Tensor, Primitive, Module)) -> Any:
    """Return whatever is called so in a Python file.

    Raises TargetError if there is no such file, if it fails, or, naming what there is of those kinds, no such name.
    """
    file, colon, name = target.rpartition(":")
    if not colon or not file.endswith(".py"):
        raise TargetError(f"{target!r} names nothing in a file; write FILE.py:NAME, as in my_model.py:loss")
    path = Path(file)
    try:
        path.resolve(strict=True)
        if not path.is_file():
            raise TargetError(f"{file} is no file")
    except FileNotFoundError:
        raise TargetError(f"there is no file {file}") from None
    except (OSError, RuntimeError) as error:  # links that lead to each other, say
        raise TargetError(f"cannot read {file}: {error}") from error
    module = _run(path)
    with running(file, name):  # a module may have a __getattr__
        if hasattr(module, name):
            return getattr(module, name)
    raise TargetError(f"{file} defines no {name!r}; {_there_is(module, kinds)}")


def class_of_cell(target: str, wanted: str = "") -> type[Cell[Any]]:
    """Return the class of a cell that is called so in a Python file.

    Raises TargetError for what is none, and says what is ``wanted``; what it is instead, if nothing was said.
    """
    found = find(target, (type,))
    if isinstance(found, type) and issubclass(found, Cell):
        return found
    file, _, name = target.rpartition(":")
    raise TargetError(f"{name} in {file} must be a class, a tl.nn.Cell, {wanted or f'not {found!r:.60}'}")


def _run(path: Path) -> ModuleType:
    """Run the file as a module and return it; its folder is where it imports from, as when it is run alone."""
    module = ModuleType(path.stem)
    module.__file__ = str(path)
    for needed in ("graphviz", "pygraphviz", "jinja2", "prompt_toolkit"):  # later, and not what is called so there
        if path.with_name(f"{needed}.py").exists():
            with suppress(ImportError, OSError):
                import_module(needed)
    sys.path.insert(0, str(path.parent.resolve()))
    sys.modules.setdefault(path.stem, module)  # for pickle and dataclasses
    with running(str(path)):
        exec(compile(path.read_bytes(), path, "exec", dont_inherit=True), vars(module))
    return module


def call(function: Any, target: str) -> Any:
    """Return what a function without arguments returns. Raises TargetError if it takes some, or fails."""
    file, _, name = target.rpartition(":")
    try:
        inspect.signature(function).bind()
    except TypeError as error:
        raise TargetError(f"{name} in {file} must be a function without arguments ({error})") from error
    with running(file, name):
        return function()


@contextmanager
def running(file: str, name: str = "") -> Iterator[None]:
    """Run a person's file, or what it defines of a name: what it prints goes beside the output.

    Raises TargetError, naming the last line of the file that was running, if it fails.
    """
    try:
        with redirect_stdout(sys.stderr):
            yield
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit, and whatever else a file may raise
        what = f"{name} in {file}" if name else file
        why = "; ".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", [])])
        raise TargetError(f"{what} failed{_where(error, Path(file))}: {why}") from error


def _where(error: BaseException, path: Path) -> str:
    """Return the last line of the file that was running, or that could not be read."""
    places = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError):
        places.append((error.filename or "", error.lineno))
    lines = [number for file, number in places if Path(file).resolve() == path.resolve()]
    return f" in line {lines[-1]}" if lines else ""


def _there_is(module: ModuleType, kinds: tuple[type, ...]) -> str:
    own = {name: thing for name, thing in vars(module).items() if not name.startswith("_")}
    things = [name for name, thing in own.items() if isinstance(thing, kinds)]
    functions = [
        name for name, thing in own.items() if inspect.isfunction(thing) and thing.__module__ == module.__name__
    ]
    named = ", ".join([*things, *(f"{name}()" for name in functions)][:8])
    return f"there is {named}" if named else "it defines neither tensors nor functions"

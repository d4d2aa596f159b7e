"""Targets: what a person's own file defines, named as in ``my_model.py:loss``."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import traceback
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any

from ..engine.primitive import Primitive
from ..engine.tensor import Tensor
from ..nn.module import Module


class TargetError(Exception):
    """What is wrong with the target, in one line."""


def load(target: str) -> Tensor:
    """The tensor called so in a Python file, or what the function called so returns.

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
    """Whatever is called so in a Python file.

    Raises TargetError if there is no such file, if it fails, or, naming what there is of those kinds, no such name.
    """
    file, colon, name = target.rpartition(":")
    if not colon or not file.endswith(".py"):
        raise TargetError(f"{target!r} names nothing in a file; write FILE.py:NAME, as in my_model.py:loss")
    path = Path(file)
    if not path.is_file():
        raise TargetError(f"there is no file {file}")
    module = _run(path)
    if not hasattr(module, name):
        raise TargetError(f"{file} defines no {name!r}; {_there_is(module, kinds)}")
    return getattr(module, name)


def _run(path: Path) -> ModuleType:
    """The file as a module; its folder is where it imports from, as when it is run."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent.resolve()))
    sys.modules.setdefault(path.stem, module)  # for pickle and dataclasses
    try:
        with redirect_stdout(sys.stderr):  # the picture may go to standard output
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise failed(error, str(path)) from error
    return module


def call(function: Any, target: str) -> Any:
    """What a function without arguments returns. Raises TargetError if it takes some, or fails."""
    file, _, name = target.rpartition(":")
    path = Path(file)
    try:
        inspect.signature(function).bind()
    except TypeError as error:
        raise TargetError(f"{name} in {path} must be a function without arguments ({error})") from error
    try:
        with redirect_stdout(sys.stderr):
            return function()
    except (Exception, SystemExit) as error:
        raise failed(error, target) from error


def failed(error: BaseException, target: str) -> TargetError:
    """What became of a file, or of what it defines, when it was run."""
    file, colon, name = target.rpartition(":")
    if not colon or not file:
        file, name = target, ""
    what = f"{name} in {file}" if name else file
    said = "; ".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", [])])
    return TargetError(f"{what} failed{_where(error, Path(file))}: {said}")


def _where(error: BaseException, path: Path) -> str:
    """The last line of the file that was running."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).resolve() == path.resolve()
    ]
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).resolve() == path.resolve():
        lines = [error.lineno]
    return f" in line {lines[-1]}" if lines else ""


def _there_is(module: ModuleType, kinds: tuple[type, ...]) -> str:
    own = {name: thing for name, thing in vars(module).items() if not name.startswith("_")}
    things = [name for name, thing in own.items() if isinstance(thing, kinds)]
    functions = [
        name for name, thing in own.items() if inspect.isfunction(thing) and thing.__module__ == module.__name__
    ]
    named = ", ".join([*things, *(f"{name}()" for name in functions)][:8])
    return f"there is {named}" if named else "it defines neither tensors nor functions"

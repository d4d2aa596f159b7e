"""Targets: the tensor that a person's own file defines, named as in ``my_model.py:loss``."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import traceback
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any

from .engine.tensor import Tensor


class TargetError(Exception):
    """What is wrong with the target, in one line."""


def load(target: str) -> Tensor:
    """The tensor called so in a Python file, or what the function called so returns.

    ``target`` is ``FILE:NAME``. Raises TargetError if there is no such file or name, if the file fails, or if what it
    defines is not a tensor.
    """
    file, colon, name = target.rpartition(":")
    if not colon or not file.endswith(".py"):
        raise TargetError(f"{target!r} does not name a tensor; write FILE.py:NAME, as in my_model.py:loss")
    path = Path(file)
    if not path.is_file():
        raise TargetError(f"there is no file {file}")
    module = _run(path)
    if not hasattr(module, name):
        raise TargetError(f"{file} defines no {name!r}; {_there_is(module)}")
    found = getattr(module, name)
    if callable(found):
        found = _call(found, path, name)
    if not isinstance(found, Tensor):
        raise TargetError(f"{name} in {file} is no Tensor; its type is {type(found).__name__}")
    return found


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
        raise TargetError(f"{path} failed{_where(error, path)}: {type(error).__name__}: {error}") from error
    return module


def _call(function: Any, path: Path, name: str) -> Any:
    try:
        inspect.signature(function).bind()
    except TypeError as error:
        raise TargetError(f"{name} in {path} must be a function without arguments ({error})") from error
    try:
        with redirect_stdout(sys.stderr):
            return function()
    except (Exception, SystemExit) as error:
        raise TargetError(f"{name} in {path} failed{_where(error, path)}: {type(error).__name__}: {error}") from error


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


def _there_is(module: ModuleType) -> str:
    own = {name: thing for name, thing in vars(module).items() if not name.startswith("_")}
    tensors = [name for name, thing in own.items() if isinstance(thing, Tensor)]
    functions = [
        name for name, thing in own.items() if inspect.isfunction(thing) and thing.__module__ == module.__name__
    ]
    named = ", ".join([*tensors, *(f"{name}()" for name in functions)][:8])
    return f"there is {named}" if named else "it defines neither tensors nor functions"

"""The stub for static editors is the one that its command writes, and tells of each operation what a person calls."""

import ast

import tinygrad_lstm as tl
from tests.house.stub import STUB, stub
from tinygrad_lstm.engine.primitive import Primitive


def test_the_stub_is_what_its_command_writes():
    assert STUB.read_text(encoding="utf-8") == stub(), "run: python -m tests.house.stub"


def test_it_has_every_public_name_and_the_documentation_of_every_operation():
    tree = ast.parse(stub())
    named = {alias.asname for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    named |= {node.target.id for node in tree.body if isinstance(node, ast.AnnAssign)}
    assert {*tl.__all__, "abs", "max", "min", "sum", "__version__"} <= named
    calls = {
        node.name.removeprefix("_"): call for node in tree.body if isinstance(node, ast.ClassDef) for call in node.body
    }
    assert set(calls) == {
        name for name in (*tl.__all__, "abs", "max", "min", "sum") if isinstance(getattr(tl, name), Primitive)
    }
    for name, call in calls.items():
        primitive = getattr(tl, name)
        assert ast.get_docstring(call) == primitive.doc
        assert [argument.arg for argument in call.args.args[1:]] == list(primitive.signature.parameters)

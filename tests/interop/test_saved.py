"""What is saved comes back, bit for bit, or says why it does not."""

import inspect
import os
import pickle
import re
import signal
import subprocess
import sys
from copy import deepcopy
from itertools import chain, combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_lstm as tl
from tinygrad_lstm.engine.ops import BUILTIN
from tinygrad_lstm.interop import saved

DTYPES = st.sampled_from(["float64", "float32", np.float32, np.dtype("float64")])
CELLS = [tl.RNNCell, tl.LSTMCell, tl.GRUCell, tl.PeepholeLSTMCell, tl.CoupledLSTMCell]


def sizes():
    return st.integers(1, 4)


@st.composite
def leaves(draw):
    """One of ours that holds no other, or only such as it makes itself, of any options."""
    D, H, seed, dtype = draw(sizes()), draw(sizes()), draw(st.integers(0, 9)), draw(DTYPES)
    layer, activation = draw(st.sampled_from([tl.RNN, tl.LSTM, tl.GRU])), draw(st.sampled_from([tl.tanh, tl.relu]))
    options = {"num_layers": draw(st.integers(1, 3)), "bidirectional": draw(st.booleans())}
    kinds = [
        lambda: tl.Linear(D, H, rng=seed, dtype=dtype),
        lambda: tl.Embedding(D, H, dtype=dtype),
        lambda: tl.nn.Gate(D, activation, "f", 0.5, hidden_size=H, dtype=dtype),
        lambda: tl.RNNCell(D, H, nonlinearity="relu", dtype=dtype),
        lambda: tl.LSTMCell(D, hidden_size=H, forget_bias=np.float64(2), dtype=dtype),
        lambda: CELLS[H](D, np.int64(H), dtype=dtype),
        lambda: layer(D, H, **options, dtype=dtype),
        lambda: tl.nn.Recurrent(*(tl.GRUCell(H, H, rng=seed, dtype=dtype) for _ in range(D))),
        lambda: tl.nn.LayerNorm((D, H), eps=0.5, dtype=dtype),
        lambda: tl.nn.LayerNorm([D], elementwise_affine=False),
        lambda: tl.nn.Attention(D, H, rng=seed, dtype=dtype) if D > 1 else tl.nn.DotAttention(scaled=True),
        lambda: tl.nn.Dropout(0.25, rng=seed if H > 2 else None),
        lambda: [tl.nn.ReLU(), tl.nn.Softmax(axis=0), tl.nn.Flatten(H), tl.nn.MSELoss()][H - 1],
    ]
    return draw(st.sampled_from(kinds))()


def containers(parts):
    """Modules of modules: also such as were changed since they were made, or hold one in two places."""
    row = lambda kind, modules: kind(*modules) if kind is tl.nn.Sequential else kind(iter(modules))
    twice = lambda kind, part: row(kind, [part]).append(tl.nn.Tanh()).append(part)
    kinds, names = st.sampled_from([tl.nn.Sequential, tl.nn.ModuleList]), st.sampled_from(["a", "b", "état"])
    named = st.dictionaries(names, parts, max_size=2)
    return st.one_of(
        st.builds(row, kinds, st.lists(parts, max_size=3)),
        st.builds(twice, kinds, parts),
        st.builds(tl.nn.Sequential, named),
        st.builds(tl.nn.ModuleDict, named),
    )


@st.composite
def modules(draw):
    """One of ours, of any class and options, in any mode, frozen in part, with any bits in its parameters."""
    module, rng = (
        draw(leaves() | st.recursive(leaves(), containers, max_leaves=3)),
        np.random.default_rng(draw(sizes())),
    )
    for parameter in module.parameters():
        bits = rng.integers(0, 256, parameter.value.nbytes, dtype=np.uint8).tobytes()
        values = np.frombuffer(bits, parameter.dtype).copy()
        values[::3] = rng.choice([np.nan, np.inf, -np.inf, -0.0, 0.0, 5e-324])
        parameter.value = values.reshape(parameter.shape)
        parameter.requires_grad = bool(rng.integers(4))
    for part in module.modules() if draw(st.booleans()) else ():
        part.train(bool(rng.integers(2)))
    return module


def bits(module):
    """Whatever can differ between two modules that are alike: classes, options, modes, names, types and bits."""
    parts = [(path, repr(part), part.training) for path, part in module.named_modules()]
    return parts, [
        (path, p.name, p.requires_grad, p.dtype, p.shape, p.value.tobytes()) for path, p in module.named_parameters()
    ]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


@settings(max_examples=settings().max_examples // 2)  # each is made, told and made anew three times
@given(module=modules())
def test_what_is_saved_comes_back_bit_for_bit(module, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    assert tl.save(module, path) == path
    again = tl.load(path)
    assert type(again) is type(module)
    assert bits(again) == bits(module)
    for parameter in again.parameters():
        parameter.value = np.zeros(parameter.shape)
    assert tl.load(path, into=again) is again
    assert bits(again) == bits(module)


OPTIONS = [
    {"num_layers": 2},
    {"num_layers": 2, "dropout": 0.5},
    *({name: True} for name in ("bidirectional", "batch_first", "layer_norm", "coupled", "diagonal")),
    *({name: False} for name in ("bias", "reset_after")),
    {"proj_size": 1},
    {"clip": 2},
    {"clip": 0.5},
    {"forget_bias": np.float64(2)},
    {"peephole": "full"},
    {"peephole": "diagonal"},
    {"nonlinearity": "relu"},
    {"nonlinearity": tl.sigmoid},
    {"activations": (tl.sigmoid, tl.relu)},
    {"activations": (tl.sigmoid, tl.tanh, tl.relu)},
    {"dtype": np.float32},
]
EXCLUDED = [{"bias", "forget_bias"}]
"""Besides two values of one name."""


def options_of(kind):
    """What a kind of layer takes; as activations two functions, or three."""
    names, count = set(inspect.signature(kind).parameters), 2 if "GRU" in kind.__name__ else 3
    return [how for how in OPTIONS if {*how} <= names and len(how.get("activations", range(count))) == count]


@pytest.mark.parametrize("together", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", [*CELLS, tl.RNN, tl.LSTM, tl.GRU])
def test_every_option_of_a_layer_comes_back(kind, together, path):
    possible = [
        dict(chain(*map(dict.items, several)))
        for several in combinations(options_of(kind), together)
        if set(chain(*several)) not in EXCLUDED and len(set(chain(*several))) == sum(map(len, several))
    ]
    assert possible
    for options in possible:
        module = kind(3, 4, **options)
        assert bits(tl.load(tl.save(module, path))) == bits(module)


def test_a_model_that_comes_back_computes_what_it_did(path):
    lstm, xs = tl.LSTM(3, 4, num_layers=2, bidirectional=True), tl.tensor(np.ones((5, 2, 3)))
    again = tl.load(tl.save(lstm, path))
    assert (again(xs)[0].value == lstm(xs)[0].value).all()
    again(xs)[0].sum().backward()
    assert all(parameter.grad is not None for parameter in again.parameters())


class Mine(tl.nn.Module):
    def __init__(self, *, tied=False):
        self.head, self.scale = tl.Linear(2, 2, rng=0), tl.tensor(2.0, requires_grad=True)
        self.other = self.head if tied else tl.Linear(2, 2, rng=1)


def changed(module, **parts):
    for name, part in parts.items():
        setattr(module, name, part)
    return module


WITHOUT_DESCRIPTION = {
    "a class of the user's": (Mine, "Mine is a class of yours"),
    "a tied one": (lambda: Mine(tied=True), "Mine is a class of yours"),
    "one with a name of ours": (type("Linear", (Mine,), {}), "Linear is a class of yours"),
    "a subclass of ours": (lambda: type("Own", (tl.GRU,), {})(2, 3), "Own is a class of yours"),
    "one with a part of the user's": (
        lambda: tl.nn.Recurrent(type("Own", (tl.RNNCell,), {})(2, 3)),
        r"Recurrent\[0\] is a Own, a class of yours",
    ),
    "a replaced part": (lambda: changed(tl.RNN(2, 3), cell=tl.GRUCell(2, 3)), "cell is not as RNN made it"),
    "a replaced activation": (
        lambda: changed(tl.nn.Gate(2, tl.tanh, "f", hidden_size=1), activation=tl.relu),
        "activation is not as Gate made it",
    ),
    "a size that is untrue": (lambda: changed(tl.Linear(2, 3), in_features=4), "in_features is not as Linear made it"),
    "another attribute": (lambda: changed(tl.Linear(2, 3), scale=[1, 2]), "scale is not as Linear made it"),
    "another parameter": (
        lambda: changed(tl.Linear(2, 3), scale=tl.tensor(1.0, requires_grad=True)),
        "scale is not as Linear made it",
    ),
    "an array for an argument": (
        lambda: tl.nn.CrossEntropyLoss(weight=np.ones(2)),
        r"CrossEntropyLoss\.weight, array\(\[1\., 1\.\]\), is nothing that can be written down",
    ),
    "a module without a class": (
        lambda: changed(tl.nn.Module(), layers=tl.nn.ModuleList([tl.Linear(2, 3)])),
        "layers is not as Module made it",
    ),
    "tied later": (
        lambda: (lambda a: changed(a, layer1=a.layer0))(tl.RNN(2, 2, num_layers=2)),
        "what shares its parameters is not as RNN made it",
    ),
    "a function of the user's": (
        lambda: tl.nn.Gate(2, lambda x: x, "f", hidden_size=1),
        r"Gate\[1\], <function .*, is nothing that can be written down",
    ),
    "a number that JSON has not": (
        lambda: tl.nn.Gate(2, tl.tanh, "f", float("inf"), hidden_size=1),
        r"Gate\[3\], inf, is nothing that can be written down",
    ),
}


@pytest.mark.parametrize(("make", "why"), WITHOUT_DESCRIPTION.values(), ids=WITHOUT_DESCRIPTION)
def test_what_cannot_be_described_is_saved_as_values_and_says_so(make, why, path):
    module = make()
    tl.save(module, path)
    with pytest.raises(ValueError, match=f"holds values alone, since .*(?:{why}).*into=model") as error:
        tl.load(path)
    assert "\n" not in str(error.value)
    into, before = make(), bits(module)
    for parameter in into.parameters():
        parameter.value = np.zeros(parameter.shape)
    assert bits(tl.load(path, into=into)) == before


def test_what_stands_in_two_places_and_what_was_added_later_come_back(path):
    shared = tl.Linear(2, 2)
    model = tl.nn.Sequential(shared, tl.nn.Dropout(0.5, rng=0), shared).append(tl.Linear(2, 1))
    model[3] = tl.Linear(2, 3, dtype="float32")
    model.eval()[0].weight.requires_grad = False
    again = tl.load(tl.save(model, path))
    assert bits(again) == bits(model)
    assert again[0] is again[2]
    assert (again([1.0, 2.0]).value == model([1.0, 2.0]).value).all()


@pytest.mark.parametrize(
    "copied", [deepcopy, lambda module: pickle.loads(pickle.dumps(module))], ids=["copy", "pickle"]
)
def test_a_copy_is_saved_like_the_original(copied, path):
    shared = tl.RNNCell(2, 2)
    model = tl.nn.Sequential(tl.nn.Recurrent(shared, tl.RNNCell(2, 2)), shared)
    assert bits(tl.load(tl.save(copied(model), path))) == bits(model)


def test_what_is_made_anew_draws_as_any_other(path):
    """Zeros were drawn while it was made, and no number of the generator that all draw from."""
    model = tl.nn.Sequential(tl.Linear(2, 2), tl.nn.Dropout(0.5))
    again = tl.load(tl.save(model, path))
    drawn = again[1](np.ones(1000)).value
    assert 300 < np.count_nonzero(drawn) < 700
    assert tl.Linear(2, 2).weight.value.all()


def test_an_optimiser_goes_on_where_it_was(path):
    for kind, options in ((tl.SGD, {"momentum": 0.9, "nesterov": True}), (tl.AdamW, {"betas": (0.5, 0.75)})):
        ways = []
        for restart in (False, True):
            w = tl.tensor([1.0, 2.0], requires_grad=True)
            optimiser = kind([w], lr=0.1, **options)
            for step in range(4):
                if restart and step == 2:
                    tl.save(optimiser, path)
                    optimiser = tl.load(path, into=kind([w], lr=0.5))
                optimiser.zero_grad()
                (w * w).sum().backward()
                optimiser.step()
            ways.append((w.tolist(), repr(optimiser), optimiser.steps))
        assert ways[0] == ways[1]
    with pytest.raises(ValueError, match="values alone, since it is the state of an optimiser, AdamW"):
        tl.load(path)


@pytest.mark.parametrize("nothing", [None, 3, "word", {"w": [1.0]}, tl.tensor([1.0])])
def test_only_modules_and_optimisers_are_saved_and_loaded_into(nothing, path):
    with pytest.raises(TypeError, match=r"what is saved is a module or an optimiser, as in .*, not"):
        tl.save(nothing, path)
    assert not path.exists()
    tl.save(tl.Linear(1, 1), path)
    if nothing is not None:
        with pytest.raises(TypeError, match="into must be a module or an optimiser, not"):
            tl.load(path, into=nothing)


def test_paths_that_lead_nowhere_are_one_line(tmp_path, monkeypatch):
    layer = tl.Linear(1, 1)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path in (tmp_path / "no" / "x", tmp_path, tmp_path / "loop"):
        with pytest.raises(OSError, match=str(path)) as error:
            tl.save(layer, path)
        assert "\n" not in str(error.value)
    for path in (tmp_path / "no" / "x", tmp_path, tmp_path / "loop", tmp_path / "\0", "/dev/zero"):
        with pytest.raises(FileNotFoundError, match=r"no regular file|no such file"):
            tl.load(path)
    with pytest.raises(TypeError, match=r"a path is a string or a pathlib\.Path, not 3"):
        tl.load(3)
    with pytest.raises(TypeError, match=r"a path is a string or a pathlib\.Path, not None"):
        tl.save(layer, None)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="whoever runs this may do anything")
def test_what_is_forbidden_is_one_line(tmp_path):
    tl.save(tl.Linear(1, 1), tmp_path / "x").chmod(0)
    with pytest.raises(PermissionError):
        tl.load(tmp_path / "x")


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="nothing is killed here")
@pytest.mark.parametrize("when", ["BufferedWriter", "replace"])
def test_a_process_that_is_killed_while_it_saves_leaves_the_old_file(when, path):
    tl.save(tl.Linear(2, 3, rng=0), path)
    old = path.read_bytes()
    code = f"""
import os, pathlib, signal
import tinygrad_lstm as tl
def killed(*_): os.kill(os.getpid(), signal.SIGKILL)
if {when!r} == "replace":
    pathlib.Path.replace = killed
else:
    opened = pathlib.Path.open
    class Half:
        def __init__(self, file): self.file = file
        def __enter__(self): return self
        def __exit__(self, *_): pass
        def write(self, data): self.file.write(data[: len(data) // 2]); self.file.flush(); killed()
    pathlib.Path.open = lambda path, mode: Half(opened(path, mode))
tl.save(tl.Linear(3, 2), {str(path)!r})
"""
    assert subprocess.run([sys.executable, "-c", code]).returncode == -signal.SIGKILL
    assert path.read_bytes() == old


def test_nothing_is_imported_or_evaluated_to_load(path):
    tl.load(tl.save(tl.Linear(1, 1), path))
    before = set(sys.modules)
    tl.load(tl.save(tl.GRU(1, 2), path))
    assert set(sys.modules) == before
    source = "".join(file.read_text(encoding="utf-8") for file in Path(saved.__file__).parent.glob("*.py"))
    words = (r"(?<!\.)eval\(", r"exec\(", "import pickle", r"pickle\.load", "import_module", r"__import__\(")
    assert not [word for word in words if re.search(word, source)]


def test_every_operation_that_can_be_an_activation_is_told(path):
    simple = [p for p in BUILTIN.values() if p.arity == 1 and not p.attr_names and not p.variadic]
    for operation in (*simple, tl.gelu, tl.silu, tl.elu, tl.hardsigmoid):
        gate = tl.nn.Gate(1, operation, "a", hidden_size=1)
        assert tl.load(tl.save(gate, path)).activation is operation

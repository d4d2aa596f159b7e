"""The network that ships in g2p-en comes in through PyTorch's layout and speaks as its own numpy code does."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.studies.speaker import LETTERS, PHONEMES

ROOT = Path(__file__).parents[2]
WORDS = 400


@pytest.fixture(scope="module")
def demo() -> Any:
    spec = importlib.util.spec_from_file_location("why_though_ends_so", ROOT / "demos" / "why_though_ends_so.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def their_own() -> Any:
    """Its class, of its own source: what predicts, without what the package imports and downloads."""
    spec = importlib.util.find_spec("g2p_en")
    assert spec is not None, "the CI installs g2p-en --no-deps"
    assert spec.submodule_search_locations
    folder = spec.submodule_search_locations[0]
    tree = ast.parse(Path(folder, "g2p.py").read_text(encoding="utf-8"))
    (cls,) = (node for node in tree.body if isinstance(node, ast.ClassDef))
    wanted = {"__init__", "load_variables", "sigmoid", "grucell", "gru", "encode", "predict"}
    cls.body = [node for node in cls.body if isinstance(node, ast.FunctionDef) and node.name in wanted]
    foreign = {"self.cmu", "self.homograph2features"}
    begin = next(node for node in cls.body if isinstance(node, ast.FunctionDef) and node.name == "__init__")
    begin.body = [n for n in begin.body if not (isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) in foreign)]
    names: dict[str, Any] = {"np": np, "os": __import__("os"), "dirname": folder}
    exec(compile(ast.Module([cls], []), "g2p.py", "exec"), names)
    return names["G2p"]()


def test_it_speaks_as_its_own_code_does(demo: Any) -> None:
    words = sorted(set(re.findall("[a-z]+", (ROOT / "README.md").read_text(encoding="utf-8").lower())))[:WORDS]
    theirs, ours = their_own(), demo.trained()
    assert (theirs.graphemes, theirs.phonemes) == (LETTERS, PHONEMES)
    same = sum(demo.speak(ours, word) == theirs.predict(word) for word in words)
    print(f"{same} of {len(words)} words are spoken as g2p-en's own code speaks them")
    assert same == len(words) == WORDS
    assert "g2p_en" not in sys.modules


def test_the_demo_says_which_letters_speak_for_a_phoneme(
    demo: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    demo.main()
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "though: TH AO1"
    assert [line.split()[0] for line in printed[1:9]] == ["letter", *"though", "end"]
    assert (tmp_path / "though.html").stat().st_size < 7_000_000
    speaker = demo.trained()
    assert demo.speak(speaker, "thorough")[-1] == "OW0"
    (_, p, by_letter), *_ = demo.influences(speaker, "though")
    xs = speaker.read("though").value
    log = lambda scale: speaker(tl.tensor(xs * scale[:, None], dtype=np.float32))[1][0][PHONEMES.index("TH")].item()
    assert np.exp(log(np.ones(len(xs), np.float32))) == pytest.approx(p, rel=1e-5)
    for t in range(len(xs)):
        scale = np.ones(len(xs), np.float32)
        scale[t] += 0.01
        up = log(scale)
        scale[t] -= 0.02
        assert (up - log(scale)) / 0.02 == pytest.approx(float(by_letter[t]), rel=0.02, abs=2e-3)

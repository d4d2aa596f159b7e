"""The README's page for users of PyTorch is executed as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch

README = Path(__file__).parents[2] / "README.md"


def test_your_pytorch_lstm_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    (block,) = re.findall(r"```python\n(import torch\n.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    exec(block, {})
    printed = capsys.readouterr().out
    assert "∂L/∂layer0.forget_gate.weight" in printed
    assert "‖∂L/∂layer1.c‖" in printed
    assert printed.endswith("PASS\n")
    assert "<svg" in (tmp_path / "lstm.svg").read_text(encoding="utf-8")[:100]
    assert "<html" in (tmp_path / "walk.html").read_text(encoding="utf-8")[:1000]

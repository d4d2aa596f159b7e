"""``python -m tests.golden``: write every golden text anew."""

from tests.golden import GOLDENS, HERE

for name, make in GOLDENS.items():
    (HERE / name).write_text(make(), encoding="utf-8")

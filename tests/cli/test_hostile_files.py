"""Files, folders and surroundings that nobody expects end in one line, or do no harm."""

import os
import signal
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import pytest

import tinygrad_lstm as tl
from tests.cli.commands import command, newly_started
from tinygrad_lstm.drawing.paint import render
from tinygrad_lstm.interop.files import STALE, write_file

LOSS = "import tinygrad_lstm as tl\nloss = tl.tanh(tl.tensor(0.5, requires_grad=True, name='x'))\n"


@pytest.mark.parametrize(
    "source",
    [
        "class Own(BaseException): pass\nraise Own('stop')",
        "raise SystemExit(3)",
        "raise GeneratorExit",
        "def __getattr__(name): raise RuntimeError('no')",
        "def __getattr__(name): raise SystemExit",
    ],
)
def test_whatever_a_file_raises_is_one_line(source, tmp_path):
    (tmp_path / "mine.py").write_text(source)
    done = command("draw", f"{tmp_path}/mine.py:loss")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "failed in line" in done.stderr


def test_what_a_file_raises_in_two_lines_is_one(tmp_path):
    (tmp_path / "mine.py").write_text("raise ValueError('a\\nb\\r\\nc')")
    done = command("draw", f"{tmp_path}/mine.py:loss")
    assert done.stderr.endswith("ValueError: a b c\n")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="nothing is endless here")
def test_a_text_that_never_ends_is_refused():
    done = command("tour", "--file", "/dev/zero")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "/dev/zero holds more than 10,000,000 bytes" in done.stderr


def test_links_that_lead_to_each_other_are_refused(tmp_path):
    (tmp_path / "a.py").symlink_to(tmp_path / "b.py")
    (tmp_path / "b.py").symlink_to(tmp_path / "a.py")
    done = command("draw", f"{tmp_path}/a.py:loss")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    (tmp_path / "a.dot").symlink_to(tmp_path / "a.dot")
    with pytest.raises(OSError, match="symbolic links"):
        write_file(tmp_path / "a.dot", "")
    done = command("draw", "--steps", "1", "-o", f"{tmp_path}/a.dot")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "cannot write" in done.stderr


@pytest.mark.parametrize("name", ["graphviz", "jinja2"])
def test_a_file_called_like_a_library_is_not_taken_for_it(name, tmp_path):
    (tmp_path / f"{name}.py").write_text(LOSS)
    done = command("draw", f"{tmp_path}/{name}.py:loss", "-o", f"{tmp_path}/x.html", "-o", f"{tmp_path}/x.dot")
    assert done.returncode == 0, done.stderr


def test_a_path_of_the_system_is_written_into(tmp_path):
    assert "digraph" in command("draw", "--steps", "1", "-o", "/dev/stdout", "--format", "dot").stdout
    log = tmp_path / "log"
    log.write_text("before\n")
    code = "from tinygrad_lstm.interop.files import write_file; write_file('/dev/stdout', 'after')"
    with log.open("a") as file:
        subprocess.run([sys.executable, "-c", code], stdout=file, check=True)
    assert log.read_text() == "before\nafter"


def test_what_a_killed_process_left_is_removed_and_what_another_writes_is_not(tmp_path):
    old, new = (tmp_path / f".x.dot.{letter * 16}" for letter in "ab")
    for file in (old, new):
        file.write_text("")
    os.utime(old, (0, new.stat().st_mtime - STALE - 10))
    write_file(tmp_path / "x.dot", "")
    assert not old.exists()
    assert new.exists()


def test_a_check_leaves_no_folder_behind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HYPOTHESIS_STORAGE_DIRECTORY", raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    done = command("check", "--op", "tanh")
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_no_columns_are_not_a_terminal_of_no_width():
    code = "from tinygrad_lstm.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "draw", "--help"],
        env={**os.environ, "COLUMNS": "0"},
        capture_output=True,
        encoding="utf-8",
    )
    assert "tinygrad-lstm draw" in done.stdout


def test_a_picture_is_drawn_where_there_is_no_standard_error(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert "<svg" in tl.draw(tl.tanh(tl.tensor(0.5))).svg


def test_a_command_runs_and_fails_where_there_is_no_standard_error(tmp_path):
    (tmp_path / "mine.py").write_text(f"{LOSS}print('heard by nobody')")
    code = "import sys; sys.stderr = None; from tinygrad_lstm.__main__ import main; main()"
    for name, status in (("loss", 0), ("other", 2)):
        run = [sys.executable, "-c", code, "draw", f"{tmp_path}/mine.py:{name}", "-o", f"{tmp_path}/x.dot"]
        done = subprocess.run(run, capture_output=True, encoding="utf-8")
        assert (done.returncode, done.stdout, done.stderr) == (status, "", "")
    assert (tmp_path / "x.dot").exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_a_fork_waits_for_a_thread_that_draws():
    """What a child inherits is a lock that nobody holds: without that it waits for a thread that it does not have."""
    held, forked = threading.Event(), threading.Event()

    def draws():
        with render._one_at_a_time:
            held.set()
            forked.wait(0.2)

    thread = threading.Thread(target=draws)
    thread.start()
    held.wait()
    child = os.fork()
    if child == 0:
        os._exit(0 if render._one_at_a_time.acquire(timeout=5) else 1)
    forked.set()
    thread.join()
    assert os.waitpid(child, 0)[1] == 0


@pytest.fixture
def without_graphviz(tmp_path, monkeypatch):
    """A place where pygraphviz does not import, and no dot is on the PATH."""
    (tmp_path / "pygraphviz.py").write_text("raise ImportError('none here')")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *filter(None, sys.path)]))
    return tmp_path


def test_without_graphviz_the_walk_is_written_and_a_line_says_what_is_missing(without_graphviz):
    done = newly_started("step", "--steps", "1", "--html", f"{without_graphviz}/step.html", PATH=str(without_graphviz))
    assert done.returncode == 0, done.stderr
    assert "Not all of it is drawn: drawing needs the package pygraphviz" in done.stderr
    assert done.stderr.count("\n") == 2
    assert "pygraphviz" in (without_graphviz / "step.html").read_text(encoding="utf-8")


def test_without_graphviz_the_tour_tells_all_that_needs_none(without_graphviz):
    done = newly_started("tour", "--out", f"{without_graphviz}/tour", PATH=str(without_graphviz))
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "pygraphviz" in done.stdout
    written = {file.name for file in (without_graphviz / "tour").iterdir()}
    assert written == {"index.html", "check.html", "walk.html", "gradients.svg", "network.dot"}
    assert 'src="network.svg"' not in (without_graphviz / "tour" / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["draw", "step", "check"])
def test_a_target_that_is_empty_is_not_taken_for_none(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    done = command(name, "")
    assert done.returncode == 2
    assert "names nothing in a file" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_interrupts_ends_in_one_line_and_130(tmp_path):
    (tmp_path / "mine.py").write_text("raise KeyboardInterrupt")
    done = command("draw", f"{tmp_path}/mine.py:loss")
    assert (done.returncode, done.stderr) == (130, "tinygrad-lstm: interrupted\n")


def heard():
    """In a process to come, interrupts are heard, even where those who run tests let none through."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="no process is sent an interrupt here")


@needs_signals
@pytest.mark.parametrize("loading", ["typer", "rich", "numpy", "pygraphviz"])
def test_ctrl_c_while_modules_load_ends_in_one_line_and_130(loading, tmp_path):
    (tmp_path / f"{loading}.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, sys.path)])}
    run = [sys.executable, "-m", "tinygrad_lstm", "draw", "--steps", "1", "-o", f"{tmp_path}/x.svg"]
    done = subprocess.run(run, capture_output=True, encoding="utf-8", env=env, preexec_fn=heard)
    assert (done.returncode, done.stderr) == (130, "tinygrad-lstm: interrupted\n")


@needs_signals
@pytest.mark.parametrize("name", ["draw", "step", "check"])
def test_ctrl_c_while_a_file_is_run_ends_in_one_line_and_130(name, tmp_path):
    (tmp_path / "mine.py").write_text("import time\nprint('begun', flush=True)\ntime.sleep(600)")
    run = [sys.executable, "-m", "tinygrad_lstm", name, f"{tmp_path}/mine.py:loss"]
    with subprocess.Popen(run, stderr=subprocess.PIPE, encoding="utf-8", preexec_fn=heard) as process:
        assert process.stderr.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[1] == "tinygrad-lstm: interrupted\n"
    assert process.returncode == 130


def test_the_installed_command_loads_nothing_before_it_listens():
    """The script imports its entry point by itself, before anything can be caught."""
    scripts = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "scripts"
    ]
    assert scripts == {"tinygrad-lstm": "tinygrad_lstm.__main__:main"}
    code = "import sys; before = set(sys.modules); import tinygrad_lstm.__main__; print(*set(sys.modules) - before)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8").stdout.split()
    assert set(loaded) <= {"tinygrad_lstm", "tinygrad_lstm.__main__", "__future__"}

"""A film shows the whole walk in its order, in frames of one size; what makes no film is refused with what would."""

import re
import sys
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

import tinygrad_lstm as tl
from tinygrad_lstm.nn.cells import CELLS
from tinygrad_lstm.nn.samples import small_loss
from tinygrad_lstm.pages.colour import READABLE, contrast
from tinygrad_lstm.pages.theme import IN_THE_DARK, INK
from tinygrad_lstm.stepper.film import shots as shots_module
from tinygrad_lstm.stepper.film.backdrop import GLOW, SMALLEST
from tinygrad_lstm.stepper.film.frame import HEIGHT, WIDTH
from tinygrad_lstm.stepper.film.shots import EVERY, shots

SVG = "{http://www.w3.org/2000/svg}"


def frames(folder):
    return [ET.parse(file).getroot() for file in sorted(folder.iterdir())]


def words(root):
    return ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]


def lit(root):
    return [group for group in root.iter(f"{SVG}g") if any(shape.get("fill") == GLOW for shape in group)]


@pytest.fixture(scope="module")
def walk():
    return tl.step(small_loss("lstm", 2))


@pytest.fixture(scope="module")
def film(walk, tmp_path_factory):
    return frames(walk.film(tmp_path_factory.mktemp("film") / "backward"))


@pytest.mark.parametrize("every", EVERY)
@pytest.mark.parametrize("cell", CELLS)
def test_frames_together_are_the_walk(cell, every):
    tape = tl.step(small_loss(cell, 3)).events
    found = shots(tape, every)
    assert [number for shot in found for number in shot.events] == list(range(tape.start + 1, len(tape)))
    times = [shot.time for shot in found if shot.time is not None]
    assert all(later <= earlier for earlier, later in pairwise(times))
    assert len(found) == {"contribution": len(tape) - tape.start - 1, "step": 4}.get(every, len(found))


def test_coarser_frames_are_fewer(walk):
    counts = [len(shots(walk.events, every)) for every in ("contribution", "gate", "cell", "step")]
    assert counts == sorted(counts, reverse=True)
    assert len(set(counts)) > 2


def test_all_frames_have_one_size_and_something_lit(film):
    assert len(film) > 10
    assert {(root.get("width"), root.get("height")) for root in film} == {(str(WIDTH), str(HEIGHT))}
    assert all(lit(root) for root in film)
    assert [words(root)[1] for root in film] == [f"{n} of {len(film)}" for n in range(1, len(film) + 1)]


def test_each_frame_says_where_it_is_and_what_is_computed_there(film):
    forget = next(root for root in film if "t = 1 · forget gate" in words(root))
    assert "∂L/∂W_f += [h₀, x₁]ᵀ δ_f₁" in words(forget)
    (box,) = lit(forget)
    assert ["".join(text.itertext()) for text in box.iter(f"{SVG}text")] == ["σ", "f₁"]


def test_words_can_be_read_where_a_frame_is_as_wide_as_a_readme(film):
    for root in film:
        inner = root.find(f"{SVG}svg")
        scale = float(inner.get("width")) / float(inner.get("viewBox").split()[2])
        within = [float(text.get("font-size")) * scale for text in inner.iter(f"{SVG}text")]
        beside = [float(text.get("font-size")) for text in root.iter(f"{SVG}text") if text not in set(inner.iter())]
        assert min(within + beside) * 830 / WIDTH >= 10 - 0.01
    assert SMALLEST * 830 / WIDTH >= 10
    assert min(contrast(INK, GLOW), contrast(IN_THE_DARK[INK], IN_THE_DARK[GLOW])) >= READABLE


def head_of_a_classifier():
    """A loss with so many operations after the last step that they do not fit into a frame beside it."""
    lstm, head = tl.LSTM(3, 4, rng=0), tl.Linear(4, 2, rng=1)
    output, _ = lstm(tl.ones(2, 1, 3))
    loss = tl.cross_entropy(tl.relu(tl.tanh(head(output))).reshape(-1, 2), [0, 1])
    loss.name = "L"
    return loss


@pytest.mark.parametrize("make", [lambda: small_loss("lstm", 3), head_of_a_classifier])
def test_no_box_is_cut_at_the_top_or_the_bottom(make, tmp_path):
    for root in frames(tl.step(make()).film(tmp_path / "film")):
        (picture,) = root.findall(f"{SVG}svg")
        _, low, _, high = map(float, picture.get("viewBox").split())
        graph = picture.find(f"{SVG}g")
        down = float(re.findall(r"-?[\d.]+", graph.get("transform"))[1])
        boxes = [group for group in graph.iter(f"{SVG}g") if re.match(r"node (?!cell)", group.get("class", ""))]
        assert len(boxes) > 5
        for box in boxes:
            ups = [down + float(shape.get("cy")) for shape in box.iter(f"{SVG}ellipse")]
            ups += [down + float(text.get("y")) for text in box.iter(f"{SVG}text")]
            for shape in box.iter(f"{SVG}polygon"):
                ups += [down + float(point.partition(",")[2]) for point in shape.get("points").split()]
            assert len({(low < up) + (low + high < up) for up in ups}) <= 1, box.attrib
        assert not any(re.fullmatch(r"t = \d+", "".join(text.itertext())) for text in picture.iter(f"{SVG}text"))
        assert lit(root)


def test_the_picture_fades_only_where_it_goes_on(film):
    faded = [root for root in film if any(rect.get("opacity") for rect in root.iter(f"{SVG}rect"))]
    assert faded
    for rect in film[0].iter(f"{SVG}rect"):  # the loss is the end of it
        assert not rect.get("opacity") or float(rect.get("x")) < WIDTH / 4


def test_an_arrow_at_work_points_with_the_gradient(walk, film):
    """From the sum down to what was summed: the tip stands at the lower end."""
    (arrow,) = (g for g in film[0].iter(f"{SVG}g") if g.get("class") == "edge data" and g.get("opacity") is None)
    ys = [float(y) for y in re.findall(r"-?[\d.]+,(-?[\d.]+)", arrow.find(f"{SVG}path").get("d"))]
    tips = [float(y) for y in re.findall(r"-?[\d.]+,(-?[\d.]+)", arrow.find(f"{SVG}polygon").get("points"))]
    assert ys[0] > ys[-1]  # downwards is larger
    assert tips[0] == pytest.approx(ys[0], abs=0.1) == max(tips)


def test_a_window_films_its_time_steps(tmp_path):
    stepper = tl.step(small_loss("rnn", 9))
    found = shots(stepper.events, "step", (3, 5))
    assert [shot.time for shot in found] == [None, 4, 3]
    assert len(frames(stepper.film(tmp_path / "film", "step", steps=(3, 5)))) == 3
    with pytest.raises(ValueError, match="shows none of the time steps 0 to 8"):
        stepper.film(tmp_path / "none", steps=(20, 30))


def test_a_program_without_cells_or_time_is_filmed_too(tmp_path):
    x = tl.tensor([1.0, 2.0], requires_grad=True, name="x <&>")
    folder = tl.step(tl.tanh(x * x).sum()).film(tmp_path / "film")
    assert len(frames(folder)) == 3


def test_a_gif_has_all_frames_of_one_size(tmp_path):
    image = pytest.importorskip("PIL.Image")
    pytest.importorskip("vl_convert")
    told = []
    stepper = tl.step(small_loss("rnn", 1))
    path = stepper.film(tmp_path / "film.gif", "step", report=lambda done, total: told.append((done, total)))
    with image.open(path) as gif:
        assert (gif.n_frames, gif.size) == (2, (WIDTH, HEIGHT))
        assert gif.info["loop"] == 0
    assert told == [(1, 2), (2, 2)]


def test_without_what_makes_images_a_gif_says_what_to_install(tmp_path, monkeypatch, walk):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'tinygrad-lstm\[images\]'; a folder of SVGs"):
        walk.film(tmp_path / "film.gif")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("path", "every", "message"),
    [
        ("film", "frame", "unknown every 'frame'; choose 'gate', 'contribution', 'cell' or 'step'"),
        ("film.mp4", "gate", r"a film is a \.gif, or a folder of SVGs, .* not '.*film\.mp4'; .* ffmpeg -i film\.gif"),
    ],
)
def test_what_is_no_film_is_refused_with_what_is(tmp_path, walk, path, every, message):
    with pytest.raises(ValueError, match=message):
        walk.film(tmp_path / path, every)
    assert not list(tmp_path.iterdir())


def test_a_walk_in_which_nothing_happens_is_refused(tmp_path):
    with pytest.raises(ValueError, match="there is nothing to film: x was not computed of anything"):
        tl.step(tl.tensor(1.0, requires_grad=True, name="x")).film(tmp_path / "film")


def test_too_long_a_film_names_one_that_is_not(tmp_path, walk, monkeypatch):
    monkeypatch.setattr(shots_module, "MOST", 20)
    with pytest.raises(ValueError, match=r"would have 57 frames, more than 20; every='cell' makes 4"):
        walk.film(tmp_path / "film", "contribution")
    monkeypatch.setattr(shots_module, "MOST", 2)
    with pytest.raises(ValueError, match=r"more than 2; every='step' with steps=\(0, 2\) shows the last four"):
        walk.film(tmp_path / "film", "contribution")
    assert not list(tmp_path.iterdir())


def test_a_folder_is_replaced_only_if_it_holds_a_film(tmp_path, walk, monkeypatch):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match=r"holds what is no frame of a film, such as thesis\.txt; name a new folder"):
        walk.film(tmp_path / "mine", "step")
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="is a file; a film without an ending is a folder"):
        walk.film(tmp_path / "file", "step")
    folder = walk.film(tmp_path / "film", "cell")
    before = sorted(file.name for file in folder.iterdir())

    def fails(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        walk.film(folder, "gate", report=fails)
    assert sorted(file.name for file in folder.iterdir()) == before
    assert len(list(walk.film(folder, "step").iterdir())) == 3 < len(before)
    assert {file.name for file in tmp_path.iterdir()} == {"mine", "file", "film"}

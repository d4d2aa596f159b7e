"""The pad: what one draws by mouse is kept, and saved as a file that the application reads."""

import pytest

from tinygrad_lstm.studies.strokes import pad_page, read_drawings


def draw(page, *places):
    box = page.locator("#pad").bounding_box()
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
    page.mouse.move(*at[0])
    page.mouse.down()
    for place in at[1:]:
        page.mouse.move(*place)
    page.mouse.up()


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (390, 844)])
def test_what_is_drawn_is_saved_as_it_was_drawn(open_page, tmp_path, width, height):
    page = open_page(pad_page(), width, height)
    assert page.locator("#keep").is_disabled()
    page.locator("#digit").select_option("7")
    draw(page, (0.2, 0.2), (0.8, 0.2), (0.4, 0.9))
    page.locator("#keep").click()
    draw(page, (0.5, 0.1), (0.5, 0.9))
    page.locator("#clear").click()
    assert page.locator("#keep").is_disabled()
    page.locator("#digit").select_option("")
    draw(page, (0.1, 0.5), (0.9, 0.5))
    draw(page, (0.5, 0.1), (0.5, 0.9))
    page.locator("#keep").click()
    assert page.locator("#said").inner_text() == "2 kept: 7 ?"
    with page.expect_download() as saved:
        page.locator("#save").click()
    saved.value.save_as(tmp_path / "drawings.json")
    seven, cross = read_drawings(tmp_path / "drawings.json")
    assert (seven.digit, cross.digit) == (7, None)
    assert seven.rows[0].sum() > 2 * seven.rows[-1].sum()
    assert cross.rows[3:5].sum() == pytest.approx(cross.rows[:, 3:5].sum(), rel=0.1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

"""What a report shows of itself: a line in a shell, a table when printed, and one in a notebook."""

from html.parser import HTMLParser

import tinygrad_lstm as tl
from tinygrad_lstm.testing import Finding, Oracle, Report, Verdict


def cells(page):
    class Reader(HTMLParser):
        def __init__(self):
            super().__init__()
            self.rows, self.tags = [], set()

        def handle_starttag(self, tag, attrs):
            self.tags.add(tag)
            if tag == "tr":
                self.rows.append([])
            elif tag in ("td", "th"):
                self.rows[-1].append("")

        def handle_data(self, data):
            if self.rows:
                self.rows[-1][-1] += data

    reader = Reader()
    reader.feed(page)
    return reader.rows, reader.tags


def test_a_report_is_one_short_line_in_a_shell():
    report = tl.testing.check_vjp(lambda x, w: tl.sigmoid(x @ w), [[0.5, -1.0]], [[1.0], [2.0]])
    assert repr(report) == f"<report: PASS, 2 gradients, worst {report.worst:.1f} units>"
    wrong = Report({"x": Finding(Verdict.WRONG, Oracle.COMPLEX_STEP, error=2.5e9)}, cases=50)
    assert repr(wrong) == "<report: WRONG, 1 gradient in 50 cases, worst 2.5e+09 units>"


def test_a_printed_report_has_a_line_for_each_gradient_and_one_for_the_laws():
    lines = str(tl.testing.check_op(lambda a, b: a * b, [1.0, 2.0], [3.0, 4.0])).splitlines()
    assert [line.split()[:3] for line in lines[:2]] == [["input", "0", "PASS"], ["input", "1", "PASS"]]
    assert lines[2].startswith("and two runs are identical, ")


def test_a_notebook_shows_a_table_that_no_name_can_leave():
    name = "<script>alert(1)</script>"
    report = Report({name: Finding(Verdict.ROUNDOFF, Oracle.DIGITS, error=2.25, reason="x < y")}, ("<b>law</b>",))
    rows, tags = cells(report._repr_html_())
    assert rows == [
        ["gradient of", "verdict", "error, units", "by", "why"],
        [name, "ROUNDOFF", "2.2", "700 digits", "x < y"],
    ]
    assert tags == {"table", "caption", "thead", "tbody", "tr", "th", "td"}

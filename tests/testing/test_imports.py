"""These modules have no circles: every import counts, inside a function or for types alone too."""

from pathlib import Path

import tinygrad_lstm
from tests.house.imports import circle, imports

PACKAGE = "tinygrad_lstm.testing."


def within(room):
    """The imports between modules of a room, the room's entrance aside."""
    found = imports(Path(tinygrad_lstm.__file__).parent)
    return [each for each in found if each.importer.startswith(room) and each.imported.startswith(room)]


def test_no_module_is_imported_by_what_it_imports():
    found = within(PACKAGE)
    assert len(found) > 50
    assert circle(found) == []


def test_oracles_import_neither_reports_nor_pages():
    found = [each for each in imports(Path(tinygrad_lstm.__file__).parent) if ".oracles." in each.importer]
    assert len(found) > 20
    assert [str(each) for each in found if ".report" in each.imported or ".pages" in each.imported] == []

"""What concerns the tests as a whole: what all of them need costs little, and no worker ends with what takes long."""

import gc
import os
import signal
import sys
import tempfile

import pytest

# jsonschema (with nbformat) builds 39 grammars out of it at import, to check a kind of address that no notebook has: 1.1 s
sys.modules.setdefault("rfc3987_syntax", None)  # an import of it raises ImportError, which jsonschema expects

# What a shell starts in the background ignores interrupts, and so would all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

LONG = (  # parts of names; what waits longest is first
    "in_one_kernel[00_",
    "own_checks[00_",
    "within_50_ms_in_real_time",
    "in_one_kernel[",
    "own_checks[",
    "test_the_notebook_runs_from_the_record_alone",
)


@pytest.fixture
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    """For what writes a ledger into the folder where it runs."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def nothing_stays(tmp_path, monkeypatch):
    """For what takes down all that it makes: files, threads, tasks and keys of TLS. Temporary files are those of this test alone."""
    from machine import belongings

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = belongings()
    yield
    monkeypatch.undo()
    assert not belongings() - before and not list(tmp_path.glob("labkit-keys-*"))


@pytest.fixture(scope="module")
def words(request):
    """What the notebook of a module of tests says (its NOTEBOOK), with single spaces."""
    import nbformat

    cells = nbformat.read(request.module.NOTEBOOK, as_version=4).cells
    return " ".join(" ".join(cell.source.split()) for cell in cells)


def pytest_collection_modifyitems(items):
    """Each worker begins with its share of what takes long; --dist worksteal gives each an equal part of the list."""
    ranks = {item: next((n for n, part in enumerate(LONG) if part in item.name), None) for item in items}
    long = sorted((item for item in items if ranks[item] is not None), key=ranks.__getitem__)
    rest = iter([item for item in items if ranks[item] is None])
    workers, total, dealt = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1)), len(items), []
    for worker in range(workers):
        dealt += long[worker::workers]
        dealt += [item for _, item in zip(range(total * (worker + 1) // workers - len(dealt)), rest)]
    items[:] = dealt


def pytest_collection_finish():
    """What was imported stays: no collection of garbage has to walk through it again."""
    if "hypothesis" in sys.modules:  # loaded later, it would look for objects, and what is frozen is not found
        gc.collect()
        gc.freeze()

"""The helper for documentation snippets: asyncio.run() in a queue of cells, under any kernel, and nothing is left behind."""

import asyncio
import sys
from pathlib import Path

import nbformat
import pytest
from jupyter_client.manager import KernelManager

from labkit.yours import cells

BOOK = Path(__file__).parent.parent / "notebooks" / "01_frames_and_states.ipynb"
pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")
BOTH = {"nest_asyncio", "nest_asyncio2"}


@pytest.mark.parametrize(
    ("python", "version", "there", "words"),
    [
        ((3, 13), "6.31.0", BOTH, "by nest_asyncio, under ipykernel 6.31.0"),
        ((3, 14), "6.31.0", BOTH, "by nest_asyncio2, under ipykernel 6.31.0"),
        ((3, 13), "6.31.0", {"nest_asyncio2"}, "by nest_asyncio2, under ipykernel 6.31.0"),
        ((3, 13), "7.4.0", BOTH, "by nest_asyncio2, under ipykernel 7.4.0"),
        ((3, 14), "8.0.0", BOTH, "by nest_asyncio2, under ipykernel 8.0.0"),
        # the other one would leave JupyterLab's later cells at [*]
        ((3, 13), "7.4.0", {"nest_asyncio"}, "pip install nest-asyncio2"),
        ((3, 13), "6.31.0", set(), "await main()"),
    ],
)
def test_the_patch_fits_the_kernel(python, version, there, words, monkeypatch, capsys):
    applied = []

    def find(name):
        if name not in there:
            raise ImportError(name)
        return type("Patch", (), {"apply": staticmethod(lambda: applied.append(name))})

    monkeypatch.setattr(cells, "PYTHON", python)
    monkeypatch.setattr(cells, "kernel", lambda: (int(version.split(".")[0]), version))
    monkeypatch.setattr(cells.importlib, "import_module", find)
    turned = []

    async def cell():
        asyncio.get_running_loop().call_soon(turned.append, "the next turn")
        await cells.allow_asyncio_run()
        return list(turned)

    in_time = asyncio.run(cell())
    out = capsys.readouterr().out
    assert words in out and out.count("\n") == 1
    assert len(applied) == len(in_time) == ("by nest" in words)  # it is patched, and a turn of the patched loop has begun


def test_outside_a_kernel_nothing_is_patched(capsys):
    before = asyncio.run
    asyncio.run(cells.allow_asyncio_run())
    assert asyncio.run is before and "works as it is" in capsys.readouterr().out


def execute_all_at_once(sources, then, patience=60):
    """The outputs of cells that are queued at once, as JupyterLab's Run All does (nbclient does not), and of one more after them."""
    manager = KernelManager(transport="ipc" if sys.platform != "win32" else "tcp")
    manager.start_kernel()
    client = manager.blocking_client()
    texts: dict[str, str] = {}
    try:
        client.start_channels()
        client.wait_for_ready(timeout=patience)
        asked = [client.execute(source) for source in sources]
        assert all(client.get_shell_msg(timeout=patience)["content"]["status"] == "ok" for _ in asked)
        asked.append(client.execute(then))
        assert client.get_shell_msg(timeout=patience)["content"]["status"] == "ok"
        while True:
            message = client.get_iopub_msg(timeout=patience)
            mine, content = message["parent_header"].get("msg_id"), message["content"]
            texts[mine] = texts.get(mine, "") + content.get("text", "")
            if mine == asked[-1] and content.get("execution_state") == "idle":
                return [texts.get(one, "") for one in asked]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


LOOK = "import psutil\nprint([connection.laddr for connection in psutil.Process().net_connections('inet')])"


def test_the_documentations_snippet_runs_unchanged_in_a_queue_of_cells_and_leaves_nothing():
    cells = [cell.source for cell in nbformat.read(BOOK, as_version=4).cells if cell.cell_type == "code"]
    start = next(n for n, source in enumerate(cells) if "allow_asyncio_run()" in source and "import" not in source)
    after = "import asyncio\nawait asyncio.sleep(0.01)\nprint([task for task in asyncio.all_tasks() if 'websockets' in repr(task)])\n"
    texts = execute_all_at_once([cells[0], LOOK, *cells[start:], "1 + 1"], after + LOOK)
    assert "recv() returns 'ping'" in "".join(texts) and "the handler saw ['ping']" in "".join(texts)
    assert texts[-1] == "[]\n" + texts[1], "a task or a socket is left"

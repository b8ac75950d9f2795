"""JupyterLab in a real, headless browser: a server of its own for the session, a page for each test, and what a hand does there.

A separate pytest run (make test-browser): Playwright keeps an event loop of its own in the thread that the other tests use.
A browser is not Python's to install. It is looked for, and if there is none the run fails and says how to get one.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

try:
    from playwright.sync_api import Page, sync_playwright
except ImportError:
    pytest.exit("the browser tests need playwright, which is not installed here. Try: make test-browser", 1)

ROOT = Path(__file__).resolve().parent.parent.parent
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MISSING = """the browser tests need Chromium, and none was found. Try one of
    sudo apt-get install chromium          (Debian, Ubuntu: chromium-browser)
    .venv/bin/python -m playwright install chromium
or say where one is: CHROMIUM=/path/to/chrome make test-browser"""
QUIET = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-sync".split()
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}
TOKEN = "for-the-tests-only"
READY = """async () => {
    const widget = jupyterapp.shell.currentWidget;
    await widget.context.ready; await widget.sessionContext.ready; await widget.sessionContext.session.kernel.info;
}"""
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


def chromium(playwright) -> str:
    """A browser on this machine."""
    named = os.environ.get("CHROMIUM")
    found = [named] if named else [path for name in NAMES if (path := shutil.which(name))] + [playwright.chromium.executable_path]
    path = next((path for path in found if Path(path).exists()), None)
    if path is None:
        pytest.exit(MISSING, 1)
    return path


class Lab:
    """A JupyterLab server on a folder of its own, which holds a copy of the notebooks."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.files = folder, folder / "files"
        shutil.copytree(ROOT / "notebooks", self.files / "notebooks", ignore=shutil.ignore_patterns(".*", "my-guesses*"))
        shutil.copytree(ROOT / "data", self.files / "data")
        self.settings = folder / "settings"
        self.settings.mkdir()
        (self.settings / "overrides.json").write_text(json.dumps(SETTINGS))
        self.port = free_port()
        with (folder / "log").open("w") as log:
            self.server = subprocess.Popen(
                self._command(), env=self._environment(), stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )

    def _command(self) -> list[str]:
        options = {
            "ip": "127.0.0.1", "port": self.port, "ServerApp.port_retries": 0, "IdentityProvider.token": TOKEN,
            "ServerApp.root_dir": self.files, "LabApp.app_settings_dir": self.settings, "LabApp.extension_manager": "readonly",
            "LabApp.expose_app_in_browser": True, "KernelManager.transport": "ipc",
        }  # fmt: skip
        root = ["--allow-root"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
        return [sys.executable, "-m", "jupyterlab", "--no-browser", *root, *(f"--{name}={value}" for name, value in options.items())]

    def _environment(self) -> dict[str, str]:
        folders = {"JUPYTER_CONFIG_DIR": "c", "JUPYTER_DATA_DIR": "d", "JUPYTER_RUNTIME_DIR": "r", "IPYTHONDIR": "i"}
        here = {name: str(self.folder / short) for name, short in folders.items()}
        return {**os.environ, **here, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}

    def wait(self) -> None:
        """Until it answers."""
        deadline = time.monotonic() + 90
        while self.server.poll() is None and time.monotonic() < deadline:
            try:
                return socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.2)
        raise RuntimeError("JupyterLab did not start:\n" + (self.folder / "log").read_text()[-3000:])

    def address(self, path: str) -> str:
        """Where a notebook opens, in a workspace of its own, so that no other tab comes back."""
        return f"http://127.0.0.1:{self.port}/lab/workspaces/{time.monotonic_ns()}/tree/{path}?token={TOKEN}"

    def write(self, name: str, *cells: str) -> str:
        """A new notebook with these cells; its path in the lab."""
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells], metadata=kernel)
        nbformat.write(book, self.files / name)
        return name

    def close(self) -> None:
        """End the server and its kernels."""
        self.server.send_signal(signal.SIGTERM)
        try:
            self.server.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self.server.pid, signal.SIGKILL)
            self.server.wait()


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@pytest.fixture(scope="session")
def lab(tmp_path_factory) -> Iterator[Lab]:
    lab = Lab(tmp_path_factory.mktemp("lab"))
    try:
        lab.wait()
        yield lab
    finally:
        lab.close()


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(playwright), args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def tab(lab, browser) -> Iterator[Tab]:
    context = browser.new_context(viewport={"width": 1280, "height": 1600}, permissions=["clipboard-read", "clipboard-write"])
    context.set_default_timeout(20_000)
    tab = Tab(lab, context.new_page())
    yield tab
    tab.shut_down()
    context.close()


class Tab:
    """A tab of the browser, with a notebook in it."""

    def __init__(self, lab: Lab, page: Page) -> None:
        self.lab, self.page = lab, page

    def open(self, path: str, theme: str = "light") -> None:
        """Open a notebook and wait until its kernel is there; earlier, Run All would be lost."""
        self.path = path
        self.page.goto(self.lab.address(path), timeout=120_000)
        self.page.wait_for_selector(".jp-Notebook", timeout=120_000)
        self.page.evaluate(READY)
        self.page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", THEMES[theme])
        self.page.wait_for_selector(f'body[data-jp-theme-light="{"true" if theme == "light" else "false"}"]', state="attached")

    def run_all(self, seconds: float = 120) -> None:
        """Run all cells from the menu, and wait until every one has a number."""
        self.page.click('.lm-MenuBar-item:has-text("Run")')
        self.page.click('[data-command="runmenu:run-all"]')
        numbered = "() => [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].every(one => /\\d/.test(one.innerText))"
        self.page.wait_for_function(numbered, timeout=seconds * 1000)

    def show(self, *cells: str, theme: str = "light") -> None:
        """Open a new notebook with these cells, and run it."""
        self.open(self.lab.write(f"{time.monotonic_ns()}.ipynb", *cells), theme)
        self.run_all()

    def add(self, source: str) -> None:
        """One more cell at the end, run; waits until it has a number."""
        self.page.evaluate(
            """async source => {
                const panel = jupyterapp.shell.currentWidget, model = panel.content.model;
                model.sharedModel.insertCell(model.cells.length, {cell_type: 'code', source});
                panel.content.activeCellIndex = model.cells.length - 1;
                await jupyterapp.commands.execute('notebook:run-cell');
            }""",
            source,
        )
        numbered = "() => /\\d/.test([...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].at(-1).innerText)"
        self.page.wait_for_function(numbered)

    def output(self) -> str:
        """What the last cell printed."""
        selector = ".jp-Notebook-cell:last-of-type .jp-OutputArea-output"
        self.page.wait_for_function("s => [...document.querySelectorAll(s)].at(-1)?.innerText.trim()", arg=selector)
        return self.page.evaluate("s => [...document.querySelectorAll(s)].map(one => one.innerText).join('')", selector)

    def screenshot(self, name: str, selector: str) -> None:
        """A picture to look at, in .pytest_cache/screenshots."""
        folder = ROOT / ".pytest_cache" / "screenshots"
        folder.mkdir(parents=True, exist_ok=True)
        self.page.locator(selector).screenshot(path=folder / f"{name}.png")

    def prompts(self) -> list[str]:
        return self.page.eval_on_selector_all(".jp-CodeCell .jp-InputPrompt", "all => all.map(one => one.innerText)")

    def problems(self) -> list[str]:
        """Errors and words on stderr among the outputs."""
        kinds = ("error", "stderr")
        selector = ", ".join(f'[data-mime-type="application/vnd.jupyter.{kind}"]' for kind in kinds)
        return self.page.eval_on_selector_all(selector, "all => all.map(one => one.innerText)")

    def text(self, selector: str) -> str:
        return self.page.inner_text(selector)

    def wait_for_text(self, selector: str, text: str, seconds: float = 30) -> None:
        """Until an element says something."""
        said = "([selector, text]) => document.querySelector(selector)?.innerText.includes(text)"
        self.page.wait_for_function(said, arg=[selector, text], timeout=seconds * 1000)

    def shut_down(self) -> None:
        """End the kernel of the notebook."""
        self.page.evaluate("async () => await window.jupyterapp?.shell.currentWidget?.sessionContext?.shutdown()")

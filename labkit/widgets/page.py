"""What is the same for every widget: its size for a class, what shows without a kernel."""

from __future__ import annotations

import html
from typing import Any

import ipywidgets as widgets
from IPython.display import display

from .result import Result

PROJECTOR = """<style>
.labkit-projector {font-size: 16pt; --jp-widgets-font-size: 16pt;
--jp-widgets-inline-height: 44px; --jp-widgets-inline-width: 30em;
--jp-ui-font-size1: 16pt; --jp-code-font-size: 16pt}
.labkit-projector .labkit-picture {overflow-x: auto} .labkit-projector button {font-size: 16pt}
</style>"""
# What a page does of itself. ipywidgets gives the handle of a slider no name that a screen reader
# could say, so it is given one; and a page beats, as long as it shows the widget, by pressing a
# hidden button.
SCRIPT = """<img alt="" hidden src="data:," onerror="
    let left = 40;
    const bench = () => this.closest('.labkit-bench');
    const name = () => {
        for (const one of bench()?.querySelectorAll('.widget-slider') ?? []) {
            const words = one.querySelector('.widget-label')?.textContent ?? '';
            one.querySelector('.noUi-handle')?.setAttribute('aria-label', words);
        }
        if (left--) setTimeout(name, 250);
    };
    name();
    const beat = () => this.isConnected && bench()?.querySelector('.labkit-beat')?.click();
    setInterval(beat, 1000);">"""
WIDGET = "application/vnd.jupyter.widget-view+json"


def style(projector: bool, key: str) -> Any:
    """What a widget on a page brings along: size, script, and that its still picture is hidden."""
    still = f"<style>.labkit-still-{key} {{display: none}}</style>"
    code = SCRIPT + still + (PROJECTOR if projector else "")
    return widgets.HTML(code, layout={"height": "0", "margin": "0"})


def row(*shown: Any) -> widgets.HBox:
    """Widgets side by side, on as many lines as they need."""
    return widgets.HBox(shown, layout={"flex_flow": "row wrap"})


def mark(box: Any, name: str, projector: bool) -> Any:
    """The same box, with the classes by which style() knows what it is for."""
    box.add_class("labkit-bench")
    box.add_class(name)
    if projector:
        box.add_class("labkit-projector")
    return box


def outputs(box: Any, shown: Result, key: str) -> list[dict[str, Any]]:
    """The widget, and a picture with words for where it does not live: on paper, on a web page.

    Two outputs, since JupyterLab would show nothing but an error of a widget that it cannot bring
    to life; and HTML that an untrusted notebook may show, too.
    """
    words = f"<p>{html.escape(shown.sentence)}</p><p><code>{html.escape(shown.code)}</code></p>"
    image = shown.figure.image if shown.figure else ""
    view = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
    return [
        {WIDGET: view, "text/plain": "(knobs, where there is a kernel)"},
        {
            "text/html": f'<div class="labkit-still-{key}">{image}{words}</div>',
            "text/plain": f"{shown.sentence}\n{shown.code}".strip(),
        },
    ]


def show(box: Any, shown: Result, key: str) -> None:
    """Put both on the page, under the running cell."""
    for data in outputs(box, shown, key):
        display(data, raw=True)

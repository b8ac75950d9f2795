"""What is the same for every widget of the bench: its size for a class, and what is shown of it where there is no kernel."""

from __future__ import annotations

import base64
import html
from typing import Any

import ipywidgets as widgets
from IPython.display import display

from ..plots import Figure
from .result import Result

PROJECTOR = """<style>.labkit-projector {font-size: 16pt; --jp-widgets-font-size: 16pt; --jp-widgets-inline-height: 44px;
--jp-widgets-inline-width: 30em; --jp-ui-font-size1: 16pt; --jp-code-font-size: 16pt}
.labkit-projector .labkit-picture {overflow-x: auto} .labkit-projector button {font-size: 16pt}</style>"""
# What a page does of itself. ipywidgets gives the handle of a slider no name that a screen reader could say, so it is given one; and
# a page beats, as long as it shows the widget, by pressing a button that nobody sees.
SCRIPT = """<img alt="" hidden src="data:," onerror="
    let left = 40;
    const bench = () => this.closest('.labkit-bench');
    const name = () => {
        for (const one of bench()?.querySelectorAll('.widget-slider') ?? [])
            one.querySelector('.noUi-handle')?.setAttribute('aria-label', one.querySelector('.widget-label')?.textContent ?? '');
        if (left--) setTimeout(name, 250);
    };
    name();
    setInterval(() => this.isConnected && bench()?.querySelector('.labkit-beat')?.click(), 1000);">"""
WIDGET = "application/vnd.jupyter.widget-view+json"


def style(projector: bool, key: str) -> Any:
    """What a living widget brings along: its size, its script, and that the still picture beside it is not shown."""
    still = f"<style>.labkit-still-{key} {{display: none}}</style>"
    return widgets.HTML(
        SCRIPT + still + PROJECTOR * projector, layout={"height": "0", "margin": "0"}
    )


def mark(box: Any, projector: bool) -> None:
    """The classes by which style() knows what it is for."""
    box.add_class("labkit-bench")
    if projector:
        box.add_class("labkit-projector")


def outputs(box: Any, shown: Result, key: str) -> list[dict[str, Any]]:
    """The widget, and a picture with words that is seen where the widget does not live: without a kernel, on paper, on a web page.

    Two outputs, since JupyterLab would show nothing but an error of a widget that it cannot bring to life; and HTML that an untrusted
    notebook may show, too.
    """
    words = f"<p>{html.escape(shown.sentence)}</p><p><code>{html.escape(shown.code)}</code></p>"
    image = _image(shown.figure()) if shown.figure else ""
    still = {
        "text/html": f'<div class="labkit-still-{key}">{image}{words}</div>',
        "text/plain": f"{shown.sentence}\n{shown.code}".strip(),
    }
    return [
        {
            WIDGET: {"version_major": 2, "version_minor": 0, "model_id": box.model_id},
            "text/plain": "(knobs, where there is a kernel)",
        },
        still,
    ]


def show(box: Any, shown: Result, key: str) -> None:
    """Put both on the page, under the running cell."""
    for data in outputs(box, shown, key):
        display(data, raw=True)


def _image(drawn: Figure) -> str:
    """A figure as an image within HTML: an SVG element would be taken out of what a page does not trust."""
    data = base64.b64encode(drawn.svg().encode()).decode()
    return (
        f'<img alt="{html.escape(drawn.alt, quote=True)}" src="data:image/svg+xml;base64,{data}">'
    )

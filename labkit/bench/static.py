"""What is the same for every widget of the bench: its size for a class, and what is shown of it where there is no kernel."""

from __future__ import annotations

import html
from typing import Any

import ipywidgets as widgets

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


def style(projector: bool) -> Any:
    """The size of words and knobs, as something that stands among them."""
    return widgets.HTML(SCRIPT + PROJECTOR * projector, layout={"height": "0", "margin": "0"})


def mark(box: Any, projector: bool) -> None:
    """The classes by which style() knows what it is for."""
    box.add_class("labkit-bench")
    if projector:
        box.add_class("labkit-projector")


def bundle(box: Any, shown: Result) -> dict[str, Any]:
    """The widget for a page with a kernel; for every other the same as HTML, and as words."""
    words = f"<p>{html.escape(shown.sentence)}</p><p><code>{html.escape(shown.code)}</code></p>"
    live = box._repr_mimebundle_() or {}
    view = {WIDGET: live[WIDGET]} if WIDGET in live else {}
    return {"text/plain": f"{shown.sentence}\n{shown.code}".strip(), "text/html": shown.picture + words, **view}

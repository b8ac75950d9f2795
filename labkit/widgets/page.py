"""What is the same for every widget: its size for a class, what shows without a kernel."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets
from IPython.display import display

from .result import Result

PROJECTOR = """<style>
.labkit-projector {font-size: 16pt; --jp-widgets-font-size: 16pt;
--jp-widgets-inline-height: 44px; --jp-widgets-inline-width: 30em;
--jp-ui-font-size1: 16pt; --jp-code-font-size: 16pt}
.labkit-projector .labkit-picture {overflow-x: auto} .labkit-projector button {font-size: 16pt}
.labkit-projector .labkit-knobs {max-width: none}
</style>"""
# As wide as the picture, and where the keyboard is; a number that can be typed looks like it.
LOOK = """<style>
.labkit-knobs {max-width: 864px} .labkit-status {font-size: 1.25em}
.labkit-bench :focus-visible {outline: 3px solid var(--jp-brand-color1); outline-offset: 2px}
.labkit-bench .widget-readout {border: 1px solid var(--jp-border-color1)}
.labkit-bench .labkit-pull {font-size: 1.3em; font-weight: bold; height: 2.8em; padding: 0 1.5em}
</style>"""
# What a page does of itself. ipywidgets gives the handle of a slider, and the number beside it, no
# name that a screen reader could say, so they are given one; sentences are said when they change;
# Page keys move a slider by 1 s; and a page beats, as long as it shows the widget, by pressing a
# hidden button.
SCRIPT = """<img alt="" hidden src="data:," onerror="
    let left = 40;
    const bench = () => this.closest('.labkit-bench');
    const name = () => {
        for (const one of bench()?.querySelectorAll('.widget-slider') ?? []) {
            const words = one.querySelector('.widget-label')?.textContent ?? '';
            one.querySelector('.noUi-handle')?.setAttribute('aria-label', words);
            one.querySelector('.widget-readout')?.setAttribute('aria-label', words);
            one.querySelector('.widget-readout')?.setAttribute('role', 'textbox');
        }
        for (const one of bench()?.querySelectorAll('.labkit-says') ?? []) {
            one.setAttribute('role', 'status');
            one.setAttribute('aria-live', 'polite');
        }
        bench()?.addEventListener('keydown', page, true);
        if (left--) setTimeout(name, 250);
    };
    const page = event => {
        const way = {PageUp: 1, PageDown: -1}[event.key];
        const slider = event.target.closest?.('.noUi-target');
        if (!way || !slider) return;
        event.preventDefault();
        event.stopPropagation();
        const to = Number(slider.noUiSlider.get()) + way;
        if (!slider.hasAttribute('disabled')) slider.noUiSlider.set(to);
    };
    name();
    const beat = () => this.isConnected && bench()?.querySelector('.labkit-beat')?.click();
    setInterval(beat, 1000);">"""
WIDGET = "application/vnd.jupyter.widget-view+json"


def style(projector: bool, key: str) -> Any:
    """What a widget on a page brings along: size, script, and that its still picture is hidden."""
    still = f"<style>.labkit-still-{key} {{display: none}}</style>"
    code = SCRIPT + LOOK + still + (PROJECTOR if projector else "")
    return widgets.HTML(code, layout={"height": "0", "margin": "0"})


def row(*shown: Any) -> widgets.HBox:
    """Widgets side by side, on as many lines as they need."""
    return widgets.HBox(shown, layout={"flex_flow": "row wrap", "align_items": "center"})


def fold(words: str, *shown: Any) -> tuple[Any, Any]:
    """A button "More …" that opens and closes what is not shown at first, and the box of that."""
    button = widgets.ToggleButton(False, description=f"More {words}", layout={"width": "auto"})
    button.add_class("labkit-more")
    box = widgets.VBox(shown, layout={"display": "none"})

    def turn(change: Any) -> None:
        button.description = f"{'Fewer' if button.value else 'More'} {words}"
        # Not None, which Pyodide does not tell the page.
        box.layout.display = "flex" if button.value else "none"

    button.observe(turn, "value")
    return button, box


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
    to life.
    """
    still = shown._repr_mimebundle_()
    view = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
    return [
        {WIDGET: view, "text/plain": "(knobs, where there is a kernel)"},
        {
            **still,
            "text/html": f'<div class="labkit-still-{key}">{still["text/html"]}</div>',
        },
    ]


def show(box: Any, shown: Result, key: str) -> None:
    """Put both on the page, under the running cell."""
    for data in outputs(box, shown, key):
        display(data, raw=True)

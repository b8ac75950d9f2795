"""What is shown of a widget where there is no kernel: a picture, the sentence and the code, beside the widget itself."""

from __future__ import annotations

import html
from typing import Any

from .result import Result

WIDGET = "application/vnd.jupyter.widget-view+json"


def bundle(box: Any, shown: Result) -> dict[str, Any]:
    """The widget for a page with a kernel; for every other the same as HTML, and as words."""
    words = f"<p>{html.escape(shown.sentence)}</p><p><code>{html.escape(shown.code)}</code></p>"
    live = box._repr_mimebundle_() or {}
    view = {WIDGET: live[WIDGET]} if WIDGET in live else {}
    return {"text/plain": f"{shown.sentence}\n{shown.code}".strip(), "text/html": shown.picture + words, **view}

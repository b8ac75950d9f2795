"""A notebook in projector size: what the last row of a classroom can read."""

from __future__ import annotations

from IPython.display import HTML

HERE = ".jp-Notebook:has(.labkit-class)"  # this notebook, and no other that is open beside it
LOOK = f"""<style class="labkit-class">
{HERE} {{--jp-content-font-size1: 21px; --jp-code-font-size: 20px; --jp-cell-prompt-width: 40px;
--jp-content-line-height: 1.5; --jp-code-line-height: 1.45}}
{HERE} :is(.jp-OutputArea-output pre, table) {{font-size: 20px}}
{HERE} .labkit-figure:not(.labkit-projector *) {{width: min(100%, 1600px) !important;
height: auto !important}}
{HERE} .labkit-player {{max-width: 1600px !important; font-size: 20px}}
{HERE} .labkit-player svg {{width: 100%; max-width: 1600px}}
</style>"""


def enlarge() -> HTML:
    """Show the notebook of this cell, its code, its texts and its figures, in projector size."""
    return HTML(LOOK)

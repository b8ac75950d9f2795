"""Makes labkit/plots/widths.py's table anew:  python tests/text_widths.py

The advance widths of DejaVu Sans, which matplotlib brings along, in 1/2048 of the font size.
"""

from __future__ import annotations

from pathlib import Path

from matplotlib import get_data_path
from matplotlib.ft2font import FT2Font, LoadFlags

CHARS = [chr(code) for code in (*range(32, 127), *range(160, 173), *range(174, 256))]
CHARS += "–—‘’“”…→←↔↑↓≤≥≈−●○◇◆★▲△▼▽✓✕✗◔"


def table(face: str) -> dict[int, str]:
    """Width (1/2048 em) → the characters that are so wide, the usual ones only."""
    font = FT2Font(str(Path(get_data_path()) / "fonts" / "ttf" / f"{face}.ttf"))
    font.set_size(2048, 72)
    rows: dict[int, str] = {}
    for char in CHARS:
        advance = font.load_char(ord(char), flags=LoadFlags.NO_HINTING).linearHoriAdvance
        rows[round(advance / 65536)] = rows.get(round(advance / 65536), "") + char
    return dict(sorted(rows.items()))


def lines(name: str, rows: dict[int, str]) -> str:
    escaped = {ord("\\"): "\\\\", ord("\xa0"): "\\xa0"}
    text = "\n".join(f"{wide} {chars}".translate(escaped) for wide, chars in rows.items())
    return f'{name} = _table("""\n{text}\n""")'


if __name__ == "__main__":
    print(lines("SANS", table("DejaVuSans")))
    print(lines("BOLD", table("DejaVuSans-Bold")))

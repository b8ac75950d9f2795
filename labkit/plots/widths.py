"""How wide words are, in points, and how they break into lines: a table, no font needed.

The widths are DejaVu Sans's, in 1/2048 of the font size; ``python tests/text_widths.py`` makes the
tables anew, and a test holds them against the font. Kerning is left out: it makes words narrower by
a hundredth at most.
"""

from __future__ import annotations

import re
from functools import lru_cache

FAMILY = "DejaVu Sans"
LINE = 1.25  # of the font size, from one line to the next
UNKNOWN = 2048  # a character that is not in the table is as wide as it is high


def _table(rows: str) -> dict[int, str]:
    """A width, a space, and the characters that are so wide."""
    cells = (row.partition(" ") for row in rows.strip("\n").split("\n"))
    return {int(wide): chars for wide, _, chars in cells}


SANS = _table("""
563 '
569 ijlìíîï
604 IJÌÍÎÏ
651  ,.\xa0·‘’
690 /:;\\|¦
721 f
739 -
799 ()[]
803 t
821 !¡²³¹
842 r
942 "
965 ªº
1024 *_`§¨¯°´¸–
1061 “”
1067 s
1075 z
1087 ?¿
1126 cç
1141 L
1178 F
1186 k
1212 vxyýÿ
1235 P
1239 Þ
1251 TYÝ
1253 o«»ðòóôõöø
1255 aàáâãäå
1260 eèéêë
1290 ß
1294 EÈÉÊË
1298 hnuñùúûü
1300 Sbdgpqþ
1303 $0123456789{}¢£¤¥µ¶
1343 K
1401 AVÀÁÂÃÄÅ
1403 XZ
1405 B
1423 R
1430 CÇ
1499 UÙÚÛÜ
1532 NÑ
1540 H
1575 ◇◆▲△▼▽
1577 D
1587 GÐ
1597 &
1612 OQÒÓÔÕÖØ
1675 w
1716 #+<=>^~¬±×÷→←↔↑↓≤≥≈−✓✕✗
1767 M
1787 ●○◔
1836 ★
1946 %
1985 ¼½¾
1995 mÆ
2011 æ
2025 W
2048 @©®—…
""")
BOLD = _table("""
627 '
702 ijlìíîï
713  \xa0
748 /\\|¦
762 IJÌÍÎÏ
778 ,.·‘’
819 :;
850 -
891 f
897 ²³¹
934 !¡
936 ()[]
979 t
1010 r
1024 _`§¨¯°´¸–
1067 "
1071 *
1155 ªº
1188 ?¿
1192 z
1214 cç
1219 s
1303 ¤¶
1305 L
1321 x
1323 «»
1335 vyýÿ
1346 “”
1362 k
1382 aàáâãäå
1389 eèéêë
1397 T
1399 EFÈÉÊË
1407 oðòóôõöø
1425 $0123456789¢£¥
1458 hnu{}ñùúûü
1466 bdgpqþ
1473 ß
1475 S
1483 YÝ
1485 Z
1501 P
1503 CÇ
1507 µ
1511 Þ
1561 B
1575 ◇◆▲△▼▽
1577 R
1579 X
1585 AVÀÁÂÃÄÅ
1587 K
1663 UÙÚÛÜ
1681 G
1700 D
1714 HNÑ
1716 #+<=>^~¬±Ð×÷→←↔↑↓≤≥≈−✓✕✗
1741 OQÒÓÔÕÖØ
1786 &
1787 ●○◔
1836 ★
1892 w
2038 M
2048 @©®—…
2052 %
2120 ¼½¾
2134 m
2146 æ
2222 Æ
2259 W
""")
ADVANCES = [
    {char: wide for wide, chars in table.items() for char in chars} for table in (SANS, BOLD)
]


@lru_cache(maxsize=8192)
def width(text: str, size: float, bold: bool = False) -> float:
    """The width of one line of text (points)."""
    advances = ADVANCES[bold]
    return sum([advances.get(char, UNKNOWN) for char in text]) * size / 2048


def extent(text: str, size: float, bold: bool = False, line: float = LINE) -> tuple[float, float]:
    """The width and height of a text of one or more lines (points)."""
    rows = text.split("\n")
    return max(width(row, size, bold) for row in rows), size * (1.0 + line * (len(rows) - 1))


def wrap(text: str, size: float, most: float, bold: bool = False) -> str:
    """The text in lines of at most ``most`` points; a number and its unit stay together."""
    lines = [""]
    words = re.split(r"(?<!\d)\s+|(?<=\d)\s+(?!(?:m?s|min|[kKM]?i?B|bytes)\b)", text.strip())
    for word in words:
        longer = f"{lines[-1]} {word}".strip()
        if not lines[-1] or width(longer, size, bold) <= most:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)


def even(text: str, size: float, most: float, bold: bool = False) -> str:
    """As few lines as there have to be, about as long as each other."""
    parts = (1.0, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5)
    tries = [wrap(text, size, part * most, bold) for part in parts]
    return [one for one in tries if one.count("\n") == tries[0].count("\n")][-1]

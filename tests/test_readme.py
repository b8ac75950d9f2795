"""Everything in the README is true: its Python runs, its commands run, its links lead somewhere."""

import re
import shlex
from pathlib import Path

from PIL import Image

from labkit.__main__ import main
from labkit.commandline import parser

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_the_ten_lines_run_and_give_what_their_comments_say(capsys):
    (code,) = blocks("python")
    names = {}
    exec(code, names)
    promised = re.findall(r"^(trace\.\w+\(\"\w+\"\))\s+# (\S+)", code, re.MULTILINE)
    assert len(promised) == 3
    for line, value in promised:
        assert eval(line, names) == eval(value), line
    assert "fact − theory" in capsys.readouterr().out


def test_the_picture_is_the_one_that_the_ten_lines_draw(tmp_path):
    (code,) = blocks("python")
    names = {}
    exec(code, names)
    drawn = names["plots"].save(names["plots"].lag(names["trace"]), tmp_path / "blamed.png")
    shown, made = (Image.open(path).text["Description"] for path in (ROOT / "data" / "blamed.png", drawn))
    assert shown == made, "data/README.md tells how the picture is made"


def test_the_example_in_labkits_own_docstring_runs():
    import labkit

    names = {}
    exec(re.sub(r"^ {4}", "", labkit.__doc__.split(":\n\n")[1].rsplit("\n\n", 1)[0], flags=re.MULTILINE), names)
    assert names["trace"].told_at("server") == 17


def test_the_commands_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    commands = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("python -m labkit")]
    assert len(commands) == 4
    for command in commands:
        assert main(shlex.split(command)[3:]) == 0, command
    assert (tmp_path / "figure.svg").exists()
    shown = [line for block in blocks("text") for line in block.splitlines()]
    asked = [parser().parse_args(shlex.split(line, comments=True)[3:]).command for line in shown]
    assert asked == ["doctor", "wire"]


def test_its_links_and_make_targets_exist():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (ROOT / target).exists(), target
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"`?make (\w+)", README):
        if target not in ("alone", "and"):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_notebook_is_listed():
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        assert f"(notebooks/{path.name})" in README


def test_it_is_short_and_leads_to_the_symptoms_on_its_first_screen():
    lines = README.splitlines()
    assert len(lines) < 120
    assert any("(notebooks/symptoms.md)" in line for line in lines[:15])

"""docs/contributing.md names every file and folder of gradcheck/, and none that is not there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAP = (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8").split("## The rooms")[1]
ROOMS = MAP.split("\n## ")[0]
NAMED = {name.rstrip("/") for name in re.findall(r"`([a-z_0-9]+(?:\.py|/))`", ROOMS)}
OF_PYTHON = {"__init__.py", "__main__.py", "__pycache__", "py.typed"}


def test_every_file_and_folder_has_its_place():
    there = {path.name for path in (ROOT / "gradcheck").iterdir()} - OF_PYTHON
    assert there <= NAMED, f"add to the map in docs/contributing.md: {sorted(there - NAMED)}"


def test_what_is_named_is_there():
    files = {path.name for path in (ROOT / "gradcheck").rglob("*") if path.name != "__pycache__"}
    assert files >= NAMED, f"gone: {sorted(NAMED - files)}"

"""Every layer and every loss has its line in the list of its folder."""

from pathlib import Path

import pytest

from reference import layers, losses

FOLDERS = {"layers": (layers, layers.LAYERS), "losses": (losses, losses.LOSSES)}


def modules_of(package):
    """Names of the package's files that hold a forward and a vjp."""
    files = Path(package.__file__).parent.glob("[!_]*.py")
    texts = {path.stem: path.read_text(encoding="utf-8") for path in files}
    return {name for name, text in texts.items() if "\ndef forward(" in text}


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_line_is_missing_and_none_is_left_over(folder):
    package, listed = FOLDERS[folder]
    names = modules_of(package)
    assert sorted(names - set(listed)) == [], f"add these to reference/{folder}/__init__.py"
    assert sorted(set(listed) - names) == [], f"reference/{folder} has no such module"
    assert len(listed) == len(set(listed))

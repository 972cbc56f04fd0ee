"""Pages that are made from the code: written, or only held against what they would be."""

from pathlib import Path


def settle(page: Path, text: str, arguments: list[str]) -> int:
    """Write a page of docs/; with --check, return 1 where it is stale and write nothing."""
    if "--check" in arguments:
        stale = not page.exists() or page.read_text(encoding="utf-8") != text
        print(f"docs/{page.name} is stale" if stale else f"docs/{page.name} is up to date")
        return int(stale)
    page.write_text(text, encoding="utf-8")
    print(f"wrote docs/{page.name}")
    return 0

"""The items of one pytest run: every subject, check, dtype and device that apply."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gradcheck.checks import all_checks
from gradcheck.checks.base import Check
from gradcheck.errors import UsageError
from gradcheck.parametrize import Family
from gradcheck.subject import Subject

if TYPE_CHECKING:
    from gradcheck.session import Session


class BoundCheck:
    """A check as a test calls it: `check(subject)`."""

    def __init__(self, session: Session, check: Check, dtype: str, device: str, known: Any) -> None:
        self.session, self.check = session, check
        self.dtype, self.device, self.known = dtype, device, known

    def __call__(self, subject: Subject) -> None:
        __tracebackhide__ = True
        self.session.verify(subject, self.check, self.dtype, self.device, self.known)

    def __repr__(self) -> str:
        return f"<check {self.check.name}>"


def items_of(family: Family, session: Session) -> list[tuple[str, Subject, BoundCheck]]:
    """(id, subject, check) for every subject, check that applies, dtype and device."""
    items = []
    for subject in family.subjects:
        for check in all_checks().values():
            for dtype in family.dtypes:
                if check.why_not(subject, dtype):
                    continue
                for device in session.devices:
                    identity = f"{subject.name}::{check.name}::{dtype}::{device}"
                    known = session.known_failure(identity, family.known_failures)
                    bound = BoundCheck(session, check, dtype, device, known)
                    items.append((identity, subject, bound))
    return items


class LayerItem(pytest.Item):
    """An item of `--gradcheck-layer`: no test file stands behind it."""

    run_check: Any = None
    identity = ""

    def runtest(self) -> None:
        __tracebackhide__ = True
        self.run_check()

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return Path("gradcheck"), None, self.identity


class Level(pytest.Collector):
    """A part of the id of such an item: its subject, check or dtype."""

    def collect(self) -> list[pytest.Item]:
        return []


def layer_items(path: str, parent: pytest.Session, session: Session) -> list[pytest.Item]:
    """The items of one `--gradcheck-layer package.module:object`."""
    from gradcheck.adapters import adapt
    from gradcheck.locate import locate

    try:
        subject = adapt(locate(path))
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
    items: list[pytest.Item] = []
    for identity, one, bound in items_of(Family((subject,)), session):
        # A node for each part of the id: so pytest finds it again, for --lf and -k.
        *above, last = identity.split("::")
        home: pytest.Collector = parent
        for part in above:
            home = Level.from_parent(home, name=part)
        item = LayerItem.from_parent(home, name=last)
        item.identity = identity
        item.run_check = lambda one=one, bound=bound: bound(one)
        items.append(item)
    return items

"""What this library raises. A wrong gradient is never one of these, unless it is asked for."""


class GradcheckError(Exception):
    """Root of everything raised here on purpose."""


class UsageError(GradcheckError, ValueError):
    """An argument that cannot be used: one line that names it and its value.

    Likely causes: a shape string that does not parse, an input the forward does not take, a
    forward that raises at every generated example, an object no adapter knows.
    """


class MissingExtra(UsageError, ImportError):
    """A framework that was asked for is not installed: the line names the extra to install."""


class GradientError(GradcheckError, AssertionError):
    """Raised by `Report.raise_if_failed`: the text is the diagnosis, `report` the whole of it."""

    def __init__(self, report: object) -> None:
        super().__init__(str(report))
        self.report = report

"""Which step sizes a comparison tries, and in what order."""

from __future__ import annotations

from collections.abc import Iterator

from gradcheck.oracles import finite_difference as fd


def steps(line: fd.Line, scans: list[fd.Scan]) -> Iterator[float]:
    """Step sizes, the promising first: finer where the noise falls with the step, else wider.

    Beyond the usual ones, ever wider while noise is all that limits the widest: an input may be
    small against the length over which the function varies.
    """
    first, second, wide, *fine = (2.0**exponent for exponent in fd.EXPONENTS)
    yield first
    yield second
    etas = {scan.step: scan.eta for scan in scans}
    falls = etas.get(second, 0.0) < etas.get(first, 0.0) / 4
    if falls:
        yield from fine
    yield wide
    yield from _widening(line, scans)
    if not falls:
        yield from fine
    yield from _refining(line, scans)


def _refining(line: fd.Line, scans: list[fd.Scan]) -> Iterator[float]:
    """Ever finer while the finest level shows structure, not noise: a root at 0, a fast wave.

    And once more where it did: one level that is calm at last has no other to bear it out.
    """
    step = 2.0 ** fd.EXPONENTS[-1]
    begun = False
    while step > 2.0**-120:
        finest = min(scans, key=lambda scan: scan.step, default=None)
        if finest is None or finest.step != step:
            return
        going_on = _structured(line, finest, scans)
        if not going_on and not (begun or _calmed(finest, scans)):
            return
        begun = going_on
        step /= 32
        yield step


def _calmed(finest: fd.Scan, scans: list[fd.Scan]) -> bool:
    """Whether the finest level alone is calm, of a function that still moves there."""
    before = [scan for scan in scans if scan.step == 32 * finest.step]
    return bool(
        before and finest.changed and before[0].eta > 2.0**10 * max(finest.eta, finest.rounding)
    )


def _structured(line: fd.Line, finest: fd.Scan, scans: list[fd.Scan]) -> bool:
    """Whether values still change with the step as no noise would."""
    before = [scan for scan in scans if scan.step == 32 * finest.step]
    if not before or finest.eta <= 4 * finest.rounding:
        return False
    # A root, a fast wave; or a leap, which may be a slope of 1e12 that is yet to be seen.
    leap = abs(finest.high - 32 * before[0].high) < abs(before[0].high)
    return finest.eta < before[0].eta / 4 or (leap and finest.high != 0.0)


def _widening(line: fd.Line, scans: list[fd.Scan]) -> Iterator[float]:
    step = 2.0 ** fd.EXPONENTS[2]
    while scans and _noise_limited(line, max(scans, key=lambda scan: scan.step), step):
        step *= 32
        yield step


def _noise_limited(line: fd.Line, widest: fd.Scan, step: float) -> bool:
    """Whether the level at `step` was reached and shows rounding alone."""
    if not widest.changed:  # too small to move anything, beside a number that it is added to
        return widest.step == step and step * line.unit < 1.0
    quiet = line.stencil.amplification * max(widest.eta, widest.rounding) / step
    return (
        widest.step == step
        and step < 2.0**40
        and abs(widest.high - widest.low) <= 4 * quiet
        and widest.eta <= 64 * max(widest.rounding, 1e-300)
        and abs(widest.high) * 2.0**-40 < quiet
    )

"""Which devices a run is asked to use, and whether they are there."""

from __future__ import annotations

from gradcheck.errors import UsageError

CHOICES = ("cpu", "cuda", "all")


def devices_of(choice: str) -> tuple[str, ...]:
    """Devices by option: asking for CUDA where there is none is an error, not a skip."""
    if choice not in CHOICES:
        raise UsageError(f"--gradcheck-device={choice!r}, expected one of {', '.join(CHOICES)}")
    if choice == "cpu":
        return ("cpu",)
    if not has_cuda():
        if choice == "all":
            return ("cpu",)
        raise UsageError("--gradcheck-device='cuda': no CUDA device is available to torch here")
    return ("cuda",) if choice == "cuda" else ("cpu", "cuda")


def require_device(device: object) -> None:
    """UsageError unless a run on this one device can begin."""
    if device not in ("cpu", "cuda"):
        raise UsageError(f"check: device={device!r}, expected 'cpu' or 'cuda'")
    if device == "cuda" and not has_cuda():
        raise UsageError("check: device='cuda': no CUDA device is available to torch here")


def has_cuda() -> bool:
    """Whether torch is installed and sees a CUDA device."""
    try:
        import torch
    except ImportError:
        return False
    return bool(torch.cuda.is_available())

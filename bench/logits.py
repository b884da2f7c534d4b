"""Logits, 100,000 x 100 in float32: surprise against SciPy's logsumexp and PyTorch's cross_entropy.

PyTorch computes in float32 and checks nothing; we compute in float64, and `surprise` checks its input. Threads are
the same for both: all cores against all cores, one against one.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.special import logsumexp
from timing import Check, arguments, conclude, faster, measure, show

import logloss as ll
from logloss import kernels
from logloss.kernels import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

ROWS, CLASSES = 10**5, 100
DOOR, KERNEL, SCIPY, TORCH = "surprise (checked)", "kernel", "SciPy logsumexp", "PyTorch cross_entropy"


def logits(rng: np.random.Generator) -> tuple[Array, Array]:
    """Draw logits and outcomes that follow them (Gumbel's trick)."""
    Z = (2 * rng.normal(size=(ROWS, CLASSES))).astype(np.float32)
    return (Z + rng.gumbel(size=Z.shape)).argmax(axis=1), Z


def by_scipy(y: Array, Z: Array) -> float:
    return float(np.mean(logsumexp(Z, axis=1) - Z[np.arange(len(Z)), y]))


def on_one_thread(y: Array, Z: Array) -> float:
    """Call the compiled kernel itself: no slices, so no threads."""
    out = np.empty(len(Z))
    y, Z = y.view(), Z.view()
    y.flags.writeable = Z.flags.writeable = False
    compiled.class_logit(y, Z, out)
    return float(out.mean())


def all_cores(y: Array, Z: Array, rounds: int) -> list[Check]:
    cores = os.cpu_count() or 1
    torch.set_num_threads(cores)
    given, values = torch.from_numpy(y), torch.from_numpy(Z)
    contenders = {
        DOOR: lambda: float(ll.surprise(y, Z, space="logit").mean()),
        KERNEL: lambda: float(kernels.class_logit(y, Z).mean()),
        SCIPY: lambda: by_scipy(y, Z),
        TORCH: lambda: float(torch.nn.functional.cross_entropy(values, given)),
    }
    times = measure(contenders, rounds)
    show(f"{ROWS:,} x {CLASSES} float32 logits, all threads (SciPy: one)", times)
    pairs = [(ours, peer, bound) for ours in (DOOR, KERNEL) for peer, bound in ((SCIPY, 3), (TORCH, 2))]
    return [faster(times, *pair) for pair in pairs]


def one_core(y: Array, Z: Array, rounds: int) -> list[Check]:
    torch.set_num_threads(1)
    given, values = torch.from_numpy(y), torch.from_numpy(Z)
    contenders = {
        KERNEL: lambda: on_one_thread(y, Z),
        SCIPY: lambda: by_scipy(y, Z),
        TORCH: lambda: float(torch.nn.functional.cross_entropy(values, given)),
    }
    times = measure(contenders, rounds)
    show(f"{ROWS:,} x {CLASSES} float32 logits, one thread", times)
    checks = [faster(times, KERNEL, SCIPY, 3), faster(times, KERNEL, TORCH, 2)]
    return [Check(f"one thread: {c.what}", c.measured, c.claim, c.passed) for c in checks]


def main() -> None:
    options = arguments(__doc__, rounds=25)
    y, Z = logits(np.random.default_rng(3))
    checks = [*all_cores(y, Z, options.rounds), *one_core(y, Z, options.rounds)]
    conclude(checks, strict=options.strict)


if __name__ == "__main__":
    main()

"""Starting up: the command's --help, the import, and a first small score, each in a fresh process.

Bare Python and `import numpy` run beside them: the floor that nobody gets under.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median

from timing import Check, Times, arguments, conclude, measure, show

HELP, IMPORT, FIRST = "logloss --help", "import logloss", "first score of 6 rows"
LARGE = "first log_loss of 100,000 rows"
SIX = "import logloss as ll; ll.score([1, 1, 1, 0, 0, 0], [.5, .1, .01, .9, .75, .001])"
MANY = "import logloss as ll, numpy as np; ll.log_loss(np.arange(10**5) % 2, np.full(10**5, 0.5))"
LATE = ("pandas", "sklearn", "torch", "numba")
PROGRAMS = {
    "python -c pass": "pass",
    "import numpy": "import numpy",
    IMPORT: "import logloss",
    FIRST: SIX,
    LARGE: MANY,
    "import sklearn.metrics": "import sklearn.metrics",
}


def run(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def script() -> str | None:
    """Return the installed command beside this Python, or on the path."""
    beside = Path(sys.executable).with_name("logloss")
    return str(beside) if beside.exists() else shutil.which("logloss")


def under(times: Times, what: str, seconds: float) -> Check:
    took = median(times[what])
    return Check(what, f"{took:.3f} s (fastest {min(times[what]):.3f} s)", f"< {seconds:g} s", took < seconds)


def imported() -> Check:
    """Look which heavy libraries `import logloss` brings in."""
    program = f"import sys, logloss; print(*[name for name in {LATE!r} if name in sys.modules])"
    found = run([sys.executable, "-c", program]).split()
    return Check(
        "import logloss leaves out " + ", ".join(LATE), ", ".join(found) or "none imported", "none", not found
    )


def main() -> None:
    options = arguments(__doc__)
    programs = {name: [sys.executable, "-c", program] for name, program in PROGRAMS.items()}
    command = script()
    if command is None:
        print("The command `logloss` is not installed here: its --help is left out.\n")
    else:
        programs[HELP] = [command, "--help"]
    times = measure(
        {name: (lambda program=program: run(program)) for name, program in programs.items()}, options.rounds
    )
    show("Fresh processes", times)
    checks = [under(times, HELP, 0.3)] if HELP in times else []
    checks += [under(times, FIRST, 1.0), imported()]
    conclude(checks, strict=options.strict)


if __name__ == "__main__":
    main()

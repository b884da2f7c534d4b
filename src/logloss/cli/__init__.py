"""The command line: parse, call, print. It computes nothing; `--json` prints what Python returns."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; every error of ours is one paragraph on stderr with its exit code."""
    from logloss.cli.commands import cli
    from logloss.errors import LoglossError

    try:
        cli(prog_name="logloss")
    except LoglossError as error:
        from logloss.cli.output import complain

        complain(error)
        sys.exit(error.exit_code)
    except OSError as error:
        import os

        # What is left in the buffer would be written, and fail, once more when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # the reader went away: nothing to report
            sys.exit(0)
        sys.stderr.write(f"error: the output cannot be written: {error.strerror or error}.\n")
        sys.exit(1)

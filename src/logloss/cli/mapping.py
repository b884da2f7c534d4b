"""What the verbs that make maps share: where maps and tables may be written, and what was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["OUT", "refuse_to_save_map", "written_as_text"]

OUT = "Write the table again with better forecasts (.csv, .tsv, .parquet, .arrow, .jsonl)."


def written_as_text(written: dict[str, Any] | None, *, held_out: bool, save: str | None) -> str:
    """Say what was written."""
    lines = []
    if written is not None:
        what = ", each row under a map fitted without it" if held_out else ""
        lines.append(
            f"  wrote {written['file']} ({written['rows']:,} rows, {', '.join(written['columns'][:5])}{what})"
        )
    if save:
        lines.append(f"  saved the map to {save}: logloss apply {save} NEW --out better.csv")
    return "\n\n" + "\n".join(lines) if lines else ""


def refuse_to_save_map(path: str, *, force: bool, inputs: Sequence[str | None]) -> None:
    """Refuse a path where a map cannot be written: it replaces a map, and nothing else."""
    from pathlib import Path

    from logloss.calibrate.pooled import load_map
    from logloss.errors import SourceError
    from logloss.rewriting import refuse_inputs

    refuse_inputs(path, inputs)
    if Path(path).exists() and not force:
        try:
            load_map(path)
        except SourceError:
            raise SourceError(
                "would-overwrite",
                f"{path} exists and is not a map.",
                cure="Choose another name, or say --force.",
            ) from None
    if not Path(path).absolute().parent.is_dir():
        raise SourceError("cannot-write", f"{path}: there is no such folder.", cure="Make the folder first.")

"""The house rules, asserted from the syntax trees: who may import whom, how long a file may be."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import logloss

SRC = Path(logloss.__file__).parent

# Each line is a floor; a module imports only from floors below its own.
FLOORS: list[set[str]] = [
    {
        "annotation",
        "annotation.mixture",
        "baserates",
        "baserates.proportions",
        "betting",
        "calibrate",
        "calibrate.newton",
        "calibrate.odds",
        "comparing",
        "curves",
        "curves.binning",
        "curves.crowds",
        "curves.stretches",
        "deciding",
        "dependence",
        "display",
        "entropies",
        "errors",
        "examples",
        "exports",
        "figures",
        "fixing",
        "fixing.folds",
        "interval",
        "kernels.divergence",
        "learning",
        "learning.lesson",
        "models",
        "models.siring",
        "multiplicity",
        "plain",
        "refereeing",
        "reporting",
        "rewording",
        "rules",
        "slicing",
        "stages",
        "text",
        "why",
        "yesno",
    },
    {
        "annotation.estimators",
        "annotation.noise",
        "bars",
        "calibrate.maps",
        "comparing.pairs",
        "curves.bands",
        "curves.elementary",
        "curves.thresholds",
        "deciding.cells",
        "display.cells",
        "display.frame",
        "exports.sqlterms",
        "finding",
        "kernels.compiled",
        "kernels.oracle",
        "models.likelihood",
        "pairing",
        "reading",
        "saving",
        "tally.bins",
        "tally.moments",
        "tally.table",
        "tally.top",
        "units",
    },
    {
        "calibrate.descriptions",
        "calibrate.matrices",
        "calibrate.stored",
        "deciding.wording",
        "display.pictures",
        "exports.sqlcuts",
        "figures.ground",
        "figures.pens",
        "kernels.classes",
        "kernels.clips",
        "kernels.curvature",
        "kernels.draws",
        "kernels.gathers",
        "kernels.tiles",
        "reporting.packing",
        "tally.keyed",
        "tally.ledger",
        "why.budgets",
    },
    {
        "display.shown",
        "figures.forest",
        "figures.scales",
        "figures.vectors",
        "kernels.duels",
        "kernels.folds",
    },
    {"annotation.sampling", "codes", "comparing.evidence", "figures.drawing", "kernels", "notes", "tally"},
    {
        "baserates.rates",
        "comparing.contest",
        "comparing.counts",
        "dependence.folded",
        "dependence.series",
        "exports.sqlodds",
        "exports.sqlrows",
        "figures.budget",
        "figures.candidates",
        "figures.clips",
        "figures.concentrations",
        "figures.confusions",
        "figures.differences",
        "figures.doubts",
        "figures.gaps",
        "figures.losses",
        "figures.payers",
        "figures.payoffs",
        "figures.reliability",
        "figures.segments",
        "figures.thresholds",
        "figures.wealth",
        "kernels.certainty",
        "kernels.derivatives",
        "labels",
        "multiplicity.bootstrap",
        "multiplicity.maxima",
        "oddsgrid",
        "recognise",
        "record",
        "refereeing.portions",
        "refereeing.splits",
        "reporting.contents",
    },
    {
        "alignment",
        "batches",
        "calibrate.families",
        "comparing.bases",
        "curves.costs",
        "deciding.utilities",
        "exports.sqlpairs",
        "forensics",
        "indicators",
        "models.broods",
        "multiplicity.confidencesets",
        "multiplicity.simultaneous",
        "refereeing.hypotheses",
        "refereeing.witnesses",
        "reporting.acting",
        "reporting.advising",
        "reporting.answers",
        "reporting.facts",
        "reporting.heads",
        "reporting.page",
        "reporting.rivals",
        "reporting.withholding",
        "reporting.writing",
        "slicing.segments",
    },
    {
        "calibrate.blunders",
        "calibrate.pools",
        "delimited",
        "exports.pycode",
        "feeds",
        "models.raffles",
        "observations",
        "rewriting",
    },
    {
        "calibrate.clip",
        "calibrate.isotonic",
        "calibrate.scaling",
        "calibrate.temperature",
        "columns",
        "exports.sqlcode",
        "files",
        "joining",
        "refereeing.heldout",
        "slicing.resampling",
        "slicing.searching",
        "surprises",
        "why.whatif",
    },
    {
        "betting.stakes",
        "calibrate.fitted",
        "calibrate.venn_abers",
        "choosing",
        "comparing.tallies",
        "curves.events",
        "entropies.distributions",
        "entropies.replication",
        "entropies.shares",
        "exact",
        "joins",
        "lanes",
        "slicing.contrasts",
        "streams",
        "summary",
        "why.crossfit",
        "why.steps",
    },
    {
        "baselines",
        "baserates.shifts",
        "betting.wealth",
        "calibrate.fits",
        "calibrate.grids",
        "calibrate.pooled",
        "comparing.drawn",
        "curves.gridpools",
        "curves.questions",
        "deciding.payoffs",
        "deciding.policies",
        "folding",
        "grouping",
        "panel",
        "reporting.cells",
        "reporting.mixes",
        "slicing.slices",
        "sources",
        "why.halves",
        "why.remedies",
        "why.savings",
        "why.sides",
    },
    {
        "annotation.unlabelled",
        "calibrate.stacks",
        "checkpoints",
        "comparing.recovered",
        "conventions",
        "display.losses",
        "entropies.replicates",
        "fixing.divisions",
        "fixing.race",
        "outcomes",
        "plan",
        "readings",
        "why.asides",
        "why.decomposition",
        "why.findings",
        "why.gridsteps",
        "yesno.columns",
    },
    {
        "comparing.entrants",
        "comparing.parts",
        "comparing.sentences",
        "curves.entries",
        "curves.frames",
        "deciding.facing",
        "deciding.sentences",
        "fixing.cards",
        "fixing.copies",
        "fixing.fields",
        "fixing.gains",
        "fixing.outputs",
        "fixing.reasons",
        "passes",
        "reporting.sketches",
        "screens",
        "why.cards",
        "why.checks",
        "why.gridfits",
    },
    {
        "annotation.doubts",
        "annotation.estimates",
        "baserates.prevalence",
        "betting.sequence",
        "comparing.cards",
        "comparing.matching",
        "comparing.passing",
        "comparing.sheets",
        "curves.benefits",
        "curves.dominance",
        "curves.inequality",
        "curves.results",
        "deciding.advantages",
        "deciding.sheets",
        "fixing.results",
        "fixing.tables",
        "partitions",
        "ranking",
        "reporting.results",
        "rereading",
        "summaries",
        "why.accounts",
        "why.contrast",
        "yesno.results",
    },
    {
        "annotation.estimation",
        "annotation.suspicion",
        "baserates.priors",
        "betting.running",
        "comparing.results",
        "curves.murphy",
        "curves.netbenefit",
        "curves.reliability",
        "deciding.results",
        "fixing.stacking",
        "fixing.streams",
        "fixing.verdicts",
        "scoring",
        "why.explanation",
    },
    {
        "betting.watching",
        "comparing.clips",
        "comparing.crowds",
        "comparing.differences",
        "comparing.ranks",
        "comparing.saved",
        "comparing.tallied",
        "deciding.acts",
        "fixing.recalibration",
        "why.carriers",
        "why.gaps",
        "yesno.scoring",
    },
    {
        "comparing.panels",
        "comparing.slices",
        "deciding.recalibrated",
        "deciding.worth",
        "fixing.single",
        "integrations.sklearn.mapping",
        "integrations.sklearn.metric",
        "refereeing.repeats",
        "why.blame",
    },
    {
        "cli.output",
        "comparing.streaming",
        "comparing.verdicts",
        "deciding.decision",
        "integrations",
        "integrations.clusters",
        "integrations.sklearn.calibrators",
        "integrations.sklearn.scorers",
    },
    {
        "cli.commandlines",
        "cli.mapping",
        "cli.options",
        "comparing.comparison",
        "integrations.sklearn.models",
        "refereeing.trials",
    },
    {"reports"},
    {
        "cli.comparing",
        "cli.curving",
        "cli.deciding",
        "cli.explaining",
        "cli.fixing",
        "cli.labels",
        "cli.learning",
        "cli.reporting",
        "cli.shifting",
        "integrations.sklearn",
    },
    {"cli.commands"},
    {"cli"},
    {"__main__"},
]
FLOOR = {name: at for at, names in enumerate(FLOORS) for name in names}
FOREIGN = {
    "pandas",
    "sklearn",
    "torch",
    "jax",
    "keras",
    "xgboost",
    "lightgbm",
    "catboost",
    "pyspark",
    "dask",
    "duckdb",
    "pyarrow",
}


def modules() -> dict[str, Path]:
    found = {}
    for path in sorted(SRC.rglob("*.py")):
        parts = path.relative_to(SRC).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(path: Path) -> list[tuple[str, int]]:
    """Return (module, line) of every import that runs; those under TYPE_CHECKING do not."""
    tree = ast.parse(path.read_text())
    typing_only: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            typing_only |= {id(child) for body in node.body for child in ast.walk(body)}
    found = []
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            inner = [
                f"{module}.{alias.name}"
                for alias in node.names
                if f"{module}.{alias.name}".removeprefix("logloss.") in MODULES
            ]
            found += [(name, node.lineno) for name in inner or [module]]
    return found


def test_every_module_has_a_floor() -> None:
    assert set(MODULES) - {""} == set(FLOOR)


@pytest.mark.parametrize("name", sorted(FLOOR))
def test_imports_go_only_downward(name: str) -> None:
    for module, line in imports(MODULES[name]):
        assert module != "logloss", f"{name}:{line} imports the face"
        if not module.startswith("logloss."):
            continue
        target = module.removeprefix("logloss.")
        assert FLOOR[target] < FLOOR[name], f"{name}:{line} imports {target}, which is not below it"


def test_the_architecture_page_shows_these_floors() -> None:
    page = (SRC.parent.parent / "docs" / "architecture.md").read_text()
    rooms = re.findall(r"^\| (\d+) \| (.+?) \|", page, re.MULTILINE)
    assert [int(number) for number, _ in rooms] == list(range(len(FLOORS)))[::-1]
    for number, cell in rooms:
        shown = {
            name.removesuffix(".py").rstrip("/").replace("/", ".") for name in re.findall(r"`([^`]+)`", cell)
        }
        for name in FLOORS[int(number)]:
            assert {name, name.split(".")[0], name.rsplit(".", 1)[0] + ".*"} & shown, (
                f"{name} is not on floor {number}"
            )


def test_kernels_and_tallies_do_not_know_each_other() -> None:
    for name, path in MODULES.items():
        for module, _ in imports(path):
            if name.startswith("kernels"):
                assert not module.startswith("logloss.") or module.startswith("logloss.kernels")
            if name.startswith("tally"):
                assert not module.startswith("logloss.") or module.startswith("logloss.tally")


def test_the_face_imports_nothing_of_the_house() -> None:
    assert [m for m, _ in imports(MODULES[""]) if m.startswith("logloss")] == []


def test_foreign_frameworks_are_imported_only_by_integrations() -> None:
    for name, path in MODULES.items():
        if name.startswith("integrations"):
            continue
        for module, line in imports(path):
            assert module.split(".")[0] not in FOREIGN, f"{name}:{line} imports {module}"


def test_nobody_imports_an_integration() -> None:
    for name, path in MODULES.items():
        assert name.startswith("integrations") or not [
            m for m, _ in imports(path) if m.startswith("logloss.integrations")
        ]


def test_files_stay_readable() -> None:
    for path in SRC.rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 360, path
        assert path.stem not in {"utils", "util", "misc", "helpers", "common"}


def test_no_module_shares_its_name_with_a_public_function() -> None:
    # Python would overwrite the function `logloss.score` with a module `logloss.score` at its first import.
    assert not set(logloss.__all__) & {name.split(".")[0] for name in FLOOR}


def test_import_loads_nothing_heavy() -> None:
    code = "import sys, logloss; print(sorted(m for m in sys.modules if m.split('.')[0] in %r))"
    heavy = {
        "numpy",
        "numba",
        "scipy",
        "polars",
        "pandas",
        "sklearn",
        "torch",
        "narwhals",
        "click",
        "rich",
        "matplotlib",
    }
    out = subprocess.run([sys.executable, "-c", code % heavy], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_a_small_score_needs_no_compiler() -> None:
    code = "import sys, logloss; logloss.score([1, 0], [.9, .2]); print([m for m in ('numba', 'pandas', 'sklearn', 'polars', 'rich', 'matplotlib') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"

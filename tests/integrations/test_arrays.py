"""Arrays of other frameworks at the door: read where they are, brought to the host, said so."""

from __future__ import annotations

import numpy as np
import pytest

import logloss as ll


def test_jax_arrays() -> None:
    jnp = pytest.importorskip("jax.numpy")
    rng = np.random.default_rng(6)
    P = rng.dirichlet([1.0, 2.0, 3.0], 50)
    y = np.array([int(rng.choice(3, p=row)) for row in P])
    found = ll.score(jnp.asarray(y), jnp.asarray(P, dtype=jnp.float32), weight=jnp.arange(1.0, 51.0))
    want = ll.score(y, P.astype(np.float32), weight=np.arange(1.0, 51.0))
    assert found.log_loss == want.log_loss
    assert "moved-to-host" not in {note.id for note in found.notes}  # they were there

"""Real tokenizers and templates of ten model families, with what they must give.

They are not part of the project; without them the tests that need them are skipped.
"""

import json
import os
from pathlib import Path
from typing import Any

REAL_FAMILIES = Path(
    os.environ.get(
        "MLX_MAGIC_FAMILIES", Path(__file__).resolve().parents[2] / "shared" / "families"
    )
)


def real_families() -> dict[str, Any]:
    """family folder name -> what is expected of it; empty when the folders are not there."""
    expected = REAL_FAMILIES / "expected.json"
    if not expected.is_file():
        return {}
    facts: dict[str, Any] = json.loads(expected.read_text())
    facts.pop("_about")
    return facts

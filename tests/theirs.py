"""What others have written of the same scores, loaded when it is first asked: it compiles itself for seconds."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType


def _lazily(name: str) -> ModuleType:
    """A module whose text is run when the first of its names is asked for."""
    spec = importlib.util.find_spec(name)
    assert spec is not None, f"{name} is not installed"
    assert spec.loader is not None, name
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


scoringrules = _lazily("scoringrules")

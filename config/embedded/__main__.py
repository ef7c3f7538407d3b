"""`python -m config.embedded`, and `python3 config/embedded` where nothing but Python is installed."""

import importlib.util
import sys
from pathlib import Path

if not __package__:
    # The folder becomes a package under its own name: `config` would import Celery.
    _spec = importlib.util.spec_from_file_location(
        "embedded", Path(__file__).with_name("__init__.py")
    )
    if _spec is None or _spec.loader is None:
        raise ImportError("config/embedded has no __init__.py")
    sys.modules["embedded"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["embedded"])
    __package__ = "embedded"

from .command_line import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

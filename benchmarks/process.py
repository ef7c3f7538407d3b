"""One process of a benchmark: `python -m benchmarks.process <module> <function> <words>`, started
by `harness.Process`.
"""

from __future__ import annotations

import importlib
import json
import os
import sys


def main() -> None:
    """Says that it is ready, waits for the start, works, and says what it measured."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    module, function, *words = sys.argv[1:]
    work = getattr(importlib.import_module(f"benchmarks.{module}"), function)
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(work(*words)), flush=True)


if __name__ == "__main__":
    main()

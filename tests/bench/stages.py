"""What each stage takes, in ns of processors' time a frame: ``python -m tests.bench.stages CAPTURE...``.

Stages are timed from outside; what a thread of its own does meanwhile, as reading, counts where it is waited for.
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from analyzer.process import suit_columns

BEGAN = time.process_time()
"""The interpreter is there."""


def main(paths: list[str]) -> None:
    """Analyse, and print what everything took."""
    suit_columns()
    from analyzer.decode import reader
    from analyzer.read import chain
    from analyzer.run import analyze, engine, whole

    took: dict[str, float] = {"start": time.process_time()}

    def note(name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*given: Any, **named: Any) -> Any:
            begin = time.process_time()
            try:
                return act(*given, **named)
            finally:
                took[name] = took.get(name, 0.0) + time.process_time() - begin

        return noted

    def stages(self: engine.Inline, stage: Callable[..., Any], common: Any, items: Iterable[Any]) -> Iterator[Any]:
        noted = note(stage.__name__.strip("_"), stage)
        return (noted(common, item) for item in items)

    chain.walk, reader.decode = note("walk", chain.walk), note("decode and keys", reader.decode)
    whole.read_frames = note("read", whole.read_frames)
    engine.Inline.map = stages  # type: ignore[method-assign, assignment]
    trace = analyze(paths)
    between, frames = time.process_time(), trace.tables.rows
    _ = trace.findings
    took["read"] -= took["walk"] + took["decode and keys"]
    total = time.process_time()
    took["between stages"] = total - sum(took.values())
    for name, seconds in took.items():
        print(f"{name:20}{seconds / frames * 1e9:8.0f}")
    print(
        f"{'all':20}{total / frames * 1e9:8.0f}   ns a frame, of which findings {(total - between) / frames * 1e9:.0f}"
    )


if __name__ == "__main__":
    main(sys.argv[1:])

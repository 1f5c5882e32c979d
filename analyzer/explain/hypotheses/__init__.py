"""One hypothesis a file. All of them are asked, in any order."""

from importlib import import_module
from pkgutil import iter_modules

from analyzer.explain.hypothesis import Hypothesis

HYPOTHESES: tuple[Hypothesis, ...] = tuple(
    import_module(f"{__name__}.{module.name}").HYPOTHESIS for module in iter_modules(__path__)
)

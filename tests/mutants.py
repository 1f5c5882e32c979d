"""How many mutants of each package its tests kill: ``python -m tests.mutants``, with mutmut, on a fixed sample.

A package's sample is the mutants whose names have the smallest hashes: the same on every machine, and part of every
larger one. Results stay in mutants/, and another call runs only what is new, changed or was not reached in time;
with --again the survivors too, for tests written since.
"""

import argparse
import ast
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code
from mutmut.utils.format_utils import orig_function_and_class_names_from_key as function_and_class

PACKAGES = ("link", "packet", "points", "journey", "explain", "state", "read", "record")
WANTED = 0.85
BATCH = 400  # mutants a call: mutmut runs a call's quickest first, and time may cut off the rest
LOG, STATS, SURVIVORS = Path("mutants.log"), Path("mutants/mutmut-stats.json"), Path("mutants/survivors.txt")
DEAD, ALIVE = ("killed", "timeout", "segfault"), ("survived", "no tests", "suspicious")
STRING = re.compile(r"""(?P<prefix>\b[a-zA-Z]{1,2})?(["'])((?:(?!\2)[^\\]|\\.)*)\2""")


class Mutant(NamedTuple):
    """Where it is, what mutmut calls it, and what it changes."""

    path: Path
    line: int
    name: str
    old: str
    new: str

    def words_only(self) -> bool:
        """Whether nothing but a text for people is another one, or missing."""
        texts = [m[0] for m in STRING.finditer(self.old) if not m["prefix"] and re.search(r"\w \w", m[3])]
        lost = [text for text in texts if text not in self.new]
        plain = [STRING.sub(lambda m: m[0].replace("XX", "").casefold(), text) for text in (self.old, self.new)]
        return bool(lost) and (plain[0] == plain[1] or any(self.old.replace(t, "None") == self.new for t in lost))


def _codes(package: str) -> dict[str, tuple[Path, int | None]]:
    """Return file and exit code of every mutant, in an order that only the names decide."""
    metas = {m.relative_to("mutants").with_suffix(""): m for m in Path("mutants/analyzer", package).rglob("*.meta")}
    codes = {path: json.loads(meta.read_text())["exit_code_by_key"] for path, meta in metas.items() if path.exists()}
    found = {name: (path, code) for path, of_path in codes.items() for name, code in of_path.items()}
    return {name: found[name] for name in sorted(found, key=lambda name: sha256(name.encode()).digest())}


def _mutant(path: Path, name: str) -> Mutant:
    """Compare a mutated function with the original one that mutmut wrote beside it."""
    plain, owner = function_and_class(name)
    tree = ast.parse(path.read_text())
    body = next((n.body for n in tree.body if isinstance(n, ast.ClassDef) and n.name == owner), tree.body)
    node = next(n for n in body if isinstance(n, ast.FunctionDef) and n.name == plain)
    hunk, *diff = get_diff_for_mutant(name, path=path).splitlines()[2:]  # "@@ -8,7 +8,7 @@": lines of the function
    line = node.lineno - len(node.decorator_list) + int(re.split("[-,]", hunk)[1]) - 1
    line += next(n for n, text in enumerate(diff) if text[:1] in ("-", "+"))
    old, new = (" ".join(text[1:].strip() for text in diff if text[:1] == sign) for sign in "-+")
    return Mutant(path, line, name, old, new)


def _mutmut(names: list[str], children: int, until: float) -> None:
    """Run mutants until a point in time; what was reached is kept."""
    command = ["timeout", "--foreground", "--signal=INT", f"{max(until - time.time(), 1):.0f}"]
    command += [str(Path(sys.executable).with_name("mutmut")), "run", f"--max-children={children}", *names]
    with LOG.open("a") as log:
        subprocess.run(command, stdout=log, stderr=log, check=False)


def main() -> None:
    """Run what is undone of the sample, print the table and write the survivors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=250, help="mutants a package")
    parser.add_argument("--children", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--again", action="store_true", help="survivors too")
    given, begin = parser.parse_args(), time.time()
    until = begin + given.minutes * 60
    _mutmut(["nothing but mutants and which tests reach them"], given.children, until)
    if not STATS.exists() or STATS.stat().st_mtime < begin:
        sys.exit(f"tests fail without any mutant: see {LOG}")
    todo, samples = [], {}
    for package in PACKAGES:
        codes = _codes(package)
        every = (_mutant(path, name) for name, (path, _) in codes.items())
        samples[package] = list(islice((one for one in every if not one.words_only()), given.size))
        todo += [m.name for m in samples[package] if codes[m.name][1] in ((None, 0, 33) if given.again else (None,))]
    todo.sort(key=lambda name: sha256(name.encode()).digest())
    while todo and time.time() < until:
        _mutmut(todo[:BATCH], given.children, until)
        del todo[:BATCH]
    told, shares = "", []
    print("package     mutants  tried  killed  timeout  alive  no test  share")
    for package, sample in samples.items():
        codes = _codes(package)
        states = {m: status_by_exit_code[codes[m.name][1]] for m in sample}
        count = Counter(states.values())
        dead, alive = (sum(count[state] for state in group) for group in (DEAD, ALIVE))
        shares.append(dead / max(dead + alive, 1))
        print(f"{package:10} {len(codes):8} {dead + alive:6} {dead - count['timeout']:7} {count['timeout']:8}"
              f" {alive - count['no tests']:6} {count['no tests']:8} {shares[-1]:6.0%}")  # fmt: skip
        for m in sorted(m for m, state in states.items() if state in ALIVE):
            told += f"{m.path}:{m.line}: {states[m]}: {m.name}\n  - {m.old}\n  + {m.new}\n"
    SURVIVORS.write_text(told)
    sys.exit(f"too few, see {SURVIVORS}" if min(shares) < WANTED else 0)


if __name__ == "__main__":
    main()

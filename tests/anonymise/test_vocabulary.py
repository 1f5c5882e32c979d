"""The words that stay: all that dumps are read by."""

import ast
import re
from pathlib import Path

import analyzer
from analyzer.anonymise.words import SHORTEST, known

STATE = Path(analyzer.__file__).parent / "state"
OTHERS = ("counters.py", "reasons.py", "drops.py", "retis.py", "snmp.py")
"""Read what stays as it is: the kernel's counters, and its reasons."""
TOKEN = re.compile(r"[A-Za-z0-9_./:-]+")


def _words_read() -> dict[str, str]:
    """Words of texts that are one word, as names of fields, options and states are."""
    found: dict[str, str] = {}
    for path in sorted(STATE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())) if path.name not in OTHERS else ():
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and TOKEN.fullmatch(node.value):
                for word in re.findall(r"[A-Za-z]+", node.value):
                    found.setdefault(word.lower(), f"{path.name}:{node.lineno}")
    return {word: place for word, place in found.items() if len(word) >= SHORTEST}


def test_every_word_that_a_dump_is_read_by_is_one_that_stays() -> None:
    """Else what it says would be replaced as if somebody had made it up."""
    missing = {word: place for word, place in _words_read().items() if word not in known()}

    assert not missing, " ".join(missing)


def test_the_list_is_in_order_and_of_words_alone() -> None:
    """So that a change of it can be read."""
    words = STATE.parent.joinpath("anonymise", "words.txt").read_text().split()

    assert words == sorted(set(words))
    assert all(re.fullmatch(rf"[a-z]{{{SHORTEST},}}", word) for word in words)

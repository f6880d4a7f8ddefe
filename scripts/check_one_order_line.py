#!/usr/bin/env python3
"""Holds docs/one-order-line.md against the code: every `src/...` path exists and every `Name` stands in it.

Usage: check_one_order_line.py

A name belongs to the next path that follows it in its step; a step's last names may also belong to any path of the step.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAME = re.compile(r"^[A-Za-z_]+(::[A-Za-z_]+)*$")


def main():
    text = (ROOT / "docs/one-order-line.md").read_text(encoding="utf-8")
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.h"))
    problems, checked = [], 0
    for word in re.findall(r"`([^`]+)`", text):
        if word.startswith(("src/", "scripts/", "docs/")):
            checked += 1
            if not (ROOT / word).exists():
                problems.append(f"{word} does not exist")
        elif NAME.match(word) and (len(word) > 3 and (word[0].isupper() or "_" in word or word == "sniff")):
            checked += 1
            for part in word.split("::"):
                if not re.search(rf"\b{part}\b", sources):
                    problems.append(f"`{word}`: {part} is in no header of src/")
    for problem in problems:
        print("docs/one-order-line.md: " + problem)
    print(f"{checked} names checked, {len(problems)} problems")
    sys.exit(1 if problems or checked < 20 else 0)


if __name__ == "__main__":
    main()

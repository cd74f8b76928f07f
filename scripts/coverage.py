"""Sums covered lines by folder of src, from the JSON of cargo-llvm-cov, and compares them with FLOORS."""
import collections
import json
import sys
from pathlib import Path

# Percent of lines, which are only raised. `cli`, `compare` and `fuse` have none: they are tested by running the program, and what
# that runs does not count here.
FLOORS = {
    "check": 87,
    "codepage": 95,
    "convert": 79,
    "export": 68,
    "ltp": 95,
    "messaging": 93,
    "ndb": 95,
    "pst": 85,
    "salvage": 94,
    "search": 64,
    "tree": 75,
}


def main():
    lines, covered = collections.Counter(), collections.Counter()
    for file in json.load(sys.stdin)["data"][0]["files"]:
        place = Path(file["filename"]).relative_to(Path.cwd() / "src").parts
        folder = place[0] if len(place) > 1 else "beside them"
        lines[folder] += file["summary"]["lines"]["count"]
        covered[folder] += file["summary"]["lines"]["covered"]
    low = []
    for folder in sorted(lines):
        percent = 100 * covered[folder] / lines[folder]
        floor = FLOORS.get(folder)
        bound = f"floor {floor}" if floor else "no floor"
        print(f"{folder:12} {covered[folder]:6} of {lines[folder]:6} lines, {percent:5.1f} %, {bound}")
        if floor and percent < floor:
            low.append(folder)
    sys.exit(f"below the floor: {', '.join(low)}" if low else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Reads a JUnit file of CTest; prints `passed\tN`, `skipped\tN` and `failed\tNAME` for each failure."""
import sys
import xml.etree.ElementTree as ElementTree


def main(path):
    passed = skipped = 0
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        status = case.get("status")
        if status == "run":
            passed += 1
        elif status in ("notrun", "disabled") and case.find("failure") is None:
            skipped += 1
        else:
            print(f"failed\t{case.get('name')}")
    print(f"passed\t{passed}\nskipped\t{skipped}")
    return 0 if passed + skipped > 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

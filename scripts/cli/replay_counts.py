#!/usr/bin/env python3
"""Reads the JSON object of `assay replay --json`; prints `passed\tN` and `failed\tFILE: WHY` for each failure."""
import json
import sys


def main(path):
    with open(path, encoding="utf-8") as stream:
        answer = json.load(stream)
    passed = 0
    for row in answer.get("files", []):
        if row["verdict"] == "clean":
            passed += 1
        else:
            print(f"failed\t{row['file']}: {row.get('token') or row['verdict']}")
    if answer["verdict"] == "error":
        print(f"failed\treplay: {answer['message']}")
    print(f"passed\t{passed}")


if __name__ == "__main__":
    main(sys.argv[1])

"""The report in a browser: it renders, the charts have data, nothing comes from outside, and it can be read in the dark and on a phone.

Needs npm and a Chromium (Debian: chromium), which nothing else here needs: skipped, and said so, where they are missing. Behind ASSAY_FULL.
Pictures: work/page-test/.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import survival
from campaign import Campaign
from findings import Findings

SOAK = pathlib.Path(__file__).resolve().parent
ROOT = SOAK.parent
DRIVER = ROOT / "build" / "page-test"
PICTURES = ROOT / "work" / "page-test"
SKIPPED = 77
# What a find may hold: the end of a script, a very long word.
NASTY = "assay 1\n# </script><script>document.title = 'taken over'</script>\nexpect: contents-realloc--\np0 = malloc(24)\n" + "# " + "x" * 400 + "\n"


def browser():
    return next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)


def install_driver():
    DRIVER.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SOAK / "page" / "test" / name, DRIVER)
    return subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=DRIVER, capture_output=True, check=False).returncode == 0


def make_campaign(folder):
    """A campaign that found something, with two lanes and twenty minutes of figures."""
    campaign = Campaign(folder, "0123abc")
    campaign.state.update(spent=1200.0, canary={"found": True, "at": time.time(), "seconds": 12.0, "programs": 5000, "message": "1 of 1 mutants killed"})
    campaign.state["calls"].append({"started": time.time() - 1200, "seconds": 1200, "commit": "0123abc"})
    lines = ["seconds,lane,programs,edges,files,rss_mib,bugs"]
    for number, name in enumerate(("alloc_ops@fuzz-sequential", "mt_ops@tsan-free")):
        campaign.lane(name).update(seconds=600.0, programs=90000, slices=10, edges=2100, files=900)
        lines += [f"{10 * step},{name},{step * 1000},{1800 + 100 * number + step},{500 + step},{200 + step % 7},{step // 60}" for step in range(120)]
    (campaign.folder / "series.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    kept = campaign.folder / "findings" / "kept"
    kept.mkdir()
    (kept / "1.ops").write_text(NASTY, encoding="utf-8")
    for number, name in enumerate(("claim_blind", "realloc_tail", "purge_never")):
        survival.note(campaign.folder, {"name": name, "killed": number < 2, "seconds": 3.0 + number, "programs": 50, "oracle": "structure" if number < 2 else ""})
    reached = {"lines": 100, "lines_hit": 97, "branches": 40, "branches_hit": 35}
    (campaign.folder / "coverage.json").write_text(json.dumps({"totals": reached, "files": [
        dict(reached, file="allocator/page/page.cc", unreached=[[10, 12, "if (a < b && </pre>) {"]])]}), encoding="utf-8")
    findings = Findings(folder)
    findings.add("contents-realloc--", "contents", "alloc_ops@fuzz-sequential", "findings/kept/1.ops", 3, 3)
    findings.triaged(1, "findings/kept/1.ops", 1, None, "contents-resize--", "malloc(2^5)", "new")
    campaign.save()
    campaign.close()


class PageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        PICTURES.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="assay-page-") as scratch:
            folder = pathlib.Path(scratch)
            make_campaign(folder / "campaign")
            page = PICTURES / "report.html"
            done = subprocess.run([sys.executable, SOAK / "report.py", folder / "campaign", "-o", page], capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise AssertionError(done.stderr)
        done = subprocess.run(["node", SOAK / "page" / "test" / "look.cjs", page, PICTURES, browser()], capture_output=True, text=True, check=False,
                              env=dict(os.environ, NODE_PATH=str(DRIVER / "node_modules")), timeout=300)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        cls.views = json.loads(done.stdout)

    def test_nothing_is_said_in_the_console_and_nothing_comes_from_outside(self):
        for view in self.views:
            with self.subTest(view["name"]):
                self.assertEqual(view["errors"], [])
                self.assertEqual(view["outside"], [])

    def test_the_charts_have_data(self):
        for view in self.views:
            with self.subTest(view["name"]):
                self.assertGreaterEqual(view["charts"], 6)
                self.assertGreater(view["points"], 400)
                # Axes and their words are grey; a line is a colour.
                self.assertTrue(view["colours_of_charts"] and min(view["colours_of_charts"]) > 2, view["colours_of_charts"])

    def test_charts_stay_in_their_places(self):
        for view in self.views:
            with self.subTest(view["name"]):
                self.assertLessEqual(view["wider_than_box"], 0)

    def test_the_verdict_and_the_find_are_there(self):
        for view in self.views:
            with self.subTest(view["name"]):
                self.assertIn("VIOLATION", view["text"])
                self.assertIn("contents-realloc--", view["text"])

    def test_seeded_bugs_and_coverage_are_there(self):
        for view in self.views:
            with self.subTest(view["name"]):
                self.assertIn("claim_blind", view["text"])
                self.assertIn("97.0 % of 100 lines", view["text"])

    def test_light_is_light_and_dark_is_dark(self):
        for view in self.views:
            with self.subTest(view["name"]):
                self.assertEqual(view["ground"] < 0.1, "dark" in view["name"])

    def test_all_text_stands_out(self):
        for view in self.views:
            with self.subTest(view["name"]):
                self.assertGreaterEqual(view["least_contrast"], 4.5, view["faintest"])

    def test_a_phone_shows_it_without_scrolling_sideways(self):
        for view in self.views:
            with self.subTest(view["name"]):
                self.assertLessEqual(view["wider_than_screen"], 0)


if __name__ == "__main__":
    if not os.environ.get("ASSAY_FULL"):
        print("skipped: needs ASSAY_FULL")
        sys.exit(SKIPPED)
    if browser() is None or shutil.which("node") is None or shutil.which("npm") is None:
        print("skipped: needs chromium, node and npm")
        sys.exit(SKIPPED)
    if not install_driver():
        print("skipped: npm cannot install playwright-core here")
        sys.exit(SKIPPED)
    unittest.main()

"""The campaign's folder: one runner, one version, a state that is whole at any moment."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from campaign import Campaign, CampaignError, read_state, write_whole
from findings import SAMPLES, Findings


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="assay-soak-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)


class CampaignTest(Folder):
    def test_state_comes_back(self):
        campaign = Campaign(self.folder, "abc")
        campaign.lane("alloc_ops@fuzz-sequential")["programs"] = 7
        self.assertTrue(campaign.save())
        self.assertEqual(read_state(self.folder)["lanes"]["alloc_ops@fuzz-sequential"]["programs"], 7)

    def test_two_runners_in_one_folder_are_refused(self):
        # The lock is per open file, so a second one is refused in this process, too.
        first = Campaign(self.folder)
        with self.assertRaisesRegex(CampaignError, f"running here already .process {os.getpid()}"):
            Campaign(self.folder)
        del first

    def test_the_lock_goes_with_its_runner(self):
        holder = subprocess.Popen(
            [sys.executable, "-c", "import sys, time; from campaign import Campaign; c = Campaign(sys.argv[1]); print('held', flush=True); time.sleep(60)",
             self.folder], cwd=pathlib.Path(__file__).parent, stdout=subprocess.PIPE, text=True)
        self.addCleanup(holder.stdout.close)
        self.assertEqual(holder.stdout.readline(), "held\n")
        with self.assertRaises(CampaignError):
            Campaign(self.folder)
        holder.kill()
        holder.wait()
        Campaign(self.folder)

    def test_a_corrupt_state_and_another_version_are_refused_and_kept(self):
        path = self.folder / "campaign.json"
        for text, message in (("{", "is not the state of a campaign"), ("[]", "is not the state"), ('{"version": 99}', "is of version 99")):
            path.write_text(text)
            for refuses in (read_state, Campaign):
                with self.assertRaisesRegex(CampaignError, message):
                    refuses(self.folder)
            self.assertEqual([(file.name, file.read_text()) for file in self.folder.iterdir()], [("campaign.json", text)])

    def test_a_write_that_fails_leaves_what_was(self):
        path = self.folder / "campaign.json"
        path.write_text("old")
        (self.folder / "campaign.json.new").mkdir()
        with self.assertRaises(OSError):
            write_whole(path, "new")
        self.assertEqual(path.read_text(), "old")

    def test_no_permission_is_one_line(self):
        (self.folder / "corpus").write_text("a file where a folder must be")
        with self.assertRaisesRegex(CampaignError, "corpus"):
            Campaign(self.folder)

    def test_the_runner_says_it_in_one_line(self):
        (self.folder / "campaign.json").write_text(json.dumps({"version": 99}))
        runner = pathlib.Path(__file__).with_name("runner.py")
        done = subprocess.run([sys.executable, runner, "5", self.folder], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)


class FindingsTest(Folder):
    def test_groups_by_token_and_shape(self):
        findings = Findings(self.folder)
        for number, shape in enumerate(("free malloc", "free malloc", "realloc")):
            findings.add("contents-realloc--", "contents", "lane", f"findings/kept/{number}.ops")
            findings.triaged(number + 1, f"findings/minimised/{number}.ops", 3 - number, None, "contents-resize--", shape, "new")
        self.assertEqual(findings.counts(), (2, 3))
        self.assertEqual([row["operations"] for row in findings.groups()], [2, 1])

    def test_finds_that_are_one_when_plain_are_one_and_say_what_they_were(self):
        findings = Findings(self.folder)
        for number, (token, operations, status) in enumerate((("crash-free-x", 5, "new"), ("contents-realloc--", 2, "known"))):
            findings.add(token, "", "lane", f"findings/kept/{number}.ops")
            findings.triaged(number + 1, f"findings/minimised/{number}.ops", operations, None, "contents-resize--", "realloc", status)
        group, = findings.groups()
        self.assertEqual((group["tokens"], group["minimised"], group["status"]), (["contents-realloc--", "crash-free-x"], "findings/minimised/1.ops", "new"))

    def test_a_token_is_sampled_and_counted(self):
        findings = Findings(self.folder)
        for number in range(SAMPLES):
            self.assertTrue(findings.wants("t"))
            findings.add("t", "crash", "lane", f"{number}.ops")
        self.assertFalse(findings.wants("t"))
        findings.seen_again("t")
        self.assertEqual(findings.counts()[1], SAMPLES + 1)
        # At eight, and then at sixteen, one more is looked at.
        findings.seen_again("t")
        self.assertTrue(findings.wants("t"))
        findings.add("t", "crash", "lane", "eighth.ops")
        self.assertFalse(findings.wants("t"))

    def test_samples_of_one_group_are_bounded(self):
        findings = Findings(self.folder)
        for number in range(SAMPLES + 3):
            findings.add("t", "crash", "lane", f"{number}.ops")
        for row in findings.all():
            findings.triaged(row["id"], row["program"], 1, None, "t", "free", "new")
            findings.is_one_too_many(row["id"], "t", "free")
        self.assertEqual(len(findings.all()), SAMPLES)
        self.assertEqual(findings.counts(), (1, SAMPLES + 3))

    def test_survives_its_process(self):
        Findings(self.folder).add("t", "crash", "lane", "1.ops")
        self.assertEqual(Findings(self.folder).programs(), {"1.ops"})

    def test_as_markdown(self):
        folder = self.folder / "campaign"
        campaign = Campaign(folder)
        campaign.lane("alloc_ops@fuzz-sequential")["programs"] = 1234567
        campaign.save()
        campaign.close()
        Findings(folder).add("crash-free-x", "crash", "lane", "1.ops")
        out = self.folder / "report.md"
        subprocess.run([sys.executable, pathlib.Path(__file__).with_name("report.py"), folder, "-o", out], stdout=subprocess.DEVNULL, check=True)
        text = out.read_text(encoding="utf-8")
        self.assertIn("# assay: violation", text)
        self.assertIn("## new: crash-free-x", text)
        self.assertIn("| alloc_ops@fuzz-sequential | 0:00 | 1,234,567 |", text)

    def report(self, folder):
        out = self.folder / "report.json"
        done = subprocess.run([sys.executable, pathlib.Path(__file__).with_name("report.py"), folder, "-o", out], capture_output=True, text=True, check=False)
        return done, json.loads(out.read_text()) if out.exists() else None

    def test_a_report_changes_nothing(self):
        folder = self.folder / "campaign"
        campaign = Campaign(folder)
        campaign.save()
        seen = lambda: {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix not in (".sqlite-shm", ".sqlite-wal")}
        before = seen()
        self.assertEqual(self.report(folder)[1]["bugs"], [])
        self.assertEqual(seen(), before)
        findings = Findings(folder)
        findings.add("t", "crash", "lane", "1.ops")
        before = seen()
        self.assertEqual(len(self.report(folder)[1]["bugs"]), 1)
        self.assertEqual(seen(), before)

    def test_a_report_of_a_damaged_file_is_one_line(self):
        folder = self.folder / "campaign"
        campaign = Campaign(folder)
        campaign.save()
        campaign.close()
        (folder / "findings.sqlite").write_bytes(b"this is no database, and was never one" * 100)
        done, report = self.report(folder)
        self.assertEqual((done.returncode, report, len(done.stderr.splitlines())), (2, None, 1), done.stderr)

    def test_a_damaged_file_is_refused_and_kept(self):
        path = self.folder / "findings.sqlite"
        path.write_bytes(b"this is no database, and was never one" * 100)
        with self.assertRaisesRegex(CampaignError, "damaged or no database"):
            Findings(self.folder)
        self.assertTrue(path.read_bytes().startswith(b"this is no database"))


if __name__ == "__main__":
    unittest.main()

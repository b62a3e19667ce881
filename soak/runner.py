"""The campaign runner: gives each lane its slices, keeps what they find, and proves by the canary that it would see one."""

import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import commands
import survival
from campaign import Campaign, CampaignError, read_state, say
from corpora import Corpora
from findings import Findings
from job import Job
from lanes import lanes_of, next_lane, note_slice
from space import Space, is_full
from status import status_lines
from triage import Triage
from verdict import verdict_of

ROOT = pathlib.Path(__file__).resolve().parent.parent
TICK, STATUS_EVERY = 0.5, 10.0
# In a short call the slices are short as well: each lane has its turn.
SLICE_SECONDS, SHORTEST_SLICE = 60, 10
# A guided hunt needs some 20,000 to 100,000 programs for the canary. They are counted, and not the time: on a busy machine a
# hunt for seconds would miss it, and say nothing of the tester.
CANARY_PROGRAMS, CANARY_LEAST_SECONDS, CANARY_LOOKS = 400_000, 120, 8
COVERAGE_SECONDS = 1200
# Of a lane that failed.
REST_SECONDS = 30.0


class Runner:
    def __init__(self, seconds, campaign, findings):
        self.campaign, self.findings, self.folder = campaign, findings, campaign.folder
        self.budget, self.started = float(seconds), time.monotonic()
        self.spent_before = campaign.state["spent"]
        self.lanes = lanes_of(commands.builds(ROOT))
        slots = os.cpu_count() or 1
        self.slice_seconds = max(SHORTEST_SLICE, min(SLICE_SECONDS, seconds * slots // (2 * len(self.lanes) + 1)))
        self.most_edges = {}  # lane name -> of the slice that runs
        self.running = {}  # lane name -> (lane, job, figures of the slice so far)
        self.resting = {}  # lane name -> (until when, how long)
        self.canary, self.regressions, self.coverage = None, None, None
        self.corpora = Corpora(ROOT, self.folder, self.lanes, campaign.state["merges"], self.job)
        self.triage = Triage(ROOT, self.folder, findings)
        self.scratch = self.folder / "run"
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir(parents=True)
        self.env = commands.environment(self.folder)
        self.stopped = False
        self.last_status = 0.0
        # Settable for who tests on a small disk.
        self.space = Space(self.folder, int(os.environ["ASSAY_SOAK_SPACE"]) if "ASSAY_SOAK_SPACE" in os.environ else None)
        self.looks = 0  # for the canary, in this call
        self.unkept = []  # finds that wait for room on the disk
        campaign.state["calls"].append({"started": time.time(), "seconds": seconds, "commit": campaign.state["commit"]})

    def elapsed(self):
        return time.monotonic() - self.started

    def spent(self):
        return self.spent_before + self.elapsed()

    def left(self):
        return 0.0 if self.stopped else self.budget - self.elapsed()

    # --- the loop

    def run(self):
        self.corpora.recover()
        self.adopt_findings()
        self.start_canary()
        self.regressions = self.job(commands.regressions_command(ROOT), 1800, "regressions")
        while self.left() > 0:
            self.carefully(self.look_after_everything)
            self.carefully(self.fill_slots)
            self.report_now_and_then()
            time.sleep(TICK)
        self.wind_up()
        return self.verdict()

    def carefully(self, step):
        """What a full disk has stopped is done again when there is room: each step leaves behind what it could not finish."""
        try:
            step()
        except (OSError, sqlite3.OperationalError) as error:
            if not is_full(error):
                raise
            self.space.missing = True

    def look_after_everything(self):
        self.space.look()
        for lane, job in self.running.values():
            # A search has no budget of its own; how long it takes depends on the program.
            is_over = lane.hunter in ("sweep", "explore") and job.elapsed() > 3 * self.slice_seconds
            if (self.space.low or is_over) and not job.asked_to_end:
                job.stop()
        self.keep_waiting()
        for name in [name for name, (_, job) in self.running.items() if job.done()]:
            self.end_slice(*self.running.pop(name))
        if self.canary and self.canary.done():
            self.end_canary()
        if self.regressions and self.regressions.done():
            self.end_regressions()
        if self.coverage and self.coverage.done():
            self.end_coverage()
        if self.corpora.tend(self.spent()):
            self.campaign.save()
        self.triage.tend()

    def job(self, words, limit, log, environment=None):
        return Job(words, self.scratch, dict(self.env, **(environment or {})), limit, log)

    def slots_taken(self):
        return len(self.running) + sum(1 for job in (self.corpora.job, self.canary, self.regressions, self.triage.job) if job)

    def fill_slots(self):
        if self.space.missing:
            return
        slots = os.cpu_count() or 1
        # A lane that has nothing to do yet gives way to the next.
        for _ in range(slots + len(self.lanes)):
            # Whatever else there is to do, something is hunted.
            if (self.slots_taken() >= slots and self.running) or self.left() <= 1:
                return
            if self.triage.start() or self.corpora.start([lane for lane, _ in self.running.values()], self.scratch, self.spent()):
                continue
            busy = set(self.running) | {lane.name for lane in self.lanes if self.waits(lane)}
            lane = next_lane(self.lanes, self.campaign.state["lanes"], busy)
            if lane is None or not self.start_slice(lane):
                return

    def waits(self, lane):
        """Mutants are built in one folder, and the canary is one. Who has just failed would fail again."""
        rests = time.monotonic() < self.resting.get(lane.name, (0.0, 0))[0]
        return rests or self.corpora.is_busy_with(lane) or (lane.hunter == "mutants" and self.canary)

    # --- slices

    def start_slice(self, lane):
        seconds = max(1, int(min(self.slice_seconds, self.left())))
        words = commands.lane_command(lane, ROOT, self.folder, seconds)
        if words is None:
            note_slice(self.campaign.lane(lane.name), 1.0, 0)
            return True
        job = self.job(words, seconds + commands.GRACE if lane.hunter == "fuzz" else 600, lane.name)
        self.running[lane.name] = (lane, job)
        return True

    def end_slice(self, lane, job):
        record, answer = self.campaign.lane(lane.name), job.answer()
        record["rss_mib"] = 0
        troubles = record["hangs"] + record["faults"]
        gained = 0
        if lane.hunter == "forks":
            if (job.timed_out or job.status != 0) and not job.asked_to_end:
                self.keep_log(lane, job)
                self.fault(record, f"{lane.name}: {'hangs' if job.timed_out else 'failed'}: the log is kept below logs/", job.timed_out)
        elif answer is None or answer.get("verdict") == "error":
            if job.asked_to_end:
                # What it found until then it has written, and told nobody.
                self.carefully(self.adopt_findings)
            else:
                self.keep_log(lane, job)
                why = answer["message"] if answer else job.last_words()
                self.fault(record, f"{lane.name}: {'did not end in time' if job.timed_out else why}", job.timed_out)
        elif lane.hunter == "mutants":
            self.note_mutants(answer)
        else:
            gained = self.read_answer(lane, record, answer)
        self.let_rest(lane, record["hangs"] + record["faults"] > troubles)
        record["programs"] += self.programs_in(lane, answer)
        self.most_edges.pop(lane.name, None)
        note_slice(record, job.elapsed(), gained)
        self.campaign.save()

    def let_rest(self, lane, failed):
        """Twice as long after each failure; what failed by chance is tried again soon."""
        if failed:
            seconds = 2 * self.resting[lane.name][1] if lane.name in self.resting else REST_SECONDS
            self.resting[lane.name] = (time.monotonic() + seconds, seconds)
        else:
            self.resting.pop(lane.name, None)

    def note_mutants(self, answer):
        for row in answer["mutants"]:
            self.carefully(lambda row=row: survival.note(self.folder, row))

    def read_answer(self, lane, record, answer):
        gained = 0
        for target in answer.get("targets", []):
            gained = max(0, target["edges"] - record["edges"])
            record["edges"] = max(record["edges"], target["edges"])
            files = target["corpus_files"]
            # Features that are no edges (counts, values) show as new files only.
            gained += max(0, files - record.get("files", files)) * 0.1
            record["files"] = files
            record["programs_per_second"] = target["programs_per_second"]
            # Where the figures of the running slice had it first, they know better when.
            if gained > 0 and lane.name not in self.most_edges:
                record["newest"] = time.time()
        for finding in answer.get("findings", []):
            self.keep(lane.name, finding["token"], finding["oracle"], finding["text"] or finding["file"], finding["times_seen"], finding["times_run"])
        for row in answer.get("files", []):
            if row.get("output") and row.get("violations", 0):
                self.keep(lane.name, "", "", row["output"], 0, 0)
        return gained

    @staticmethod
    def programs_in(lane, answer):
        if lane.hunter == "forks":
            return commands.FORKS
        # Those that ran on seeded bugs say nothing of the allocator.
        if not answer or lane.hunter == "mutants":
            return 0
        rows = answer.get("targets") or answer.get("files") or []
        return sum(row.get("programs", 0) + row.get("points", 0) + row.get("schedules", 0) for row in rows)

    def keep(self, lane, token, oracle, program, seen, run):
        """A program that violated something. What the tools wrote may be written over by the next slice: it is copied."""
        source = pathlib.Path(program)
        kept = self.folder / "findings" / "kept" / f"{int(time.time() * 1000)}-{len(self.unkept)}-{lane}{source.suffix}"
        self.unkept.append((lane, token, oracle, source, kept, seen, run))
        self.carefully(self.keep_waiting)

    def keep_waiting(self):
        while self.unkept:
            lane, token, oracle, source, kept, seen, run = self.unkept[0]
            before = None if token else self.findings.with_program(source.read_bytes())
            if before is not None or (token and not self.findings.wants(token)):
                self.findings.seen_again(token or before)
            else:
                kept.parent.mkdir(parents=True, exist_ok=True)
                # Under another name until it is whole: what lies in kept/ is taken for a find.
                shutil.copy(source, kept.parent.with_name("kept.new"))
                os.replace(kept.parent.with_name("kept.new"), kept)
                self.findings.add(token, oracle, lane, str(kept.relative_to(self.folder)), seen, run)
                say(f"FOUND {token or 'a violation'} by {lane}: {kept}")
            self.unkept.pop(0)

    def adopt_findings(self):
        """Programs that were kept when the runner was ended before it could note them."""
        noted = self.findings.programs()
        for program in sorted((self.folder / "findings" / "kept").glob("*")):
            name = str(program.relative_to(self.folder))
            if name not in noted:
                self.findings.add("", "", program.stem.split("-", 1)[-1], name)
        # And those that a tool wrote in a slice whose answer nobody read.
        for program in sorted((self.folder / "findings").glob("*.ops")):
            if self.findings.with_program(program.read_bytes()) is None:
                self.keep("nobody-told", "", "", program, 0, 0)

    # --- the proofs that silence means something

    def start_canary(self):
        """Each look has another seed, and twice as many programs."""
        if (ROOT / "mutants" / "canary.patch").exists():
            seconds = max(CANARY_LEAST_SECONDS, int(self.left()))
            self.canary = self.job(commands.canary_command(ROOT, seconds, CANARY_PROGRAMS << self.looks, len(self.campaign.state["calls"]) + self.looks),
                                   1800 + seconds, "canary")
            self.looks += 1

    def end_canary(self):
        answer = self.canary.answer() or {}
        rows = answer.get("mutants", [])
        found = bool(rows) and all(row["killed"] for row in rows)
        row = rows[0] if rows else {"seconds": None, "processor_seconds": None, "programs": 0}
        look = {"found": found, "at": time.time(), "seconds": row["seconds"], "processor_seconds": row["processor_seconds"], "programs": row["programs"],
                "asked": CANARY_PROGRAMS << (self.looks - 1), "control_violations": answer.get("control", {}).get("violations"),
                "message": answer.get("message") or self.canary.last_words() or "no answer"}
        say(f"canary: {'found' if found else 'MISSED'} in {look['programs']:,} programs: {look['message']}")
        self.canary = None
        # A look that the end of the time has cut short takes nothing back of one that was whole.
        if found or self.looks == 1 or look["programs"] >= look["asked"]:
            self.campaign.state["canary"] = look
        if not found and self.left() > 0 and self.looks < CANARY_LOOKS:
            self.start_canary()
        self.campaign.save()

    def end_regressions(self):
        answer = self.regressions.answer() or {}
        for row in answer.get("files", []):
            if row.get("oracle"):
                self.keep("regressions", row["token"], row["oracle"], row["file"], row["times_seen"], row["times_run"])
        if not answer.get("files"):
            say(f"regression files: {self.regressions.last_words()}")
        self.regressions = None

    def start_coverage(self):
        """What no lane has reached is told in the report."""
        if commands.tool(ROOT, "cov").exists():
            self.coverage = self.job(commands.coverage_command(self.folder), COVERAGE_SECONDS, "coverage")

    def end_coverage(self):
        if self.coverage.status != 0:
            say(f"coverage: {'did not end in time' if self.coverage.timed_out else self.coverage.last_words()}")
        self.coverage = None

    # --- what is told

    def fault(self, record, message, hang):
        record["hangs" if hang else "faults"] += 1
        record["last_fault"] = message
        say(message)

    def keep_log(self, lane, job):
        for path in (job.log_path, job.answer_path):
            if path.exists():
                self.carefully(lambda path=path: shutil.copy(path, self.folder / "logs" / path.name))

    def live_figures(self):
        """What the slices that run have done so far."""
        live = {}
        for name, (lane, job) in self.running.items():
            self.campaign.lane(name)["rss_mib"] = job.resident_mib()
            live[name] = {"seconds": job.elapsed()}
            for file in (self.folder / "run").glob(f"{lane.target}-{job.pid}/figures.json"):
                try:
                    live[name].update(json.loads(file.read_text(encoding="utf-8")))
                except (OSError, ValueError):
                    pass
            self.note_newest(name, live[name])
        return live

    def note_newest(self, name, figures):
        """Edges that a slice sees for the first time are not news before it has ended, but their time is."""
        record = self.campaign.lane(name)
        if figures.get("edges", 0) > max(record["edges"], self.most_edges.get(name, 0)):
            self.most_edges[name], record["newest"] = figures["edges"], time.time()

    def report_now_and_then(self):
        if time.monotonic() - self.last_status < STATUS_EVERY:
            return
        self.last_status = time.monotonic()
        state = self.campaign.state
        state["spent"] = self.spent()
        state["now"] = {"elapsed": self.elapsed(), "budget": self.budget, "at": time.time(), "running": self.live_figures(),
                        "no_space": self.space.missing, "bugs": self.findings.counts()[0], "violations": self.findings.counts()[1]}
        saved = self.campaign.save()
        for line in status_lines(state, self.folder):
            say(line)
        if self.space.missing or not saved:
            say(f"no space left on {self.folder}: nothing new is started until there is")
        self.append_series(state)

    def append_series(self, state):
        path = self.folder / "series.csv"
        try:
            fresh = not path.exists()
            with open(path, "a", encoding="utf-8") as stream:
                if fresh:
                    stream.write("seconds,lane,programs,edges,files,rss_mib,bugs\n")
                for name in state["now"]["running"]:
                    record, live = state["lanes"][name], state["now"]["running"][name]
                    # A slice that has just begun, or just ended, says nothing yet.
                    if "programs" not in live and record["slices"] == 0:
                        continue
                    programs = record["programs"] + live.get("programs", 0)
                    edges, files = max(record["edges"], live.get("edges", 0)), live.get("corpus_files", record.get("files", 0))
                    stream.write(f"{state['spent']:.0f},{name},{programs},{edges},{files},{record['rss_mib']},{state['now']['bugs']}\n")
        except OSError:
            pass

    def wind_up(self):
        for _, job in self.running.values():
            job.stop()
        deadline = time.monotonic() + 15
        while self.running and time.monotonic() < deadline:
            self.carefully(self.look_after_everything)
            time.sleep(0.1)
        for name in list(self.running):
            lane, job = self.running.pop(name)
            job.kill()
            self.end_slice(lane, job)
        if self.corpora.job:
            self.corpora.job.kill()
        self.carefully(self.start_coverage)
        # What was found is made short, and the canary waited for, even when the time is over: both are what the call is for.
        while not self.stopped and (self.canary or self.regressions or self.coverage or self.waits_for_triage()):
            self.carefully(self.look_after_everything)
            self.report_now_and_then()
            time.sleep(TICK)
        for job in (self.canary, self.regressions, self.coverage, self.triage.job):
            if job:
                job.kill()
        state = self.campaign.state
        state["spent"] = self.spent()
        bugs, violations = self.findings.counts()
        state["now"] = {"elapsed": self.elapsed(), "budget": self.budget, "at": time.time(), "running": {}, "no_space": False,
                        "bugs": bugs, "violations": violations, "ended": True}
        state["calls"][-1]["ended"] = time.time()
        self.campaign.save()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def waits_for_triage(self):
        """Nothing is begun on a full disk: the next call goes on with it."""
        if not self.triage.job and not self.space.missing:
            self.carefully(self.triage.start)
        return self.triage.job is not None

    def verdict(self):
        """0 when the silence can be trusted."""
        state, groups = self.campaign.state, self.findings.groups()
        for line in status_lines(state, self.folder):
            print(line)
        for row in groups:
            program = row["minimised"] or row["program"]
            print(f"{row['status'].upper()} {row['token'] or row['oracle']}: ./assay replay {self.folder / program}")
        word, sentence = verdict_of(state, groups)
        print(f"VERDICT {word}: {sentence}")
        return 0 if word == "clean" else 1


def main(words):
    if len(words) == 2 and words[0] == "--check":
        read_state(pathlib.Path(words[1]))
        return 0
    if len(words) != 2 or not words[0].isdigit():
        raise CampaignError("usage: runner.py SECONDS DIR (soak/soak.sh calls it)")
    # Nothing is written to it; that it closes says that this process is gone, in whichever way.
    guard = pathlib.Path(__file__).with_name("guard.py")
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
    campaign = Campaign(words[1], commit)
    findings = Findings(campaign.folder)
    with subprocess.Popen([sys.executable, guard, str(os.getpid())], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True):
        return hunt(Runner(int(words[0]), campaign, findings))


def hunt(runner):
    """Until the time is over, or until somebody asks for the end."""

    def stop(_signal, _frame):
        runner.stopped = True

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    return runner.run()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except CampaignError as error:
        print(f"soak: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        if not is_full(error):
            raise
        # Before anything is hunted; after that it is waited for.
        print(f"soak: {error.filename or sys.argv[-1]}: {error.strerror}", file=sys.stderr)
        sys.exit(2)

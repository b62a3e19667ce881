"""soak/slurm.sbatch on a real Slurm of one node that this test starts: a munge key of its own, munged, slurmctld and
slurmd by hand on 127.0.0.1. Where Slurm is not installed and cannot be (no root, no Debian), it is skipped."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BATCH = ROOT / "soak" / "slurm.sbatch"
PACKAGES = ["munge", "slurmctld", "slurmd", "slurm-client"]
PROGRAMS = ["munged", "slurmctld", "slurmd", "sbatch", "squeue"]
SECONDS = os.environ.get("ASSAY_SLURM_SECONDS", "10")

CONFIGURATION = """\
ClusterName=assay
SlurmctldHost={host}(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CryptoType=crypto/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmctldPort={control}
SlurmdPort={node}
MpiDefault=none
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def have_slurm():
    """True when all programs are there, or could be installed."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", *PACKAGES], env=environment, capture_output=True, timeout=600, check=False)
    return os.geteuid() == 0 and all(shutil.which(name) for name in PROGRAMS)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cluster:
    """One node, in the folder; its daemons end with it."""

    def __init__(self, folder):
        self.folder, self.daemons = folder, []
        host = socket.gethostname().split(".")[0]
        for name in ("munge", "state", "spool"):
            (folder / name).mkdir(mode=0o755)
        key = folder / "munge" / "key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        self.environment = dict(os.environ, SLURM_CONF=str(folder / "slurm.conf"))
        (folder / "slurm.conf").write_text(CONFIGURATION.format(host=host, folder=folder, control=free_port(), node=free_port(), cpus=os.cpu_count()))
        munge = folder / "munge"
        self._start("munged", "--foreground", "--force", f"--key-file={key}", f"--socket={munge}/socket", f"--pid-file={munge}/pid",
                    f"--log-file={munge}/log", f"--seed-file={munge}/seed")
        self._await(lambda: (munge / "socket").exists(), "munged")
        self._start("slurmctld", "-D", "-i")
        self._start("slurmd", "-D", "-N", host)
        self._await(lambda: "idle" in self.run("sinfo", "-h", "-o", "%T").stdout, "an idle node")

    def _start(self, *words):
        log = open(self.folder / f"{words[0]}.out", "wb")
        self.daemons.append(subprocess.Popen(words, env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL))
        log.close()

    def _await(self, ready, what):
        deadline = time.monotonic() + 120
        while not ready():
            if time.monotonic() > deadline:
                logs = "\n".join(path.read_text(errors="replace")[-2000:] for path in self.folder.glob("*.log"))
                raise AssertionError(f"{what} did not come\n{logs}")
            time.sleep(0.5)

    def run(self, *words, **more):
        return subprocess.run(words, env=dict(self.environment, **more), capture_output=True, text=True, timeout=120, cwd=ROOT, check=False)

    def stop(self):
        for daemon in reversed(self.daemons):
            daemon.terminate()
        for daemon in self.daemons:
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                daemon.kill()


class SlurmTest(unittest.TestCase):
    def setUp(self):
        # munged wants folders above its socket that nobody else may write to.
        folder = tempfile.TemporaryDirectory(prefix="assay-slurm-", dir="/run")
        self.addCleanup(folder.cleanup)
        self.shared = pathlib.Path(folder.name) / "shared"
        self.shared.mkdir()
        pathlib.Path(folder.name).chmod(0o755)
        self.cluster = Cluster(pathlib.Path(folder.name))
        self.addCleanup(self.cluster.stop)

    def test_an_array_over_the_lanes_shares_its_corpus(self):
        lanes = subprocess.run([BATCH, "--lanes"], capture_output=True, text=True, check=True).stdout.splitlines()
        self.assertTrue(lanes)
        count = len(lanes)
        submitted = self.cluster.run("sbatch", "--parsable", f"--array=0-{count - 1}", str(BATCH), SECONDS, ASSAY_SHARED=str(self.shared), ASSAY_ROOT=str(ROOT))
        self.assertEqual(submitted.returncode, 0, submitted.stderr)
        deadline = time.monotonic() + 120 + 60 * count
        while self.cluster.run("squeue", "-h").stdout.strip():
            self.assertLess(time.monotonic(), deadline, "the job does not end")
            time.sleep(1)
        for task, lane in enumerate(lanes):
            with self.subTest(lane):
                target, flavour, mode = lane.split()
                work = self.shared / "tasks" / str(task)
                answer = json.loads((work / "answer.json").read_text())
                row = answer["targets"][0]
                self.assertEqual((answer["verdict"], row["name"], answer["flavour"], row["mode"]), ("clean", target, flavour, mode), (work / "log").read_text())
                self.assertGreater(row["programs"], 0)
                print(f"{lane}: {row['programs']} programs, {row['corpus_files']} files")
                kept = {path.name for path in (work / "corpus" / target).iterdir()}
                self.assertLessEqual(kept, {path.name for path in (self.shared / "corpus" / target).iterdir()})
        # A second array begins with what the first one has found.
        again = self.cluster.run("sbatch", "--parsable", "--array=0", str(BATCH), "5", ASSAY_SHARED=str(self.shared), ASSAY_ROOT=str(ROOT))
        self.assertEqual(again.returncode, 0, again.stderr)

    def test_bad_input_is_refused(self):
        for words, environment in ((["x"], {}), (["5"], {}), (["5"], {"ASSAY_SHARED": "/nowhere"}), (["5"], {"ASSAY_SHARED": str(self.shared)})):
            done = subprocess.run([BATCH, *words], env=dict(os.environ, **environment), capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1), done.stderr)


if __name__ == "__main__":
    if not have_slurm():
        print("skipped: Slurm is not here and cannot be installed (it takes root and Debian)")
        sys.exit(77)
    unittest.main()

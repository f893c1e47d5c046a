"""The pipeline through the Slurm profile, on a cluster of one node that this script brings up on loopback.

    python perf/slurm_cluster.py        # as root, in a container: Debian's slurm-wlm, munge, postgresql

The profile runs as it ships (accounting is off), with shorter waits. Answers come from a fake server and
are kept in PostgreSQL. Disturbed on purpose, each once while it has calls in flight: a job's processes get
SIGKILL; a job's step daemon (slurmstepd) gets SIGKILL, which Slurm does not notice before the job's time
limit (here five minutes); and a job is pre-empted (SIGTERM, requeued). Shown: what Slurm and Snakemake made
of it, how many requests the server saw twice, and whether results are the bytes of a local run.
ECON_SLURM_LOGS names a folder to leave the logs in.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from perf.chaos import answer, answered, differing, results, sections
from tests.engines.conftest import Project, lay_out
from tests.llm.fake_server import FakeServer
from tests.postgres import Server, serving

LATENCY = 1.0
TOLD = re.compile(r"failed|Trying to restart|requeue|steps \(100%\)|preempt|\[\d+/\d+\]", re.IGNORECASE)
WHERE = Path("/etc/slurm/slurm.conf")  # Slurm's commands look there; the plugin hands no SLURM_CONF on
CONFIG = """\
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
AuthInfo=socket={folder}/munge.socket
SlurmUser=root
SlurmdUser=root
SlurmctldPort={controller}
SlurmdPort={node}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmdParameters=config_overrides
SlurmdTimeout=30
KillWait=30
JobRequeue=1
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=32000 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def cluster(folder: Path) -> Iterator[None]:
    """Slurm on this machine."""
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    host = socket.gethostname().partition(".")[0]
    WHERE.parent.mkdir(exist_ok=True)
    WHERE.write_text(CONFIG.format(host=host, folder=folder, controller=free_port(), node=free_port()))
    files = [f"--{name}-file={folder}/munged.{name}" for name in ("pid", "seed", "log")]
    daemons = (
        ["munged", "--foreground", "--force", f"--socket={folder}/munge.socket", f"--key-file={key}", *files],
        ["slurmctld", "-D"],
        ["slurmd", "-D", "-N", host],
    )
    running = []
    try:
        for words in daemons:
            log = (folder / f"{words[0]}.out").open("wb")
            running.append(subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True))
            time.sleep(1.0)
        until(lambda: "idle" in said("sinfo", "--noheader", "--format=%T"), 60)
        yield
    finally:
        for process in reversed(running):
            process.terminate()
            process.wait()
        WHERE.unlink()


def said(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout


def until(condition: Callable[[], object], seconds: float = 900.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.2)


def tell(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", flush=True)


# -- what is killed -----------------------------------------------------------------------------------------


def running_jobs() -> list[str]:
    return said("squeue", "--noheader", "--states=RUNNING", "--format=%A").split()


def processes(job: str) -> dict[int, str]:
    """The command lines of a job's processes, by their environment."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if f"SLURM_JOB_ID={job}\0".encode() in (path / "environ").read_bytes():
                found[int(path.name)] = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
    return found


def asking(job: str) -> dict[int, str]:
    """The processes of a job whose `econ` command runs by now; of others none."""
    found = processes(job)
    return found if any(" -m econ " in line or "/econ " in line for line in found.values()) else {}


def step_daemons(job: str) -> list[int]:
    """The daemons (slurmstepd) of a job's steps, the batch script's apart."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            line = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if re.match(rf"slurmstepd: \[{job}\.\d+\]", line):
            found.append(int(path.name))
    return found


def disturb(server: FakeServer) -> list[float]:
    """One kill of each kind, each of another job; when they were."""
    moments, met = [], set[str]()
    for name, kill in (("job", kill_job), ("step daemon", kill_daemon), ("pre-emption", preempt)):
        found: list[str] = []

        def ready(found: list[str] = found) -> bool:
            found[:] = [job for job in running_jobs() if job not in met and asking(job)]
            return bool(found) and server.in_flight > 0

        until(ready)
        met.add(found[0])
        moments.append(time.time())
        told = kill(found[0])
        tell(f"{name}: Slurm job {found[0]}, {server.in_flight} calls in flight after: {told}")
        time.sleep(3)
    return moments


def kill_job(job: str) -> str:
    mine = [number for number, line in processes(job).items() if "slurmstepd" not in line]
    for number in mine:
        os.kill(number, signal.SIGKILL)
    return f"SIGKILL to its {len(mine)} processes"


def kill_daemon(job: str) -> str:
    daemons = step_daemons(job)
    for number in daemons:
        os.kill(number, signal.SIGKILL)
    return f"SIGKILL to {len(daemons)} slurmstepd"


def preempt(job: str) -> str:
    """As Slurm does for a partition of higher priority: SIGTERM, then back into the queue."""
    said("scancel", "--signal=TERM", "--full", job)
    time.sleep(1)
    said("scontrol", "requeue", job)
    return "SIGTERM, and requeued"


# -- the runs -----------------------------------------------------------------------------------------------


def project(folder: Path, server: FakeServer) -> Project:
    made = lay_out(folder)
    made.environment |= {"ECON_HOME": str(folder / "home")}
    made.params(**sections(server, ["svamp"]))
    command = folder / "bin" / "econ"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m econ "$@"\n')
    command.chmod(0o755)
    return made


def through_slurm(made: Project, database: Server) -> subprocess.Popen[str]:
    environment = {**made.environment, "ECON_CACHE_URL": database.fresh()}
    waits = ["--latency-wait", "10", "--slurm-init-seconds-before-status-checks", "5",
             "--seconds-between-status-checks", "5"]  # fmt: skip
    limits = ["--set-resources", "evaluate:runtime=5", "train:runtime=5"]
    profile = ["--profile", "workflow/profiles/slurm", "--jobs", "3"]
    words = ["snakemake", *profile, "aggregate", *waits, *limits]
    log = (made.folder / "snakemake.out").open("w")
    return subprocess.Popen(words, cwd=made.folder, env=environment, stdout=log, stderr=log, text=True)


def main() -> None:
    if os.getuid() or not all(map(shutil.which, ("munged", "slurmctld", "slurmd"))):
        sys.exit("this needs root, and Debian's slurm-wlm and munge")
    if WHERE.exists():
        sys.exit(f"there is a cluster here already: {WHERE}")
    with (
        tempfile.TemporaryDirectory(prefix="econ-slurm-", dir="/tmp") as top,
        FakeServer(answer, latency=LATENCY) as server,
        serving() as database,
    ):
        local = project(Path(top) / "local", server)
        started = time.perf_counter()
        local.snakemake("aggregate")
        wanted = len(answered(server))
        tell(f"local run: {wanted} requests, {time.perf_counter() - started:.0f} s")
        server.log.clear()
        server.answered.clear()
        state = Path(top) / "slurm"
        state.mkdir()
        with cluster(state):
            tell(f"Slurm {said('sinfo', '--version').strip()}: accounting off, one node of 4 CPUs")
            made = project(Path(top) / "cluster", server)
            run = through_slurm(made, database)
            try:
                moments = disturb(server)
                code = run.wait(900)
            finally:
                run.kill()
                if kept := os.environ.get("ECON_SLURM_LOGS"):
                    for log in (*state.glob("*.log"), made.folder / "snakemake.out"):
                        shutil.copy(log, kept)
            tell(f"snakemake ended with {code}")
            report(made, local, server, moments, wanted)


def report(made: Project, local: Project, server: FakeServer, moments: list[float], wanted: int) -> None:
    times = answered(server)
    twice = [first for first, *later in times.values() if later]
    near = sum(any(-0.5 <= first - kill <= LATENCY + 0.5 for kill in moments) for first in twice)
    tell(f"the server answered {len(times)} requests ({wanted} in the local run)")
    tell(f"{len(twice)} of them twice, {near} of these in flight at a kill")
    output = (made.folder / "snakemake.out").read_text()
    for line in output.splitlines():
        if TOLD.search(line):
            print("   ", line.strip()[:160])
    reference = results(local.folder)
    changed = differing(results(made.folder), reference)
    tell(f"{len(changed)} of {len(reference)} files differ from those of the local run")
    for name in changed[:5]:
        print("   ", name)


if __name__ == "__main__":
    main()

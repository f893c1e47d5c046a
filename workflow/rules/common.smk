# What all rules share: the params, the lists of jobs, and how a command is run.
import fcntl
import json
import os
import re
import shlex
import sys
import time

from econ import fingerprint, paths
from econ.benchmarks import names as benchmark_names
from econ.errors import EconError
from econ.params import learns, load, parse_method, setting, training
from econ.reporting import measured
from econ.reporting.catalogue import figure_files, figures, table_files, tables
from econ.running.engine import attach
from snakemake.logging import logger

STARTED = time.time()

if workflow.is_main_process:
    attach(workflow.output_settings, logger)


def read_params():
    """The params file of this run, checked as a whole before any job starts."""
    unknown = set(config) - {"params", "set"}
    if unknown:
        raise EconError(
            f"--config knows no '{min(unknown)}'",
            "it takes params=FILE and 'set={KEY: VALUE}'",
        )
    file, changes = Path(config.get("params", "params.yaml")), config.get("set") or {}
    if not isinstance(changes, dict):
        raise EconError("--config set is no mapping", "such as --config 'set={train.episodes: 20}'")
    # Snakemake hands numbers on as texts: a text is passed as it is, and read as YAML where it arrives.
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in changes.items()}
    changes = [f"{key}={value}" for key, value in texts.items()]
    params = load(file, changes)
    known = benchmark_names(params)
    for benchmark in params.benchmarks:
        if benchmark not in known:
            raise EconError(f"{file}: unknown benchmark '{benchmark}'", f"known: {', '.join(known)}")
    return file, changes, params


try:
    PARAMS_FILE, CHANGES, PARAMS = read_params()
except EconError as fault:
    sys.exit(f"econ: error: {fault}")


VARIANT = r"(\+[a-z0-9-]+)?"


wildcard_constraints:
    benchmark="[^/]+",
    method="[^/]+",
    n=r"\d+",
    seed=r"-?\d+",
    variant=VARIANT,


# What a rule's results depend on goes into its `params:` as text, so that Snakemake runs a job again when,
# and only when, one of these values is another one.
def text(value):
    return json.dumps(value, sort_keys=True)


def rows_of(benchmark):
    """All that can change a benchmark's rows. Which of them are used is each job's own affair."""
    data = PARAMS.model_dump(mode="json")["data"]
    kept = {key: data[key] for key in ("source", "mirror", "train_share")}
    return text([kept, os.environ.get("ECON_DATA_MIRROR"), data["custom"].get(benchmark)])


def learning_of(variant):
    """All that can change what a variant (``+NAME``, or nothing) learns."""
    return text(training(PARAMS.varied(variant[1:] or None)))


def code_of_learning(benchmark):
    """The code that decides on what is learned."""
    return fingerprint.training(PARAMS.kind_of(benchmark), PARAMS.llm.backend)


def code_of_answers(method, benchmark):
    """The code that decides on a method's answers and their metrics."""
    return fingerprint.answers(method, PARAMS.kind_of(benchmark), PARAMS.llm.backend)


def answers_of(method):
    """All that can change a method's answers, and the prices that its metrics are counted with."""
    return text([setting(PARAMS, method), PARAMS.model_dump(mode="json")["llm"]["prices"]])


def recording():
    """All that can change a bank: the grid, the models, and how they are asked."""
    whole = PARAMS.model_dump(mode="json")
    llm = {
        key: whole["llm"][key] for key in ("backend", "provider", "coordinator", "executors", "max_tokens")
    }
    data = {key: whole["data"][key] for key in ("train_problems", "test_problems", "sample_seed")}
    strategy = {key: value for key, value in whole["team"].items() if "strategy" in key or "detailed" in key}
    action = {key: whole["action"][key] for key in ("second", "fixed_top_p")}
    return text([whole["bank"], llm, data, strategy, action, whole["embedding"]])


def banks(benchmark, split):
    """The banks of a split, one per executor model."""
    return [paths.bank(benchmark, split, model) for model in dict.fromkeys(PARAMS.llm.executors)]


def played_from(split, benchmark="{benchmark}"):
    """The banks that a job plays from: none, where models answer."""
    return banks(benchmark, split) if PARAMS.llm.backend == "bank" else []


# As paths: where results are in object storage, expand() takes no rule's output.
ANSWERS = [
    "results/traces/{benchmark}/{method}-n{n}-s{seed}.jsonl",
    "results/metrics/{benchmark}/{method}-n{n}-s{seed}.json",
]


def problems(benchmarks):
    """The files of these benchmarks' problems."""
    splits = expand(
        "data/benchmarks/{benchmark}/{split}.jsonl",
        benchmark=benchmarks,
        split=["train", "test"],
    )
    return splits + expand("data/benchmarks/{benchmark}/manifest.json", benchmark=benchmarks)


def jobs(template, benchmarks=PARAMS.benchmarks):
    """``template`` filled in for every job of the params."""
    return [
        path
        for benchmark in benchmarks
        for path in expand(
            template,
            benchmark=benchmark,
            method=PARAMS.methods_on(benchmark),
            n=PARAMS.n_agents,
            seed=PARAMS.seeds,
        )
    ]


def checkpoint_of(method):
    """The checkpoint that a method plays from, its agent count and seed still open."""
    variant = PARAMS.learned_as(parse_method(method)[1])
    return str(paths.checkpoint("{benchmark}", "{n}", "{seed}", variant))


def checkpoints(benchmarks=PARAMS.benchmarks):
    """The checkpoints that the methods of the params play from: none, where none of them learns."""
    templates = dict.fromkeys(map(checkpoint_of, filter(learns, PARAMS.methods)))
    return expand(list(templates), benchmark=benchmarks, n=PARAMS.n_agents, seed=PARAMS.seeds)


def unlearned(benchmarks=PARAMS.benchmarks):
    """What stands in a benchmark's folder of checkpoints, for DVC, where no method of the params learns."""
    return [] if checkpoints() else expand("results/checkpoints/{benchmark}/none", benchmark=benchmarks)


TRAINED = r"s-?\d+"  # a policy's name in a path: of a training seed


def policy_of(wildcards):
    """Of a certificate's name: the command's option, and the checkpoint that the policy comes from."""
    if not re.fullmatch(TRAINED, wildcards.policy):
        return {"option": f"--policy {wildcards.policy}", "checkpoint": []}
    seed = wildcards.policy[1:]
    folder = str(paths.checkpoint(wildcards.benchmark, wildcards.n, seed))
    return {"option": f"--seed {seed}", "checkpoint": folder}


def certificates():
    """The certificates that the params list."""
    return list(map(str, measured.certificates(PARAMS)))


def regrets():
    """The regrets that the params list."""
    return list(map(str, measured.regrets(PARAMS)))


OPTIONS = [
    "--params",
    str(PARAMS_FILE),
    *(word for change in CHANGES for word in ("--set", change)),
]
WORDS = shlex.join(OPTIONS).replace("{", "{{").replace("}", "}}")  # the shell's text is a format


# What every job's shell knows beforehand.
# PARAMS: the options that give a command its params. Not in a rule's `params:`, so that the file's name alone
# makes no job run again.
# PATH: `econ` is found beside this Snakemake too, so an environment need not be activated.
# at LOG: where results are in object storage, go to the folder of their local copies, where they have the paths
# that the commands know; all else is linked to it.
# logged LOG COMMAND ...: all output goes to the log, and of a failure the last line to the user as well. A signal
# to the whole job (pre-emption) is the command's to heed: this shell waits until it has taken in what is paid for.
shell.prefix(
    f'set -euo pipefail; PARAMS=({WORDS}); PATH="$PATH:{os.path.dirname(sys.executable)}"; '
    'at() {{ local root="${{1%results/logs/*}}" here="$PWD" name; if [ -z "$root" ]; then return; fi; '
    'mkdir -p "$root/data" .econ; for name in * .econ data/*; do case "$name" in results|data|data/benchmarks) ;; '
    '*) ln -sfn "$here/$name" "$root/$name";; esac; done; cd "$root"; }}; '
    'logged() {{ trap : TERM HUP; local log="$1" code=0; shift; at "$log"; log="results/logs/${{log#*results/logs/}}"; '
    '"$@" > "$log" 2>&1 || code=$?; '
    'if [ $code != 0 ]; then echo "$log: $(tail -n 1 "$log")" >&2; fi; return $code; }}; '
)


def reported(file):
    """A file of a table or figure, with its caption where it is the one that a browser shows."""
    path = Path(file)
    if path.suffix == ".html":
        table = tables(PARAMS)[path.stem]
        return report(
            file,
            caption=caption(path, table.caption),
            category="Tables",
            subcategory=table.section.capitalize(),
            labels={"table": table.title},
        )
    if path.suffix == ".svg":
        return report(
            file,
            caption=caption(path, figures(PARAMS)[path.stem].caption),
            category="Figures",
            labels={"figure": path.stem.replace("_", " ").capitalize()},
        )
    return file


def caption(path, text):
    """A file with the text, which Snakemake's report reads as reStructuredText with templates in it."""
    place = Path(".snakemake/captions") / path.with_suffix(".rst").name
    place = place.with_name(f"{path.parent.name}-{place.name}").absolute()
    escaped = re.sub(r"([*_`|\\])", r"\\\1", text)
    content = f"{{% raw %}}{escaped}{{% endraw %}}\n"
    if not place.exists() or place.read_text() != content:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
    return str(place)


def hold_lock():
    """Let one run at a time work in this folder.

    The kernel's lock ends with its process. Snakemake's own, which the profile turns off, outlives a killed
    run and then refuses to go on.
    """
    global LOCK
    os.makedirs(".snakemake", exist_ok=True)
    LOCK = open(".snakemake/econ.lock", "w")
    try:
        fcntl.flock(LOCK, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit("econ: error: another run is at work in this folder - wait for it, or stop it")


def tell(line):
    """A line for the user, in its turn among the run's."""
    logger.info(line)


def finish():
    """Say how much of the run's time the models were at work, and where the report is."""
    times = shell(f"econ timing --since {STARTED} 2>/dev/null || true", read=True).strip()
    if times:  # a run without LLM calls has none
        tell(times)
    page = Path("results/report/index.html")
    if page.exists() and page.stat().st_mtime >= STARTED:
        tell(f"Report: {page}")

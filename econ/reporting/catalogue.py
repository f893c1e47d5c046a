"""What the reporting commands write: always the same files, whatever the results are.

Light on purpose (no pandas): the pipeline's graph imports it for the exact names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

TABLE_FORMATS = ("csv", "tex", "md")
FIGURE_FORMATS = ("pdf", "svg", "png")

Kind = Literal["text", "digest", "count", "mean", "percent", "points", "tokens", "usd", "p"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column as shown: its heading, how its numbers read, and the columns of its interval, if any."""

    heading: str
    kind: Kind = "text"
    low: str | None = None
    high: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table as shown. The CSV holds every column unrounded; ``columns`` picks those of .tex, .md, .html."""

    title: str
    caption: str
    columns: dict[str, Column] = field(default_factory=dict)


_JOB = {
    "benchmark": Column("Benchmark"),
    "method": Column("Method"),
    "n_agents": Column("N", "count"),
}
_N = {"n": Column("n", "count")}
_ACCURACY = {"accuracy": Column("Accuracy", "percent", "accuracy_low", "accuracy_high")}
_DIFFERENCE = {"difference": Column("Points", "points", "difference_low", "difference_high")}
_NO_WORSE = {"no_worse": Column("No worse")}
_POWER = {"least": Column("Least", "percent"), "detectable": Column("Detectable", "percent")}
_PAPER_MODELS = {
    "paper_mixtral_8x7b": Column("8x7B*", "percent"),
    "paper_mixtral_8x22b": Column("8x22B*", "percent"),
    "paper_llama_70b": Column("70B*", "percent"),
    "paper_llama_405b": Column("405B*", "percent"),
}
_PAPER_TOKENS = {
    "paper_mixtral_8x7b": Column("8x7B*", "tokens"),
    "paper_mixtral_8x22b": Column("8x22B*", "tokens"),
    "paper_llama_70b": Column("70B*", "tokens"),
}
_RATES = {
    "delivery_rate": Column("Delivery", "percent"),
    "commonsense_micro": Column("Common. micro", "percent"),
    "commonsense_macro": Column("Common. macro", "percent"),
    "hard_micro": Column("Hard micro", "percent"),
    "hard_macro": Column("Hard macro", "percent"),
    "final_pass_rate": Column("Final", "percent"),
}
STRATEGY_FACTS = {
    "given": "Given",
    "regenerated": "Asked again",
    "cut": "Cut",
    "states_answer": "Stated",
    "withheld": "Withheld",
    "tells_gold": "Gold",
    "commitments": "Commitments",
    "valid": "Valid",
}
_STARRED = (
    "* = as the paper reports it, with models of its own (Mixtral 8x7B and 8x22B, LLaMA3.1 70B and 405B)"
)

TABLES: dict[str, Table] = {
    "accuracy": Table(
        "Accuracy",
        "Accuracy in %, with 95 % interval (Wilson; over problems where seeds are pooled). N: agents; n: "
        "answers (problems x seeds). INVALID answers count as wrong. Strict: only answers in an explicit "
        "final form. A method that uses one agent gives the same answers at every N.",
        {
            **_JOB, **_N, **_ACCURACY,
            "accuracy_strict": Column("Strict", "percent"),
            "parse_rate": Column("Parsed", "percent"),
            "invalid": Column("INVALID", "count"),
        },
    ),
    "tokens": Table(
        "Tokens per problem",
        "Means per problem over n answers, failed calls included: prompt, completion and their sum, "
        "counted by each model's own tokenizer. Every call counts in full, also one whose answer was "
        "shared through the cache. USD at the prices in the params.",
        {
            **_JOB, **_N,
            "calls": Column("Calls", "mean"),
            "prompt_tokens": Column("Prompt", "tokens"),
            "completion_tokens": Column("Completion", "tokens"),
            "total_tokens": Column("Total", "tokens"),
            "rounds": Column("Rounds", "mean"),
            "usd": Column("USD", "usd"),
        },
    ),
    "paired": Table(
        "Pairs on the same problems",
        "Difference in accuracy in points (method minus rival) with a 95 % paired interval over problems "
        "(Student's, widened by one answer's difference, so that it covers with few problems too). No "
        "worse: the interval lies above -2 points. p: exact McNemar over the n problems; with several seeds "
        "a sign-flip test of the mean difference over problems. Problems of two benchmarks that were made of "
        "one question count together. Holm: adjusted for the rivals of this benchmark and N. Least: the "
        "smallest difference that can reach p = 0.05 at this n. Detectable: the smallest true difference "
        "found with 80 % power at this n and spread; a smaller one could not have been shown. Any other "
        "pair: econ compare.",
        {
            **_JOB,
            "rival": Column("Rival"),
            **_N, **_DIFFERENCE, **_NO_WORSE,
            "wins": Column("Wins", "count"),
            "losses": Column("Losses", "count"),
            "p": Column("p", "p"),
            "p_holm": Column("Holm", "p"),
            **_POWER,
        },
    ),
    "equal_tokens": Table(
        "Pairs at equal tokens",
        "Differences, intervals and p as among the pairs as run, at equal tokens per problem: the cheaper "
        "method as run, the dearer one at its largest operating point that spends no more (fewer samples or "
        "rounds of the very same calls); what it leaves unspent counts against it. Count: all tokens; with "
        "every prompt counted once, where samples share it; completions alone. A dash: no such point.",
        {
            **_JOB,
            "rival": Column("Rival"),
            "measure": Column("Count"),
            "method_at": Column("Method at"),
            "method_tokens": Column("Tokens", "tokens"),
            "rival_at": Column("Rival at"),
            "rival_tokens": Column("Tokens", "tokens"),
            **_N, **_DIFFERENCE, **_NO_WORSE,
            "p": Column("p", "p"),
            **_POWER,
            "note": Column("Note"),
        },
    ),
    "budgets": Table(
        "Operating points",
        "Accuracy in % with 95 % interval, and mean tokens per problem, of methods given fewer of their "
        "samples or rounds: from the very same calls, the first k in their order. A problem that ended "
        "earlier counts as it ended. Once: every prompt counted once, however many samples were drawn from "
        "it. Of many samples the powers of two are shown; the CSV has all. The last point of a method is "
        "the method as run; one with a single row is known as run alone.",
        {
            **_JOB,
            "at": Column("Given"),
            **_N, **_ACCURACY,
            "prompt_tokens": Column("Prompt", "tokens"),
            "prompt_tokens_once": Column("Once", "tokens"),
            "completion_tokens": Column("Completion", "tokens"),
            "total_tokens": Column("Total", "tokens"),
        },
    ),
    "ablations": Table(
        "Variants beside their method",
        "Accuracy in % with 95 % interval; the change in points against the method as it is (its row comes "
        "first), on the same problems, with interval and p as among the pairs; Holm: "
        "adjusted for the variants of this method, benchmark and N; tokens per problem and their change in "
        "%. What changes learning was trained anew. * = as the paper reports it, found by what is changed: "
        "LLaMA3.1 8B and 70B (in table 2 the coordinator), the mean change over its models [lowest, highest] "
        "against ECON in the same table, and of tokens.",
        {
            **_JOB,
            "change": Column("Changed"),
            **_N, **_ACCURACY, **_DIFFERENCE,
            "p": Column("p", "p"),
            "p_holm": Column("Holm", "p"),
            "total_tokens": Column("Tokens", "tokens"),
            "tokens_change": Column("Tokens, change", "points"),
            "paper_llama_8b": Column("8B*", "percent"),
            "paper_llama_70b": Column("70B*", "percent"),
            "paper_points": Column("Points*", "points", "paper_points_low", "paper_points_high"),
            "paper_tokens_change": Column("Tokens, change*", "points"),
            "paper_source": Column("Where*"),
        },
    ),
    "scaling": Table(
        "Accuracy against the number of agents",
        "Accuracy in % with 95 % interval, and the change in points from the fewest agents of these "
        "params. The paper's figures 4 and 5 are no numeric targets (their points restate other methods' "
        "results), so only their statement is of use: one coordinator stops helping beyond about four "
        "executors.",
        {
            "benchmark": Column("Benchmark"), "method": Column("Method"), "n_agents": Column("N", "count"),
            **_N, **_ACCURACY,
            "change": Column("Change", "points"),
            "total_tokens": Column("Tokens", "tokens"),
        },
    ),
    "paper_accuracy": Table(
        "Accuracy beside the paper's",
        f"Accuracy in % with 95 % interval. {_STARRED}. The paper states neither sample sizes, seeds nor "
        "spread; its debate rows are of table 3, all others of figures 9 to 13.",
        {
            **_JOB, **_N, **_ACCURACY,
            "paper_method": Column("Paper's name*"), **_PAPER_MODELS,
            "note": Column("Note"),
        },
    ),
    "paper_gains": Table(
        "ECON's gain over each rival, beside the paper's",
        "Gain in points, then as a share of the rival's accuracy (relative). Paper*: mean over the models "
        "that the paper reports for this benchmark and rival, points with the lowest and highest model. "
        "The paper's headline percentages (10.9, 11.2 ...) are of no single statistic and are not used.",
        {
            **_JOB,
            "rival": Column("Rival"),
            **_N,
            "gain": Column("Points", "points", "gain_low", "gain_high"),
            "relative_gain": Column("Relative", "points"),
            "paper_gain": Column("Points*", "points", "paper_gain_low", "paper_gain_high"),
            "paper_relative_gain": Column("Relative*", "points"),
            "paper_models": Column("Models*", "count"),
        },
    ),
    "paper_tokens": Table(
        "Tokens per problem beside the paper's",
        "Mean tokens per problem over n answers. Saved: tokens fewer than debate's on the same benchmark "
        f"and N, in %, on the total and on completions alone. {_STARRED}, table 3; its unit is not defined "
        "and fits completions best. Saved*: mean over its models (the paper's 21.4 % is none of its "
        "table's means).",
        {
            **_JOB, **_N,
            "completion_tokens": Column("Completion", "tokens"),
            "total_tokens": Column("Total", "tokens"),
            "saved_total": Column("Saved, total", "points"),
            "saved_completion": Column("Saved, compl.", "points"),
            **_PAPER_TOKENS,
            "paper_saved": Column("Saved*", "points"),
        },
    ),
    "travelplanner": Table(
        "TravelPlanner",
        "Official rates in % (sole-planning, micro rates over the constraints that apply), by level. Rows "
        "of the paper* are its table 1 with GPT-4 on the 180 validation queries, of which two of its "
        "rates are no multiple of 1/180. n: plans asked for; one not delivered fails everything.",
        {**_JOB, "level": Column("Level"), **_N, **_RATES},
    ),
    "gsm_hard": Table(
        "GSM-Hard with and without its GSM8K problems",
        "Accuracy in % with 95 % interval on all problems, on those whose numbers were changed, and on "
        "those that are verbatim GSM8K questions.",
        {**_JOB, "subset": Column("Problems"), **_N, **_ACCURACY},
    ),
    "convergence": Table(
        "Rounds: who is right, who agrees, who turns",
        "Participants' answers after each round, over n problems; a game that ended before the round stands "
        "as it ended. Played: problems that played the round. Right, answered: mean share of participants "
        "with a right, a readable answer. Agreed: share of problems with one answer alone. Answers: mean "
        "number of different ones. Gained, lost: participants who turned right, or away from it, in the "
        "round. The verdict on the method's own answer after each round: operating points.",
        {
            **_JOB,
            "round": Column("Round", "count"),
            **_N,
            "played": Column("Played", "count"),
            "right": Column("Right", "percent"),
            "answered": Column("Answered", "percent"),
            "agreed": Column("Agreed", "percent"),
            "distinct": Column("Answers", "mean"),
            "gained": Column("Gained", "count"),
            "lost": Column("Lost", "count"),
        },
    ),
    "endings": Table(
        "How games ended",
        "Why answers came to an end, out of n. Dropped: exchanges that no longer fitted into a model's "
        "context and were left out of a participant's history. Favoured: the side that a judge preferred.",
        {
            **_JOB, **_N,
            "rounds": Column("Rounds", "mean"),
            "stops": Column("Stopped by"),
            "dropped": Column("Dropped", "count"),
            "favoured": Column("Favoured"),
        },
    ),
    "invalid": Table(
        "Answers that could not be read, calls that failed",
        "INVALID answers by reason, out of n; failed calls, and calls cut at their token limit, out of all.",
        {
            **_JOB, **_N,
            "invalid": Column("INVALID", "count"),
            "reasons": Column("Reasons"),
            "calls": Column("Calls", "count"),
            "failed_calls": Column("Failed", "count"),
            "truncated_calls": Column("Cut", "count"),
        },
    ),
    "strategies": Table(
        "Strategies and commitments",
        "The coordinator's strategies, of n. Asked again: it was too long or stated an answer in an "
        "explicit final form; once at most. Cut: the next was too long as well. Stated: the first stated "
        "an answer, right or not. Withheld: so did the next, and that sentence and what follows were not "
        "shown. Gold: what was shown states the gold, or holds it where the problem does not (whole "
        "numbers below 20 aside); found after the fact, an upper bound. Valid: commitments that are JSON by "
        "the schema; others are read as far as they go.",
        {**_JOB, **_N, **{fact: Column(heading, "count") for fact, heading in STRATEGY_FACTS.items()}},
    ),
    "problems": Table(
        "Problems used",
        "Where the test problems came from, and how many of the rows were used: a sample that is a "
        "function of benchmark, split and sample seed alone. Shipped: problems of this project's own "
        "writing in the data set's form. Checked: the hub itself gave the rows of this revision; a mirror's "
        "are checked by their SHA-256 alone. Digests are cut to 12 characters (whole in the CSV).",
        {
            "benchmark": Column("Benchmark"),
            "source": Column("Source"),
            "hub": Column("Data set"),
            "revision": Column("Revision", "digest"),
            "checked": Column("Checked"),
            "n": Column("Used", "count"),
            "rows": Column("Rows", "count"),
            "licence": Column("Licence"),
            "sha256": Column("SHA-256", "digest"),
        },
    ),
}  # fmt: skip

FIGURES: dict[str, str] = {
    "accuracy": (
        "Accuracy per benchmark, method and agent count, with 95 % intervals. Grey ticks: the "
        "paper's four models (figures 9 to 13; debate: its three models of table 3)."
    ),
    "tokens": (
        "Mean tokens per problem, prompt (light) and completion (dark). Black tick: the paper's table "
        "3 for LLaMA3.1-70B, whose unit is not defined and fits completions best."
    ),
    "scaling": (
        "Accuracy against the number of agents, with 95 % intervals. Grey: the paper's figures 4 "
        "(one coordinator) and 5 (several) as printed; their points restate other methods' results "
        "and are no targets."
    ),
    "tradeoff": (
        "Accuracy against tokens per problem (logarithmic), every method, with 95 % intervals. Lines: the "
        "same method given fewer samples or rounds. Dotted: a method that asks no model. One that uses a "
        "single agent is drawn once. Stars in a method's colour: the paper's table 3 for LLaMA3.1-70B, its "
        "tokens in a unit of its own."
    ),
    "convergence": (
        "Round by round, means over all problems: participants who are right, how many different answers "
        "they give, and how many turned right (above zero) or away from it (below) per problem."
    ),
    "differences": (
        "ECON minus each rival in points, paired on the same problems, with a 95 % bootstrap "
        "interval over problems."
    ),
    "ablations": (
        "Each variant minus its method in points, paired on the same problems, with a 95 % bootstrap "
        "interval over problems. Grey ticks: the mean change over the models of the paper's tables 2 to 6."
    ),
    "training": (
        "Training: rewards, values, losses, reward weights, the policy's actions and how refinement ended."
    ),
}


def table_files() -> list[str]:
    """Paths of all table files and of their manifest, in a stable order."""
    files = [f"{name}.{ending}" for name in TABLES for ending in TABLE_FORMATS]
    return [f"results/tables/{file}" for file in (*files, "manifest.json")]


def figure_files() -> list[str]:
    """Paths of all figure files, in a stable order."""
    return [f"results/figures/{name}.{ending}" for name in FIGURES for ending in FIGURE_FORMATS]

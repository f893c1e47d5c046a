# The whole pipeline, one job per benchmark x method x agent count x seed. Every job is one `econ` command.
#
#   snakemake --cores all                                   everything, with params.yaml
#   snakemake --cores all --config params=params/paper.yaml with another params file
#   snakemake --cores all --config 'set={train.episodes: 20}'  with another value
#   snakemake --cores all evaluate_gsm8k                    all answers on one benchmark
#   snakemake --touch --cores 1                             after `dvc pull`: take what is there as made
include: "workflow/rules/common.smk"
include: "workflow/rules/problems.smk"
include: "workflow/rules/bank.smk"
include: "workflow/rules/play.smk"
include: "workflow/rules/reporting.smk"
include: "workflow/rules/targets.smk"


# Named the default here: Snakemake's own choice, the first rule, is of an included file. Results on the way are
# named too: Snakemake would not miss one that is gone while the report is there.
rule all:
    default_target: True
    input:
        expand(rules.download.output, benchmark=PARAMS.benchmarks),
        checkpoints(),
        unlearned(),
        rules.aggregate.input,
        rules.aggregate.output,
        rules.figures.output,
        rules.report.output,
    message:
        "Everything is there"


onstart:
    hold_lock()


onsuccess:
    finish()


onerror:
    finish()
    tell(
        "A job failed: its last line and its log are named above. What was answered is kept; "
        "the same command goes on from there."
    )

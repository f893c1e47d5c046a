# Targets per benchmark, for people and for dvc.yaml: download_gsm8k, train_gsm8k, evaluate_gsm8k, ...
# On a cluster what is light runs where Snakemake does: jobs there are for what asks the models.
localrules:
    all,
    banks,
    certificates,
    regrets,
    download,
    aggregate,
    figures,
    report,
    studies,
    unlearned,


for benchmark in PARAMS.benchmarks:

    rule:
        name:
            f"download_{benchmark}"
        input:
            problems([benchmark]),

    rule:
        name:
            f"bank_{benchmark}"
        input:
            [*banks(benchmark, "train"), *banks(benchmark, "test")],

    rule:
        name:
            f"train_{benchmark}"
        input:
            checkpoints([benchmark]) or unlearned([benchmark]),

    rule:
        name:
            f"evaluate_{benchmark}"
        input:
            jobs(ANSWERS, [benchmark]),

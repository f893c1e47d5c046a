# Targets per benchmark, for people and for dvc.yaml: download_gsm8k, train_gsm8k, evaluate_gsm8k, ...
localrules:
    all,
    banks,
    certificates,
    regrets,


for benchmark in PARAMS.benchmarks:

    rule:
        name:
            f"download_{benchmark}"
        input:
            expand(rules.download.output, benchmark=benchmark),

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
            jobs(rules.evaluate.output, [benchmark]),

# Real answers on a grid of actions. With llm.backend: bank, training and answering are played from them, and what
# ships with the project is taken; else `snakemake bank_gsm8k` records them from the models of the params.
rule bank:
    input:
        problems="data/benchmarks/{benchmark}/{split}.jsonl",
        manifest=rules.download.output.manifest,
    # Gone on with, never made anew: a larger grid asks for the rest alone.
    output:
        [update(path) for path in banks("{benchmark}", "{split}")],
    log:
        "results/logs/bank/{benchmark}/{split}.log",
    wildcard_constraints:
        split="train|test",
    conda:
        "../envs/econ.yaml"
    threads: 1
    params:
        recording=recording(),
    message:
        "Record answers to {wildcards.benchmark}, {wildcards.split}"
    shell:
        "logged {log} econ bank build --benchmark {wildcards.benchmark} --split {wildcards.split}"
        ' "${{PARAMS[@]}}"'


# Which banks the rest is played from, each with its checksum: none, where models answer.
rule banks:
    input:
        [played_from(split, benchmark) for benchmark in PARAMS.benchmarks for split in ("train", "test")],
    output:
        "results/bank/contents.txt",
    log:
        "results/logs/banks.log",
    conda:
        "../envs/econ.yaml"
    message:
        "List the banks"
    shell:
        "cksum {input} /dev/null > {output} 2> {log}"

# Benchmarks, fetched and normalised to problems.
rule download:
    output:
        train="data/benchmarks/{benchmark}/train.jsonl",
        test="data/benchmarks/{benchmark}/test.jsonl",
        manifest="data/benchmarks/{benchmark}/manifest.json",
    log:
        "results/logs/download/{benchmark}.log",
    conda:
        "../envs/econ.yaml"
    params:
        rows=lambda wildcards: rows_of(wildcards.benchmark),
    message:
        "Download {wildcards.benchmark}"
    shell:
        'logged {log} econ download --benchmark {wildcards.benchmark} "${{PARAMS[@]}}"'

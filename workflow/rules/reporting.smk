# From metrics to tables, figures and one page.
rule aggregate:
    input:
        metrics=jobs("results/metrics/{benchmark}/{method}-n{n}-s{seed}.json"),
        traces=jobs("results/traces/{benchmark}/{method}-n{n}-s{seed}.jsonl"),
    output:
        table_files(),
    log:
        "results/logs/aggregate.log",
    conda:
        "../envs/econ.yaml"
    message:
        "Gather the metrics into tables"
    shell:
        'logged {log} econ aggregate --params "$PARAMS"'


rule figures:
    input:
        tables=rules.aggregate.output,
        checkpoints=checkpoints(),
    output:
        figure_files(),
    log:
        "results/logs/figures.log",
    conda:
        "../envs/econ.yaml"
    message:
        "Draw the figures"
    shell:
        'logged {log} econ figures --params "$PARAMS"'


rule report:
    input:
        tables=rules.aggregate.output,
        figures=rules.figures.output,
    output:
        "results/report/index.html",
    log:
        "results/logs/report.log",
    conda:
        "../envs/econ.yaml"
    params:
        all=text(PARAMS.model_dump(mode="json")),
    message:
        "Gather tables and figures on one page"
    shell:
        'logged {log} econ report --params "$PARAMS"'

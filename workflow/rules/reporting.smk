# From metrics to tables, figures and one page. What is marked with reported() stands in Snakemake's own report,
# too: `snakemake --report report.zip`.
rule aggregate:
    input:
        metrics=jobs("results/metrics/{benchmark}/{method}-n{n}-s{seed}.json"),
        traces=jobs("results/traces/{benchmark}/{method}-n{n}-s{seed}.jsonl"),
        checkpoints=checkpoints(),
        measured=[*certificates(), *regrets()],
    output:
        [reported(file) for file in table_files(PARAMS)],
        jobs("results/summary/jobs/{benchmark}/{method}-n{n}-s{seed}.json"),
        "results/summary/training.csv",
    log:
        "results/logs/aggregate.log",
    conda:
        "../envs/econ.yaml"
    params:
        code=fingerprint.reporting("tables", PARAMS.report.tables),
    message:
        "Gather the metrics into tables"
    shell:
        'logged {log} econ aggregate "${{PARAMS[@]}}"'


rule figures:
    input:
        tables=table_files(PARAMS),
        checkpoints=checkpoints(),
    output:
        [reported(file) for file in figure_files(PARAMS)],
    log:
        "results/logs/figures.log",
    conda:
        "../envs/econ.yaml"
    params:
        code=fingerprint.reporting("figures", PARAMS.report.figures),
    message:
        "Draw the figures"
    shell:
        'logged {log} econ figures "${{PARAMS[@]}}"'


rule report:
    input:
        tables=table_files(PARAMS),
        figures=rules.figures.output,
    output:
        report(
            "results/report/index.html",
            caption="../report/page.rst",
            category="The whole page",
            labels={"page": "Verdicts, tables, figures, episodes"},
        ),
    log:
        "results/logs/report.log",
    conda:
        "../envs/econ.yaml"
    params:
        all=text(PARAMS.model_dump(mode="json")),
        code=fingerprint.reporting("page", (*PARAMS.report.tables, *PARAMS.report.figures)),
    message:
        "Gather tables and figures on one page"
    shell:
        'logged {log} econ report "${{PARAMS[@]}}"'


# Studies of the learner on the simulated team. They take long and tell nothing of the params' models, so that
# nothing else asks for them: `snakemake --cores all studies`.
rule study:
    output:
        "results/studies/{study}.md",
    log:
        "results/logs/study/{study}.log",
    wildcard_constraints:
        study="learning|refinement",
    conda:
        "../envs/econ.yaml"
    params:
        code=fingerprint.training("number", "simulated"),
    message:
        "Study {wildcards.study} on the simulated team"
    shell:
        'logged {log} econ study {wildcards.study} --out "$(realpath -m {output})"'


rule studies:
    input:
        expand("results/studies/{study}.md", study=["learning", "refinement"]),

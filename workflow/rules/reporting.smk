# From metrics to tables, figures and one page. What is marked with reported() stands in Snakemake's own report,
# too: `snakemake --report report.zip`.
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
    content = "{% raw %}" + re.sub(r"([*_`|\\])", r"\\\1", text) + "{% endraw %}\n"
    if not place.exists() or place.read_text() != content:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
    return str(place)


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

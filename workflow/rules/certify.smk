# What the banks say of policies: how far each is from equilibrium, and how regret grows with training. Nothing is
# asked of a model. What `certify` in the params lists, and where models answer, nothing.
rule equilibrium:
    input:
        problems=rules.download.output.test,
        manifest=rules.download.output.manifest,
        banks=[banks("{benchmark}", split) for split in ("test", "train")],
        checkpoint=lambda wildcards: policy_of(wildcards)["checkpoint"],
    output:
        "results/equilibrium/{benchmark}/n{n}-{policy}.json",
    log:
        "results/logs/equilibrium/{benchmark}/n{n}-{policy}.log",
    wildcard_constraints:
        policy=rf"{TRAINED}|uniform|untrained",
    conda:
        "../envs/econ.yaml"
    params:
        setting=learning_of(""),
        code=fingerprint.certificates(),
        policy=lambda wildcards: policy_of(wildcards)["option"],
    message:
        "Certify {wildcards.policy} on {wildcards.benchmark}, {wildcards.n} agents"
    shell:
        "logged {log} econ equilibrium --benchmark {wildcards.benchmark} --n-agents {wildcards.n}"
        ' {params.policy} --out "$(realpath -m {output})" "${{PARAMS[@]}}"'


rule regret:
    input:
        problems=rules.download.output.train,
        manifest=rules.download.output.manifest,
        banks=banks("{benchmark}", "train"),
    output:
        "results/regret/{benchmark}/n{n}.json",
    log:
        "results/logs/regret/{benchmark}/n{n}.log",
    conda:
        "../envs/econ.yaml"
    params:
        setting=learning_of(""),
        code=fingerprint.certificates(),
        runs=f"--seeds {PARAMS.certify.seeds} --horizons {','.join(map(str, PARAMS.certify.horizons))}",
    message:
        "Measure regret on {wildcards.benchmark}, {wildcards.n} agents"
    shell:
        "logged {log} econ regret --benchmark {wildcards.benchmark} --n-agents {wildcards.n}"
        ' {params.runs} "${{PARAMS[@]}}"'


# Which files belong to these params, each with its checksum: what DVC gates by, there in every run.
rule certificates:
    input:
        certificates(),
    output:
        "results/equilibrium/contents.txt",
    log:
        "results/logs/certificates.log",
    conda:
        "../envs/econ.yaml"
    message:
        "List the certificates"
    shell:
        "cksum {input} /dev/null > {output} 2> {log}"


rule regrets:
    input:
        regrets(),
    output:
        "results/regret/contents.txt",
    log:
        "results/logs/regrets.log",
    conda:
        "../envs/econ.yaml"
    message:
        "List the regrets"
    shell:
        "cksum {input} /dev/null > {output} 2> {log}"

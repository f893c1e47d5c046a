# Learning and answering: all jobs that ask the models. They mostly wait, so each counts as one core.
rule train:
    input:
        problems=rules.download.output.train,
        manifest=rules.download.output.manifest,
        bank=played_from("train"),
    output:
        directory("results/checkpoints/{benchmark}/n{n}-s{seed}{variant}"),
    log:
        "results/logs/train/{benchmark}/n{n}-s{seed}{variant}.log",
    conda:
        "../envs/econ.yaml"
    threads: 1
    params:
        setting=lambda wildcards: learning_of(wildcards.variant),
        code=lambda wildcards: code_of_learning(wildcards.benchmark),
        variant=lambda wildcards: wildcards.variant.replace("+", " --variant "),
    message:
        "Train {wildcards.benchmark}{wildcards.variant}, {wildcards.n} agents, seed {wildcards.seed}"
    shell:
        "logged {log} econ train --benchmark {wildcards.benchmark} --n-agents {wildcards.n}"
        ' --seed {wildcards.seed}{params.variant} "${{PARAMS[@]}}"'


rule unlearned:
    output:
        "results/checkpoints/{benchmark}/none",
    log:
        "results/logs/train/{benchmark}/none.log",
    localrule: True
    conda:
        "../envs/econ.yaml"
    message:
        "Nothing to train on {wildcards.benchmark}: none of these methods learns"
    shell:
        "echo 'None of the methods of these params learns.' | tee {log} > {output}"


# A method that takes no notice of the agent count runs at each of them all the same: the second time its
# answers come from the call cache.
rule evaluate:
    input:
        problems=rules.download.output.test,
        manifest=rules.download.output.manifest,
        bank=played_from("test"),
        checkpoint=lambda wildcards: (checkpoint_of(wildcards.method) if learns(wildcards.method) else []),
    output:
        traces="results/traces/{benchmark}/{method}-n{n}-s{seed}.jsonl",
        metrics="results/metrics/{benchmark}/{method}-n{n}-s{seed}.json",
    log:
        "results/logs/evaluate/{benchmark}/{method}-n{n}-s{seed}.log",
    conda:
        "../envs/econ.yaml"
    threads: 1
    params:
        setting=lambda wildcards: answers_of(wildcards.method),
        code=lambda wildcards: code_of_answers(wildcards.method, wildcards.benchmark),
    message:
        "Evaluate {wildcards.method} on {wildcards.benchmark}, {wildcards.n} agents, seed {wildcards.seed}"
    shell:
        "logged {log} econ evaluate --benchmark {wildcards.benchmark} --method {wildcards.method}"
        ' --n-agents {wildcards.n} --seed {wildcards.seed} "${{PARAMS[@]}}"'

# The pipeline's entry: see workflow/Snakefile.
include: "workflow/Snakefile"


# Snakemake takes no default target from an included file.
rule everything:
    default_target: True
    input:
        rules.all.input,
    localrule: True
    message:
        "Everything is there"

# The pipeline's entry: see workflow/Snakefile.
include: "workflow/Snakefile"


# Snakemake takes no default target from an included file.
rule everything:
    default_target: True
    localrule: True
    input:
        rules.all.input,
    message:
        "Everything is there"

# For `snakemake paper`; it needs LaTeX.
rule make_paper:
    input:
        unpack(planned("make_paper")),
    output:
        *results_of("make_paper"),
        record=record_of("make_paper"),
    log:
        log_of("make_paper"),
    localrule: True
    conda:
        "../envs/cactus.yaml"
    message:
        "make_paper"
    shell:
        'exec python "$SCRIPTS/make_paper.py" --plan {input.plan:q} >> {log:q} 2>&1'


rule paper:
    input:
        made_by("make_paper"),

report: "../workflow/report/workflow.rst"


rule make_report:
    input:
        unpack(planned("make_report")),
    output:
        *results_of("make_report"),
        record=record_of("make_report"),
    log:
        log_of("make_report"),
    localrule: True
    conda:
        "../envs/cactus.yaml"
    message:
        "make_report"
    shell:
        'exec python "$SCRIPTS/make_report.py" --plan {input.plan:q} >> {log:q} 2>&1'


rule report:
    input:
        made_by("make_report"),

rule audit_run:
    input:
        unpack(planned("audit_run")),
    output:
        *results_of("audit_run"),
        record=record_of("audit_run"),
    log:
        log_of("audit_run"),
    localrule: True
    conda:
        "../envs/cactus.yaml"
    message:
        "audit_run"
    shell:
        'exec python "$SCRIPTS/audit_run.py" --plan {input.plan:q} >> {log:q} 2>&1'


rule audit:
    input:
        made_by("audit_run"),

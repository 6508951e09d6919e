rule audit_run:
    input:
        unpack(planned("audit_run")),
    output:
        f"{RUN}/audit.json",
        record=f"{RUN}/records/audit_run.json",
    log:
        f"{RUN}/logs/audit_run.log",
    conda:
        "../envs/cactus.yaml"
    message:
        "audit_run"
    shell:
        'exec python "$SCRIPTS/audit_run.py" --plan {input.plan:q} >> {log:q} 2>&1'


rule audit:
    input:
        rules.audit_run.output,

rule make_synthetic_data:
    input:
        unpack(planned("make_synthetic_data")),
    output:
        *results_of("make_synthetic_data"),
        record=record_of("make_synthetic_data"),
    log:
        log_of("make_synthetic_data"),
    localrule: True
    conda:
        "../envs/cactus.yaml"
    message:
        "make_synthetic_data {wildcards.dataset}"
    shell:
        'exec python "$SCRIPTS/make_synthetic_data.py" --plan {input.plan:q} >> {log:q} 2>&1'


rule prepare_data:
    input:
        unpack(planned("prepare_data")),
    output:
        *results_of("prepare_data"),
        record=record_of("prepare_data"),
    log:
        log_of("prepare_data"),
    conda:
        "../envs/cactus.yaml"
    resources:
        mem_mb=memory_of("prepare_data"),
    message:
        "prepare_data {wildcards.dataset}"
    shell:
        'exec python "$SCRIPTS/prepare_data.py" --plan {input.plan:q} --access "$ACCESS" >> {log:q} 2>&1'


rule data:
    input:
        made_by("prepare_data"),

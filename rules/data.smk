rule make_sample:
    input:
        unpack(planned("make_sample")),
    output:
        *results_of("make_sample"),
        record=record_of("make_sample"),
    log:
        log_of("make_sample"),
    localrule: True
    conda:
        "../envs/cactus.yaml"
    message:
        "make_sample {wildcards.dataset}"
    shell:
        'exec python "$SCRIPTS/make_sample.py" --plan {input.plan:q} >> {log:q} 2>&1'


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

rule make_partitions:
    input:
        unpack(planned("make_partitions")),
    output:
        *results_of("make_partitions"),
        record=record_of("make_partitions"),
    log:
        log_of("make_partitions"),
    priority: 1
    conda:
        "../envs/cactus.yaml"
    threads: THREADS
    resources:
        gpu=gpus_of("make_partitions"),
        mem_mb=memory_of("make_partitions"),
    message:
        "make_partitions {wildcards.dataset}/{wildcards.source}/{wildcards.learner}/s{wildcards.seed}"
    shell:
        'exec python "$SCRIPTS/preloaded" numpy "$SCRIPTS/make_partitions.py" --plan {input.plan:q} >> {log:q} 2>&1'


rule partitions:
    input:
        made_by("make_partitions"),


rule measure_partitions:
    input:
        unpack(planned("measure_partitions")),
    output:
        *results_of("measure_partitions"),
        record=record_of("measure_partitions"),
    log:
        log_of("measure_partitions"),
    conda:
        "../envs/cactus.yaml"
    resources:
        mem_mb=memory_of("measure_partitions"),
    message:
        "measure_partitions {wildcards.dataset}/{wildcards.source}/{wildcards.learner}/s{wildcards.seed}"
    shell:
        'exec python "$SCRIPTS/preloaded" sklearn.metrics '
        '"$SCRIPTS/measure_partitions.py" --plan {input.plan:q} >> {log:q} 2>&1'


rule quality:
    input:
        made_by("measure_partitions"),

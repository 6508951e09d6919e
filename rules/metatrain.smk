rule meta_train:
    input:
        unpack(planned("meta_train")),
    output:
        *results_of("meta_train"),
        record=record_of("meta_train"),
    log:
        log_of("meta_train"),
    priority: 1
    conda:
        "../envs/cactus.yaml"
    threads: THREADS
    resources:
        gpu=gpus_of("meta_train"),
        mem_mb=memory_of("meta_train"),
    message:
        "meta_train {wildcards.dataset}/{wildcards.source}/{wildcards.learner}/s{wildcards.seed}"
    shell:
        'exec python "$SCRIPTS/preloaded" torch '
        '"$SCRIPTS/meta_train.py" --plan {input.plan:q} '
        '--checkpoints "$CHECKPOINTS" >> {log:q} 2>&1'


rule models:
    input:
        made_by("meta_train"),

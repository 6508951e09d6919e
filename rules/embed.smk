rule train_embedding:
    input:
        unpack(planned("train_embedding")),
    output:
        *results_of("train_embedding"),
        record=record_of("train_embedding"),
    log:
        log_of("train_embedding"),
    priority: 1
    conda:
        "../envs/cactus.yaml"
    threads: THREADS
    resources:
        gpu=gpus_of("train_embedding"),
        mem_mb=memory_of("train_embedding"),
    message:
        "train_embedding {wildcards.dataset}/{wildcards.embedding}/s{wildcards.seed}"
    shell:
        'exec python "$SCRIPTS/preloaded" torch '
        '"$SCRIPTS/train_embedding.py" --plan {input.plan:q} '
        '--checkpoints "$CHECKPOINTS" >> {log:q} 2>&1'


rule embeddings:
    input:
        made_by("train_embedding"),

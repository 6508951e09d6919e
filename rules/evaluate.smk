rule evaluate_model:
    input:
        unpack(planned("evaluate_model")),
    output:
        *results_of("evaluate_model"),
        record=record_of("evaluate_model"),
    log:
        log_of("evaluate_model"),
    conda:
        "../envs/cactus.yaml"
    threads: THREADS
    resources:
        gpu=gpus_of("evaluate_model"),
        mem_mb=memory_of("evaluate_model"),
    message:
        "evaluate_model {wildcards.dataset}/{wildcards.source}/{wildcards.learner}/s{wildcards.seed}"
    shell:
        'exec python "$SCRIPTS/preloaded" torch '
        '"$SCRIPTS/evaluate_model.py" --plan {input.plan:q} >> {log:q} 2>&1'


rule evaluations:
    input:
        made_by("evaluate_model"),

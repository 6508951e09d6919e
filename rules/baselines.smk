rule run_baselines:
    input:
        unpack(planned("run_baselines")),
    output:
        *results_of("run_baselines"),
        record=record_of("run_baselines"),
    log:
        log_of("run_baselines"),
    conda:
        "../envs/cactus.yaml"
    threads: THREADS
    resources:
        mem_mb=memory_of("run_baselines"),
    message:
        "run_baselines {wildcards.dataset}/{wildcards.embedding}/s{wildcards.seed}"
    shell:
        'exec python "$SCRIPTS/preloaded" numpy "$SCRIPTS/run_baselines.py" --plan {input.plan:q} >> {log:q} 2>&1'


rule scores:
    input:
        made_by("evaluate_model", "run_baselines"),

rule run_baselines:
    input:
        unpack(planned("run_baselines")),
    output:
        summary=f"{RUN}/baselines/{{dataset}}/{{embedding}}/s{{seed}}/summary.json",
        accuracies=f"{RUN}/baselines/{{dataset}}/{{embedding}}/s{{seed}}/accuracies.csv",
        record=f"{RUN}/records/run_baselines/{{dataset}}/{{embedding}}/s{{seed}}.json",
    log:
        f"{RUN}/logs/run_baselines/{{dataset}}/{{embedding}}/s{{seed}}.log",
    conda:
        "../envs/cactus.yaml"
    threads: THREADS
    resources:
        mem_mb=8000,
    message:
        "run_baselines {wildcards.dataset}/{wildcards.embedding}/s{wildcards.seed}"
    shell:
        'exec python "$SCRIPTS/run_baselines.py" --plan {input.plan:q} >> {log:q} 2>&1'


rule scores:
    input:
        rules.evaluations.input,
        [f"{RUN}/baselines/{d}/{e}/s{s}/summary.json" for d, e, s in GRID.baseline_runs],

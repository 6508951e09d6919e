rule run_baselines:
    input:
        manifest=rules.prepare_data.output.manifest,
        labels=ancient(rules.prepare_data.output.labels),
        embedding=rules.train_embedding.output.manifest,
        arrays=ancient(rules.train_embedding.output.arrays),
    output:
        summary=f"{RUN}/baselines/{{dataset}}/{{embedding}}/s{{seed}}/summary.json",
        accuracies=f"{RUN}/baselines/{{dataset}}/{{embedding}}/s{{seed}}/accuracies.csv",
    log:
        f"{RUN}/logs/run_baselines/{{dataset}}/{{embedding}}/s{{seed}}.log",
    conda:
        "../envs/cactus.yaml"
    threads: THREADS
    resources:
        mem_mb=8000,
    params:
        spec=spec("run_baselines"),
    message:
        "run_baselines {wildcards.dataset}/{wildcards.embedding}/s{wildcards.seed}"
    shell:
        'python "$SCRIPTS/run_baselines.py" --spec {params.spec:q} --data {input.manifest:q}'
        " --embedding {input.embedding:q} --output {output.summary:q} > {log:q} 2>&1"

rule meta_train:
    input:
        manifest=rules.prepare_data.output.manifest,
        images=ancient(rules.prepare_data.output.images),
        labels=ancient(rules.prepare_data.output.labels),
        partitions=rules.make_partitions.output,
    output:
        receipt=f"{RUN}/models/{{dataset}}/{{source}}/{{learner}}/s{{seed}}/model.json",
        model=f"{RUN}/models/{{dataset}}/{{source}}/{{learner}}/s{{seed}}/model.safetensors",
        metrics=f"{RUN}/models/{{dataset}}/{{source}}/{{learner}}/s{{seed}}/metrics.jsonl",
    log:
        f"{RUN}/logs/meta_train/{{dataset}}/{{source}}/{{learner}}/s{{seed}}.log",
    priority: 1
    conda:
        "../envs/cactus.yaml"
    threads: THREADS
    resources:
        gpu=GPUS,
        mem_mb=8000,
    params:
        spec=spec("meta_train"),
    message:
        "meta_train {wildcards.dataset}/{wildcards.source}/{wildcards.learner}/s{wildcards.seed}"
    shell:
        'python "$SCRIPTS/meta_train.py" --spec {params.spec:q} --data {input.manifest:q}'
        " --partitions {input.partitions:q} --output {output.receipt:q} > {log:q} 2>&1"


rule models:
    input:
        [f"{RUN}/models/{cell.name}/model.json" for cell in GRID.trained_cells],

rule meta_train:
    input:
        unpack(planned("meta_train")),
    output:
        receipt=f"{RUN}/models/{{dataset}}/{{source}}/{{learner}}/s{{seed}}/model.json",
        model=f"{RUN}/models/{{dataset}}/{{source}}/{{learner}}/s{{seed}}/model.safetensors",
        metrics=f"{RUN}/models/{{dataset}}/{{source}}/{{learner}}/s{{seed}}/metrics.jsonl",
        record=f"{RUN}/records/meta_train/{{dataset}}/{{source}}/{{learner}}/s{{seed}}.json",
    log:
        f"{RUN}/logs/meta_train/{{dataset}}/{{source}}/{{learner}}/s{{seed}}.log",
    priority: 1
    conda:
        "../envs/cactus.yaml"
    threads: THREADS
    resources:
        gpu=GPUS,
        mem_mb=8000,
    message:
        "meta_train {wildcards.dataset}/{wildcards.source}/{wildcards.learner}/s{wildcards.seed}"
    shell:
        'exec python "$SCRIPTS/meta_train.py" --plan {input.plan:q} '
        '--checkpoints "$CHECKPOINTS" >> {log:q} 2>&1'


rule models:
    input:
        [f"{RUN}/models/{cell.name}/model.json" for cell in GRID.trained_cells],

rule train_embedding:
    input:
        unpack(planned("train_embedding")),
    output:
        manifest=f"{RUN}/embeddings/{{dataset}}/{{embedding}}/s{{seed}}/manifest.json",
        arrays=expand(
            f"{RUN}/embeddings/{{{{dataset}}}}/{{{{embedding}}}}/s{{{{seed}}}}/{{split}}.npy",
            split=SPLITS,
        ),
        encoder=f"{RUN}/embeddings/{{dataset}}/{{embedding}}/s{{seed}}/encoder.safetensors",
        metrics=f"{RUN}/embeddings/{{dataset}}/{{embedding}}/s{{seed}}/metrics.jsonl",
        picture=f"{RUN}/embeddings/{{dataset}}/{{embedding}}/s{{seed}}/diagnostic.png",
        record=f"{RUN}/records/train_embedding/{{dataset}}/{{embedding}}/s{{seed}}.json",
    log:
        f"{RUN}/logs/train_embedding/{{dataset}}/{{embedding}}/s{{seed}}.log",
    priority: 1
    conda:
        "../envs/cactus.yaml"
    threads: THREADS
    resources:
        gpu=GPUS,
        mem_mb=8000,
    message:
        "train_embedding {wildcards.dataset}/{wildcards.embedding}/s{wildcards.seed}"
    shell:
        'exec python "$SCRIPTS/train_embedding.py" --plan {input.plan:q} '
        '--checkpoints "$CHECKPOINTS" >> {log:q} 2>&1'


rule embeddings:
    input:
        [
            f"{RUN}/embeddings/{d}/{e}/s{s}/manifest.json"
            for d, e, s in GRID.embedding_runs
        ],

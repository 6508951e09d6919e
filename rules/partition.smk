rule make_partitions:
    input:
        unpack(planned("make_partitions")),
    output:
        f"{RUN}/partitions/{{dataset}}/{{source}}/{{learner}}/s{{seed}}/summary.json",
        record=f"{RUN}/records/make_partitions/{{dataset}}/{{source}}/{{learner}}/s{{seed}}.json",
    log:
        f"{RUN}/logs/make_partitions/{{dataset}}/{{source}}/{{learner}}/s{{seed}}.log",
    priority: 1
    conda:
        "../envs/cactus.yaml"
    threads: THREADS
    resources:
        gpu=lambda wildcards: (GPUS if Source.parse(wildcards.source).by_kmeans else 0),
        mem_mb=8000,
    message:
        "make_partitions {wildcards.dataset}/{wildcards.source}/{wildcards.learner}/s{wildcards.seed}"
    shell:
        'exec python "$SCRIPTS/make_partitions.py" --plan {input.plan:q} >> {log:q} 2>&1'


rule partitions:
    input:
        [f"{RUN}/partitions/{cell.name}/summary.json" for cell in GRID.trained_cells],

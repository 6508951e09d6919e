rule make_partitions:
    input:
        manifest=rules.prepare_data.output.manifest,
        images=ancient(rules.prepare_data.output.images),
        labels=ancient(rules.prepare_data.output.labels),
        embedding=partitioned_embedding,
    output:
        f"{RUN}/partitions/{{dataset}}/{{source}}/{{learner}}/s{{seed}}/summary.json",
    log:
        f"{RUN}/logs/make_partitions/{{dataset}}/{{source}}/{{learner}}/s{{seed}}.log",
    priority: 1
    conda:
        "../envs/cactus.yaml"
    threads: THREADS
    resources:
        mem_mb=8000,
    params:
        spec=spec("make_partitions"),
    message:
        "make_partitions {wildcards.dataset}/{wildcards.source}/{wildcards.learner}/s{wildcards.seed}"
    shell:
        'python "$SCRIPTS/make_partitions.py" --spec {params.spec:q} --data {input.manifest:q}'
        " --embedding {input.embedding:q} --output {output:q} > {log:q} 2>&1"


rule partitions:
    input:
        [f"{RUN}/partitions/{cell.name}/summary.json" for cell in GRID.trained_cells],

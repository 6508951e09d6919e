rule evaluate_model:
    input:
        manifest=rules.prepare_data.output.manifest,
        images=ancient(rules.prepare_data.output.images),
        labels=ancient(rules.prepare_data.output.labels),
        model=trained_model,
    output:
        summary=f"{RUN}/evaluations/{{dataset}}/{{source}}/{{learner}}/s{{seed}}/summary.json",
        accuracies=f"{RUN}/evaluations/{{dataset}}/{{source}}/{{learner}}/s{{seed}}/accuracies.csv",
    log:
        f"{RUN}/logs/evaluate_model/{{dataset}}/{{source}}/{{learner}}/s{{seed}}.log",
    conda:
        "../envs/cactus.yaml"
    threads: THREADS
    resources:
        gpu=GPUS,
        mem_mb=8000,
    params:
        spec=spec("evaluate_model"),
    message:
        "evaluate_model {wildcards.dataset}/{wildcards.source}/{wildcards.learner}/s{wildcards.seed}"
    shell:
        'python "$SCRIPTS/evaluate_model.py" --spec {params.spec:q} --data {input.manifest:q}'
        " --model {input.model:q} --output {output.summary:q} > {log:q} 2>&1"


rule evaluations:
    input:
        [f"{RUN}/evaluations/{cell.name}/summary.json" for cell in GRID.cells],

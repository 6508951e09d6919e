rule evaluate_model:
    input:
        unpack(planned("evaluate_model")),
    output:
        summary=f"{RUN}/evaluations/{{dataset}}/{{source}}/{{learner}}/s{{seed}}/summary.json",
        accuracies=f"{RUN}/evaluations/{{dataset}}/{{source}}/{{learner}}/s{{seed}}/accuracies.csv",
        record=f"{RUN}/records/evaluate_model/{{dataset}}/{{source}}/{{learner}}/s{{seed}}.json",
    log:
        f"{RUN}/logs/evaluate_model/{{dataset}}/{{source}}/{{learner}}/s{{seed}}.log",
    conda:
        "../envs/cactus.yaml"
    threads: THREADS
    resources:
        gpu=GPUS,
        mem_mb=8000,
    message:
        "evaluate_model {wildcards.dataset}/{wildcards.source}/{wildcards.learner}/s{wildcards.seed}"
    shell:
        'exec python "$SCRIPTS/evaluate_model.py" --plan {input.plan:q} >> {log:q} 2>&1'


rule evaluations:
    input:
        [f"{RUN}/evaluations/{cell.name}/summary.json" for cell in GRID.cells],

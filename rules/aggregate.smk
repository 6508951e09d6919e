CELL_FOLDERS = result_folders(CONFIG)


rule aggregate_results:
    input:
        summaries=[f"{RUN}/{folder}/summary.json" for folder in CELL_FOLDERS],
        accuracies=[f"{RUN}/{folder}/accuracies.csv" for folder in CELL_FOLDERS],
        manifests=rules.data.input,
        published=ROOT / "config" / "paper_results.csv",
    output:
        f"{RUN}/tables/results.csv",
    log:
        f"{RUN}/logs/aggregate_results.log",
    conda:
        "../envs/cactus.yaml"
    params:
        spec=spec("aggregate_results"),
    message:
        "aggregate_results"
    shell:
        'python "$SCRIPTS/aggregate_results.py" --spec {params.spec:q}'
        " --published {input.published:q} --output {output:q} > {log:q} 2>&1"

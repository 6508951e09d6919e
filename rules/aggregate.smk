rule aggregate_results:
    input:
        unpack(planned("aggregate_results")),
    output:
        f"{RUN}/tables/results.csv",
        record=f"{RUN}/records/aggregate_results.json",
    log:
        f"{RUN}/logs/aggregate_results.log",
    conda:
        "../envs/cactus.yaml"
    message:
        "aggregate_results"
    shell:
        'exec python "$SCRIPTS/aggregate_results.py" --plan {input.plan:q} >> {log:q} 2>&1'


rule results:
    input:
        rules.aggregate_results.output,

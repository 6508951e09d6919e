rule aggregate_results:
    input:
        unpack(planned("aggregate_results")),
    output:
        *shown_results_of("aggregate_results", "results", ".csv"),
        record=record_of("aggregate_results"),
    log:
        log_of("aggregate_results"),
    localrule: True
    conda:
        "../envs/cactus.yaml"
    message:
        "aggregate_results"
    shell:
        'exec python "$SCRIPTS/aggregate_results.py" --plan {input.plan:q} >> {log:q} 2>&1'


rule results:
    input:
        made_by("aggregate_results"),

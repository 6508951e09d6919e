rule make_table:
    input:
        unpack(planned("make_table")),
    output:
        *shown_results_of("make_table", "table", ".tex"),
        record=record_of("make_table"),
    log:
        log_of("make_table"),
    localrule: True
    conda:
        "../envs/cactus.yaml"
    message:
        "make_table {wildcards.table}"
    # The libraries of make_figure, so that both have one process to start from.
    shell:
        'exec python "$SCRIPTS/preloaded" matplotlib.backends.backend_pdf,pandas,PIL.Image '
        '"$SCRIPTS/make_table.py" --plan {input.plan:q} >> {log:q} 2>&1'


rule make_document:
    input:
        unpack(planned("make_document")),
    output:
        *results_of("make_document"),
        record=record_of("make_document"),
    log:
        log_of("make_document"),
    localrule: True
    conda:
        "../envs/cactus.yaml"
    message:
        "make_document"
    shell:
        'exec python "$SCRIPTS/make_document.py" --plan {input.plan:q} >> {log:q} 2>&1'


rule make_figure:
    input:
        unpack(planned("make_figure")),
    output:
        *shown_results_of("make_figure", "figure", ".png"),
        record=record_of("make_figure"),
    log:
        log_of("make_figure"),
    localrule: True
    conda:
        "../envs/cactus.yaml"
    message:
        "make_figure {wildcards.figure}"
    shell:
        'exec python "$SCRIPTS/preloaded" matplotlib.backends.backend_pdf,pandas,PIL.Image '
        '"$SCRIPTS/make_figure.py" --plan {input.plan:q} >> {log:q} 2>&1'


rule tables:
    input:
        made_by("make_document", "aggregate_results", "make_table"),


rule figures:
    input:
        made_by("make_figure"),

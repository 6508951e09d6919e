rule make_table:
    input:
        unpack(planned("make_table")),
    output:
        table=f"{RUN}/tables/{{dataset}}.tex",
        map=f"{RUN}/tables/{{dataset}}.tex.map.json",
        record=f"{RUN}/records/make_table/{{dataset}}.json",
    log:
        f"{RUN}/logs/make_table/{{dataset}}.log",
    conda:
        "../envs/cactus.yaml"
    message:
        "make_table {wildcards.dataset}"
    shell:
        'exec python "$SCRIPTS/make_table.py" --plan {input.plan:q} >> {log:q} 2>&1'


rule make_document:
    input:
        unpack(planned("make_document")),
    output:
        f"{RUN}/tables/tables.tex",
        record=f"{RUN}/records/make_document.json",
    log:
        f"{RUN}/logs/make_document.log",
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
        pdf=f"{RUN}/figures/{{figure}}.pdf",
        png=f"{RUN}/figures/{{figure}}.png",
        map=f"{RUN}/figures/{{figure}}.map.json",
        record=f"{RUN}/records/make_figure/{{figure}}.json",
    log:
        f"{RUN}/logs/make_figure/{{figure}}.log",
    conda:
        "../envs/cactus.yaml"
    message:
        "make_figure {wildcards.figure}"
    shell:
        'exec python "$SCRIPTS/make_figure.py" --plan {input.plan:q} >> {log:q} 2>&1'


rule tables:
    input:
        rules.make_document.output,
        rules.aggregate_results.output,
        expand(rules.make_table.output.table, dataset=GRID.datasets),


rule figures:
    input:
        expand(
            rules.make_figure.output.png,
            figure=figure_names(CONFIG.outputs, GRID.datasets),
        ),

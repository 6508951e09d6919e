PER_DATASET_FIGURES = {"training_curves", "tasks"}
FIGURES = [
    *(name for name in CONFIG.outputs.figures if name not in PER_DATASET_FIGURES),
    *(
        f"{name}-{dataset}"
        for name in CONFIG.outputs.figures
        if name in PER_DATASET_FIGURES
        for dataset in GRID.datasets
    ),
]


rule make_table:
    input:
        rules.aggregate_results.output,
    output:
        table=f"{RUN}/tables/{{dataset}}.tex",
        map=f"{RUN}/tables/{{dataset}}.tex.map.json",
    log:
        f"{RUN}/logs/make_table/{{dataset}}.log",
    conda:
        "../envs/cactus.yaml"
    params:
        spec=spec("make_table"),
    message:
        "make_table {wildcards.dataset}"
    shell:
        'python "$SCRIPTS/make_table.py" --spec {params.spec:q} --results {input:q}'
        " --output {output.table:q} > {log:q} 2>&1"


rule make_document:
    input:
        expand(rules.make_table.output.table, dataset=GRID.datasets),
    output:
        f"{RUN}/tables/tables.tex",
    log:
        f"{RUN}/logs/make_document.log",
    conda:
        "../envs/cactus.yaml"
    message:
        "make_document"
    shell:
        'python "$SCRIPTS/make_document.py" --tables {input:q} --output {output:q} > {log:q} 2>&1'


rule make_figure:
    input:
        results=rules.aggregate_results.output,
        shown=shown_files,
    output:
        pdf=f"{RUN}/figures/{{figure}}.pdf",
        png=f"{RUN}/figures/{{figure}}.png",
    log:
        f"{RUN}/logs/make_figure/{{figure}}.log",
    conda:
        "../envs/cactus.yaml"
    params:
        spec=spec("make_figure"),
    message:
        "make_figure {wildcards.figure}"
    shell:
        'python "$SCRIPTS/make_figure.py" --spec {params.spec:q}'
        " --output {output.pdf:q} > {log:q} 2>&1"


rule tables:
    input:
        rules.make_document.output,
        rules.aggregate_results.output,
        expand(rules.make_table.output.table, dataset=GRID.datasets),


rule figures:
    input:
        expand(rules.make_figure.output.png, figure=FIGURES),

SPLITS = ["train", "val", "test"]


rule make_sample:
    output:
        f"{RUN}/raw/{{dataset}}/sample.json",
    log:
        f"{RUN}/logs/make_sample/{{dataset}}.log",
    conda:
        "../envs/cactus.yaml"
    params:
        spec=spec("make_sample"),
    message:
        "make_sample {wildcards.dataset}"
    shell:
        'python "$SCRIPTS/make_sample.py" --spec {params.spec:q} --raw-dir "$RAW_DIR"'
        " --output {output:q} > {log:q} 2>&1"


rule prepare_data:
    input:
        sample_of,
    output:
        manifest=f"{RUN}/data/{{dataset}}/manifest.json",
        images=expand(f"{RUN}/data/{{{{dataset}}}}/{{split}}_images.npy", split=SPLITS),
        labels=expand(f"{RUN}/data/{{{{dataset}}}}/{{split}}_labels.npy", split=SPLITS),
    log:
        f"{RUN}/logs/prepare_data/{{dataset}}.log",
    conda:
        "../envs/cactus.yaml"
    resources:
        mem_mb=2000,
    params:
        spec=spec("prepare_data"),
    message:
        "prepare_data {wildcards.dataset}"
    shell:
        'python "$SCRIPTS/prepare_data.py" --spec {params.spec:q} --access "$ACCESS"'
        " --output {output.manifest:q} > {log:q} 2>&1"


rule data:
    input:
        expand(f"{RUN}/data/{{dataset}}/manifest.json", dataset=GRID.datasets),

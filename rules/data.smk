SPLITS = ["train", "val", "test"]


rule make_sample:
    input:
        unpack(planned("make_sample")),
    output:
        f"{RUN}/raw/{{dataset}}/sample.json",
        record=f"{RUN}/records/make_sample/{{dataset}}.json",
    log:
        f"{RUN}/logs/make_sample/{{dataset}}.log",
    conda:
        "../envs/cactus.yaml"
    message:
        "make_sample {wildcards.dataset}"
    shell:
        'exec python "$SCRIPTS/make_sample.py" --plan {input.plan:q} >> {log:q} 2>&1'


rule prepare_data:
    input:
        unpack(planned("prepare_data")),
    output:
        manifest=f"{RUN}/data/{{dataset}}/manifest.json",
        images=expand(f"{RUN}/data/{{{{dataset}}}}/{{split}}_images.npy", split=SPLITS),
        labels=expand(f"{RUN}/data/{{{{dataset}}}}/{{split}}_labels.npy", split=SPLITS),
        record=f"{RUN}/records/prepare_data/{{dataset}}.json",
    log:
        f"{RUN}/logs/prepare_data/{{dataset}}.log",
    conda:
        "../envs/cactus.yaml"
    resources:
        mem_mb=2000,
    message:
        "prepare_data {wildcards.dataset}"
    shell:
        'exec python "$SCRIPTS/prepare_data.py" --plan {input.plan:q} --access "$ACCESS" >> {log:q} 2>&1'


rule data:
    input:
        expand(f"{RUN}/data/{{dataset}}/manifest.json", dataset=GRID.datasets),

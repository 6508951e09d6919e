"""Train an embedding on the unlabelled training images and encode every split."""

from cactus.command import run_main, stage_arguments
from cactus.config.embedding import parse_embedding
from cactus.device import set_up_device
from cactus.embed.run import train_and_encode
from cactus.spec.train_embedding import TrainEmbeddingSpec


def main() -> None:
    """Run the stage."""
    arguments = stage_arguments(__doc__, "data", "output")
    spec = TrainEmbeddingSpec.parse(arguments.spec)
    device = set_up_device(
        spec.compute.device, spec.compute.threads, deterministic=spec.compute.deterministic
    )
    train_and_encode(
        spec.embedding,
        parse_embedding(spec.embedding, spec.settings),
        arguments.data.parent,
        arguments.output.parent,
        spec.seed,
        device,
        f"{spec.dataset}/{spec.embedding}/s{spec.seed}",
    )


if __name__ == "__main__":
    run_main(main)

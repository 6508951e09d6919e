"""What a paper cites: the paper of CACTUs, and those of the data sets and methods of a study."""

from collections.abc import Collection
from typing import Final

_REFERENCES: Final = {
    "cactus": "K.~Hsu, S.~Levine, C.~Finn. Unsupervised Learning via Meta-Learning. ICLR 2019. "
    "arXiv:1810.02334.",
    "mnist": "Y.~LeCun, L.~Bottou, Y.~Bengio, P.~Haffner. Gradient-Based Learning Applied to "
    "Document Recognition. Proceedings of the IEEE 86(11), 1998.",
    "omniglot": "B.~M.~Lake, R.~Salakhutdinov, J.~B.~Tenenbaum. Human-Level Concept Learning "
    "through Probabilistic Program Induction. Science 350(6266), 2015.",
    "miniimagenet": "S.~Ravi, H.~Larochelle. Optimization as a Model for Few-Shot Learning. "
    "ICLR 2017.",
    "celeba": "Z.~Liu, P.~Luo, X.~Wang, X.~Tang. Deep Learning Face Attributes in the Wild. "
    "ICCV 2015.",
    "acai": "D.~Berthelot, C.~Raffel, A.~Roy, I.~Goodfellow. Understanding and Improving "
    "Interpolation in Autoencoders via an Adversarial Regularizer. ICLR 2019.",
    "bigan": r"J.~Donahue, P.~Kr\"ahenb\"uhl, T.~Darrell. Adversarial Feature Learning. ICLR 2017.",
    "deepcluster": "M.~Caron, P.~Bojanowski, A.~Joulin, M.~Douze. Deep Clustering for Unsupervised "
    "Learning of Visual Features. ECCV 2018.",
    "infogan": "X.~Chen, Y.~Duan, R.~Houthooft, J.~Schulman, I.~Sutskever, P.~Abbeel. InfoGAN: "
    "Interpretable Representation Learning by Information Maximizing Generative Adversarial Nets. "
    "NeurIPS 2016.",
    "contrastive": "T.~Chen, S.~Kornblith, M.~Norouzi, G.~Hinton. A Simple Framework for "
    "Contrastive Learning of Visual Representations. ICML 2020.",
    "maml": "C.~Finn, P.~Abbeel, S.~Levine. Model-Agnostic Meta-Learning for Fast Adaptation of "
    "Deep Networks. ICML 2017.",
    "protonets": "J.~Snell, K.~Swersky, R.~Zemel. Prototypical Networks for Few-Shot Learning. "
    "NeurIPS 2017.",
}


def references(names: Collection[str]) -> list[tuple[str, str]]:
    """Return key and LaTeX text of what is cited, for a study with data sets and methods."""
    return [(key, text) for key, text in _REFERENCES.items() if key in {"cactus", *names}]

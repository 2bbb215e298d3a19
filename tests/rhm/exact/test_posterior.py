import numpy as np
import pytest
import torch
from scipy import stats

from rhm import Grammar, GrammarShape
from rhm.exact import posterior

KEEP = (0.999, 0.7, 0.1)  # ᾱ of little, middle and strong noise


def noised(grammar: Grammar, keep: float, rng: np.random.Generator, n: int = 12) -> np.ndarray:
    """Likelihood of noised leaves under the uniform kernel, (n, d, v)."""
    v = grammar.shape.vocab_size
    strings = grammar.sample(n, rng)
    redrawn = rng.integers(v, size=strings.shape)
    seen = np.where(rng.random(strings.shape) < keep, strings, redrawn)
    return keep * np.eye(v)[seen] + (1 - keep) / v


def weights_of_all_strings(grammar: Grammar, evidence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All strings as one-hot (S, d, v), and p(string)·likelihood of each row's evidence (B, S)."""
    strings, log_p = grammar.enumerate()
    onehot = np.eye(grammar.shape.vocab_size)[strings]
    leaf = np.einsum("sdv,bdv->bsd", onehot, evidence)
    return onehot, np.exp(log_p) * leaf.prod(axis=-1)


def bayes(grammar: Grammar, evidence: np.ndarray) -> np.ndarray:
    onehot, weights = weights_of_all_strings(grammar, evidence)
    marginals = np.einsum("bs,sdv->bdv", weights, onehot)
    return marginals / marginals.sum(axis=-1, keepdims=True)


def bayes_without_own_evidence(grammar: Grammar, evidence: np.ndarray) -> np.ndarray:
    result = np.empty_like(evidence)
    for leaf in range(evidence.shape[1]):
        others = evidence.copy()
        others[:, leaf] = 1
        result[:, leaf] = bayes(grammar, others)[:, leaf]
    return result


@pytest.mark.parametrize("keep", KEEP)
def test_posterior_equals_bayes(small, keep):
    evidence = noised(small, keep, np.random.default_rng(1))
    result = small.posterior(evidence)
    assert result.shape == evidence.shape
    np.testing.assert_allclose(result, bayes(small, evidence), rtol=0, atol=1e-11)


@pytest.mark.parametrize("keep", KEEP)
def test_cavity_equals_bayes_without_the_leafs_own_evidence(small, keep):
    evidence = noised(small, keep, np.random.default_rng(2))
    result = small.cavity(evidence)
    np.testing.assert_allclose(
        result, bayes_without_own_evidence(small, evidence), rtol=0, atol=1e-11
    )


def test_any_likelihood_will_do(small):
    shape = small.shape
    evidence = np.random.default_rng(3).gamma(0.3, size=(12, shape.num_leaves, shape.vocab_size))
    np.testing.assert_allclose(small.posterior(evidence), bayes(small, evidence), atol=1e-11)


def test_hard_evidence_on_some_leaves(small):
    rng = np.random.default_rng(4)
    evidence = noised(small, 1.0, rng, n=30)  # exact one-hot
    evidence[rng.random(evidence.shape[:2]) < 0.5] = 1.0
    np.testing.assert_allclose(small.posterior(evidence), bayes(small, evidence), atol=1e-11)
    expected = bayes_without_own_evidence(small, evidence)
    np.testing.assert_allclose(small.cavity(evidence), expected, atol=1e-11)


def test_fully_hard_evidence_gives_the_string_back(small):
    evidence = noised(small, 1.0, np.random.default_rng(5))
    np.testing.assert_allclose(small.posterior(evidence), evidence, rtol=0, atol=1e-12)
    leaves = evidence.argmax(axis=-1)
    sample = small.posterior_sample(evidence, np.random.default_rng(0))
    np.testing.assert_array_equal(sample, leaves)


def test_without_evidence_the_posterior_is_the_leaf_marginal(small):
    shape = small.shape
    flat = np.ones((2, shape.num_leaves, shape.vocab_size))
    for result in (small.posterior(flat), small.cavity(flat)):
        np.testing.assert_allclose(result[0], small.node_marginals()[-1], rtol=0, atol=1e-12)


def test_posterior_is_cavity_times_own_evidence():
    grammar = Grammar.random(GrammarShape(depth=5, vocab_size=8, num_synonyms=6), {0: 2.0, 4: 1.0})
    evidence = noised(grammar, 0.6, np.random.default_rng(6), n=50)
    product = grammar.cavity(evidence) * evidence
    expected = product / product.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(grammar.posterior(evidence), expected, rtol=0, atol=1e-12)


def test_scale_of_a_leafs_evidence_does_not_matter():
    grammar = Grammar.random(GrammarShape(depth=3, vocab_size=6, num_synonyms=4), {1: 1.0})
    rng = np.random.default_rng(7)
    evidence = noised(grammar, 0.6, rng)
    scale = 10.0 ** rng.integers(-250, 250, size=(*evidence.shape[:2], 1))
    np.testing.assert_allclose(
        grammar.posterior(evidence * scale), grammar.posterior(evidence), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize(("depth", "s"), [(5, 2), (7, 2), (4, 3)])
def test_deep_trees_neither_underflow_nor_overflow(depth, s):
    grammar = Grammar.random(GrammarShape(depth=depth, vocab_size=6, num_synonyms=4, tuple_size=s))
    rng = np.random.default_rng(8)
    junk = rng.integers(6, size=(20, grammar.shape.num_leaves))  # far from any string
    evidence = 0.999 * np.eye(6)[junk] + 0.001 / 6
    for result in (grammar.posterior(evidence), grammar.cavity(evidence)):
        assert np.isfinite(result).all()
        np.testing.assert_allclose(result.sum(axis=-1), 1, rtol=0, atol=1e-12)
    strings = grammar.posterior_sample(evidence, rng)
    assert grammar.parse(strings).grammatical.all()


def test_blocks_of_rows_are_invisible(small, monkeypatch):
    evidence = noised(small, 0.6, np.random.default_rng(9), n=23)
    whole = small.posterior(evidence), small.cavity(evidence)
    largest = small.shape.vocab_size * small.shape.num_synonyms * small.shape.num_leaves
    monkeypatch.setitem(posterior.BLOCK_ELEMENTS, "cpu", 5 * largest)
    for one, other in zip(whole, (small.posterior(evidence), small.cavity(evidence)), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-14)


def test_no_rows_are_no_error(small):
    nothing = np.ones((0, small.shape.num_leaves, small.shape.vocab_size))
    assert small.posterior(nothing).shape == nothing.shape
    assert small.posterior_sample(nothing, np.random.default_rng(0)).shape == nothing.shape[:2]


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_torch_in_torch_out(small, kind):
    evidence = noised(small, 0.7, np.random.default_rng(10))
    tensor = torch.tensor(evidence, dtype=kind)
    for ours, expected in (
        (small.posterior(tensor), small.posterior(evidence)),
        (small.cavity(tensor), small.cavity(evidence)),
    ):
        assert ours.dtype == kind
        tolerance = 1e-12 if kind == torch.float64 else 1e-5
        np.testing.assert_allclose(ours.numpy(), expected, rtol=0, atol=tolerance)


def test_numpy_type_is_kept(small):
    evidence = noised(small, 0.7, np.random.default_rng(10))
    assert small.posterior(evidence.astype(np.float32)).dtype == np.float32
    assert small.posterior(np.ones(evidence.shape, dtype=int)).dtype == np.float64


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_posterior_samples_follow_bayes(small, kind):
    row = noised(small, 0.5, np.random.default_rng(12), n=1)
    _, weights = weights_of_all_strings(small, row)
    p = weights[0] / weights[0].sum()
    many = np.repeat(row, 8000, axis=0)
    if kind == "numpy":
        sample = small.posterior_sample(many, np.random.default_rng(13))
    else:
        rng = torch.Generator().manual_seed(13)
        sample = small.posterior_sample(torch.tensor(many), rng).numpy()
    assert sample.dtype == np.int64
    place = {tuple(string): i for i, string in enumerate(small.enumerate()[0].tolist())}
    counts = np.bincount([place[tuple(x)] for x in sample.tolist()], minlength=len(p))
    common = p * len(sample) >= 5
    expected = np.append(p[common], p[~common].sum() + 1e-12) * len(sample)
    observed = np.append(counts[common], counts[~common].sum())
    assert observed[-1] <= expected[-1] + 6 * expected[-1] ** 0.5 + 3
    pooled = slice(None) if expected[-1] >= 5 else slice(-1)
    expected = expected[pooled] * observed[pooled].sum() / expected[pooled].sum()
    if len(expected) > 1:
        assert stats.chisquare(observed[pooled], expected).pvalue > 1e-3


@pytest.mark.parametrize("kind", [np.asarray, torch.tensor])
def test_bad_evidence_is_refused(kind):
    grammar = Grammar.from_rules([[[[0, 0]], [[1, 1]]], [[[0, 1]], [[1, 0]]]])
    with pytest.raises(ValueError, match=r"shape \(3, 4, 3\), expected \(B, 4, 2\)"):
        grammar.posterior(kind(np.ones((3, 4, 3))))
    for bad in (-1.0, float("nan")):
        evidence = np.ones((3, 4, 2))
        evidence[1, 2, 0] = bad
        with pytest.raises(ValueError, match="non-negative and not NaN"):
            grammar.posterior(kind(evidence))
    impossible = np.ones((3, 4, 2))
    impossible[1] = np.eye(2)[[0, 0, 1, 0]]
    message = "row 1 of the evidence has probability 0"
    with pytest.raises(ValueError, match=message):
        grammar.posterior(kind(impossible))
    with pytest.raises(ValueError, match=message):
        grammar.cavity(kind(impossible))
    rng = np.random.default_rng(0) if kind is np.asarray else torch.Generator()
    with pytest.raises(ValueError, match=message):
        grammar.posterior_sample(kind(impossible), rng)

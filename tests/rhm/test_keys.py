import numpy as np
import pytest

from rhm import keys as keys_module
from rhm import lookup, string_keys
from rhm.keys import first_occurrences


@pytest.mark.parametrize(("length", "vocab_size"), [(4, 3), (16, 6), (32, 4), (32, 200), (16, 300)])
def test_keys_are_equal_exactly_where_strings_are(length, vocab_size):
    rng = np.random.default_rng(length)
    strings = rng.integers(vocab_size, size=(200, length))
    strings[100:150] = strings[:50]
    strings[150:, :-1] = strings[:50, :-1]  # differ in the last symbol at most
    keys = string_keys(strings, vocab_size)
    same = (strings[:, None] == strings[None]).all(axis=-1)
    np.testing.assert_array_equal(keys[:, None] == keys[None], same)


@pytest.mark.parametrize("vocab_size", [3, 200, 300])
def test_lookup_finds_what_is_there_and_nothing_else(vocab_size):
    strings = np.random.default_rng(1).integers(vocab_size, size=(500, 20))
    keys = string_keys(strings, vocab_size)
    reference = np.unique(keys[:300])
    found = lookup(keys, reference)
    np.testing.assert_array_equal(reference[found[:300]], keys[:300])
    np.testing.assert_array_equal(found[300:], -1)


def test_lookup_in_nothing():
    np.testing.assert_array_equal(lookup(np.arange(3), np.arange(0)), [-1, -1, -1])


def test_integer_keys_do_not_depend_on_the_type_of_the_strings():
    strings = np.random.default_rng(2).integers(6, size=(50, 16))
    for kind in (np.uint8, np.int32, np.uint32):
        np.testing.assert_array_equal(string_keys(strings.astype(kind), 6), string_keys(strings, 6))


def test_integer_keys_keep_the_order_of_strings():
    strings = np.random.default_rng(3).integers(6, size=(50, 16))
    ordered = strings[np.argsort(string_keys(strings, 6), kind="stable")]
    np.testing.assert_array_equal(ordered.tolist(), sorted(strings.tolist()))


def first_places(strings):
    """The same by a loop over the strings."""
    seen = {}
    for place, string in enumerate(strings.tolist()):
        seen.setdefault(tuple(string), place)
    return sorted(seen.values())


@pytest.mark.parametrize(("length", "vocab_size"), [(3, 4), (30, 200), (11, 300), (8, 2)])
@pytest.mark.parametrize("alphabet", [2, 4])
def test_first_occurrences_are_those_of_a_loop(length, vocab_size, alphabet):
    strings = np.random.default_rng(4).integers(min(alphabet, vocab_size), size=(300, length))
    strings[::3, 3:] = 0  # many copies
    for size in (0, 1, 2, 300):
        first = first_occurrences(string_keys(strings[:size], vocab_size))
        assert np.flatnonzero(first).tolist() == first_places(strings[:size])


def test_first_occurrences_do_not_rest_on_the_digests(monkeypatch):
    strings = np.random.default_rng(5).integers(200, size=(100, 30))
    strings[50:] = strings[:50][::-1]
    monkeypatch.setattr(keys_module, "_digests", lambda keys: np.arange(len(keys)) * 0)
    first = first_occurrences(string_keys(strings, 200))
    assert np.flatnonzero(first).tolist() == list(range(50))

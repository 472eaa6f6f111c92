"""A name of PyTorch's that is not here says what to use; and no name that is here is listed."""

from __future__ import annotations

import pytest

import retrograd as rg
from retrograd import elsewhere, nn, optim

FACES = {
    "torch": set(rg.__all__),
    "torch.Tensor": set(dir(rg.Tensor)),
    "torch.nn": set(nn.__all__),
    "torch.nn.functional": set(nn.functional.__all__),
    "torch.optim": set(optim.__all__),
    "torch.optim.lr_scheduler": set(optim.lr_scheduler.__all__),
    "torch.nn.utils": set(nn.utils.__all__),
    "torch.utils.data": set(rg.utils.data.__all__),
}


@pytest.mark.parametrize("namespace", FACES)
def test_what_is_there_is_not_listed_as_missing(namespace: str) -> None:
    plain = [
        name
        for names in elsewhere._tables().get(namespace, {}).values()
        for name in names
        if not any(sign in name for sign in "*?[")
    ]
    assert [name for name in plain if name in FACES[namespace]] == []
    assert len(plain) == len(set(plain))


def test_a_near_name_is_suggested_and_a_known_one_explained() -> None:
    with pytest.raises(AttributeError, match=r"has no attribute 'zeross'\. Did you mean zeros"):
        rg.zeross  # noqa: B018  # reading it is the test
    kind, words = elsewhere.advice("torch.Tensor", "as_strided") or ("", "")
    assert (kind, "rg.unfold" in words) == ("otherwise", True)
    assert elsewhere.advice("torch.Tensor", "nothing_like_it") is None

"""Every rule of decoding holds for what is compiled and for the reference."""

import pytest

from analyzer.decode import batch


@pytest.fixture(autouse=True, params=["compiled", "by dpkt"])
def decoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decode with one, then with the other."""
    if request.param == "by dpkt":
        monkeypatch.setattr(batch, "compiled", None)
    elif batch.compiled is None:
        pytest.skip("nothing is compiled here")

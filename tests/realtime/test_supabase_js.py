"""Stock in real time, seen by the real @supabase/supabase-js."""

from tests.realtime.conftest import Market


def test_supabase_js(market: Market) -> None:
    assert "fail 0" in market.run_node("supabase_js.test.mjs")

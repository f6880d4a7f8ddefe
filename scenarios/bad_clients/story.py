"""Clients that keep connections open on purpose: nobody else waits, and none of them stays."""
import pathlib
import resource
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path += [str(HERE), str(HERE.parent / "front_door")]  # behind story.py of all stories
import crowd  # noqa: E402
import http_cases  # noqa: E402
from raw_client import Raw  # noqa: E402
from story import MEMORY_ROOM, Story, order_csv  # noqa: E402

GET = http_cases.get()


class UnderAttack(Story):
    """A thousand bad clients keep nobody waiting, and none of them stays."""

    def test_slow_heads_slow_bodies_slow_readers_and_resets_leave_others_alone(self):
        resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
        self.write("book.csv", order_csv(*[(number, 4, 4, "25.00", "100.00") for number in range(1, 3001)]))
        millrace = self.serve()
        millrace.wait_for(lambda: millrace.get("/api/v1/orders?limit=1")["total"] == 3000, "the book is read")
        before = millrace.rss_bytes()
        attack = crowd.Crowd(millrace.port)
        try:
            times = crowd.probe(millrace.port, 400)
            grown = millrace.rss_bytes() - before
            print(f"bad_clients: beside {crowd.HEADS} slow heads, {crowd.BODIES} slow bodies, {crowd.READS} slow readers and {attack.resets} resets "
                  f"a probe took {times[200]:.1f} ms (median), {times[395]:.1f} ms (99 of 100), {times[-1]:.1f} ms (worst); memory grew by {grown >> 20} MB", file=sys.stderr)
            self.assertLess(times[395], 50 * MEMORY_ROOM)
            self.assertLess(grown, (96 << 20) * MEMORY_ROOM)
            self.assertEqual({raw.answer().status for raw in attack.heads}, {408})
            self.assertEqual({raw.answer().status for raw in attack.bodies}, {408})
        finally:
            attack.end()

    def test_one_address_cannot_take_all_places(self):
        settings = self.folder / "millrace.toml"
        settings.write_text("connections_per_address = 20\n", encoding="utf-8")
        millrace = self.serve("--config", str(settings))
        held = [Raw(millrace.port, source="127.0.1.9") for _ in range(20)]
        for raw in held:
            raw.send(GET)
            self.assertEqual(raw.answer().status, 200)
        with Raw(millrace.port, source="127.0.1.9") as raw:
            answer = raw.answer()
            self.assertEqual((answer.status, answer.headers["retry-after"]), (429, "1"))
        with Raw(millrace.port) as raw:
            raw.send(GET)
            self.assertEqual(raw.answer().status, 200)
        for raw in held:
            raw.socket.close()

"""Vision turns in the pool beside bare `mlx_vlm.stream_generate`: first token, decode, follow-ups.

Each demo model runs in this process, by turns with the bare engine, and never stops before its last
token.
"""

import io
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mlx_magic import demo, hub
from mlx_magic.events import Finished, GenerationStats
from mlx_magic.messages import ImagePart, Message
from mlx_magic.options import GenerationOptions
from mlx_magic.pool import ModelPool

from .memory import active_bytes, new_pool
from .ratios import judge, summary

TOKENS = 200
ROUNDS = 9
QUESTION = "How many shapes are there?"


def picture(seed: int) -> ImagePart:
    """A scene of the demo's, as a cell would hand it on."""
    image = demo.picture("scene", seed).image.convert("RGB")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return ImagePart(buffer.getvalue(), *image.size, "scene")


def answer(pool: ModelPool, name: str, messages: Sequence[Message]) -> GenerationStats:
    """The stats of a greedy answer of `TOKENS` tokens."""
    stream = pool.stream(name, messages, GenerationOptions(max_tokens=TOKENS, temperature=0))
    stream.rest(60.0)  # as a cell does, which doesn't wake for each token
    *_, last = stream
    assert isinstance(last, Finished) and last.stats.generation_tokens == TOKENS
    return last.stats


def bare_answer(model: Any, processor: Any, prompt: str, file: Path) -> tuple[float, float]:
    """Seconds to the first token, and tokens per second after it, of plain mlx-vlm."""
    from mlx_vlm import stream_generate

    started = time.perf_counter()
    times = [
        time.perf_counter()
        for _ in stream_generate(
            model, processor, prompt, image=[str(file)], max_tokens=TOKENS, temperature=0.0
        )
    ][:TOKENS]
    return times[0] - started, (TOKENS - 1) / (times[-1] - times[0])


def compare(row: demo.DemoModel, file: Path) -> None:
    """One model, in the pool and bare; `file` is for the picture that bare asks about."""
    from mlx_vlm import apply_chat_template, load

    name, folder = row.name, row.path
    model, processor = load(str(folder))
    content = [{"type": "image"}, {"type": "text", "text": QUESTION}]
    prompt = apply_chat_template(processor, model.config, [{"role": "user", "content": content}])
    processor.tokenizer.stopping_criteria.eos_token_ids = []
    first, ratio, added, again, charged = [], [], [], [], []
    with new_pool() as pool:
        pool.load(hub.resolve(str(folder)), name=name)
        engine: Any = pool._residents[name].engine
        engine.stop_ids = frozenset()
        for turn in range(ROUNDS + 2):
            shown = picture(turn)
            file.write_bytes(shown.png)
            before = active_bytes()
            messages = [Message.of("user", QUESTION, images=[shown])]
            stats = answer(pool, name, messages)
            bare_ttft, bare_tps = bare_answer(model, processor, prompt, file)
            messages += [Message.of("assistant", "Two."), Message.of("user", "And stars?")]
            follow_up = answer(pool, name, messages)
            pool._thread.call(lambda _: __import__("gc").collect())
            held = active_bytes() - before
            cached = pool.status().residents[0].cache_bytes
            pool._thread.call(lambda _: engine.drop_caches())
            if turn < 2:  # kernels are built, pages are touched
                continue
            first.append(stats.ttft_seconds)
            ratio.append(stats.generation_tps / bare_tps)
            added.append(stats.ttft_seconds - bare_ttft)
            again.append(follow_up.ttft_seconds / stats.ttft_seconds)
            charged.append(cached / held)
    print(f"  {name}: first token after {summary(first, ' ms', 1e3)}")
    judge(f"{name}: decode against bare", ratio, at_least=0.97)
    print(f"  {name}: first token added to bare {summary(added, ' ms', 1e3)}")
    judge(f"{name}: first token of a follow-up against the first turn's", again, at_most=0.3)
    judge(f"{name}: caches charged against held", charged, at_least=0.99)
    judge(f"{name}: the same from above", charged, at_most=1.01)


def main() -> None:
    with TemporaryDirectory() as folder:
        for row in demo.list():
            if row.kind == "vision":
                compare(row, Path(folder, "picture.png"))

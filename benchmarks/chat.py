"""`%%chat` with live rendering against bare `mlx_lm.stream_generate`, in one kernel, by turns.

Both answer the same greedy prompt with the same weights and stop tokens. Decode is tokens after
the first over the time between first and last token. The first token is timed twice: inside the
kernel, from the request to the token; and at the front end, from sending the cell to seeing text.
"""

from .models import random_llama
from .notebook import Notebook
from .ratios import judge, summary

SET_UP = """
%load_ext mlx_magic
%load_model {model} --as m
import json, time
import mlx_lm
from mlx_lm import stream_generate
from IPython.display import display
import mlx_magic as mm
from mlx_magic.families import stop_token_ids
from mlx_magic.hub import resolve
snapshot = resolve({model!r})
bare_model, bare_tokenizer = mlx_lm.load(str(snapshot.path))
bare_tokenizer.eos_token_ids = stop_token_ids(
    bare_tokenizer, snapshot.config, snapshot.generation_config)
question = {question!r}

def bare():
    started = time.perf_counter()
    prompt = bare_tokenizer.apply_chat_template(
        [{{"role": "user", "content": question}}], add_generation_prompt=True)
    times, text = [], ""
    for response in stream_generate(
        bare_model, bare_tokenizer, prompt, max_tokens={tokens}
    ):
        times.append(time.perf_counter())
        text += response.text
        if len(times) == 1:
            display("first: " + text)
    return {{"ttft": times[0] - started, "tps": (len(times) - 1) / max(times[-1] - times[0], 1e-9),
             "tokens": len(times)}}
"""
CHAT = "%%chat m --new -o reply --temperature 0 --max-tokens {tokens}\n{question}"
STATS = """
s = reply.stats
print(json.dumps({"ttft": s.ttft_seconds, "tps": s.generation_tps, "tokens": s.generation_tokens}))
"""


def measure(model: str, question: str, tokens: int, rounds: int = 15) -> None:
    with Notebook() as notebook:
        notebook.run(SET_UP.format(model=model, question=question, tokens=tokens))
        chat_cell = CHAT.format(tokens=tokens, question=question)
        bare_cell = "result = bare()"
        notebook.run(chat_cell), notebook.run(bare_cell)  # kernels compiled, files read
        decode, added, seen_added = [], [], []
        for _ in range(rounds):
            _, bare_seen, _ = notebook.run(bare_cell, lambda text: "first:" in text)
            bare = notebook.value("print(json.dumps(result))")
            _, chat_seen, _ = notebook.run(chat_cell, lambda text: text[0] != "[")
            ours = notebook.value(STATS)
            assert ours["tokens"] == bare["tokens"], (ours, bare)
            decode.append(ours["tps"] / bare["tps"])
            added.append(ours["ttft"] - bare["ttft"])
            seen_added.append(chat_seen - bare_seen)
        print(
            f"{model.rsplit('/', 1)[-1]}, {bare['tokens']} tokens at {bare['tps']:.0f} tok/s bare"
        )
        if bare["tokens"] > 1:
            judge("decode, %%chat / bare", decode, at_least=0.97)
        judge("first token added, in the kernel", added, " ms", 1e3, at_most=20)
        if model.startswith("demo:"):  # a random model's first tokens may be no text
            print(f"  first token added, at the front end  {summary(seen_added, ' ms', 1e3)}")


def main() -> None:
    measure("demo:qwen", "Tell me a story about a fox.", 200, rounds=41)
    measure("demo:qwen", "What is the capital of France? " * 150, 8, rounds=5)  # a long prompt
    large = str(random_llama("llama-16m", hidden=384, layers=8))
    measure(large, "Hello", 300)
    measure(large, "Hello", 1500, rounds=3)

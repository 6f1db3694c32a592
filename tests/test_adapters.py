"""Adapters: from a spec to two files, and from those to a view over a base that stays as it was."""

import gc
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlx.core as mx
import pytest
import tiny_models
from fake_hub import FakeHub, model_files, pointed_at
from mlx.utils import tree_flatten
from mlx_lm import load, stream_generate

from mlx_magic import demo
from mlx_magic.adapters import AdapterSnapshot, resolve_adapter
from mlx_magic.demo import DemoAdapter
from mlx_magic.engines.adapters import own_bytes, prepare, read_weights, view
from mlx_magic.errors import (
    MlxMagicError,
    ModelNotFound,
    ModelUnsupported,
    SnapshotBroken,
    UsageProblem,
)

REPO = "acme/pirate"
CONFIG = "adapter_config.json"
WEIGHTS = "adapters.safetensors"
FILES = [CONFIG, WEIGHTS]
PROMPT = list(range(40, 60))
KINDS: dict[str, dict[str, Any]] = {
    "float32": {"dtype": "float32"},
    "bfloat16": {"dtype": "bfloat16"},
    "4-bit": {"dtype": "float32", "bits": 4},
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny bases of each kind, and two adapters for each: `a` on all of it, `b` on a part."""
    root = tmp_path_factory.mktemp("adapters")
    for kind, options in KINDS.items():
        base = tiny_models.build(root / kind, "llama", **options)
        tiny_models.build_adapter(root / f"{kind} a", base)
        keys = ["self_attn.q_proj", "mlp.down_proj"]
        tiny_models.build_adapter(root / f"{kind} b", base, rank=2, num_layers=1, keys=keys, seed=2)
    return root


@pytest.fixture(scope="module")
def base(root: Path) -> tuple[Any, Any]:
    """The bfloat16 base: model, tokenizer."""
    return load(str(root / "bfloat16"))[:2]


@pytest.fixture
def copy_of(root: Path, tmp_path: Path) -> Callable[..., Path]:
    """A copy of adapter `a` for the bfloat16 base, with changes to its config or its tensors."""

    def copy(
        change: Callable[[dict[str, Any]], Any] | None = None,
        tensors: Callable[[dict[str, mx.array]], Any] | None = None,
        source: str = "bfloat16 a",
    ) -> Path:
        folder = tmp_path / "copy"
        folder.mkdir(exist_ok=True)
        config = json.loads((root / source / CONFIG).read_text())
        config["model"] = "acme/base"
        weights: Any = mx.load(str(root / source / WEIGHTS))
        mx.eval(weights)
        if change is not None:
            change(config)
        if tensors is not None:
            tensors(weights)
        (folder / CONFIG).write_text(json.dumps(config))
        mx.save_safetensors(str(folder / WEIGHTS), weights)
        return folder

    return copy


def adapter(folder: Path) -> AdapterSnapshot:
    return resolve_adapter(str(folder))


def tokens(model: Any, tokenizer: Any) -> list[int]:
    return [int(r.token) for r in stream_generate(model, tokenizer, PROMPT, max_tokens=16)]


def active_bytes() -> int:
    gc.collect()
    mx.synchronize()
    mx.clear_cache()
    return int(mx.get_active_memory())


def bytes_of(model: Any) -> dict[str, bytes]:
    """Every parameter's bytes, by name."""
    return {
        name: bytes(memoryview(value if value.dtype != mx.bfloat16 else value.view(mx.uint16)))
        for name, value in tree_flatten(model.parameters())
    }


# --- views over a base -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_views_give_the_tokens_of_mlx_lm_while_the_base_keeps_its_own(
    root: Path, kind: str
) -> None:
    model, tokenizer = load(str(root / kind))[:2]
    before, weights = tokens(model, tokenizer), bytes_of(model)
    views = [view(model, adapter(root / f"{kind} {name}")) for name in "ab"]
    bare = [load(str(root / kind), adapter_path=str(root / f"{kind} {n}"))[0] for n in "ab"]
    expected = [tokens(one, tokenizer) for one in bare]
    assert expected[0] != expected[1] and before not in expected
    # one token of each at a time
    running = [stream_generate(one, tokenizer, PROMPT, max_tokens=16) for one in (*views, model)]
    rows = [[int(r.token) for r in step] for step in zip(*running, strict=True)]
    assert [list(column) for column in zip(*rows, strict=True)] == [*expected, before]
    assert tokens(model, tokenizer) == before
    assert bytes_of(model) == weights


@pytest.mark.parametrize("kind", KINDS)
def test_a_view_costs_its_adapters_bytes_and_gives_them_back(root: Path, kind: str) -> None:
    model, tokenizer = load(str(root / kind))[:2]
    tokens(model, tokenizer)  # what the first answer makes for good
    empty = active_bytes()
    snapshots = [adapter(root / f"{kind} {name}") for name in "ab"]
    first, second = (view(model, snapshot) for snapshot in snapshots)
    costs = [snapshot.weight_bytes for snapshot in snapshots]
    assert active_bytes() - empty == sum(costs)
    assert [own_bytes(one, model) for one in (first, second)] == costs
    tokens(first, tokenizer)
    del first
    assert active_bytes() - empty == costs[1]
    del second
    assert active_bytes() == empty
    assert own_bytes(model, model) == 0


def test_a_view_outlives_its_base_and_frees_everything_in_the_end(root: Path) -> None:
    empty = active_bytes()
    model, tokenizer = load(str(root / "bfloat16"))[:2]
    pirate = view(model, adapter(root / "bfloat16 a"))
    expected = tokens(pirate, tokenizer)
    del model
    assert tokens(pirate, tokenizer) == expected
    del pirate
    assert active_bytes() == empty


def test_a_prepared_view_costs_nothing_until_its_weights_are_read(
    base: tuple[Any, Any], root: Path
) -> None:
    model, tokenizer = base
    tokens(model, tokenizer)
    snapshot, empty = adapter(root / "bfloat16 a"), active_bytes()
    one = prepare(model, snapshot)
    assert active_bytes() - empty < 1000  # bounds of the made-up factors, 4 bytes each
    read_weights(one, snapshot)
    assert active_bytes() - empty == snapshot.weight_bytes
    assert tokens(one, tokenizer) == tokens(view(model, snapshot), tokenizer)


def test_a_view_is_in_eval_mode_whatever_its_config_drops_out(
    base: tuple[Any, Any], root: Path, copy_of: Callable[..., Path]
) -> None:
    dropping = copy_of(lambda config: config["lora_parameters"].update(dropout=0.9))
    one = view(base[0], adapter(dropping))
    assert not any(module.training for module in one.modules())
    assert tokens(one, base[1]) == tokens(view(base[0], adapter(root / "bfloat16 a")), base[1])


@pytest.mark.parametrize("kind", KINDS)
def test_dora_is_a_view_as_well(root: Path, tmp_path: Path, kind: str) -> None:
    folder = tiny_models.build_adapter(tmp_path / "dora", root / kind, kind="dora")
    model, tokenizer = load(str(root / kind))[:2]
    before = tokens(model, tokenizer)
    snapshot = adapter(folder)
    one = view(model, snapshot)
    assert own_bytes(one, model) == snapshot.weight_bytes
    bare = load(str(root / kind), adapter_path=str(folder))[0]
    assert tokens(one, tokenizer) == tokens(bare, tokenizer) != before
    assert tokens(model, tokenizer) == before


@pytest.mark.parametrize("kind", KINDS)
def test_embeddings_take_an_adapter_too(root: Path, tmp_path: Path, kind: str) -> None:
    keys = ["model.embed_tokens", "self_attn.v_proj"]
    folder = tiny_models.build_adapter(tmp_path / "emb", root / kind, keys=keys)
    model, tokenizer = load(str(root / kind))[:2]
    before, snapshot = tokens(model, tokenizer), adapter(folder)
    one = view(model, snapshot)
    bare = load(str(root / kind), adapter_path=str(folder))[0]
    assert tokens(one, tokenizer) == tokens(bare, tokenizer) != before
    assert own_bytes(one, model) == snapshot.weight_bytes


def test_experts_take_an_adapter_too(tmp_path: Path) -> None:
    from mlx_lm.models import qwen3_moe

    small = tiny_models.config("qwen", 300, 32, 2)
    small |= {"model_type": "qwen3_moe", "num_experts": 4, "num_experts_per_tok": 2,
              "decoder_sparse_step": 1, "mlp_only_layers": [], "moe_intermediate_size": 32,
              "norm_topk_prob": True}  # fmt: skip
    mx.random.seed(0)
    model = qwen3_moe.Model(qwen3_moe.ModelArgs.from_dict(small))
    folder = tiny_models.build(tmp_path / "moe", "qwen")
    (folder / "config.json").write_text(json.dumps(small))
    mx.save_safetensors(str(folder / "model.safetensors"), dict(tree_flatten(model.parameters())))
    made = tiny_models.build_adapter(tmp_path / "adapter", folder)
    base, tokenizer = load(str(folder))[:2]
    one, snapshot = view(base, adapter(made)), adapter(made)
    assert any(len(shape) == 3 for shape in snapshot.shapes.values())
    bare = load(str(folder), adapter_path=str(made))[0]
    assert tokens(one, tokenizer) == tokens(bare, tokenizer) != tokens(base, tokenizer)
    assert own_bytes(one, base) == snapshot.weight_bytes


def test_an_old_adapter_without_keys_changes_only_what_its_file_names(
    base: tuple[Any, Any], root: Path, copy_of: Callable[..., Path]
) -> None:
    def drop_the_rest(weights: dict[str, mx.array]) -> None:
        for name in [n for n in weights if "q_proj" not in n and "v_proj" not in n]:
            del weights[name]

    folder = copy_of(tensors=drop_the_rest)
    snapshot = adapter(folder)
    one = view(base[0], snapshot)
    assert own_bytes(one, base[0]) == snapshot.weight_bytes
    bare = load(str(root / "bfloat16"), adapter_path=str(folder))[0]
    assert tokens(one, base[1]) == tokens(bare, base[1])


# --- adapters that don't fit -------------------------------------------------------------------


def refused(
    base: tuple[Any, Any], folder: Path, error: type[MlxMagicError] = ModelUnsupported
) -> str:
    """The message with which a view is refused: one line, the base intact, nothing in memory."""
    model, tokenizer = base
    before, weights, snapshot = tokens(model, tokenizer), bytes_of(model), adapter(folder)
    empty = active_bytes()
    with pytest.raises(error) as raised:
        view(model, snapshot, "acme/small")
    message = str(raised.value)
    del raised
    assert active_bytes() == empty
    assert tokens(model, tokenizer) == before and bytes_of(model) == weights
    assert "\n" not in message and str(folder) in message
    return message


def test_a_full_fine_tune_is_refused(base: tuple[Any, Any], copy_of: Callable[..., Path]) -> None:
    folder = copy_of(lambda config: config.update(fine_tune_type="full", lora_parameters=None))
    assert "is a full fine-tune" in refused(base, folder)


def test_an_unknown_type_is_refused_with_those_there_are(
    base: tuple[Any, Any], copy_of: Callable[..., Path]
) -> None:
    message = refused(base, copy_of(lambda config: config.update(fine_tune_type="loha\nx")))
    assert "'loha x'; there is 'lora', 'dora'" in message


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda config: config.pop("num_layers"), "num_layers"),
        (lambda config: config.update(num_layers="all"), "num_layers"),
        (lambda config: config.pop("lora_parameters"), "rank"),
        (lambda config: config.update(lora_parameters=[4]), "rank"),
        (lambda config: config["lora_parameters"].update(rank=0), "rank"),
        (lambda config: config["lora_parameters"].update(rank=True), "rank"),
        (lambda config: config["lora_parameters"].pop("scale"), "scale"),
        (lambda config: config["lora_parameters"].update(scale=float("nan")), "scale"),
        (lambda config: config["lora_parameters"].update(keys="q_proj"), "keys"),
    ],
)
def test_a_config_that_says_too_little_is_refused_by_the_field(
    base: tuple[Any, Any], copy_of: Callable[..., Path], change: Any, named: str
) -> None:
    assert f"has no usable {named}" in refused(base, copy_of(change))


def test_more_layers_than_the_base_has_are_refused_with_both_numbers(
    base: tuple[Any, Any], copy_of: Callable[..., Path]
) -> None:
    message = refused(base, copy_of(lambda config: config.update(num_layers=16)))
    assert "does not fit acme/small: it changes 16 layers of the 2 there" in message
    assert "the model that it was trained on, acme/base" in message


def test_a_deeper_base_is_refused_by_the_layer_that_it_would_miss(
    root: Path, tmp_path: Path
) -> None:
    folder = tiny_models.build_adapter(tmp_path / "a", root / "bfloat16", num_layers=2)
    deep = tiny_models.build(tmp_path / "deep", "llama", layers=3)
    message = refused(load(str(deep))[:2], folder)
    assert "changes model.layers.0, which is not among the last 2 of the 3 layers there" in message


def test_another_demo_model_of_the_same_shape_is_refused_by_its_name(
    base: tuple[Any, Any], copy_of: Callable[..., Path]
) -> None:
    snapshot = adapter(copy_of(lambda config: config.update(model="demo:llama")))
    with pytest.raises(ModelUnsupported, match="was trained on demo:llama, not on demo:mistral"):
        view(base[0], snapshot, "demo:mistral")
    view(base[0], snapshot, "demo:llama")
    view(base[0], snapshot, "/models/mistral")  # which may be the same


def test_a_layer_that_the_base_lacks_is_named(base: tuple[Any, Any], tmp_path: Path) -> None:
    deep = tiny_models.build(tmp_path / "deep", "llama", layers=3)
    message = refused(base, tiny_models.build_adapter(tmp_path / "a", deep))
    assert "there is no model.layers.2.mlp.down_proj there" in message


def test_a_part_that_the_base_lacks_is_named(
    base: tuple[Any, Any], copy_of: Callable[..., Path]
) -> None:
    def rename(weights: dict[str, mx.array]) -> None:
        for part in ("lora_a", "lora_b"):
            name = f"model.layers.0.self_attn.q_proj.{part}"
            weights[name.replace("q_proj", "wq")] = weights.pop(name)

    assert "there is no model.layers.0.self_attn.wq there" in refused(base, copy_of(tensors=rename))
    keyed = copy_of(lambda config: config["lora_parameters"].update(keys=["attention.wq"]), rename)
    refused(base, keyed)


@pytest.mark.parametrize("kind", KINDS)
def test_another_width_is_refused_with_both_shapes(root: Path, tmp_path: Path, kind: str) -> None:
    wide = tiny_models.build(tmp_path / "wide", "llama", hidden=64)
    folder = tiny_models.build_adapter(tmp_path / "a", wide, keys=["self_attn.q_proj"])
    message = refused(load(str(root / kind))[:2], folder)
    assert "model.layers.0.self_attn.q_proj.lora_a is 64×4, and 32×4 fits there" in message


def test_another_output_width_is_refused_with_both_shapes(
    base: tuple[Any, Any], copy_of: Callable[..., Path]
) -> None:
    name = "model.layers.1.mlp.up_proj.lora_b"
    folder = copy_of(tensors=lambda weights: weights.update({name: mx.zeros((4, 65))}))
    assert f"{name} is 4×65, and 4×64 fits there" in refused(base, folder)


@pytest.mark.parametrize("kind", ["lora", "dora"])
def test_a_rank_that_the_file_contradicts_is_refused_with_both(
    base: tuple[Any, Any], root: Path, tmp_path: Path, kind: str
) -> None:
    folder = tiny_models.build_adapter(tmp_path / "copy", root / "bfloat16", kind=kind)
    config = json.loads((folder / CONFIG).read_text())
    config["lora_parameters"]["rank"] = 8
    (folder / CONFIG).write_text(json.dumps(config))
    assert "has the rank 4 and adapter_config.json 8" in refused(base, folder)


def test_a_missing_tensor_is_named(base: tuple[Any, Any], copy_of: Callable[..., Path]) -> None:
    name = "model.layers.1.self_attn.v_proj.lora_b"
    folder = copy_of(tensors=lambda weights: weights.pop(name))
    assert f"{WEIGHTS} has no {name}" in refused(base, folder)
    # and one of a whole layer of the model, which the config's own keys promise
    keys = ["self_attn.q_proj", "self_attn.k_proj"]

    def only_q(weights: dict[str, mx.array]) -> None:
        for name in [n for n in weights if "q_proj" not in n]:
            del weights[name]

    folder = copy_of(lambda config: config["lora_parameters"].update(keys=keys), only_q)
    assert "has no model.layers.0.self_attn.k_proj.lora_a" in refused(base, folder)


def test_an_adapter_without_tensors_is_refused(
    base: tuple[Any, Any], copy_of: Callable[..., Path]
) -> None:
    assert f"{WEIGHTS} has no tensor" in refused(base, copy_of(tensors=dict.clear))


def test_a_tensor_that_the_config_leaves_out_is_named(
    base: tuple[Any, Any], copy_of: Callable[..., Path]
) -> None:
    last = copy_of(lambda config: config.update(num_layers=1))
    message = refused(base, last)
    assert "changes model.layers.0, which is not among the last 1 of the 2 layers there" in message
    keys = ["self_attn.q_proj"]
    some = copy_of(lambda config: config["lora_parameters"].update(keys=keys))
    assert f"{CONFIG} leaves out model.layers.0.mlp.down_proj.lora_a" in refused(base, some)


def test_a_weight_of_the_base_in_the_file_is_refused_by_name(
    base: tuple[Any, Any], copy_of: Callable[..., Path]
) -> None:
    folder = copy_of(tensors=lambda weights: weights.update({"model.norm.weight": mx.ones(32)}))
    assert "model.norm.weight is no LoRA weight" in refused(base, folder)


def test_a_part_that_takes_no_adapter_is_refused(
    base: tuple[Any, Any], copy_of: Callable[..., Path]
) -> None:
    name = "model.layers.0.input_layernorm.lora_a"
    folder = copy_of(tensors=lambda weights: weights.update({name: mx.ones((32, 4))}))
    assert "Can't convert layer of type RMSNorm" in refused(base, folder)


def test_an_adapter_goes_on_a_base_and_not_on_a_view(base: tuple[Any, Any], root: Path) -> None:
    one = view(base[0], adapter(root / "bfloat16 a"))
    assert "Can't convert layer of type LoRALinear" in refused((one, base[1]), root / "bfloat16 b")


def test_dora_on_weights_of_an_odd_width_is_refused(tmp_path: Path) -> None:
    odd = tiny_models.build(tmp_path / "odd", "llama", dtype="float32", bits=6)
    plain = tiny_models.build(tmp_path / "plain", "llama", dtype="float32")
    folder = tiny_models.build_adapter(tmp_path / "dora", plain, kind="dora")
    message = refused(load(str(odd))[:2], folder)
    assert "the 6-bit weights of acme/small" in message


def test_lora_on_weights_of_an_odd_width_fits(tmp_path: Path) -> None:
    odd = tiny_models.build(tmp_path / "odd", "llama", dtype="float32", bits=6)
    folder = tiny_models.build_adapter(tmp_path / "lora", odd)
    model, tokenizer = load(str(odd))[:2]
    bare = load(str(odd), adapter_path=str(folder))[0]
    assert tokens(view(model, adapter(folder)), tokenizer) == tokens(bare, tokenizer)


def test_a_file_that_is_cut_off_meanwhile_leaves_nothing_behind(
    base: tuple[Any, Any], copy_of: Callable[..., Path]
) -> None:
    folder = copy_of()
    snapshot, empty = adapter(folder), active_bytes()
    os.truncate(folder / WEIGHTS, (folder / WEIGHTS).stat().st_size - 9)
    with pytest.raises(SnapshotBroken, match="can't be read: MLX says") as raised:
        view(base[0], snapshot)
    del raised
    assert active_bytes() == empty
    copy_of(tensors=lambda weights: weights.update(other=mx.ones((2, 2))))
    with pytest.raises(SnapshotBroken, match="has just been changed; load again"):
        view(base[0], snapshot)
    (folder / WEIGHTS).unlink()
    with pytest.raises(SnapshotBroken, match="can't be read"):
        view(base[0], snapshot)


# --- from a spec to the two files --------------------------------------------------------------


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with FakeHub() as fake, pointed_at(fake, tmp_path / "home", monkeypatch):
        yield fake


@pytest.fixture
def files(root: Path) -> dict[str, bytes]:
    return {name: (root / "bfloat16 a" / name).read_bytes() for name in FILES}


def unresolved(error: type[MlxMagicError], spec: str, **arguments: Any) -> str:
    """The message with which a spec is refused; it has to be one line."""
    with pytest.raises(error) as raised:
        resolve_adapter(spec, **arguments)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_folder_resolves_with_its_config_bytes_and_shapes(root: Path) -> None:
    folder = root / "bfloat16 b"
    found = resolve_adapter(str(folder))
    assert (found.spec, found.path, found.source) == (str(folder), folder, "folder")
    assert found.revision is None and found.base == str(root / "bfloat16")
    assert found.config["num_layers"] == 1
    assert found.shapes["model.layers.1.self_attn.q_proj.lora_a"] == (32, 2)
    assert len(found.shapes) == 4
    assert found.weight_bytes == 2 * 2 * (32 + 32 + 64 + 32)


def test_a_demo_adapter_is_found_by_its_spec(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = DemoAdapter("pirate", "demo:llama", "", root / "bfloat16 a")
    monkeypatch.setattr(demo, "adapters", lambda: (row,))
    found = resolve_adapter("demo:pirate")
    assert (found.spec, found.path, found.source) == ("demo:pirate", row.path, "demo")
    assert "did you mean 'demo:pirate'?" in unresolved(ModelNotFound, "demo:pirat")
    message = unresolved(ModelNotFound, "pirate")
    assert "there is no adapter 'pirate'" in message and "did you mean 'demo:pirate'?" in message


def test_a_missing_folder_is_not_found_with_its_neighbours(root: Path) -> None:
    message = unresolved(ModelNotFound, str(root / "float32 aa"))
    assert "did you mean 'float32 a'" in message


def test_the_weights_file_itself_is_a_usage_problem(root: Path) -> None:
    message = unresolved(UsageProblem, str(root / "bfloat16 a" / WEIGHTS))
    assert "give the folder that holds the adapter" in message


def test_a_revision_belongs_to_a_hub_repository(root: Path) -> None:
    unresolved(UsageProblem, str(root / "bfloat16 a"), revision="main")


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(copy_of: Callable[..., Path], name: str) -> None:
    folder = copy_of()
    (folder / name).unlink()
    message = unresolved(SnapshotBroken, str(folder))
    assert f"has no {name}" in message and "another adapter" in message


def test_damaged_files_are_refused_by_name(copy_of: Callable[..., Path]) -> None:
    folder = copy_of()
    os.truncate(folder / WEIGHTS, (folder / WEIGHTS).stat().st_size - 1)
    assert f"{WEIGHTS} is damaged" in unresolved(SnapshotBroken, str(folder))
    copy_of(tensors=lambda weights: weights.update(x=mx.ones((2, 2), dtype=mx.int8)))
    assert "x is of the type I8" in unresolved(SnapshotBroken, str(folder))
    (folder / CONFIG).write_text("[]")
    assert f"{CONFIG} is damaged" in unresolved(SnapshotBroken, str(folder))


PEFT = b'{"peft_type": "LORA", "r": 8}'


def test_a_peft_adapter_is_refused_as_another_format(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    (tmp_path / CONFIG).write_bytes(PEFT)
    (tmp_path / "adapter_model.safetensors").write_bytes(files[WEIGHTS])
    said = "is a PEFT adapter, a format that mlx-lm does not read"
    assert said in unresolved(ModelUnsupported, str(tmp_path))
    (tmp_path / "adapter_model.safetensors").rename(tmp_path / WEIGHTS)
    assert said in unresolved(ModelUnsupported, str(tmp_path))


def test_a_model_is_refused_as_no_adapter(root: Path) -> None:
    message = unresolved(ModelUnsupported, str(root / "bfloat16"))
    assert "is a model and no adapter" in message


def test_a_download_fetches_the_two_files_and_the_next_load_asks_nobody(
    hub: FakeHub, files: dict[str, bytes]
) -> None:
    extras = ["README.md", "0000100_adapters.safetensors", "adapters.npz", "config.json"]
    commit = hub.add(REPO, files | dict.fromkeys(extras, b"unwanted"))
    readings: list[Any] = []
    found = resolve_adapter(REPO, on_progress=readings.append)
    assert (found.spec, found.revision, found.source) == (REPO, commit, "download")
    assert sorted(request.file for request in hub.fetched()) == FILES
    assert readings[-1].done_bytes == sum(map(len, files.values()))
    hub.requests.clear()
    again = resolve_adapter(REPO)
    assert (again.path, again.revision, again.source) == (found.path, commit, "cache")
    assert again.shapes == found.shapes and hub.requests == []


def test_a_revision_of_an_adapter_is_fetched_by_name(hub: FakeHub, files: dict[str, bytes]) -> None:
    commit = hub.add(REPO, files, revision="v1")
    assert resolve_adapter(REPO, revision="v1").revision == commit
    assert "has no revision 'main'" in unresolved(ModelNotFound, REPO)


def test_a_repository_without_an_mlx_adapter_is_refused_before_a_byte_is_fetched(
    hub: FakeHub, files: dict[str, bytes]
) -> None:
    hub.add("acme/peft", {CONFIG: PEFT, "adapter_model.safetensors": files[WEIGHTS]})
    assert "is a PEFT adapter" in unresolved(ModelUnsupported, "acme/peft")
    hub.add("acme/model", model_files())
    assert "is a model and no adapter" in unresolved(ModelUnsupported, "acme/model")
    hub.add("acme/half", {WEIGHTS: files[WEIGHTS]})
    assert f"'acme/half' has no {CONFIG}" in unresolved(ModelUnsupported, "acme/half")
    assert hub.fetched() == []
    assert "the Hub has no adapter 'acme/none'" in unresolved(ModelNotFound, "acme/none")


def test_resolving_an_adapter_loads_no_mlx() -> None:
    import subprocess
    import sys

    code = (
        "import sys, mlx_magic.adapters; print([m for m in ('mlx', 'mlx_lm') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"

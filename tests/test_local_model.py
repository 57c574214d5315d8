"""A chat model in this process: a tiny one is made on the spot, saved and asked."""

import json
import threading
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, set_seed

from assistant.models import (
    ChatModel,
    Message,
    ModelError,
    ModelFault,
    ModelLimits,
    load_chat_model,
)
from corpus.errors import ExpectedError

TEMPLATE = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}" + TEMPLATE
ASKED = (
    Message(role="system", content="Answer briefly."),
    Message(role="user", content="How often is a state reviewed?"),
)
ENDLESS = {"most_tokens": 90_000, "most_characters": 10_000_000}
TEXT = ["Each state is reviewed every four and a half years.", "Answer briefly: how often?"]


def tiny_model(folder: Path, *, template: str | None = TEMPLATE, window: int = 512) -> Path:
    """Save a random Llama with a tokenizer trained on two sentences; gives its folder."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|end|>", pad_token="<|end|>"
    )
    fast.chat_template = template
    fast.save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=len(fast),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=window,
        eos_token_id=fast.eos_token_id,
        bos_token_id=None,
    )
    set_seed(1)
    model = LlamaForCausalLM(config)
    model.save_pretrained(folder)
    return folder


def ends_by_itself(folder: Path, ends: bool) -> None:
    """Say which tokens end an answer: every one, so that the first does, or one never made."""
    path = folder / "generation_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["eos_token_id"] = list(range(300)) if ends else 299
    path.write_text(json.dumps(config), encoding="utf-8")


def generating() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "local model"]


def wait_until_none_generates() -> bool:
    end = time.monotonic() + 20
    while generating() and time.monotonic() < end:
        time.sleep(0.02)
    return not generating()


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """A model whose answers end only at the limit."""
    folder = tiny_model(tmp_path / "tiny-chat", window=100_000)
    ends_by_itself(folder, False)
    return folder


def load(folder: Path, **limits: float) -> ChatModel:
    return load_chat_model(f"huggingface:{folder}", limits=ModelLimits(**limits))  # type: ignore[arg-type]


def test_an_answer_that_ends_by_itself_is_whole(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "tiny-chat")
    ends_by_itself(folder, True)
    model = load(folder)
    streamed = "".join(model.stream(ASKED))
    assert streamed.strip()
    assert model.complete(ASKED) == streamed


def test_the_name_shows_no_path(tmp_path: Path) -> None:
    assert load(tiny_model(tmp_path / "tiny-chat")).name == "huggingface:tiny-chat"


def test_an_answer_that_reaches_its_limit_is_not_whole(endless: Path) -> None:
    pieces = []
    with pytest.raises(ModelError) as raised:
        pieces.extend(load(endless, most_tokens=20).stream(ASKED))
    assert raised.value.fault is ModelFault.TOO_LONG


def test_a_prompt_beyond_the_window_is_too_long(tmp_path: Path) -> None:
    model = load(tiny_model(tmp_path / "tiny-chat", window=16))
    with pytest.raises(ModelError) as raised:
        model.complete(ASKED)
    assert raised.value.fault is ModelFault.NO_ROOM


def test_generation_ends_when_nobody_reads_on(endless: Path) -> None:
    stream = load(endless, **ENDLESS).stream(ASKED)
    assert next(stream)
    assert generating()
    stream.close()
    assert wait_until_none_generates()


@pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])
def test_generation_ends_at_the_time_limit(endless: Path, streamed: bool) -> None:
    model = load(endless, total_s=1.0, first_token_s=1.0, **ENDLESS)
    with pytest.raises(ModelError) as raised:
        if streamed:
            list(model.stream(ASKED))
        else:
            model.complete(ASKED, most_tokens=90_000)
    assert raised.value.fault is ModelFault.SLOW
    assert wait_until_none_generates()


def test_a_template_without_a_system_message_gets_the_rules_with_the_question(
    tmp_path: Path,
) -> None:
    folder = tiny_model(tmp_path / "tiny-chat", template=NO_SYSTEM)
    ends_by_itself(folder, True)
    assert load(folder).complete(ASKED)


def test_a_model_that_is_not_made_for_chat_is_refused(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "tiny-base", template=None)
    with pytest.raises(ExpectedError, match="'tiny-base' is not made for chat"):
        load(folder)


@pytest.mark.parametrize("name", ["nobody/no-such-model", "no-such-model"])
def test_a_model_that_is_not_on_this_computer_is_not_fetched(name: str) -> None:
    with pytest.raises(ExpectedError, match=f"'{name}' is not on this computer") as raised:
        load_chat_model(f"huggingface:{name}")
    assert f"hf download {name}" in raised.value.hint


@pytest.mark.parametrize("name", ["/nowhere/model", "../model", "~/model", "~nobody-here/model"])
def test_a_folder_that_is_not_there_is_not_taken_for_a_name(name: str) -> None:
    with pytest.raises(ExpectedError, match=f"There is no folder {name}") as raised:
        load_chat_model(f"huggingface:{name}")
    assert "hf download" not in raised.value.hint


def test_what_a_folder_lacks_is_named(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ExpectedError, match="'empty' holds no chat model: it has no config"):
        load(empty)
    cut = tiny_model(tmp_path / "cut")
    (cut / "model.safetensors").write_bytes(b"cut short")
    with pytest.raises(ExpectedError, match="'cut' can't be loaded") as raised:
        load(cut)
    assert "cut short" in raised.value.hint


def test_weights_that_could_run_code_are_refused(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "tiny-chat")
    weights = folder / "model.safetensors"
    torch.save(load_file(weights), folder / "pytorch_model.bin")
    weights.unlink()
    with pytest.raises(ExpectedError, match="has no weights as safetensors"):
        load(folder)


def test_code_of_the_models_maker_is_not_run(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "tiny-chat")
    ran = tmp_path / "ran"
    (folder / "own.py").write_text(f"open({str(ran)!r}, 'w')\n", encoding="utf-8")
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Own"}}
    path.write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ExpectedError, match="can't be loaded"):
        load(folder)
    assert not ran.exists()


def test_no_address_is_taken(tmp_path: Path) -> None:
    with pytest.raises(ExpectedError, match="runs on this computer"):
        load_chat_model(f"huggingface:{tmp_path}", base_url="http://127.0.0.1:1")

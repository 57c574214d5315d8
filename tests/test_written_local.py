"""A written answer from a model in this process: from its folder to the proved sentence.

The model is made on the spot. It says one sentence whatever it is asked, so that what
comes out can be known: each of its tokens leads to the next, and its layers add nothing.
"""

from itertools import pairwise
from pathlib import Path

import torch
from answering_material import LIBRARY
from index_material import write_library
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from written_material import read

from assistant.composition import build_assistant
from assistant.settings import Settings
from index.embeddings import Embedder
from index.ingest import ingest

TEMPLATE = "{% for m in messages %}{{ m.content }}{% endfor %}<|assistant|>"
WORDS = ("<|assistant|>", "Each", " island", " is", " examined", " every", " five", " years",
         " [1]", ".", "<|end|>")  # fmt: skip
HOW_OFTEN = "How often is each island examined?"


def speaking_model(folder: Path) -> Path:
    """Save a model that says `WORDS` one after the other; gives its folder."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(models.BPE(vocab={letter: at for at, letter in enumerate(letters)}, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core, eos_token="<|end|>", pad_token="<|end|>"
    )
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|assistant|>"]})
    tokenizer.add_tokens(list(WORDS[1:-1]))
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    size = len(tokenizer) + len(tokenizer) % 2
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=size, hidden_size=size, intermediate_size=8, num_hidden_layers=1,
            num_attention_heads=1, max_position_embeddings=50_000,
            eos_token_id=tokenizer.eos_token_id, bos_token_id=None,
        )
    )  # fmt: skip
    ids = [tokenizer.convert_tokens_to_ids(word) for word in WORDS]
    with torch.no_grad():
        model.model.embed_tokens.weight.copy_(torch.eye(size))
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
        model.lm_head.weight.zero_()
        for this, following in pairwise(ids):
            model.lm_head.weight[following, this] = 1.0
    model.save_pretrained(folder)
    return folder


def test_a_model_in_this_process_writes_and_is_held_to_the_evidence(
    tmp_path: Path, embedder: Embedder
) -> None:
    ingest(write_library(tmp_path / "library", LIBRARY), tmp_path / "index", embedder)
    settings = Settings(
        library=tmp_path / "library",
        index=tmp_path / "index",
        chat_model=f"huggingface:{speaking_model(tmp_path / 'tiny-chat')}",
    )
    assistant = build_assistant(settings)
    streamed, answer = read(assistant.ask(HOW_OFTEN))
    assert (answer.mode, answer.model) == ("written", "huggingface:tiny-chat")
    assert streamed == answer.text
    assert answer.text.startswith("Each island is examined every five years. [1]")
    assert answer.citations[0].quote == "Each island is examined every five years."
    assert answer.proof.supported == answer.proof.statements > 0
    # What it says of another question is held to that question's evidence, and dropped.
    other = assistant.ask("Who founded the Keepers' Relief Society?").answer()
    assert other.mode == "quotation"
    assert "supported by its sources" in other.notices[0]

"""A chat model that runs in this process: `huggingface:` with a folder or a cached name.

Owns loading (from this computer only, safetensors only, no code from the model's
maker), the model's chat template, and generation that stops when nobody reads on.
Knows nothing of limits of time or of other providers.
"""

import asyncio
import contextlib
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.exceptions import ContextOverflowError
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import agenerate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr

from corpus.errors import ExpectedError

_ROLES = {"human": "user", "ai": "assistant", "system": "system"}
_MOST_TOKENS = 512
_LOCAL: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
_NO_RAISING = ("missing_entries", "connection_errors", "gated_repo")
_FOLDER_HINT = (
    "Give the path of a folder that holds a transformers model made for chat: config.json, its"
    " tokenizer, and the weights as *.safetensors."
)
_PROBE = [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}]


class LocalModel(BaseChatModel):
    """A causal language model of `transformers`, as a LangChain chat model.

    Takes the most likely token each time, so equal prompts give equal answers.
    `max_tokens` is an option of each call. A prompt beyond the model's window raises
    LangChain's `ContextOverflowError`.
    """

    _model: Any = PrivateAttr()
    _tokenizer: Any = PrivateAttr()
    _takes_system: bool = PrivateAttr()

    def __init__(self, model: Any, tokenizer: Any) -> None:
        super().__init__()
        self._model = model
        self._tokenizer = tokenizer
        self._takes_system = _takes_system(tokenizer)

    @property
    def _llm_type(self) -> str:
        return "transformers"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return asyncio.run(self._agenerate(messages, stop, None, **kwargs))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, stop, run_manager, **kwargs))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        inputs = self._inputs(messages)
        room = self._room(inputs["input_ids"].shape[1])
        tokens = min(room, int(kwargs.get("max_tokens", _MOST_TOKENS)))
        generation = _Generation(self._model, self._tokenizer, inputs, tokens)
        try:
            async for text in generation.begin():
                yield _chunk(text)
            finish = await asyncio.wrap_future(generation.finish)
        finally:
            generation.stop()
        yield _chunk("", finish_reason=finish)

    def _inputs(self, messages: Sequence[BaseMessage]) -> Any:
        """The prompt as tokens, in the form the model was trained with."""
        turns = [{"role": _ROLES[m.type], "content": m.text} for m in messages]
        if not self._takes_system and len(turns) > 1 and turns[0]["role"] == "system":
            rules, first, *rest = turns
            turns = [{**first, "content": f"{rules['content']}\n\n{first['content']}"}, *rest]
        return self._tokenizer.apply_chat_template(
            turns, add_generation_prompt=True, return_tensors="pt", return_dict=True
        ).to(self._model.device)

    def _room(self, prompt: int) -> int:
        """Tokens that are left in the model's window for an answer to a prompt."""
        window = getattr(self._model.config, "max_position_embeddings", None) or sys.maxsize
        if prompt >= window:
            raise ContextOverflowError
        return int(window - prompt)


def _chunk(text: str, **ending: str) -> ChatGenerationChunk:
    return ChatGenerationChunk(message=AIMessageChunk(content=text, response_metadata=ending))


class _Generation:
    """One answer being generated, in a thread of its own.

    `finish` will hold how it ended: "stop" when the model ended it itself, else
    "length"; or the error that generation raised.
    """

    def __init__(self, model: Any, tokenizer: Any, inputs: Any, tokens: int) -> None:
        from transformers import AsyncTextIteratorStreamer, StoppingCriteriaList

        self.finish: Future[str] = Future()
        self._stopped = threading.Event()
        self._streamer = AsyncTextIteratorStreamer(
            tokenizer, skip_prompt=True, skip_special_tokens=True
        )
        self._model = model
        ends = model.generation_config.eos_token_id
        if ends is None:
            ends = tokenizer.eos_token_id
        self._ends = ends if isinstance(ends, list) else [ends]
        self._options = {
            **inputs,
            "max_new_tokens": tokens,
            "do_sample": False,
            "temperature": None,
            "top_p": None,
            "top_k": None,
            "eos_token_id": ends,
            "pad_token_id": self._ends[0],
            "streamer": self._streamer,
            "stopping_criteria": StoppingCriteriaList([self._is_stopped]),
        }

    def begin(self) -> AsyncIterator[str]:
        """The text as it is generated."""
        threading.Thread(target=self._work, name="local model", daemon=True).start()
        return self._streamer

    def stop(self) -> None:
        """End generation at the next token."""
        self._stopped.set()

    def _work(self) -> None:
        try:
            made = self._model.generate(**self._options)
        except Exception as error:  # noqa: BLE001 - it is raised where the text is read
            self.finish.set_exception(error)
            with contextlib.suppress(RuntimeError):  # the loop that read it may be gone
                self._streamer.end()
        else:
            self.finish.set_result("stop" if int(made[0][-1]) in self._ends else "length")

    def _is_stopped(self, input_ids: Any, scores: Any, **_: Any) -> Any:
        # One answer for each row of the batch, as a tensor on the same device.
        return input_ids.new_full((input_ids.shape[0],), self._stopped.is_set()).bool()


def _takes_system(tokenizer: Any) -> bool:
    """Whether the chat template knows a system message; some raise an error for one."""
    try:
        tokenizer.apply_chat_template(_PROBE, tokenize=False)
    except Exception:  # noqa: BLE001 - a template raises what its maker chose
        return False
    return True


def shown_name(name: str) -> str:
    """A model's name as visitors may see it: of a folder, its last part only."""
    folder = _folder(name)
    return folder.resolve().name if folder.is_dir() else name


def look_at_local_model(name: str) -> str:
    """The shown name of a model that could be loaded; its weights are not.

    Raises `ExpectedError` when it isn't on this computer, isn't safetensors or isn't made
    for chat.
    """
    _tokenizer(name)
    return shown_name(name)


def load_local_model(name: str) -> LocalModel:
    """Load a chat model from a folder, or by its name from the cache of this computer.

    Nothing is downloaded and no code of the model's maker is run. Raises
    `ExpectedError` when it isn't there, isn't safetensors or isn't made for chat.
    """
    from transformers import AutoModelForCausalLM
    from transformers.utils import is_torch_cuda_available

    tokenizer = _tokenizer(name)
    try:
        model: Any = AutoModelForCausalLM.from_pretrained(
            _where(name), use_safetensors=True, dtype="auto", **_LOCAL
        )
    except Exception as error:  # damaged files raise errors of every kind
        raise _broken(name, error) from error
    if is_torch_cuda_available():
        model = model.to("cuda")
    return LocalModel(model.eval(), tokenizer)


def _tokenizer(name: str) -> Any:
    """The tokenizer of a model whose files are all there. Raises `ExpectedError`."""
    from transformers import AutoTokenizer

    _check_files(name)
    try:
        tokenizer = AutoTokenizer.from_pretrained(_where(name), **_LOCAL)
    except Exception as error:  # damaged files raise errors of every kind
        raise _broken(name, error) from error
    if not tokenizer.chat_template:
        raise ExpectedError(
            f"The model {shown_name(name)!r} is not made for chat: it has no chat template.",
            'Choose one that is, often called "instruct" or "chat".',
        )
    return tokenizer


def _check_files(name: str) -> None:
    """Raises `ExpectedError` where a model isn't on this computer, with what to do about it."""
    from transformers.utils import cached_file

    asked: dict[str, Any] = {"local_files_only": True}
    asked |= {f"_raise_exceptions_for_{each}": False for each in _NO_RAISING}
    where = _where(name)

    def has(*files: str) -> bool:
        try:
            return any(cached_file(where, file, **asked) for file in files)
        except (OSError, ValueError):  # a name that can be none
            return False

    is_folder = _folder(name).is_dir()
    if not is_folder and _looks_like_a_path(name):
        raise ExpectedError(f"There is no folder {name} with a chat model.", _FOLDER_HINT)
    if not has("config.json"):
        if is_folder:
            raise ExpectedError(
                f"The folder {shown_name(name)!r} holds no chat model: it has no config.json.",
                _FOLDER_HINT,
            )
        raise ExpectedError(
            f"The chat model {name!r} is not on this computer, and nothing is downloaded unasked.",
            f"Download it with `hf download {name}`, or give the path of a folder.",
        )
    if not has("model.safetensors", "model.safetensors.index.json"):
        raise ExpectedError(
            f"The chat model {shown_name(name)!r} has no weights as safetensors.", _FOLDER_HINT
        )


def _broken(name: str, error: Exception) -> ExpectedError:
    return ExpectedError(
        f"The chat model {shown_name(name)!r} can't be loaded ({type(error).__name__}).",
        f"Its files may be cut short, or of a kind that isn't known here. {_FOLDER_HINT}",
    )


def _folder(name: str) -> Path:
    try:
        return Path(name).expanduser()
    except RuntimeError:  # "~name" of somebody who has no home here
        return Path(name)


def _where(name: str) -> str:
    folder = _folder(name)
    return str(folder) if folder.is_dir() else name


def _looks_like_a_path(name: str) -> bool:
    """Whether a name can only be a path: those of models are "owner/model", or one word."""
    return name[:1] in "/~." or "\\" in name or name.count("/") > 1

"""What this process tells others: nothing.

Owns the environment variables that the libraries read at import, so it has to run
before any of them is imported. Knows nothing of what the process goes on to do.
"""

import os

# Never overridden from outside: each of these would send questions or counts away.
_SILENT = {
    "ANONYMIZED_TELEMETRY": "False",  # Chroma
    "DO_NOT_TRACK": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "LANGCHAIN_TRACING_V2": "false",  # a key in the environment would upload every question
    "LANGSMITH_TRACING": "false",
    "LANGSMITH_TRACING_V2": "false",
}

# Defaults an operator may overrule: to fetch another model, or to use more cores.
_QUIET = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "OMP_NUM_THREADS": "1",  # one thread an encode: more make small batches slower
    "TOKENIZERS_PARALLELISM": "false",
}


def quiet_process() -> None:
    """Switch telemetry off and the network side of model loading with it.

    Has an effect only on libraries imported afterwards. Calling it again is harmless.
    """
    os.environ.update(_SILENT)
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)

"""Requests made up from the API's own description, right and wrong ones, over real HTTP."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode

pytest_plugins = ("web_fixtures", "api_fixtures")

OPERATIONS = [
    ("POST", "/api/ask"),
    ("POST", "/api/ask/stream"),
    ("POST", "/api/feedback"),
    ("GET", "/api/documents"),
    ("GET", "/api/documents/{document_id}"),
    ("GET", "/api/passages/{passage_id}"),
    ("GET", "/healthz"),
]

EXAMPLES = 20
"""Requests of each kind to each operation."""

# A question that is well formed may still ask nothing, and is refused as the text says.
NOT_IN_A_SCHEMA = {("POST", "/api/ask"), ("POST", "/api/ask/stream")}


TRIED = [
    (*operation, mode)
    for operation in OPERATIONS
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    # Nothing can be wrong about a request that takes nothing.
    if not (operation == ("GET", "/healthz") and mode is GenerationMode.NEGATIVE)
]


def _config() -> schemathesis.Config:
    """Schemathesis' own, save that a text far too long may be refused for its size as well."""
    rejected = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429"]
    return schemathesis.Config.from_dict(
        {"checks": {"negative_data_rejection": {"expected-statuses": rejected}}}
    )


@pytest.mark.parametrize(("method", "path", "mode"), TRIED)
def test_the_api_is_as_it_describes_itself(
    api_address: str, method: str, path: str, mode: GenerationMode
) -> None:
    schema = schemathesis.openapi.from_url(f"{api_address}/api/openapi.json", config=_config())
    operation = schema[path][method]
    excluded = []
    if (method, path) in NOT_IN_A_SCHEMA:
        excluded.append(schemathesis.checks.positive_data_acceptance)
    called = 0

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def call(case: schemathesis.Case) -> None:
        nonlocal called
        case.call_and_validate(excluded_checks=excluded)
        called += 1

    call()
    assert called


def test_every_operation_is_tried(api_address: str) -> None:
    schema = schemathesis.openapi.from_url(f"{api_address}/api/openapi.json")
    found = {
        (operation.method.upper(), operation.path)
        for operation in (result.ok() for result in schema.get_all_operations())
    }
    assert found == set(OPERATIONS)

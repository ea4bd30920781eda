"""Every operation of the OpenAPI document, asked with what fits it and with what does not: each answer is one the document has.

The requests follow from the document alone, and with the same seed they are the same. ``COUNTERFOIL_TEST_EXAMPLES=200`` makes a
longer hunt of it.
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis.errors import FlakyStrategyDefinition
from schemathesis import Case, CheckContext, GenerationMode, Response
from schemathesis.checks import CheckFunction
from schemathesis.config import GenerationConfig, PhasesConfig, ProjectConfig, ProjectsConfig
from schemathesis.config._phases import ErrorFeedbackConfig, ExtraDataSourcesConfig, FuzzingPhaseConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.openapi.checks import MissingHeaderNotRejected  # noqa: F401  (loads the checks of OpenAPI)
from schemathesis.specs.openapi import checks as openapi
from tests.product.conftest import PASSWORD, Person, Product, free_port, start, stop

ROOT = Path(__file__).resolve().parents[2]
AnyCase = Case[Any]
EXAMPLES = int(os.environ.get("COUNTERFOIL_TEST_EXAMPLES", "4"))
PATIENCE_S = 30

# Operations that end the session they are asked with, or stay open, and what is done about it. None is left out.
HANDLED = {
    "logout": "ends its session: the next request logs in again",
    "endSession": "may end its own session: the next request logs in again",
    "switchTenant": "ends its session: the next request logs in again",
    "resetPassword": "ends every session; nobody guesses the token",
    "changePassword": "nobody guesses the password, which would not be ours then",
    "streamJobEvents": "stays open until the job has ended: jobs are over in seconds here",
}
# Checks of schemathesis that do not hold here, each with its reason.
NOT_HELD: dict[CheckFunction, str] = {
    openapi.positive_data_acceptance: "what fits the schema may still be a label that is taken, or a vendor that is unknown",
    openapi.ignored_auth: "so many wrong credentials from one address are answered 429; that none lets anybody in has tests of its own",
    openapi.missing_required_header: "/metrics is not there at all until an operator gives it a token",
}


def _schema(*modes: GenerationMode) -> schemathesis.BaseSchema:
    generation = GenerationConfig(
        modes=list(modes), max_examples=EXAMPLES, deterministic=True, with_security_parameters=False
    )
    # What was answered before is used again where every request is listed beforehand; chance has to repeat itself.
    by_chance = FuzzingPhaseConfig(
        extra_data_sources=ExtraDataSourcesConfig(responses=False), error_feedback=ErrorFeedbackConfig(enabled=False)
    )
    project = ProjectConfig(generation=generation, phases=PhasesConfig(fuzzing=by_chance))
    config = schemathesis.Config(seed=1, projects=ProjectsConfig(default=project))
    document = json.loads((ROOT / "frontend/openapi.json").read_bytes())
    return schemathesis.openapi.from_dict(document, config=config)


SCHEMA = _schema(*GenerationMode)
# A walk goes on from what was made: with data that fits, something is.
WALKED = _schema(GenerationMode.POSITIVE)


WALK = hypothesis.settings(
    max_examples=10,
    stateful_step_count=10,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)


class Owner:
    """The owner of a company of their own, who logs in again when a request has ended their session."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.url = person.product.url
        self.session = requests.Session()
        self.authorization = str(person.http.headers["Authorization"])
        self.in_doubt = False

    def headers(self, case: AnyCase) -> dict[str, str]:
        """Of a session that is good for this request, which may be its last."""
        if self.in_doubt:
            self._log_in_again_if_ended()
        self.in_doubt = case.operation.definition.raw["operationId"] in HANDLED
        self.session.cookies.clear()
        return {"Authorization": self.authorization}

    def _log_in_again_if_ended(self) -> None:
        me = self.session.get(
            f"{self.url}/api/v1/auth/me", headers={"Authorization": self.authorization}, timeout=PATIENCE_S
        )
        if me.status_code == requests.codes.unauthorized:
            body = {"email": self.person.email, "password": PASSWORD, "token_delivery": "body"}
            login = self.session.post(f"{self.url}/api/v1/auth/login", json=body, timeout=PATIENCE_S)
            login.raise_for_status()
            self.authorization = f"Bearer {login.json()['access_token']}"

    def keep_inside(self, case: AnyCase) -> None:
        """A connection leads to the simulated vendor, whatever else is made up about it."""
        if case.operation.definition.raw["operationId"] in {"createConnection", "updateConnection"}:
            settings = case.body.get("settings") if isinstance(case.body, dict) else None
            if isinstance(settings, dict):
                settings["api_base"] = self.person.product.stripe


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """One of its own: it is asked far more often than anybody would, and the limits have tests of their own."""
    running = start(
        tmp_path_factory.mktemp("asked"),
        free_port(),
        COUNTERFOIL_API_RATE_PER_MINUTE="60000",
        COUNTERFOIL_API_BURST="100000",
        COUNTERFOIL_LOGIN_BURST="10000",
    )
    yield running
    stop(running)


@pytest.fixture(scope="module")
def owner(product: Product) -> Iterator[Owner]:
    person = product.newcomer("fuzz")
    person.synced(person.connect_stripe())
    owner = Owner(person)
    yield owner
    owner.session.close()


@schemathesis.check
def is_a_problem_of_ours(_context: CheckContext, response: Response, case: AnyCase) -> None:
    """Whatever goes wrong is told in our terms, with an id to find it by, and nothing of our inside."""
    if response.status_code < 400 or case.method == "HEAD":
        return
    where = f"{case.method} {case.formatted_path}: {response.status_code} {response.text[:500]}"
    assert response.status_code < 500, where
    assert response.headers["content-type"] == ["application/problem+json"], where
    assert response.json()["correlation_id"] == response.headers["x-correlation-id"][0], where
    # Who asks is always signed in; what may end the session is HANDLED.
    assert not (case.operation.definition.raw.get("security") and response.json()["code"] == "unauthenticated"), where
    for inside in ("Traceback", "asyncpg", "sqlalchemy", "pydantic", 'File "'):
        assert inside not in response.text, where


@SCHEMA.parametrize()
def test_every_answer_is_one_the_document_has(case: AnyCase, owner: Owner) -> None:
    owner.keep_inside(case)
    case.call_and_validate(
        base_url=owner.url,
        session=owner.session,
        headers=owner.headers(case),
        timeout=PATIENCE_S,
        excluded_checks=list(NOT_HELD),
        additional_checks=[is_a_problem_of_ours],
    )


def test_every_way_through_what_was_made_is_documented_too(owner: Owner) -> None:
    """Along the document's links: what one answer found is what the next request is about."""
    reached: set[str] = set()
    refused: list[FailureGroup] = []

    class Walk(WALKED.as_state_machine()):  # type: ignore[misc]
        def before_call(self, case: AnyCase) -> None:
            owner.keep_inside(case)

        def get_call_kwargs(self, case: AnyCase) -> dict[str, Any]:
            return {"base_url": owner.url, "headers": owner.headers(case), "timeout": PATIENCE_S}

        def validate_response(self, response: Response, case: AnyCase, **kwargs: Any) -> None:
            try:
                case.validate_response(
                    response,
                    excluded_checks=list(NOT_HELD),
                    additional_checks=[is_a_problem_of_ours],
                    transport_kwargs=kwargs,
                    recorder=self.recorder,
                )
            except FailureGroup as failure:
                refused.append(failure)
                raise
            if "{" in case.path and response.status_code < 300:
                reached.add(case.operation.definition.raw["operationId"])

    for seed in range(EXAMPLES):
        # What is there differs from one walk to the next: when hypothesis finds that out, the next seed goes on.
        with suppress(FlakyStrategyDefinition):
            hypothesis.seed(seed)(Walk).run(settings=WALK)
        assert not refused, refused
    # What is named in an address was there, which chance alone would not find.
    assert len(reached) >= 5, sorted(reached)


def test_nothing_is_handled_that_is_not_there() -> None:
    document = json.loads((ROOT / "frontend/openapi.json").read_bytes())
    known = {operation["operationId"] for methods in document["paths"].values() for operation in methods.values()}
    assert HANDLED.keys() <= known
    assert len(known) >= 98

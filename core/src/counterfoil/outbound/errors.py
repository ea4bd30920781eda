"""Refusals about what went out."""

from counterfoil.kit.errors import NotFound, Unavailable


class ApiCallNotFound(NotFound):
    code, title = "api_call_not_found", "There is no such request on record"


class BudgetUnknown(Unavailable):
    code, title = "budget_unknown", "The shared budget cannot be read"

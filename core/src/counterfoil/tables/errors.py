"""Problems of the table explorer."""

from counterfoil.kit.errors import Problem


class InvalidFilter(Problem):
    status, code, title = 422, "invalid_filter", "A filter is not right"


class InvalidSort(Problem):
    status, code, title = 422, "invalid_sort", "The sort is not right"


class InvalidAggregate(Problem):
    status, code, title = 422, "invalid_aggregate", "The aggregate is not right"

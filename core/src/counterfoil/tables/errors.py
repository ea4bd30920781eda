"""Problems of the table explorer."""

from counterfoil.kit.errors import Problem


class InvalidFilter(Problem):
    status, code, title = 422, "invalid_filter", "A filter is not right"


class InvalidSort(Problem):
    status, code, title = 422, "invalid_sort", "The sort is not right"


class SortTooLarge(Problem):
    status, code, title = 422, "sort_too_large", "There are too many rows for this sort"


class InvalidAggregate(Problem):
    status, code, title = 422, "invalid_aggregate", "The aggregate is not right"


class InvalidColumns(Problem):
    status, code, title = 422, "invalid_columns", "The columns are not right"


class TooManyRows(Problem):
    status, code, title = 422, "too_many_rows", "There are too many rows for this kind of file"


class TooManyExports(Problem):
    status, code, title = 429, "too_many_exports", "Too many exports are under way"

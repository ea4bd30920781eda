"""The kinds of job there are, as the composition roots know them."""

from collections.abc import Iterable

from counterfoil.jobs.errors import TaskUnknown
from counterfoil.plugins.records import Task
from counterfoil.rbac.catalogue import PERMISSIONS


class TaskRegistry:
    """Tasks by their name, which is the kind of their jobs."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        """Raises ``ValueError`` for a permission that is not in the catalogue: nobody could hold it."""
        self._tasks = {task.name: task for task in tasks}
        for task in self._tasks.values():
            if task.permission not in PERMISSIONS:
                raise ValueError(f"{task.name}: no such permission: {task.permission!r}")

    def __getitem__(self, kind: str) -> Task:
        """The task of a kind.

        Raises:
            TaskUnknown: there is none here.
        """
        try:
            return self._tasks[kind]
        except KeyError:
            raise TaskUnknown(f"Nothing here has a task {kind!r}.") from None

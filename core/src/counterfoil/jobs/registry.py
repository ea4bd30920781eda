"""The kinds of job there are, as the composition roots know them."""

from collections.abc import Container, Iterable

from counterfoil.jobs.errors import TaskUnknown
from counterfoil.jobs.models import QUEUES
from counterfoil.plugins.manager import PluginManager
from counterfoil.plugins.records import Task
from counterfoil.rbac.catalogue import PERMISSIONS


class TaskRegistry:
    """Tasks by their name, which is the kind of their jobs."""

    def __init__(
        self,
        tasks: Iterable[Task],
        *,
        plugins: PluginManager | None = None,
        permissions: Container[str] = PERMISSIONS,
    ) -> None:
        """Core's tasks and those of plugins; a plugin with one that could not be run is quarantined.

        Raises:
            ValueError: one of core's asks for a permission that nobody could hold, or for a queue that nobody works on.
        """
        self._tasks = {task.name: _checked(task, permissions) for task in tasks}
        if plugins is None:
            return
        for plugin in plugins.active:
            with plugins.quarantining(plugin, "registering its tasks"):
                self._tasks |= {task.name: _checked(task, permissions) for task in plugin.tasks}

    def __getitem__(self, kind: str) -> Task:
        """The task of a kind.

        Raises:
            TaskUnknown: there is none here.
        """
        try:
            return self._tasks[kind]
        except KeyError:
            raise TaskUnknown(f"Nothing here has a task {kind!r}.") from None


def _checked(task: Task, permissions: Container[str]) -> Task:
    if task.permission not in permissions:
        raise ValueError(f"{task.name}: no such permission: {task.permission!r}")
    if task.queue not in QUEUES:
        raise ValueError(f"{task.name}: no queue is called {task.queue!r}")
    return task

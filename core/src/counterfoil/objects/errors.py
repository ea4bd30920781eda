from counterfoil.kit.errors import Conflict, Problem


class ObjectRetained(Conflict):
    status, code, title = 409, "object_retained", "This has to be kept for longer"


class ObjectDamaged(Problem):
    status, code, title = 500, "object_damaged", "What is stored is not what was stored"

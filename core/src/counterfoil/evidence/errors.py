from counterfoil.kit.errors import Conflict, NotFound


class NothingToProve(Conflict):
    status, code, title = 409, "nothing_to_prove", "The job read nothing from a vendor"


class PackMissing(NotFound):
    status, code, title = 404, "evidence_not_found", "There is no evidence pack of this job"

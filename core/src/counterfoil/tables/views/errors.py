"""Problems of saved views."""

from counterfoil.kit.errors import Conflict, PermissionDenied


class ViewNameTaken(Conflict):
    status, code, title = 409, "view_name_taken", "You have a view of that name on this table"


class NotYourView(PermissionDenied):
    status, code, title = 403, "not_your_view", "Only its owner changes a view"


class TooManyViews(Conflict):
    status, code, title = 409, "too_many_views", "There are too many views"

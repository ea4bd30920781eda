from counterfoil.kit.errors import Conflict, EntitlementRequired


class PluginDependency(Conflict):
    code, title = "plugin_dependency", "Another plugin stands in the way"
    is_refusal = True


class PluginQuarantined(Conflict):
    code, title = "plugin_quarantined", "This plugin is installed but cannot run"
    is_refusal = True


class QuotaExceeded(EntitlementRequired):
    code, title = "quota_exceeded", "Your plan does not include any more of this"

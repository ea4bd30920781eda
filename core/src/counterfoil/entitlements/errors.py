from counterfoil.kit.errors import Conflict


class PluginDependency(Conflict):
    code, title = "plugin_dependency", "Another plugin stands in the way"
    is_refusal = True


class PluginQuarantined(Conflict):
    code, title = "plugin_quarantined", "This plugin is installed but cannot run"
    is_refusal = True

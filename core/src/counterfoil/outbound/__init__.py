"""What goes out to vendors: the log of every request, and the limits that all processes keep to together."""

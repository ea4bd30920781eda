"""What a tenant may use: features by plan, and the plugins it turned on."""

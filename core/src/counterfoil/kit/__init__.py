"""Pure helpers: no database, no network of their own accord, no feature knowledge."""

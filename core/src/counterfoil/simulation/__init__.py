"""A coherent, seeded commerce world and the contract of the vendor simulators that tell it. No product module imports this."""

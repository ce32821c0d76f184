"""Properties must not fail because a machine is slow: no deadline, and slow drawing is no error."""

from hypothesis import HealthCheck, settings

settings.register_profile("memora", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("memora")

"""What all tests share."""

from hypothesis import settings

# Time is for perf/: on a busy machine any example can take longer than a deadline.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

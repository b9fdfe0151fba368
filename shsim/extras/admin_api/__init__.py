"""The admin API: calibration, exposure and past runs over HTTP (the extra `api`)."""

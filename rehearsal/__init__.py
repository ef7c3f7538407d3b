"""The case as data, the generated population, the simulated outside world and the replay."""

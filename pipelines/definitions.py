"""What `workspace.yaml` loads: the definitions for the home that the environment names."""

from pipelines.orchestration.definitions import build_definitions

defs = build_definitions()

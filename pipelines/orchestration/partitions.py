"""Partition keys, built in one place: district x school year."""

from __future__ import annotations

import dagster as dg

from pipelines.contracts.codes import codes
from pipelines.settings import Settings


def extract_partitions(settings: Settings) -> dg.MultiPartitionsDefinition:
    """The partitions of every extract asset."""
    return dg.MultiPartitionsDefinition(
        {
            "district": dg.StaticPartitionsDefinition(list(codes(settings.contracts, "districts"))),
            "school_year": dg.StaticPartitionsDefinition(list(codes(settings.contracts, "school_years"))),
        }
    )


def partition_of(district: str, school_year: str) -> dg.MultiPartitionKey:
    """The partition of one district and school year."""
    return dg.MultiPartitionKey({"district": district, "school_year": school_year})

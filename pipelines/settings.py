"""Where things live and the few numbers that an operator owns, typed, from the environment.

Does not belong here: anything about districts, extracts or indicators; those are data in `data_contracts` and `dbt_project`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent


class SettingsError(Exception):
    """The environment says something that cannot be used; the message says what and how to mend it."""


def utc_time(text: str) -> datetime:
    """A point in time that a person wrote, as `2026-12-01T09:00` or `2026-12-01`: UTC unless it says otherwise.

    Raises ValueError with a sentence that shows how to write one.
    """
    try:
        read = datetime.fromisoformat(text.strip())
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError) as problem:
        raise ValueError(
            f"{text!r} is no point in time; write it as 2026-12-01T09:00 (UTC) or 2026-12-01T09:00-06:00."
        ) from problem


@dataclass(frozen=True)
class Settings:
    """Paths of one home and the numbers its operator owns.

    `home` holds the state that must be kept; `work` holds what can be rebuilt (warehouse, Dagster's home, scratch) and is
    always a local disk.
    """

    home: Path
    work: Path
    contracts: Path = PROJECT_ROOT / "data_contracts"
    dbt_project: Path = PROJECT_ROOT / "dbt_project"
    minimum_n: int = 10
    webhook: str | None = None
    signers: Path | None = None
    embargo_until: datetime | None = None
    deadline_seconds: int = 900

    @property
    def dagster_home(self) -> Path:
        return self.work / "dagster"

    @property
    def warehouse(self) -> Path:
        return self.work / "warehouse" / "nmip.duckdb"

    @property
    def exchange(self) -> Path:
        return self.work / "exchange"

    @property
    def indicator_sql(self) -> Path:
        return self.work / "indicator_sql.json"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Settings from `NMIP_HOME`, `NMIP_WORK`, `NMIP_CONTRACTS`, `NMIP_DBT_PROJECT`, `NMIP_MINIMUM_N`,
        `NMIP_WEBHOOK`, `NMIP_SIGNERS`, `NMIP_EMBARGO_UNTIL` and `NMIP_DEADLINE_SECONDS` (for protecting a release, and as
        many again for attacking it).

        Raises SettingsError where a value cannot be used.
        """
        values = os.environ if environment is None else environment
        home_text = values.get("NMIP_HOME") or ".nmip"
        if "://" in home_text:
            raise SettingsError(
                f"NMIP_HOME is {home_text!r}: object stores are not supported yet. Set it to a folder on this machine."
            )
        home = Path(home_text).absolute()
        work = Path(values["NMIP_WORK"]).absolute() if values.get("NMIP_WORK") else home / "work"
        minimum_n = values.get("NMIP_MINIMUM_N") or "10"
        if not (minimum_n.isascii() and minimum_n.isdigit()) or int(minimum_n) < 5:
            raise SettingsError(f"NMIP_MINIMUM_N is {minimum_n!r}: it must be a whole number of at least 5.")
        webhook = values.get("NMIP_WEBHOOK") or None
        if webhook and not webhook.startswith(("http://", "https://")):
            raise SettingsError("NMIP_WEBHOOK must begin with http:// or https://.")
        try:
            embargo_until = utc_time(values["NMIP_EMBARGO_UNTIL"]) if values.get("NMIP_EMBARGO_UNTIL") else None
        except ValueError as problem:
            raise SettingsError(f"NMIP_EMBARGO_UNTIL: {problem}") from problem
        deadline = values.get("NMIP_DEADLINE_SECONDS") or str(cls.deadline_seconds)
        if not (deadline.isascii() and deadline.isdigit()) or not 0 < int(deadline) <= 86_400:
            raise SettingsError(f"NMIP_DEADLINE_SECONDS is {deadline!r}: it must be a whole number of seconds, at most 86400.")
        for path in (home, work):
            if set(str(path)) & set("'*?[]"):
                raise SettingsError(
                    f"{path} holds one of the signs ' * ? [ ], which queries read as patterns; choose another folder."
                )
        return cls(
            home=home,
            work=work,
            contracts=Path(values.get("NMIP_CONTRACTS", cls.contracts)).absolute(),
            dbt_project=Path(values.get("NMIP_DBT_PROJECT", cls.dbt_project)).absolute(),
            minimum_n=int(minimum_n),
            webhook=webhook,
            signers=Path(values["NMIP_SIGNERS"]).absolute() if values.get("NMIP_SIGNERS") else None,
            embargo_until=embargo_until,
            deadline_seconds=int(deadline),
        )

"""Who is asking: a person whom single sign-on has named, or the user of the machine that these pages run on; nobody else.

Single sign-on is Streamlit's own (OpenID Connect) and holds wherever `[auth]` stands in Streamlit's secrets. Without it the
pages answer on loopback only. Which districts a person may act for is said by the desk's list of signers.
"""

from __future__ import annotations

import getpass
import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from pipelines.intake.desk import Identity, identity_from_environment, identity_from_single_sign_on
from pipelines.settings import Settings

FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via")
ONLY_HERE = (
    "These pages show a district's unprotected numbers, so they answer only on the machine that they run on, or after single "
    "sign-on. Ask the people who run NMIP to set up single sign-on, or open them at localhost on that machine."
)
NO_EMAIL = (
    "Single sign-on did not say who you are: it gave no verified e-mail address. Ask the people who run NMIP to see to it that "
    "your account's address is verified and handed over."
)

HALF_SET_UP = (
    "Single sign-on is not set up completely, so nobody is let in. Ask the people who run NMIP to look at the section [auth] of "
    "Streamlit's secrets."
)


class NotSignedIn(Exception):
    """Single sign-on is set up and nobody is signed in yet. `providers`: whom one may sign in with (None: the only one)."""

    def __init__(self, providers: tuple[str | None, ...]) -> None:
        super().__init__("sign in to go on")
        self.providers = providers


class NoIdentity(Exception):
    """Nothing may be shown to whoever asks; the message says why and what to do."""


@dataclass(frozen=True)
class Caller:
    """Who is asking, and whether single sign-on said so (then one can sign out)."""

    identity: Identity
    is_single_sign_on: bool


def caller(settings: Settings) -> Caller:
    """Who is asking in this session.

    Raises NotSignedIn, NoIdentity, and SubmissionRefused where the list of signers cannot be used.
    """
    auth = _auth_section()
    if auth is not None:
        if not st.user.get("is_logged_in"):
            raise NotSignedIn(providers_of(auth))
        email = verified_email(st.user.to_dict())
        if email is None:
            raise NoIdentity(NO_EMAIL)
        return Caller(identity_from_single_sign_on(settings.signers, email), True)
    if not is_own_machine(st.get_option("server.address"), st.context.ip_address, st.context.headers):
        raise NoIdentity(ONLY_HERE)
    user = os.environ.get("NMIP_USER") or getpass.getuser()
    return Caller(identity_from_environment(os.environ, user), False)


def _auth_section() -> Mapping[str, Any] | None:
    """What the secrets say about single sign-on; None where there is nothing.

    Half of it, or secrets that cannot be read, let nobody in: a slip of the pen must not open the pages.
    """
    if not st.secrets.load_if_toml_exists():
        if any(Path(name).exists() for name in st.get_option("secrets.files")):
            raise NoIdentity(HALF_SET_UP)
        return None
    found = st.secrets.get("auth")
    if found is not None and not (isinstance(found, Mapping) and providers_of(found)):
        raise NoIdentity(HALF_SET_UP)
    return found


def providers_of(auth: Mapping[str, Any]) -> tuple[str | None, ...]:
    """Whom one may sign in with: the names of the section's own sections, and None for the section itself."""
    named = [name for name, value in auth.items() if isinstance(value, Mapping) and "client_id" in value]
    return (*([None] if "client_id" in auth else []), *named)


def verified_email(claims: Mapping[str, Any]) -> str | None:
    """The e-mail address that single sign-on vouches for; None where there is none, or where it says that it is not verified."""
    email = claims.get("email")
    is_verified = claims.get("email_verified", True)
    if not isinstance(email, str) or not email.strip() or str(is_verified).lower() != "true":
        return None
    return email.strip()


def is_own_machine(server_address: str | None, client_address: str | None, headers: Mapping[str, str]) -> bool:
    """Whether the pages listen on loopback only and are asked from there, with nobody in between.

    `client_address` None is loopback as Streamlit tells it. A request that was passed on by a proxy, or that names another host
    (a page from elsewhere may have been given this machine's address), comes from somebody else.
    """
    if not _is_loopback(server_address or "") or not (client_address is None or _is_loopback(client_address)):
        return False
    if any(headers.get(name) for name in FORWARDED):
        return False
    host = headers.get("Host")
    return host is None or _is_loopback(_without_port(host))


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _is_loopback(address: str) -> bool:
    if address.rstrip(".").lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False

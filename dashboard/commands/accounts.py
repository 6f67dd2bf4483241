"""Accounts of this house: add one, list them, remove one, make the token of a wall's screen."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from dashboard.access.accounts import AccountRole, Accounts
from dashboard.commands.said import say
from dashboard.commands.typed import settings_of
from dashboard.errors import CommandError
from ingest.clock import WallClock


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin accounts`."""
    command.add_argument("action", choices=("add", "list", "remove", "token"), help="what to do")
    command.add_argument("name", nargs="?", metavar="NAME", help="whose; of token: what the screen is called")
    command.add_argument("--role", choices=get_args(AccountRole), help="of add: what this person may do")
    command.add_argument("--no-code", action="store_true", help="of add: a viewer without a six-digit code")
    command.add_argument(
        "--password-file", type=Path, metavar="FILE", help="of add: its first line is the password (default: a new one)"
    )
    command.add_argument(
        "--only-from", action="append", default=[], metavar="NETWORK", help="of token: good at these addresses alone"
    )


def run(options: argparse.Namespace) -> None:
    """Do it."""
    accounts = Accounts(settings_of(options).accounts_file)
    if options.action == "list":
        _list(accounts, options)
        return
    if options.name is None:
        raise CommandError(f"accounts {options.action} needs a NAME")
    {"add": _add, "remove": _remove, "token": _token}[options.action](accounts, options)


def _add(accounts: Accounts, options: argparse.Namespace) -> None:
    if options.role is None:
        raise CommandError(f"accounts add needs --role, one of {', '.join(get_args(AccountRole))}")
    made = accounts.add(
        options.name, options.role, WallClock().now(), password=_password(options.password_file),
        with_code=not options.no_code,
    )  # fmt: skip
    told = {"name": options.name, "role": options.role, "password": made.password, "code_uri": made.code_uri}
    say(options, told, lambda: "\n".join(_lines(told)))


def _lines(told: Mapping[str, Any]) -> list[str]:
    lines = [f"{told['name']} may sign in as {told['role']}. This is shown once:"]
    if told["password"] is not None:
        lines.append(f"  password  {told['password']}")
    if told["code_uri"] is not None:
        lines.append(f"  for an authenticator (six-digit code)  {told['code_uri']}")
    return lines if len(lines) > 1 else [f"{told['name']} may sign in as {told['role']}."]


def _password(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8").splitlines()[0]
    except (OSError, UnicodeDecodeError, IndexError) as error:
        raise CommandError(f"the password in {file} cannot be read: {type(error).__name__}") from None


def _list(accounts: Accounts, options: argparse.Namespace) -> None:
    told = accounts.file
    people = [
        {"name": name, "role": one.role, "code": one.code_secret is not None, "since": one.since.isoformat()}
        for name, one in sorted(told.accounts.items())
    ]
    walls = [
        {"name": name, "only_from": list(one.networks), "since": one.since.isoformat()}
        for name, one in sorted(told.tokens.items())
    ]
    lines = [f"{one['name']}  {one['role']}{'' if one['code'] else '  without a code'}" for one in people]
    lines += [f"{one['name']}  wall  {', '.join(one['only_from']) or 'from everywhere'}" for one in walls]
    say(options, {"accounts": people, "tokens": walls}, lambda: "\n".join(lines) or "there is no account yet")


def _remove(accounts: Accounts, options: argparse.Namespace) -> None:
    accounts.remove(options.name)
    say(options, {"removed": options.name}, lambda: f"{options.name} is removed, and signed out")


def _token(accounts: Accounts, options: argparse.Namespace) -> None:
    token = accounts.add_token(options.name, WallClock().now(), tuple(options.only_from))
    told = {"name": options.name, "role": "wall", "token": token}
    say(options, told, lambda: f"{options.name} may show the wall. This is shown once:\n  token  {token}")

"""The command line: `rooftree COMMAND`, also `python -m rooftree COMMAND`."""

import ast
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import NoReturn

# Packages with commands. The last two stand outside `rooftree`, which imports neither by name.
COMMAND_PACKAGES = ("rooftree", "rooftree_casebook", "rooftree_demo")
CONTRIB_COMMANDS = {
    "changepassword",
    "clearsessions",
    "collectstatic",
    "createsuperuser",
    "findstatic",
}
# These need nothing but what they are given: no database, no network, no settings.
PURE_COMMANDS: set[tuple[str, ...]]
PURE_COMMANDS = {("parse",), ("decide",), ("lint",), ("optout",), ("los",), ("rates",)}
PURE_COMMANDS |= {("evidence", "verify"), ("restore", "--secrets")}
# These start other processes and must stay small; the settings are all they read.
LIGHT_COMMANDS = {"serve", "web", "demo"}
# These wait for a database that others run, or need none.
OWN_DATABASE_COMMANDS = LIGHT_COMMANDS | {"worker", "clock", "demo", "doctor"}
OWN_DATABASE_COMMANDS |= {"makemigrations", "collectstatic", "findstatic"}
OWNER_COMMANDS = {"migrate", "backup", "restore", "upgrade"}  # the owner's; tables may be older


def main() -> None:
    """Run the command that was asked for, and exit with its code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rooftree.settings")
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` is not an error
    words = sys.argv[1:]
    if not words or words[0] in {"help", "-h", "--help"}:
        print_help()
        return
    if words[0] in {"version", "--version"}:
        from rooftree.core.app_version import app_version

        print(app_version())
        return
    try:
        run_command(words)
    except KeyboardInterrupt:
        sys.exit(130)


def run_command(words: list[str]) -> None:
    """Run one command in the surroundings it needs; exits on failure."""
    name = words[0]
    argv = ["rooftree", *words]
    if is_pure_command(words):
        _configure_minimal()
        _run_own_command(name, argv)
        return
    if not is_known_command(name):
        _exit_with_error(f"there is no command {name!r}; `rooftree --help` lists what there is.")
    if words[-1] in {"-h", "--help"} and _find_command(name):
        _configure_for_help()
        _run_own_command(name, argv)
        return
    if name == "demo":
        os.environ.setdefault("ROOFTREE_ENV", "demo")
    if name in LIGHT_COMMANDS:
        if name != "serve":  # which loads the whole for the processes that it forks
            _configure_minimal()
        _run_guarded(_run_own_command, name, argv)
        return
    if name in OWNER_COMMANDS:
        os.environ["ROOFTREE_DATABASE_AS"] = "owner"
    _run_guarded(_run_with_django, name, argv)


def is_pure_command(words: list[str]) -> bool:
    """Whether these words ask for a pure command."""
    return any(tuple(words[: len(pure_command)]) == pure_command for pure_command in PURE_COMMANDS)


def is_known_command(name: str) -> bool:
    """Whether a command of ours, of the demo or of Django has this name."""
    from django.core import management

    of_django = management.find_commands(management.__path__[0])
    return _find_command(name) is not None or name in of_django or name in CONTRIB_COMMANDS


def print_help() -> None:
    """Every command of ours with what it does and an example."""
    print("Rooftree: open-source mortgage lead management.\n\nUsage: rooftree COMMAND [--help]\n")
    for name, what, example in command_summaries():
        print(f"  {name:<14} {what}")
        if example:
            print(f"  {'':<14}   {example}")
    print("\nSettings come from the environment; docs/settings.md lists them.")


def command_summaries() -> Iterator[tuple[str, str, str]]:
    """Name, first sentence and example of each command, read without running any of it."""
    files = [
        file for package in COMMAND_PACKAGES for file in _commands_folder(package).glob("[a-z]*.py")
    ]
    for file in sorted(files, key=lambda file: file.stem):
        tree = ast.parse(file.read_text())
        first = (ast.get_docstring(tree) or "").split("\n", 1)[0]
        yield file.stem.replace("_", "-"), first, _find_example(tree)


def _find_example(tree: ast.Module) -> str:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id == "example"
            and isinstance(node.value, ast.Constant)
        ):
            return str(node.value.value)
    return ""


def _configure_minimal() -> None:
    """Django's command machinery without settings, tables or apps."""
    from django.conf import settings

    if not settings.configured:
        settings.configure(USE_TZ=True, TIME_ZONE="UTC")


def _configure_for_help() -> None:
    """Enough of Django to load a command that imports tables, for its --help alone."""
    import django
    from django.conf import settings

    apps = [f"django.contrib.{one}" for one in ("auth", "contenttypes", "sessions", "postgres")]
    settings.configure(
        USE_TZ=True,
        TIME_ZONE="UTC",
        INSTALLED_APPS=[*apps, "allauth", "allauth.account", "allauth.mfa", "rooftree"],
        MIDDLEWARE=["allauth.account.middleware.AccountMiddleware"],  # which its app insists on
        AUTH_USER_MODEL="rooftree.User",
        TASKS={
            "default": {
                "BACKEND": "rooftree.tasks.backend.ObanBackend",
                "QUEUES": ["now", "soon", "night"],
            }
        },
    )
    django.setup()


def _commands_folder(package: str) -> Path:
    return Path(__file__).parent.parent / package / "management" / "commands"


def _find_command(name: str) -> str | None:
    """Return the module of a command, or None; a module has `_` where users type `-`."""
    stem = name.replace("-", "_")
    for package in COMMAND_PACKAGES:
        if (_commands_folder(package) / f"{stem}.py").exists():
            return f"{package}.management.commands.{stem}"
    return None


def _run_own_command(name: str, argv: list[str]) -> None:
    """Run a command of ours without loading Django's apps."""
    module = _find_command(name)
    if module is None:
        _exit_with_error(
            f"there is no command {name!r} yet; `rooftree --help` lists what there is."
        )
    command = import_module(module).Command()
    command.requires_system_checks = []
    command.run_from_argv(argv)


def _run_with_django(name: str, argv: list[str]) -> None:
    from django.core.management import ManagementUtility

    with _database_context(name):
        argv[1] = name.replace("-", "_") if _find_command(name) else name
        ManagementUtility(argv).execute()
        if name == "migrate":
            from rooftree.management.database import grant_program_rights

            grant_program_rights()


def _database_context(name: str) -> AbstractContextManager[None]:
    from rooftree.management import database

    if name in OWN_DATABASE_COMMANDS:
        return nullcontext()
    return database.running_database(migrated=name not in OWNER_COMMANDS)


def _run_guarded(call: object, name: str, argv: list[str]) -> None:
    """Turn a wrong configuration into one sentence and exit code 2."""
    from rooftree.core.data_dir import DataDirLocked
    from rooftree.core.embedded_database import StartupError
    from rooftree.core.settings_readers import ConfigurationError

    try:
        call(name, argv)  # type: ignore[operator]
    except (ConfigurationError, DataDirLocked, StartupError) as problem:
        _exit_with_error(str(problem))


def _exit_with_error(text: str) -> NoReturn:
    print(f"rooftree: {text}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()

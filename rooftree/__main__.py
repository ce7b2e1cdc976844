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

# Packages with commands. `rooftree` never imports the last two by name.
COMMAND_PACKAGES = ("rooftree", "rooftree_casebook", "rooftree_demo")
CONTRIB_COMMANDS = {
    "changepassword",
    "clearsessions",
    "collectstatic",
    "createsuperuser",
    "findstatic",
}
# These need only their arguments: no database, no network, no settings.
PURE_COMMANDS: set[tuple[str, ...]]
PURE_COMMANDS = {("parse",), ("decide",), ("lint",), ("optout",), ("los",), ("rates",)}
PURE_COMMANDS |= {("evidence", "verify"), ("restore", "--secrets")}
# These start other processes and must stay small; they read only the settings.
LIGHT_COMMANDS = {"setup", "serve", "web", "demo"}
# These wait for a database that another process runs, or need none.
OWN_DATABASE_COMMANDS = LIGHT_COMMANDS | {"worker", "clock", "demo", "doctor"}
OWN_DATABASE_COMMANDS |= {"makemigrations", "collectstatic", "findstatic"}
OWNER_COMMANDS = {
    "migrate",
    "backup",
    "restore",
    "upgrade",
}  # run as the owner; tables can be older


def main() -> None:
    """Run the command in `sys.argv` and exit with its code."""
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
    """Run one command in the environment it needs; exit on failure."""
    name = words[0]
    argv = ["rooftree", *words]
    if is_pure_command(words):
        _configure_minimal()
        _run_own_command(name, argv)
        return
    if not is_known_command(name):
        _exit_with_error(f"there is no command {name!r}; `rooftree --help` lists all commands.")
    if words[-1] in {"-h", "--help"} and _find_command(name):
        _configure_for_help()
        _run_own_command(name, argv)
        return
    if name == "demo":
        os.environ.setdefault("ROOFTREE_ENV", "demo")
    if name in LIGHT_COMMANDS:
        if name != "serve":  # it loads all of Django for the processes that it forks
            _configure_minimal()
        _run_guarded(_run_own_command, name, argv)
        return
    if name in OWNER_COMMANDS:
        os.environ["ROOFTREE_DATABASE_AS"] = "owner"
    _run_guarded(_run_with_django, name, argv)


def is_pure_command(words: list[str]) -> bool:
    """Return True if these words start a pure command."""
    return any(tuple(words[: len(pure_command)]) == pure_command for pure_command in PURE_COMMANDS)


def is_known_command(name: str) -> bool:
    """Return True if Rooftree, the demo or Django has a command with this name."""
    from django.core import management

    django_commands = {*management.find_commands(management.__path__[0]), *CONTRIB_COMMANDS}
    return _find_command(name) is not None or name in django_commands


def print_help() -> None:
    """Print every Rooftree command with its summary and an example."""
    print("Rooftree: open-source mortgage lead management.\n\nUsage: rooftree COMMAND [--help]\n")
    for name, summary, example in command_summaries():
        print(f"  {name:<14} {summary}")
        if example:
            print(f"  {'':<14}   {example}")
    print("\nSettings come from the environment; docs/settings.md lists them.")


def command_summaries() -> Iterator[tuple[str, str, str]]:
    """Yield name, first sentence and example of each command, read without importing it."""
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
    """Configure Django for a command without settings, tables or apps."""
    from django.conf import settings

    if not settings.configured:
        settings.configure(USE_TZ=True, TIME_ZONE="UTC")


def _configure_for_help() -> None:
    """Configure Django just enough to load a command that imports tables, for its --help."""
    import django
    from django.conf import settings

    apps = [f"django.contrib.{app}" for app in ("auth", "contenttypes", "sessions", "postgres")]
    settings.configure(
        USE_TZ=True,
        TIME_ZONE="UTC",
        INSTALLED_APPS=[*apps, "allauth", "allauth.account", "allauth.mfa", "rooftree"],
        MIDDLEWARE=["allauth.account.middleware.AccountMiddleware"],  # required by the allauth app
        AUTH_USER_MODEL="rooftree.User",
        AREA_CODES_FILE=Path(os.devnull),  # help needs no codes of the installation
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
    """Run a Rooftree command without loading Django's apps."""
    module = _find_command(name)
    if module is None:
        _exit_with_error(f"there is no command {name!r}; `rooftree --help` lists all commands.")
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
    """Run a command; turn a configuration error into one sentence and exit code 2."""
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

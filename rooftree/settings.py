"""All settings, read once from the environment; docs/settings.md is the manual.

Everything that a lender's staff change (rules, hours, sources, wording, LOS) is stored in rows
with history, not in settings.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.utils.csp import CSP

from rooftree.core import app_secrets, embedded_database, log_formatting
from rooftree.core import settings_readers as read
from rooftree.core.data_dir import installation_kind
from rooftree.core.database_address import NOT_PREPARED, PREPARED
from rooftree.core.environment_file import load_environment_file

BASE_DIR = Path(__file__).resolve().parent

# The folder and the kind of this installation.
ROOFTREE_HOME = Path(read.text("ROOFTREE_HOME", "~/.rooftree")).expanduser().absolute()
load_environment_file(ROOFTREE_HOME)
ROOFTREE_ENV = installation_kind(
    ROOFTREE_HOME,
    requested=read.choice("ROOFTREE_ENV", ("demo", "production"), "production")
    if read.text("ROOFTREE_ENV", "")
    else "",
)
IS_DEMO = ROOFTREE_ENV == "demo"
DEBUG = False

# Secrets.
if IS_DEMO:
    _secrets = ROOFTREE_HOME / "secrets"
    SECRET_KEY = app_secrets.load_or_create_secret(
        "ROOFTREE_SECRET_KEY", folder=_secrets, make=app_secrets.new_signing_key
    )
    FIELD_KEYS = app_secrets.validate_field_keys(
        [
            app_secrets.load_or_create_secret(
                "ROOFTREE_FIELD_KEYS", folder=_secrets, make=app_secrets.new_field_key
            )
        ]
    )
else:
    SECRET_KEY = app_secrets.require_secret("ROOFTREE_SECRET_KEY")
    FIELD_KEYS = app_secrets.validate_field_keys(
        [
            key.strip()
            for key in app_secrets.require_secret("ROOFTREE_FIELD_KEYS").split(",")
            if key.strip()
        ]
    )
SECRET_KEY_FALLBACKS = read.comma_separated("ROOFTREE_OLD_SECRET_KEYS")

# Addresses.
PORT = read.whole_number("PORT", 8000, least=1, most=65535)
# A demo lets anyone sign in as any user, so it accepts connections from this machine only.
_listen_on = read.text("ROOFTREE_LISTEN_ON", "127.0.0.1")
LISTEN_ADDRESS = "127.0.0.1" if IS_DEMO else _listen_on
PUBLIC_URL = read.base_url("ROOFTREE_PUBLIC_URL", f"http://localhost:{PORT}" if IS_DEMO else None)

# Folders for backups, ledger heads and do-not-call lists, newer area codes, the token for metrics.
BACKUP_FOLDER = Path(read.text("ROOFTREE_BACKUPS", str(ROOFTREE_HOME / "backups"))).expanduser()
MAKES_NIGHTLY_BACKUPS = read.flag("ROOFTREE_NIGHTLY_BACKUP", default=not IS_DEMO)  # by `serve`
HEADS_FOLDER = read.text(
    "ROOFTREE_HEADS_FOLDER", ""
)  # "": the ledger's heads stay in the database only
DNC_FOLDER = read.text("ROOFTREE_DNC_FOLDER", "")  # "": lists are only loaded by hand
AREA_CODES_FILE = Path(read.text("ROOFTREE_AREA_CODES", str(ROOFTREE_HOME / "area_codes.csv")))
METRICS_TOKEN = read.text("ROOFTREE_METRICS_TOKEN", "")

# The database: any PostgreSQL by DATABASE_URL, else the embedded one in ROOFTREE_HOME. The program
# does not own the tables; only the owner creates and changes them. A single account does both.
DATABASE_IS_EMBEDDED = not read.text("DATABASE_URL", "")
_embedded: dict[str, Any] = {
    "ENGINE": "rooftree.db.postgresql",
    "NAME": embedded_database.DATABASE_NAME,
    "HOST": str(embedded_database.socket_folder(ROOFTREE_HOME)),
    "OPTIONS": {},
}
if DATABASE_IS_EMBEDDED:
    _program = _embedded | {"USER": embedded_database.PROGRAM_ROLE}
    DATABASE_OWNER = _embedded | {"USER": embedded_database.OWNER_ROLE}
else:
    _program = DATABASE_OWNER = read.database_config(read.text("DATABASE_URL"))
    if _address := read.text("DATABASE_OWNER_URL", ""):
        DATABASE_OWNER = read.database_config(_address, "DATABASE_OWNER_URL")
DATABASE_PROGRAM: str = _program["USER"]
_is_owner = read.choice("ROOFTREE_DATABASE_AS", ("program", "owner"), "program") == "owner"
_database = DATABASE_OWNER if _is_owner else _program
# The database plans each statement once for each connection instead of every time. A pooler that
# changes connections between transactions must support this (pgbouncer 1.21), or turn it off here.
_prepares = read.flag("ROOFTREE_PREPARED_STATEMENTS", default=True)
DATABASES = {
    "default": {
        **_database,
        "OPTIONS": {**_database["OPTIONS"], **(PREPARED if _prepares else NOT_PREPARED)},
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": True,  # they break behind pgbouncer
        "TEST": {"NAME": "test_rooftree"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Django.
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "anymail",
    "rooftree",
]
if IS_DEMO:
    INSTALLED_APPS.append("rooftree_demo")  # its commands and pages exist only in a demo
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "rooftree.web.inbound.views.WebhookMiddleware",
    "rooftree.web.server.static_files.StaticFilesMiddleware",
    "rooftree.web.shared.error_pages.MethodNotAllowedMiddleware",
    "rooftree.web.shared.malformed_requests.MalformedRequestMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "rooftree.web.urls"
WSGI_APPLICATION = "rooftree.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [*sorted((BASE_DIR / "web").glob("*/templates")), BASE_DIR / "api" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "rooftree.web.shared.navigation.navigation_context",
            ],
            "builtins": ["rooftree.web.shared.mortgage_format"],
        },
    }
]
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "web" / "static"]
STATIC_ROOT = None if IS_DEMO else ROOFTREE_HOME / "static"
WHITENOISE_USE_FINDERS = IS_DEMO
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if IS_DEMO
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"

# Users and their sessions.
AUTH_USER_MODEL = "rooftree.User"
AUTHENTICATION_BACKENDS = ["rooftree.web.sign_in.auth_backend.StaffBackend"]
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in/"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
_validation = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_validation}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": f"{_validation}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_validation}.CommonPasswordValidator"},
]
SECOND_FACTOR_REQUIRED = not IS_DEMO  # for every user, before any other page
SESSION_ENGINE = "rooftree.web.shared.session_store"
SESSION_COOKIE_AGE = 3600 * read.whole_number("ROOFTREE_SESSION_HOURS", 12, least=1, most=24)
SESSION_IDLE_SECONDS = 60 * read.whole_number(
    "ROOFTREE_IDLE_MINUTES", 720 if IS_DEMO else 60, least=5, most=1440
)
SESSION_COOKIE_NAME = "rooftree_session"
SESSION_COOKIE_SAMESITE = "Lax"
# Second factors come from allauth; its own pages and emails are not used (decision 0016).
MFA_ADAPTER = "rooftree.org.mfa_adapter.EncryptedMfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Rooftree"
MFA_WEBAUTHN_USER_VERIFICATION = "required"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
CSRF_COOKIE_NAME = "rooftree_csrf"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "rooftree.web.shared.error_pages.csrf_failure"

# Browser security policy for our pages.
SECURE_CSP = {
    "default-src": [CSP.SELF],
    "script-src": [CSP.SELF, CSP.NONCE],
    "style-src": [CSP.SELF, CSP.NONCE],
    "img-src": [CSP.SELF, "data:"],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
_is_https = PUBLIC_URL.startswith("https://")
if not _is_https and urlsplit(PUBLIC_URL).hostname not in {"localhost", "127.0.0.1"}:
    raise read.ConfigurationError("ROOFTREE_PUBLIC_URL must be https, except on localhost.")
_hosts = read.comma_separated(
    "ROOFTREE_HOSTS", PUBLIC_URL.split("://")[1].split("/")[0].split(":")[0]
)
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"] if IS_DEMO else _hosts
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _is_https  # http is for this machine only
SECURE_HSTS_SECONDS = 31_536_000 if _is_https and not IS_DEMO else 0
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https")
    if read.flag("ROOFTREE_BEHIND_TLS_PROXY", default=False)
    else None
)
TRUSTED_PROXIES = read.networks("ROOFTREE_TRUSTED_PROXIES")  # empty: one, on a local network
WEB_PROCESSES = read.whole_number("ROOFTREE_WEB_PROCESSES", 1, least=1, most=64)
BODY_LIMIT = 2 * 1024 * 1024  # bytes; larger requests get a 413
UPLOAD_LIMIT = 32 * 1024 * 1024  # bytes, for files that staff upload
DATA_UPLOAD_MAX_MEMORY_SIZE = BODY_LIMIT
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
FILE_UPLOAD_MAX_MEMORY_SIZE = BODY_LIMIT

# Background tasks. The numbers are how many run at once in one worker process.
TASKS: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "rooftree.tasks.backend.ObanBackend",
        "QUEUES": ["now", "soon", "night"],
        "OPTIONS": {"TASKS_BELOW": ["rooftree.flow"]},
    }
}
TASK_THREADS: dict[str, int] = {
    "now": read.whole_number("ROOFTREE_THREADS_NOW", 6, least=1, most=64),
    "soon": read.whole_number("ROOFTREE_THREADS_SOON", 3, least=1, most=64),
    "night": read.whole_number("ROOFTREE_THREADS_NIGHT", 1, least=1, most=64),
}

# Email and texts. A demo's texts go to the simulated carrier or the console, never to Twilio.
DEFAULT_FROM_EMAIL = SERVER_EMAIL = read.text("ROOFTREE_MAIL_FROM", "Rooftree <rooftree@localhost>")
MAIL_FROM_IN_ENVIRONMENT = bool(read.text("ROOFTREE_MAIL_FROM", ""))  # else Setup stores it
REPLY_DOMAIN = read.text("ROOFTREE_REPLY_DOMAIN", "").lower()  # "": replies go to the officer
MAIL_IN_SECRET = read.text("ROOFTREE_MAIL_IN_SECRET", "")  # "": inbound email is off
_SMTP = "django.core.mail.backends.smtp.EmailBackend"
_mail_backend = read.text("ROOFTREE_MAIL_BACKEND", _SMTP)
_smtp = {
    "host": read.text("ROOFTREE_SMTP_HOST", "localhost"),
    "port": read.whole_number("ROOFTREE_SMTP_PORT", 1025 if IS_DEMO else 587, least=1, most=65535),
    "username": read.text("ROOFTREE_SMTP_USER", ""),
    "password": read.text("ROOFTREE_SMTP_PASSWORD", ""),
    "use_tls": read.flag("ROOFTREE_SMTP_TLS", default=not IS_DEMO),
    "timeout": 10,
}
MAIL_SERVER_IN_ENVIRONMENT = bool(
    read.text("ROOFTREE_MAIL_BACKEND", "") or read.text("ROOFTREE_SMTP_HOST", "")
)
MAILERS: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": _mail_backend,
        "OPTIONS": _smtp if _mail_backend == _SMTP else {},
    }
}
# "": the account entered in Setup, or the console without one.
CARRIER = read.choice("ROOFTREE_CARRIER", ("", "console", "twilio"), "console" if IS_DEMO else "")
TWILIO_BASE_URL = read.base_url("TWILIO_BASE_URL", "https://api.twilio.com")
TWILIO_ACCOUNT_SID = read.text("TWILIO_ACCOUNT_SID", None if CARRIER == "twilio" else "")
TWILIO_AUTH_TOKEN = read.text("TWILIO_AUTH_TOKEN", None if CARRIER == "twilio" else "")
TWILIO_NUMBERS = read.comma_separated("TWILIO_NUMBERS")  # E.164, the numbers we text and call from
UPSTREAMS = read.simulated_upstreams("ROOFTREE_UPSTREAMS")  # simulated vendors; else the real ones

# Campaign speed for the carrier, and whether campaigns continue without a person. The rules
# (rules.yaml) limit how many people a campaign can reach.
RELEASE_PER_SECOND = read.whole_number("ROOFTREE_RELEASE_PER_SECOND", 10, least=1, most=100)
RELEASE_AUTO_CONTINUE = read.flag("ROOFTREE_RELEASE_GOES_ON", default=False)

# Logs: never a request's body, a query string or a person (rooftree/core/log_formatting.py).
LOGGING = log_formatting.logging_config(
    level=read.text("ROOFTREE_LOG_LEVEL", "INFO").upper(),
    form=read.choice("ROOFTREE_LOG_FORMAT", ("lines", "json"), "lines"),
)

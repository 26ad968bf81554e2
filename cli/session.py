"""Who is signed in: the session's tokens, in a file that only its owner can read, renewed in time."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import typer
from supabase_auth.types import Session as AuthSession

from cli.errors import REFUSED, SIGN_IN, UNREACHABLE, CliError
from local.keys import write_private
from supabase import AuthError, AuthRetryableError, Client, ClientOptions, create_client

# A token is renewed this many seconds before it ends, so that it lasts for the command at hand.
_MARGIN = 60
_TIMEOUT = 60.0
_AT_HOME = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Project:
    """A Supabase project as its clients know it: its address and its publishable key."""

    url: str
    anon_key: str

    def client(self) -> Client:
        """A client of the project that renews and stores nothing by itself: that is done here."""
        # A project on this machine is not behind the proxy that the environment may name.
        outside = urlsplit(self.url).hostname not in _AT_HOME
        http = httpx.Client(timeout=_TIMEOUT, trust_env=outside)
        options = ClientOptions(auto_refresh_token=False, persist_session=False, httpx_client=http)
        try:
            return create_client(self.url, self.anon_key, options)
        except Exception as error:
            # The client raises a bare exception for an address or a key of the wrong shape.
            raise CliError("project_invalid", f"This is no Supabase project: {error}") from error


@dataclass(frozen=True)
class Session:
    """Somebody's session at a project. expires_at: when the access token ends, in seconds since 1970."""

    url: str
    anon_key: str
    email: str
    access_token: str
    refresh_token: str
    expires_at: int

    @property
    def project(self) -> Project:
        """The project of the session."""
        return Project(self.url, self.anon_key)


class Store:
    """The file with the session: `session.json` in the user's configuration folder, mode 0600.

    BRANCHLINE_CONFIG names another folder, such as one for each till of a shared machine.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(os.environ.get("BRANCHLINE_CONFIG") or typer.get_app_dir("branchline"))
        self._file = self.folder / "session.json"

    def read(self) -> Session | None:
        """The session that is kept, None when nobody is signed in."""
        try:
            return Session(**json.loads(self._file.read_text()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            # Half a file, or one of another version: whoever signs in again replaces it.
            return None
        except OSError as error:
            raise CliError("session_unreadable", f"{self._file} cannot be read: {error.strerror}.") from error

    def write(self, session: Session) -> None:
        """Keep a session, for its owner's eyes only."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(self._file, json.dumps(asdict(session), indent=2))
        except OSError as error:
            message = f"The session cannot be kept in {self.folder}: {error.strerror}."
            raise CliError("session_unwritable", message) from error

    def forget(self) -> None:
        """Remove the session."""
        self._file.unlink(missing_ok=True)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other commands of this user from renewing the session at the same time: a refresh token counts
        once.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.folder / "session.lock", os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


@contextmanager
def _asking_auth() -> Iterator[None]:
    """Turn what Supabase Auth and the way to it can answer into errors of ours."""
    try:
        yield
    except (httpx.TransportError, AuthRetryableError) as error:
        raise CliError("upstream_unavailable", "The project cannot be reached.", UNREACHABLE) from error
    except AuthError as error:
        code = str(getattr(error, "code", None) or "sign_in_failed")
        raise CliError(code, f"{error.message}.".replace("..", "."), SIGN_IN) from error


def _session(project: Project, session: AuthSession | None) -> Session:
    if session is None:
        raise CliError("sign_in_failed", "The project opened no session.", REFUSED)
    return Session(
        url=project.url,
        anon_key=project.anon_key,
        email=session.user.email or "",
        access_token=session.access_token,
        refresh_token=session.refresh_token,
        expires_at=session.expires_at or int(time.time()) + session.expires_in,
    )


def sign_in(project: Project, email: str, password: str) -> Session:
    """Open a session with address and password."""
    with _asking_auth():
        answer = project.client().auth.sign_in_with_password({"email": email, "password": password})
    return _session(project, answer.session)


def sign_out(session: Session) -> None:
    """End the session at the project, so that its refresh token is worth nothing any more."""
    with _asking_auth():
        session.project.client().auth.admin.sign_out(session.access_token, "local")


def current(store: Store) -> Session:
    """The session at hand, renewed when its token is about to end.

    Raises:
        CliError: nobody is signed in, or the session has ended.
    """
    session = store.read()
    if session is None:
        message = "Nobody is signed in: branchline login --email you@example.com"
        raise CliError("unauthenticated", message, SIGN_IN)
    if session.expires_at - _MARGIN > time.time():
        return session
    with store.lock():
        # Another command may have renewed it while this one waited.
        latest = store.read() or session
        if latest.expires_at - _MARGIN > time.time():
            return latest
        try:
            with _asking_auth():
                answer = latest.project.client().auth.refresh_session(latest.refresh_token)
        except CliError as error:
            if error.status != SIGN_IN:
                raise
            message = "The session has ended: sign in again with branchline login."
            raise CliError("unauthenticated", message, SIGN_IN) from error
        renewed = replace(_session(latest.project, answer.session), email=latest.email)
        store.write(renewed)
        return renewed

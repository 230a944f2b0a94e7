"""What does the installation take from Debian where no registry of images can be asked?

A file system to build on, and Compose. Both come from the mirror that this machine has in its own
list of sources, signed by Debian's keys, and are kept in the cache.
"""

from __future__ import annotations

import asyncio
import hashlib
import platform
import shutil
from pathlib import Path

from deploy.laptop.console import LaptopError, say
from deploy.laptop.supervisor import machine_environment

#: As in the image that deploy/Dockerfile builds on if not told otherwise, Python 3.11 is in it.
_SUITE = "bookworm"
#: Compose v2 came to Debian with this one. It needs no library but libc, of any age.
_SUITE_OF_COMPOSE = "trixie"
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_RECIPE = (
    # The last three are for the stand-ins: the healths of their originals are asked by them.
    "--include=python3,python3-venv,python-is-python3,ca-certificates,haproxy,busybox,netcat-openbsd",
    "--variant=minbase",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "--dpkgopt=force-unsafe-io",
    '--customize-hook=ln -s /bin/busybox "$1/usr/local/bin/wget"',
)


def is_debian() -> bool:
    """Tell whether this machine has Debian's packages."""
    return bool(shutil.which("apt-get")) and Path("/etc/debian_version").exists()


async def base_file_system(cache: Path) -> Path:
    """Give an archive of a small Debian with Python, made at the first time.

    Raises:
        LaptopError: it cannot be made here.
    """
    recipe = hashlib.sha256("\n".join((_SUITE, *_RECIPE)).encode()).hexdigest()[:12]
    archive = cache / f"base-{recipe}.tar"
    if archive.exists():
        return archive
    if not shutil.which("mmdebstrap"):
        message = (
            "mmdebstrap is missing: it makes the image to build on (apt-get install mmdebstrap)"
        )
        raise LaptopError(message)
    say(f"making a base image of Debian's packages ({_SUITE}), 0.2 GB, a minute or less")
    draft = cache / "base.draft.tar"
    source = f"deb [signed-by={_KEYRING}] {await _mirror()} {_SUITE} main"
    await quietly("mmdebstrap", *_RECIPE, _SUITE, str(draft), source)
    return keep(draft, archive)


async def compose_command(cache: Path) -> Path:
    """Give Compose v2 as a program, fetched at the first time.

    Raises:
        LaptopError: it cannot be had.
    """
    unpacked = cache / f"compose-{_SUITE_OF_COMPOSE}"
    program = unpacked / "usr/libexec/docker/cli-plugins/docker-compose"
    if program.exists():
        return program
    say(f"fetching Compose v2 of Debian's packages ({_SUITE_OF_COMPOSE}), 13 MB")
    apt, draft = cache / "apt", cache / "compose.draft"
    for folder in (apt, draft):
        shutil.rmtree(folder, ignore_errors=True)
    source = f"deb [signed-by={_KEYRING}] {await _mirror()} {_SUITE_OF_COMPOSE} main"
    environment = _apart(apt, source)
    await quietly("apt-get", "update", environment=environment)
    await quietly("apt-get", "download", "docker-compose", folder=apt, environment=environment)
    (package,) = apt.glob("docker-compose_*.deb")
    await quietly("dpkg", "-x", str(package), str(draft))
    shutil.rmtree(apt)
    return keep(draft, unpacked) / program.relative_to(unpacked)


def keep(draft: Path, place: Path) -> Path:
    """Put what is whole now in its place, and remove what an older recipe made."""
    for older in place.parent.glob(f"{place.name.partition('-')[0]}-*"):
        if older.is_dir():
            shutil.rmtree(older)
        else:
            older.unlink()
    return draft.rename(place)


def _apart(apt: Path, source: str) -> dict[str, str]:
    """Give apt lists, a cache and a source of their own: the machine's stay as they are."""
    for folder in ("etc/apt.conf.d", "etc/preferences.d", "lists/partial", "archives/partial"):
        (apt / folder).mkdir(parents=True)
    (apt / "etc/sources.list").write_text(source + "\n", encoding="utf-8")
    configuration = apt / "apt.conf"
    configuration.write_text(
        f"""\
Dir::Etc "{apt}/etc";
Dir::State "{apt}";
Dir::State::status "/dev/null";
Dir::Cache "{apt}";
Acquire::Languages "none";
APT::Architecture "{_architecture()}";
APT::Sandbox::User "root";
""",
        encoding="utf-8",
    )
    return {**machine_environment(), "APT_CONFIG": str(configuration)}


def _architecture() -> str:
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


async def _mirror() -> str:
    """Find the mirror from which this machine has its own Debian."""
    release = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    told = await quietly(
        *("apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(ORIGIN) $(REPO_URI)"),
        "Created-By: Packages",
    )
    for line in told.splitlines():
        if line.startswith(f"{release} main Debian "):
            return line.split()[-1]
    message = "this machine's list of sources names no mirror of Debian (or run: apt-get update)"
    raise LaptopError(message)


async def quietly(
    *command: str, folder: Path | None = None, environment: dict[str, str] | None = None
) -> str:
    """Run a tool of this machine and give what it says.

    Raises:
        LaptopError: it fails; the text is the end of what it said.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env=environment or machine_environment(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        # Ctrl-C is for us: a clean-up that is under way goes on.
        start_new_session=True,
    )
    try:
        said, complained = await process.communicate()
    except asyncio.CancelledError:
        process.terminate()
        await process.wait()
        raise
    if process.returncode:
        end = (complained + said).decode(errors="replace").strip().splitlines()[-20:]
        message = f"{Path(command[0]).name} failed:\n" + "\n".join(end)
        raise LaptopError(message)
    return said.decode(errors="replace")

"""How are the images built, with a registry of images and without one?

The product's own is built by its own Dockerfile either way. Without a registry its base is imported
first, and pip finds its packages in there, each checked by the hash in the lock file.
"""

from __future__ import annotations

import asyncio
import hashlib
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import docker

from deploy.composed.debian import base_file_system, keep, quietly
from deploy.laptop.console import say
from deploy.laptop.containers import API_VERSION

_LOCK = Path(__file__).parents[1] / "requirements" / "run.txt"
#: The Python of the base image, and what its libc takes.
_PYTHON = "3.11"
_PLATFORMS = ("manylinux_2_28", "manylinux_2_17", "manylinux2014", "manylinux_2_12", "manylinux1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingredients:
    """What the build of the product's image needs where no registry can be asked."""

    file_system: Path
    wheels: Path

    @property
    def bare_image(self) -> str:
        """The name of the imported file system."""
        return f"dockwarden-stand-in:{self.file_system.stem}"

    @property
    def base_image(self) -> str:
        """The name of the image to build on."""
        return f"{self.bare_image}-{self.wheels.name}"


async def gather_ingredients(cache: Path) -> Ingredients:
    """Get what is not in the cache yet, all at once.

    Raises:
        LaptopError: something cannot be had.
    """
    async with asyncio.TaskGroup() as group:
        file_system = group.create_task(base_file_system(cache))
        wheels = group.create_task(_wheels(cache))
    return Ingredients(file_system=file_system.result(), wheels=wheels.result())


async def import_base(ingredients: Ingredients, engine_url: str) -> None:
    """Give an engine the file system, if it has it not."""
    await asyncio.to_thread(_import, ingredients, engine_url)


def _import(ingredients: Ingredients, engine_url: str) -> None:
    client = docker.APIClient(base_url=engine_url, version=API_VERSION, timeout=300)
    try:
        if client.images(ingredients.bare_image):
            return
        say("importing the base image")
        repository, _, tag = ingredients.bare_image.partition(":")
        client.import_image_from_file(str(ingredients.file_system), repository=repository, tag=tag)
    finally:
        client.close()


async def _wheels(cache: Path) -> Path:
    """Give a folder with the packages of the product, downloaded at the first time."""
    lock = hashlib.sha256(_LOCK.read_bytes()).hexdigest()[:12]
    folder = cache / f"wheels-{lock}"
    if folder.exists():
        return folder
    say("downloading the packages of the product, each checked by its hash: 23 MB")
    draft = cache / "wheels.draft"
    shutil.rmtree(draft, ignore_errors=True)
    python = f"cp{_PYTHON.replace('.', '')}"
    await quietly(
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"),
        *("--only-binary=:all:", f"--python-version={_PYTHON}", "--implementation=cp"),
        *(f"--abi={abi}" for abi in (python, "abi3", "none")),
        *(f"--platform={platform_tag}_{platform.machine()}" for platform_tag in _PLATFORMS),
        *("--requirement", str(_LOCK), "--dest", str(draft)),
    )
    return keep(draft, folder)

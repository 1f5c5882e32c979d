"""Compiles what can be compiled while hoptrace is installed or packed; where that fails, it is installed without."""

import sysconfig
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).parent
MODULE = "analyzer.kernel.compiled"
OLDEST = (3, 11)
"""Python of whose stable interface (PEP 384) nothing newer is used."""


class CompileHook(BuildHookInterface[Any]):
    """Told to hatchling in pyproject.toml."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile beside the sources, from where an editable installation imports it, and put it into the wheel."""
        if self.target_name != "wheel":
            return
        try:
            compile_into(Path(self.root))
        except Exception as error:  # whatever a compiler that is not there may raise
            self.app.display_warning(
                f"not compiled, so captures will be read slowly: {error}; gcc and python3-dev help"
            )
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"cp{OLDEST[0]}{OLDEST[1]}-abi3-{platform}"
        build_data["artifacts"].append("analyzer/kernel/compiled.abi3.so")


def compile_into(folder: Path, *flags: str) -> Path:
    """
    Compile with *flags*; return the library, which lies below *folder* as in an installed package.

    Raises:
        Exception: there is no compiler, no Cython, or they fail.
    """
    from Cython.Build import cythonize  # noqa: PLC0415
    from setuptools import Distribution, Extension  # noqa: PLC0415

    extension = Extension(
        MODULE,
        [str((HERE / "compiled.pyx").relative_to(HERE.parents[1]))],
        define_macros=[("Py_LIMITED_API", f"0x{OLDEST[0]:02x}{OLDEST[1]:02x}0000")],
        py_limited_api=True,
        extra_compile_args=["-O3", "-g0", *flags],
        extra_link_args=["-s", *flags],
    )
    library = folder / "analyzer" / "kernel" / "compiled.abi3.so"
    library.unlink(missing_ok=True)  # one of other sources would be worse than none
    with TemporaryDirectory() as scratch:
        made = cythonize([extension], build_dir=scratch, quiet=True, force=True)
        command = Distribution({"name": "hoptrace", "ext_modules": made}).get_command_obj("build_ext")
        command.build_lib, command.build_temp = str(folder), scratch
        command.ensure_finalized()
        command.run()
    return library

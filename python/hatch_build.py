"""Puts the program into the wheel as a script: installers copy it unchanged to the folder of commands."""

import hashlib
import os
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Program(BuildHookInterface):
    def initialize(self, version, build_data):
        program, release = Path(os.environ["RUNATTEST_PROGRAM"]), os.environ["RUNATTEST_RELEASE"]
        digest = hashlib.sha256(program.read_bytes()).hexdigest()
        build = Path(self.root, "_build.py")
        build.write_text(f'RELEASE = "{release}"\nVERSION = "{self.metadata.version}"\nNAME = "{program.name}"\nSHA256 = "{digest}"\n')
        build_data["shared_scripts"][str(program)] = program.name
        build_data["force_include"][str(build)] = "runattest/_build.py"
        build_data["tag"] = "py3-none-" + os.environ["RUNATTEST_PLATFORM"]
        build_data["pure_python"] = False

"""A signed identity for an AI run, before it executes.

This package carries the command ``runattest`` and finds it::

    subprocess.run([runattest.program(), "verify", "--key", "runattest.pub", "run.yaml.sigstore.json"], check=True)
"""

from runattest._program import ProgramNotFound, program

__all__ = ["ProgramNotFound", "program"]

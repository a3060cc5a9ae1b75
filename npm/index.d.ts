/**
 * The absolute path of the program `runattest` of this very release, for programs that start it themselves.
 *
 * The environment variable `RUNATTEST_BIN` names another file, which must be of the same release.
 *
 * @throws Error if the package for this system is absent, is of another version, or has no executable program. The message
 * says how to mend it.
 */
export function binaryPath(): string;

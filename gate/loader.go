package gate

import "github.com/runattest/runattest/internal/loader"

// ErrLoader says that this program cannot be a gate: the environment can make it load code before it has decided. A dynamic
// loader does so before main begins (LD_PRELOAD, LD_AUDIT, LD_LIBRARY_PATH), and a C library that is linked statically loads
// others when it is called (NSS, iconv, locales). A check cannot find that out, since
// what was loaded could answer it. So the refusal is of the build, whatever the environment is: such a
// program never executes anything, and is not taken for a gate.
var ErrLoader = loader.Err

// CheckLoader refuses, with ErrLoader, a program that a dynamic loader started and one that was built with cgo, also where it is
// linked statically. Admission.Exec does so, too. It is for
// Linux: elsewhere no build is without a loader, or Go makes no other.
func CheckLoader() error { return loader.Check() }

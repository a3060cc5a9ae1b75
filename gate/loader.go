package gate

import "github.com/runattest/runattest/internal/loader"

// ErrLoader says that this program cannot be a gate: a dynamic loader has started it, which loads what the
// environment names (LD_PRELOAD, LD_AUDIT, LD_LIBRARY_PATH) before main begins. A check cannot find that out, since
// what was loaded could answer it. So the refusal is of the build, whatever the environment is: such a
// program never executes anything, and is not taken for a gate.
var ErrLoader = loader.Err

// CheckLoader refuses a program that a dynamic loader started, with ErrLoader. Admission.Exec does so, too. It is for
// Linux: elsewhere no build is without a loader, or Go makes no other.
func CheckLoader() error { return loader.Check() }

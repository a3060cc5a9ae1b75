// Package loader tells whether a dynamic loader has started this program.
package loader

import "errors"

// Err says that this program cannot be a gate: a dynamic loader has started it, which loads what the
// environment names (LD_PRELOAD, LD_AUDIT, LD_LIBRARY_PATH) before main begins. A check cannot find that out, since
// what was loaded could answer it. So the refusal is of the build, whatever the environment is: such a
// program never executes anything, and is not taken for a gate.
var Err = errors.New("this build of the program is dynamically linked, and its environment could make it load other code")

// Check refuses a program that a dynamic loader started, with Err. Tests change it: theirs are linked as go test likes.
var Check = check

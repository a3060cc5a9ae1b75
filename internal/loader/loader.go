// Package loader tells whether the environment can make this program load code.
package loader

import "errors"

// Err says that this program cannot be a gate: the environment can make it load code before it has decided. A dynamic
// loader does so before main begins (LD_PRELOAD, LD_AUDIT, LD_LIBRARY_PATH), and a C library that is linked statically loads
// others when it is called (NSS, iconv, locales). A check cannot find that out, since
// what was loaded could answer it. So the refusal is of the build, whatever the environment is: such a
// program never executes anything, and is not taken for a gate.
var Err = errors.New("the environment could make this build of the program load other code")

// Check refuses, with Err, a program that a dynamic loader started and one that holds C code. Tests change it: theirs are linked as go test likes.
var Check = check

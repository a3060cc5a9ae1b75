package gate

import (
	"context"
	"errors"

	"github.com/runattest/runattest/internal/zero"
)

// Start is how a run that is admitted is started.
type Start struct {
	Program  string   // the path of the program
	Args     []string // its arguments; the first is its name, which is recorded
	Environ  []string // the environment that it has, as os.Environ gives it, without this package's variables
	EnvAllow []string // the variables of Environ that are passed on; nil is all
	Dir      string   // the folder below which its files are written; "" is the system's for temporary files
	DryRun   bool     // everything is done but the start, and nothing is written but the log
}

// Exec replaces this process with the program, or where the system cannot, runs it and ends with its status. Before it
// writes the declaration and the bundle for it, and records the decision. It returns only with an error, or after a dry
// run: nothing has been started then, the reason is recorded, and what was written for the program is removed. An admission
// that is older than a second is decided again first; its files are not hashed again.
func (a *Admission) Exec(ctx context.Context, s Start) error {
	a = zero.IfNil(a)
	log, err := a.request.Log, a.checkLog(s.Program)
	if err != nil {
		log = nil // nothing is appended to it
	} else {
		err = a.ready(ctx, s)
	}
	var files runFiles
	if err == nil && !s.DryRun {
		files, err = writeFiles(s.Dir, a.verified.Declaration(), a.bundle)
	}
	if err = a.record(log, s, err); err == nil && !s.DryRun {
		if err = ctx.Err(); err == nil { // whatever interrupts the gate is meant for the program, too
			err = replaceProcess(s.Program, s.Args, environment(s.Environ, s.EnvAllow, a.verified.ID(), files))
		}
		err = a.record(log, s, err)
	}
	if left := files.remove(); left != nil {
		err = errors.Join(err, left)
	}
	return err
}

// ready is nil only if the program may be started at this time.
func (a *Admission) ready(ctx context.Context, s Start) error {
	if err := a.Err(); err != nil {
		return err
	}
	if err := CheckLoader(); err != nil {
		return err
	}
	switch {
	case s.Program == "" || len(s.Args) == 0:
		return errors.New("gate: no program to execute, or no name of it")
	case !a.request.At.IsZero() && !s.DryRun:
		return errors.New("gate: the decision is one about another time: nothing is started on it")
	}
	if err := ctx.Err(); err != nil || s.DryRun {
		return err
	}
	_, _, err := a.asOfNow(ctx)
	return err
}

// record appends the decision to the log. If that fails, the run is refused.
func (a *Admission) record(log Log, s Start, err error) error {
	if log == nil {
		return err
	}
	failed := log.Append(a.Record(s, err))
	if failed == nil {
		return err
	}
	unlogged := &unloggedError{err, failed}
	if err == nil { // which the log may say all the same: the line after it is the one that holds, if it can be written
		_ = log.Append(a.Record(s, unlogged))
	}
	return unlogged
}

package journal

import (
	"bytes"
	"context"
	"errors"
	"os"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/pathname"
)

// Erased is what Erase has found of an identity.
type Erased struct {
	Declarations int // that were overwritten
	Embedded     int // that are in the bundle of a line, and cannot be erased
	// SetAside are the files in which recovery keeps what it has cut off. They are not looked into, and may have the declaration, too.
	SetAside []string
}

// Erase overwrites with spaces each declaration beside the segments that has an identity, and syncs it; also what is left of one where
// that broke off. A gateway may be writing to the journal. An error says that not all was read: what could be is erased, and the first
// damage is the error.
func Erase(ctx context.Context, dir string, id identity.ID) (Erased, error) {
	var all Erased
	if _, err := readID(dir); err != nil {
		return all, err
	}
	l, err := list(dir)
	if err != nil {
		return all, err
	}
	for _, name := range l.aside {
		all.SetAside = append(all.SetAside, pathname.In(dir, name))
	}
	var damage error
	for _, number := range l.numbers {
		if err := ctx.Err(); err != nil {
			return all, err
		}
		s, err := scanSegment(dir, number)
		if err == nil && !l.closed[number] {
			s, _, err = settle(s, number == l.last())
		}
		if err == nil {
			err = all.eraseIn(s, id)
		}
		switch _, isDamage := errors.AsType[*DamageError](err); {
		case err != nil && !isDamage:
			return all, err
		case damage == nil:
			damage = err
		}
	}
	return all, damage
}

// eraseIn erases in one segment.
func (e *Erased) eraseIn(s *scan, id identity.ID) error {
	var f *os.File
	var damage, failed error
	damaged := func(line int, err error) {
		if damage == nil {
			damage = &DamageError{Path: pathname.In(s.dir, linesName(s.number)), Line: line, Err: err}
		}
	}
	s.toErase = true
	for l, err := range s.lines() {
		switch {
		case errors.Is(err, errIncomplete):
		case err != nil:
			damaged(s.n+1, err)
		case l.damaged != nil && (l.Identity != id || !l.halfErased):
			damaged(l.Number, l.damaged)
		case l.Identity != id || l.Bundle == nil || l.erased:
		case !l.detached():
			e.Embedded++
		default:
			if f == nil {
				if f, failed = openOwn(pathname.In(s.dir, declarationsName(s.number)), os.O_WRONLY); failed != nil {
					return failed
				}
			}
			size := l.ref.Size
			if _, failed = f.WriteAt(bytes.Repeat([]byte(" "), int(size)), s.declared-size-1); failed == nil {
				e.Declarations++
			}
		}
		if failed != nil {
			break
		}
	}
	if f != nil {
		failed = errors.Join(failed, f.Sync(), f.Close())
	}
	if failed != nil {
		return failed
	}
	return damage
}

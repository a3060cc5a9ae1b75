package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
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

// laid is where a line's declaration lies.
type laid struct {
	line     int
	damage   error
	at, size int64
	holds    [sha256.Size]byte // digest of what is there, if it is damaged
}

// eraseIn erases in one segment. What lies in the place of a declaration is erased, too, if it is damaged, and not where it is that of
// another line.
func (e *Erased) eraseIn(s *scan, id identity.ID) (damage error) {
	first := 0
	damaged := func(line int, err error) {
		if first == 0 || line < first {
			first, damage = line, &DamageError{Path: pathname.In(s.dir, linesName(s.number)), Line: line, Err: err}
		}
	}
	var places, others []laid
	known, ended := map[[sha256.Size]byte]bool{}, false
	s.toErase = true
	for l, err := range s.lines() {
		switch {
		case errors.Is(err, errIncomplete):
			continue
		case err != nil:
			ended = true
			damaged(s.n+1, err)
			continue
		}
		known[l.Identity.Digest()] = true
		switch {
		case l.Identity != id && l.damaged != nil:
			damaged(l.Number, l.damaged)
		case l.Identity != id || l.Bundle == nil || l.erased:
		case !l.detached():
			e.Embedded++
		default:
			here := laid{l.Number, l.damaged, s.declared - l.ref.Size - 1, l.ref.Size, l.holds}
			if l.damaged != nil && !l.halfErased {
				others = append(others, here)
			} else {
				places = append(places, here)
			}
		}
	}
	for _, other := range others {
		if ended || known[other.holds] {
			damaged(other.line, other.damage)
		} else {
			places = append(places, other)
		}
	}
	if len(places) == 0 {
		return damage
	}
	f, err := openOwn(pathname.In(s.dir, declarationsName(s.number)), os.O_WRONLY)
	if err != nil {
		return err
	}
	for _, p := range places {
		if _, err = f.WriteAt(bytes.Repeat([]byte(" "), int(p.size)), p.at); err != nil {
			break
		}
		e.Declarations++
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return damage
}

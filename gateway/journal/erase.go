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
// that broke off, or what is damaged in its place, unless it is the declaration of another line of the journal. A gateway may be writing
// to the journal. An error says that not all was read: what could be is erased, and the first damage is the error.
func Erase(ctx context.Context, dir string, id identity.ID) (Erased, error) {
	e := &eraser{dir: dir, id: id}
	if _, err := readID(dir); err != nil {
		return e.found, err
	}
	l, err := list(dir)
	if err != nil {
		return e.found, err
	}
	for _, name := range l.aside {
		e.found.SetAside = append(e.found.SetAside, pathname.In(dir, name))
	}
	err = e.each(ctx, l, e.eraseIn)
	if err == nil && len(e.others) > 0 {
		err = e.eraseOthers(ctx, l)
	}
	if err == nil && e.damage != nil {
		err = e.damage
	}
	return e.found, err
}

// eraser erases the declarations of an identity.
type eraser struct {
	dir    string
	id     identity.ID
	found  Erased
	others []laid // declarations that are damaged, and may be those of other lines
	unread bool   // of some lines it is not known what they name
	damage *DamageError
	number int // of the segment that has the damage
}

// laid is where a line's declaration lies.
type laid struct {
	segment  int
	line     int
	damage   error
	at, size int64
	holds    [sha256.Size]byte // digest of what is there, if it is damaged
}

// note keeps the first damage.
func (e *eraser) note(number int, damage *DamageError) {
	if e.damage == nil || number < e.number || number == e.number && damage.Line < e.damage.Line {
		e.number, e.damage = number, damage
	}
}

func (e *eraser) noteLine(number int, line int, err error) {
	e.note(number, &DamageError{Path: pathname.In(e.dir, linesName(number)), Line: line, Err: err})
}

// each reads the segments. Damage is noted.
func (e *eraser) each(ctx context.Context, l *listing, read func(*scan) error) error {
	for _, number := range l.numbers {
		if err := ctx.Err(); err != nil {
			return err
		}
		s, err := scanSegment(e.dir, number)
		if err == nil && !l.closed[number] {
			s, _, err = settle(s, number == l.last())
		}
		if err == nil {
			err = read(s)
		}
		damage, isDamage := errors.AsType[*DamageError](err)
		if err != nil && !isDamage {
			return err
		}
		if isDamage {
			e.unread = true
			e.note(number, damage)
		}
	}
	return nil
}

// eraseIn erases in one segment what is surely of the identity.
func (e *eraser) eraseIn(s *scan) error {
	var places []laid
	s.toErase = true
	for l, err := range s.lines() {
		switch {
		case errors.Is(err, errIncomplete):
		case err != nil:
			e.unread = true
			e.noteLine(s.number, s.n+1, err)
		case l.Identity != e.id && l.damaged != nil:
			e.noteLine(s.number, l.Number, l.damaged)
		case l.Identity != e.id || l.Bundle == nil || l.erased:
		case !l.detached():
			e.found.Embedded++
		default:
			here := laid{s.number, l.Number, l.damaged, s.declared - l.ref.Size - 1, l.ref.Size, l.holds}
			if l.damaged != nil && !l.halfErased {
				e.others = append(e.others, here)
			} else {
				places = append(places, here)
			}
		}
	}
	return e.overwrite(places)
}

// eraseOthers erases what lies damaged in the place of a declaration, unless it is that of another line.
func (e *eraser) eraseOthers(ctx context.Context, l *listing) error {
	isOfLine := map[[sha256.Size]byte]bool{}
	for _, other := range e.others {
		isOfLine[other.holds] = false
	}
	err := e.each(ctx, l, func(s *scan) error {
		s.toErase = true
		for l, err := range s.lines() {
			if err != nil {
				e.unread = e.unread || !errors.Is(err, errIncomplete)
				continue
			}
			if _, ok := isOfLine[l.Identity.Digest()]; ok {
				isOfLine[l.Identity.Digest()] = true
			}
		}
		return nil
	})
	for _, other := range e.others {
		switch {
		case err != nil:
			return err
		case e.unread || isOfLine[other.holds]:
			e.noteLine(other.segment, other.line, other.damage)
		default:
			err = e.overwrite([]laid{other})
		}
	}
	return err
}

// overwrite erases what lies at some places of one segment.
func (e *eraser) overwrite(places []laid) error {
	if len(places) == 0 {
		return nil
	}
	f, err := openOwn(pathname.In(e.dir, declarationsName(places[0].segment)), os.O_WRONLY)
	if err != nil {
		return err
	}
	for _, p := range places {
		if _, err = f.WriteAt(bytes.Repeat([]byte(" "), int(p.size)), p.at); err != nil {
			break
		}
		e.found.Declarations++
	}
	return errors.Join(err, f.Sync(), f.Close())
}

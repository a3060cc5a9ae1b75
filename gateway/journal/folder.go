package journal

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/lazyregexp"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/pathname"
)

// MediaType is that of journal.json, by which a folder is known as a journal.
const MediaType = "application/vnd.runattest.journal.v1+json"

const (
	idName   = "journal.json"
	lockName = "lock"
	// asideSuffix ends the names of files in which recovery keeps what it cuts off.
	asideSuffix = ".cut"
)

func linesName(number int) string        { return fmt.Sprintf("%08d.jsonl", number) }
func declarationsName(number int) string { return fmt.Sprintf("%08d.declarations.jsonl", number) }
func bundleName(number int) string       { return fmt.Sprintf("%08d.sigstore.json", number) }

// Is says whether a folder is a journal, by the file journal.json in it.
func Is(dir string) bool {
	info, err := os.Stat(pathname.In(dir, idName))
	return err == nil && info.Mode().IsRegular()
}

// readFile reads a regular file, which may be empty.
func readFile(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().IsRegular() && info.Size() == 0 {
		return nil, nil
	}
	return boundedfile.ReadRegular(path, limit)
}

// readID reads the journal's id.
func readID(dir string) (id [sha256.Size]byte, err error) {
	path := pathname.In(dir, idName)
	data, err := readFile(path, limits.Key)
	if err != nil {
		return id, err
	}
	form, err := canonical.Options{ExactNumbers: true, MaxDepth: 2, MaxValues: 10}.Append(nil, data)
	var root jsontree.Value
	if err == nil {
		root, err = jsontree.Parse(form)
	}
	if err == nil {
		err = checkMembers(root, "mediaType", "gateway")
	}
	if got := root.Get("mediaType").Text(); err == nil && got != MediaType {
		err = fmt.Errorf("mediaType is %q, want %s", got, MediaType)
	}
	if err == nil {
		id, err = parseDigest(root.Get("gateway").Text())
	}
	if err != nil {
		return id, &DamageError{Path: path, Err: err, Fatal: true}
	}
	return id, nil
}

// makeFolder makes a journal's folder where there is none. It refuses one that other users can enter, or that is another's.
func makeFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	return checkPrivate(dir, info)
}

func checkPrivate(dir string, info fs.FileInfo) error {
	if err := checkOwner(info, os.Geteuid()); err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	if open := info.Mode().Perm() & 0o077; open != 0 {
		return &ModeError{dir, info.Mode().Perm()}
	}
	return nil
}

// openFolder reads the id of a journal's folder, and makes one if the folder is empty.
func openFolder(dir string) (id [sha256.Size]byte, err error) {
	id, isEmpty, err := lookInto(dir)
	if err != nil || !isEmpty {
		return id, err
	}
	_, _ = rand.Read(id[:]) // does not fail
	text := fmt.Sprintf("{\"gateway\":%q,\"mediaType\":%q}\n", hex.EncodeToString(id[:]), MediaType)
	return id, atomicfile.Create(pathname.In(dir, idName), []byte(text), 0o600)
}

// lookInto reads the id of a journal's folder, or finds that the folder is empty. It refuses one that holds something else.
func lookInto(dir string) (id [sha256.Size]byte, isEmpty bool, err error) {
	if id, err = readID(dir); !errors.Is(err, fs.ErrNotExist) {
		return id, false, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return id, false, err
	}
	for _, e := range entries {
		if e.Name() != lockName {
			return id, false, fmt.Errorf("%s: has no %s and is not empty, want a journal or an empty folder", dir, idName)
		}
	}
	return id, true, nil
}

// ModeError says that others can enter a journal's folder.
type ModeError struct {
	Dir  string
	Mode fs.FileMode
}

func (e *ModeError) Error() string {
	if e == nil {
		e = &ModeError{}
	}
	return fmt.Sprintf("%s: has mode %04o, want 0700: a journal holds what clients ask for", e.Dir, e.Mode)
}

// DamageError says what of a journal is not as a gateway writes it, and no crash leaves behind.
type DamageError struct {
	Path  string
	Line  int // 0 where it is about the file
	Err   error
	Fatal bool // the journal cannot go on: Open refuses it with Options.AcceptDamage, too
}

func (e *DamageError) Error() string {
	if e == nil || e.Err == nil {
		return "damaged journal"
	}
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d: %v", e.Path, e.Line, e.Err)
	}
	return fmt.Sprintf("%s: %v", e.Path, e.Err)
}

// Unwrap gives the reason.
func (e *DamageError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

// listing is which segments a folder has, and which of them are closed.
type listing struct {
	numbers []int // in order
	closed  map[int]bool
	lines   map[int]bool
	aside   []string // the files that recovery has set aside
}

// last is the number of the last segment, 0 for none.
func (l *listing) last() int {
	if len(l.numbers) == 0 {
		return 0
	}
	return l.numbers[len(l.numbers)-1]
}

// lastClosed is the number of the last segment that has a bundle, 0 for none.
func (l *listing) lastClosed() int {
	last := 0
	for number := range l.closed {
		last = max(last, number)
	}
	return last
}

var segmentForm = lazyregexp.New(`^([0-9]{8})(\.jsonl|\.sigstore\.json)$`)

func list(dir string) (*listing, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	l := &listing{closed: map[int]bool{}, lines: map[int]bool{}}
	for _, e := range entries {
		part := segmentForm.FindStringSubmatch(e.Name())
		if part == nil {
			if strings.HasSuffix(e.Name(), asideSuffix) {
				l.aside = append(l.aside, e.Name())
			}
			continue
		}
		number, _ := strconv.Atoi(part[1])
		if number == 0 {
			continue
		}
		if !l.lines[number] && !l.closed[number] {
			l.numbers = append(l.numbers, number)
		}
		if part[2] == ".jsonl" {
			l.lines[number] = true
		} else {
			l.closed[number] = true
		}
	}
	slices.Sort(l.numbers)
	last := l.lastClosed()
	for _, number := range l.numbers {
		if number < last && !l.closed[number] { // a gateway may have closed it while the folder was read
			_, err := os.Stat(pathname.In(dir, bundleName(number)))
			l.closed[number] = err == nil
		}
	}
	return l, nil
}

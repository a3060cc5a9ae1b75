package journal

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"sync"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/pathname"
)

// held is which runs the newest lines are of, and which client sent them.
type held struct {
	mu    sync.Mutex
	parts []*heldPart // of segments, the newest last
	count int
}

type heldPart struct {
	segment int
	runs    map[heldRun]bool
}

// heldRun is half a SHA-256 of a client's name and an identity.
type heldRun [16]byte

func newHeld() *held { return &held{} }

func runOf(client string, id identity.ID) heldRun {
	sum := sha256.Sum256(append([]byte(id.String()+"/"), client...))
	return heldRun(sum[:16])
}

func (h *held) has(client string, id identity.ID) bool {
	run := runOf(client, id)
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.ContainsFunc(h.parts, func(p *heldPart) bool { return p.runs[run] })
}

func (h *held) add(segment int, calls []*waiting) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, w := range calls {
		if !w.id.IsZero() {
			h.put(segment, runOf(w.client, w.id))
		}
	}
}

// put adds a run of the newest segment, and forgets segments that are older than the newest lines of which there are enough.
func (h *held) put(segment int, run heldRun) {
	if len(h.parts) == 0 || h.parts[len(h.parts)-1].segment != segment {
		h.parts = append(h.parts, &heldPart{segment, map[heldRun]bool{}})
	}
	newest := h.parts[len(h.parts)-1]
	if !newest.runs[run] {
		newest.runs[run] = true
		h.count++
	}
	for len(h.parts) > 1 && h.count-len(h.parts[0].runs) >= limits.JournalHeld {
		h.count -= len(h.parts[0].runs)
		h.parts = h.parts[1:]
	}
}

// load reads the newest segments of those up to last. What cannot be read is not held.
func (h *held) load(dir string, last int) {
	for number := last; number > 0 && h.count < limits.JournalHeld; number-- {
		data, err := readFile(pathname.In(dir, linesName(number)), limits.JournalSegment+limits.JournalLine+limits.JournalChunk)
		if err != nil {
			return
		}
		part := &heldPart{number, map[heldRun]bool{}}
		for text := range bytes.SplitSeq(bytes.TrimRight(data, "\x00"), []byte{'\n'}) {
			if run, ok := heldIn(text); ok {
				part.runs[run] = true
			}
		}
		h.parts = slices.Insert(h.parts, 0, part)
		h.count += len(part.runs)
	}
}

// heldIn is the run of a line, without reading its bundle.
func heldIn(text []byte) (heldRun, bool) {
	form, err := lineRules.Append(nil, text)
	if err != nil {
		return heldRun{}, false
	}
	root, err := jsontree.Parse(form)
	if err != nil {
		return heldRun{}, false
	}
	id, err := identity.ParseID(root.Get("identity").Text())
	return runOf(root.Get("client").Text(), id), err == nil
}

package lineage

import (
	"math"
	"time"

	"github.com/runattest/runattest/attest/evidence"
)

// sight is when a trusted authority first saw a signature, in Unix microseconds: not before earliest and not after
// latest. It is an interval, because a timestamp has an accuracy. The signature existed by latest.
type sight struct{ earliest, latest int64 }

// noTime is later than every time.
const noTime = math.MaxInt64

// unseen is without any trusted time.
var unseen = sight{noTime, noTime}

// sightOf is the first sight of several. Each time bounds it: the first was not after any of them.
func sightOf(times ...evidence.TrustedTime) sight {
	first := unseen
	for _, t := range times {
		latest := t.Latest().UnixMicro()
		if t.Latest().Nanosecond()%1000 > 0 {
			latest++
		}
		first = first.or(sight{t.Earliest().UnixMicro(), latest})
	}
	return first
}

// or is the earlier of two sights of one thing.
func (s sight) or(other sight) sight {
	return sight{min(s.earliest, other.earliest), min(s.latest, other.latest)}
}

func (s sight) known() bool { return s != unseen }

// before says that it was certainly before another sight: the latest that it may be is before the earliest that the other
// may be. An order that the accuracy of the times leaves open is not an order. Whole seconds are compared, to which
// authorities round.
func (s sight) before(other sight) bool {
	return s.known() && other.known() && microseconds(s.latest).Unix() < microseconds(other.earliest).Unix()
}

func microseconds(unix int64) time.Time { return time.UnixMicro(unix).UTC() }

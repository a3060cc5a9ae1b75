package overwrite

import (
	"fmt"
	"os"

	"github.com/runattest/runattest/internal/boundedfile"
)

// OtherKindError says that a file is there which is not of the kind that the result may replace.
type OtherKindError struct{ Path, Kind, Want string }

func (e *OtherKindError) Error() string {
	if e.Kind == "" {
		return fmt.Sprintf("%s: is there and is not %s", e.Path, e.Want)
	}
	return fmt.Sprintf("%s: is there and is %s, not %s", e.Path, e.Kind, e.Want)
}

// CheckKind keeps a result of the kind want, of at most limit bytes, from being written over a file of another kind. An empty
// file, such as mktemp makes, is replaced; a pipe, a device and an open file are written to.
func CheckKind(target, want string, kind func(data []byte) string, limit int64) error {
	if target == "" || target == "-" || isStream(target) {
		return nil
	}
	info, err := os.Stat(target)
	if err != nil || info.IsDir() || info.Size() == 0 { // writing it says what is wrong
		return nil
	}
	if info.Size() > limit {
		return &OtherKindError{target, "", want}
	}
	data, err := boundedfile.Read(target, limit)
	if err != nil {
		return err
	}
	if is := kind(data); is != want {
		return &OtherKindError{target, is, want}
	}
	return nil
}

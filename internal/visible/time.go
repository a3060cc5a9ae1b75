package visible

import "time"

// Time is the text of a time in messages: in UTC, to the last digit that it has (RFC 3339).
func Time(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

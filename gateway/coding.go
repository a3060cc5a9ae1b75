package gateway

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/runattest/runattest/internal/limits"
)

// codings are the content codings of a body, in the order in which they were applied.
func codings(r *http.Request) ([]string, *refusal) {
	var l []string
	for coding := range strings.SplitSeq(strings.Join(r.Header.Values("Content-Encoding"), ","), ",") {
		switch coding = strings.ToLower(strings.Trim(coding, " \t")); coding {
		case "", "identity":
		case "gzip", "x-gzip", "zstd":
			l = append(l, coding)
		default:
			return nil, refuse(codingRefused, "the content coding %q is not gzip or zstd", coding)
		}
	}
	if len(l) > limits.GatewayCodings {
		return nil, refuse(codingRefused, "%d content codings, want at most %d", len(l), limits.GatewayCodings)
	}
	return l, nil
}

// decode is the body without its codings. What a decoder passes over, such as a second member, is refused: another one reads
// it.
func (g *Gateway) decode(body []byte, codings []string, s *share) ([]byte, *refusal) {
	for i := len(codings) - 1; i >= 0; i-- {
		source := bytes.NewReader(body)
		from, err := decoder(source, body, codings[i])
		if err != nil {
			return nil, refuse(bodyInvalid, "the body is not valid %s", codings[i])
		}
		before := s.taken
		counted := &share{of: s.of}
		decoded, no := readAll(from, g.config.Limits.Decoded, counted)
		s.taken = before + counted.taken
		from.Close()
		switch {
		case no != nil && no.kind == bodyInvalid:
			return nil, refuse(bodyInvalid, "the body is not valid %s", codings[i])
		case no != nil:
			return nil, no
		case source.Len() > 0:
			return nil, refuse(bodyInvalid, "the body has data behind its %s", codings[i])
		}
		body = decoded
	}
	return body, nil
}

// decoder reads one member of gzip, or one frame of zstd, and stops behind it.
func decoder(source *bytes.Reader, body []byte, coding string) (io.ReadCloser, error) {
	if coding == "zstd" {
		if err := oneFrame(body); err != nil {
			return nil, err
		}
		d, err := zstd.NewReader(source, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(limits.GatewayWindow))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	}
	d, err := gzip.NewReader(source)
	if err != nil {
		return nil, err
	}
	d.Multistream(false)
	return d, nil
}

// oneFrame checks that data is one zstd frame and nothing else (RFC 8878, section 3.1.1): some decoders stop behind the first,
// and some go on.
func oneFrame(data []byte) error {
	var h zstd.Header
	if err := h.Decode(data); err != nil {
		return err
	}
	if h.Skippable {
		return errors.New("a skippable frame")
	}
	rest := data[min(h.HeaderSize, len(data)):]
	for last := false; !last; {
		if len(rest) < 3 {
			return io.ErrUnexpectedEOF
		}
		block := binary.LittleEndian.Uint32([]byte{rest[0], rest[1], rest[2], 0})
		size := int(block >> 3)
		if block>>1&3 == 1 { // a byte that is repeated
			size = 1
		}
		if last = block&1 == 1; len(rest) < 3+size {
			return io.ErrUnexpectedEOF
		}
		rest = rest[3+size:]
	}
	if h.HasCheckSum {
		rest = rest[min(4, len(rest)):]
	}
	if len(rest) > 0 {
		return errors.New("data behind the frame")
	}
	return nil
}

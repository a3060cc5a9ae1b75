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
		from, no := g.decoder(source, body, codings[i], s)
		if no != nil {
			return nil, no
		}
		decoded, no := readAll(from, g.config.Limits.Decoded, s)
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

// decoder reads one member of gzip, or one frame of zstd, and stops behind it. What zstd takes for its window is charged first.
func (g *Gateway) decoder(source *bytes.Reader, body []byte, coding string, s *share) (io.ReadCloser, *refusal) {
	invalid := refuse(bodyInvalid, "the body is not valid %s", coding)
	if coding == "zstd" {
		h, err := oneFrame(body)
		window := h.WindowSize
		if h.SingleSegment { // the window is the whole content
			window = h.FrameContentSize
		}
		switch {
		case err != nil:
			return nil, invalid
		case h.SingleSegment && window > uint64(g.config.Limits.Decoded):
			return nil, refuse(bodyTooLarge, "the body has %d bytes in its zstd, want at most %d", window, g.config.Limits.Decoded)
		case !h.SingleSegment && window > limits.GatewayWindow:
			return nil, refuse(codingRefused, "the zstd window has %d bytes, want at most %d", window, limits.GatewayWindow)
		case !s.begin(int64(window)):
			return nil, refuseFull()
		}
		d, err := zstd.NewReader(source, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(limits.GatewayWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, invalid
		}
		return d.IOReadCloser(), nil
	}
	d, err := gzip.NewReader(source)
	if err != nil {
		return nil, invalid
	}
	d.Multistream(false)
	return d, nil
}

// oneFrame checks that data is one zstd frame and nothing else (RFC 8878, section 3.1.1): some decoders stop behind the first,
// and some go on.
func oneFrame(data []byte) (zstd.Header, error) {
	var h zstd.Header
	if err := h.Decode(data); err != nil {
		return h, err
	}
	if h.Skippable {
		return h, errors.New("a skippable frame")
	}
	rest := data[min(h.HeaderSize, len(data)):]
	for last := false; !last; {
		if len(rest) < 3 {
			return h, io.ErrUnexpectedEOF
		}
		block := binary.LittleEndian.Uint32([]byte{rest[0], rest[1], rest[2], 0})
		size := int(block >> 3)
		if block>>1&3 == 1 { // a byte that is repeated
			size = 1
		}
		if last = block&1 == 1; len(rest) < 3+size {
			return h, io.ErrUnexpectedEOF
		}
		rest = rest[3+size:]
	}
	if h.HasCheckSum {
		rest = rest[min(4, len(rest)):]
	}
	if len(rest) > 0 {
		return h, errors.New("data behind the frame")
	}
	return h, nil
}

package sigstore

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
)

// sequence reads the elements of a DER SEQUENCE one after the other, all of them: encoding/asn1 passes over what
// follows the members of a struct. Its first error stays.
type sequence struct {
	name string
	rest []asn1.RawValue
	err  error
}

func readSequence(name string, der []byte) (*sequence, error) {
	var v asn1.RawValue
	if err := exactly(asn1.RawValue{FullBytes: der}, &v); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if v.Class != asn1.ClassUniversal || v.Tag != asn1.TagSequence || !v.IsCompound {
		return nil, fmt.Errorf("%s: %w", name, errDER)
	}
	all, err := elements(v.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &sequence{name: name, rest: all}, nil
}

var errDER = errors.New("is missing or not DER as the standard has it")

// elements are the DER values in a text, which they fill.
func elements(der []byte) ([]asn1.RawValue, error) {
	var all []asn1.RawValue
	for len(der) > 0 {
		var v asn1.RawValue
		rest, err := asn1.Unmarshal(der, &v)
		if err != nil {
			return nil, errDER
		}
		all, der = append(all, v), rest
	}
	return all, nil
}

// exactly decodes one value, which is all of the text.
func exactly(v asn1.RawValue, into any) error {
	if rest, err := asn1.Unmarshal(v.FullBytes, into); err != nil || len(rest) > 0 {
		return errDER
	}
	return nil
}

// next is the next element if it is of that class, tag and form.
func (s *sequence) next(class, tag int, constructed bool) (asn1.RawValue, bool) {
	if s.err != nil || len(s.rest) == 0 {
		return asn1.RawValue{}, false
	}
	v := s.rest[0]
	if v.Class != class || v.Tag != tag || v.IsCompound != constructed {
		return asn1.RawValue{}, false
	}
	s.rest = s.rest[1:]
	return v, true
}

// optional is the next element if it has that tag. DER constructs sequences and sets, and so what they are, or are in, under a tag
// of the context; readAccuracy has the only other ones.
func (s *sequence) optional(class, tag int) (asn1.RawValue, bool) {
	return s.next(class, tag, class == asn1.ClassContextSpecific || tag == asn1.TagSequence || tag == asn1.TagSet)
}

// skip is the next element, which must have that tag.
func (s *sequence) skip(name string, tag int) asn1.RawValue {
	v, ok := s.optional(asn1.ClassUniversal, tag)
	if !ok && s.err == nil {
		s.err = fmt.Errorf("%s: %s: %w", s.name, name, errDER)
	}
	return v
}

// take decodes the next element, which must have that tag.
func (s *sequence) take(name string, tag int, into any) {
	v := s.skip(name, tag)
	if s.err == nil && exactly(v, into) != nil {
		s.err = fmt.Errorf("%s: %s: %w", s.name, name, errDER)
	}
}

// sequence opens the next element; what is wrong with it is an error of its own end.
func (s *sequence) sequence(name string) *sequence {
	v := s.skip(name, asn1.TagSequence)
	if s.err != nil {
		return &sequence{name: name, err: s.err}
	}
	inner, err := readSequence(name, v.FullBytes)
	if err != nil {
		s.err = err
		return &sequence{name: name, err: err}
	}
	return inner
}

func (s *sequence) algorithm(name string) pkix.AlgorithmIdentifier {
	var a pkix.AlgorithmIdentifier
	inner := s.sequence(name)
	inner.take("the algorithm", asn1.TagOID, &a.Algorithm)
	if inner.err == nil && len(inner.rest) > 0 {
		a.Parameters, inner.rest = inner.rest[0], inner.rest[1:]
	}
	if err := inner.end(); s.err == nil {
		s.err = err
	}
	return a
}

// end wants nothing to follow.
func (s *sequence) end() error {
	if s.err == nil && len(s.rest) > 0 {
		s.err = fmt.Errorf("%s: something follows that the standard does not have", s.name)
	}
	return s.err
}

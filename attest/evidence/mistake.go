package evidence

import "github.com/runattest/runattest/signer"

// Mistake is how a key has signed an envelope where its signature is not over Message. It proves nothing.
type Mistake struct {
	Key    *signer.PublicKey // nil where there is none
	Over   string            // what was signed, in the words of Mistaken
	Scheme string            // in which scheme, where it is not the key's own
}

// FindMistake finds which of the keys has signed one of Mistaken in place of Message. Each is tried in its own scheme first; then
// the first inOthers of them are tried in other schemes, which takes about eight times the work. All of it is counted in e.Work.
func (e Envelope) FindMistake(keys []*signer.PublicKey, inOthers int) Mistake {
	type tried struct {
		over    string
		schemes *signer.Schemes
	}
	var all []tried
	for over, message := range e.Mistaken() {
		if e.Work.Exhausted() { // each further answer is no
			return Mistake{}
		}
		schemes := e.Work.Over(message)
		for _, k := range keys {
			if schemes.Verify(k, e.Signature) == nil {
				return Mistake{Key: k, Over: over}
			}
		}
		if inOthers > 0 {
			all = append(all, tried{over, schemes})
		}
	}
	for _, t := range all {
		for _, k := range keys[:min(len(keys), inOthers)] {
			if scheme := t.schemes.Of(k, e.Signature); scheme != "" {
				return Mistake{k, t.over, scheme}
			}
		}
	}
	return Mistake{}
}

// Check is the check of a signature that was made so, by the key of that name.
func (m Mistake) Check(by string) Check {
	if m.Scheme == "" {
		return Failed(CheckSignature, CodeSignatureScheme, "by %s, but over %s; want it over DSSE's PAE of payload type and payload", by, m.Over).
			WithHint("sign the pre-authentication encoding (PAE) that DSSE defines, as runattest and DSSE libraries do")
	}
	want := m.Key.Scheme()
	return Failed(CheckSignature, CodeSignatureScheme, "by %s, but as %s and over %s; want %s over DSSE's PAE of payload type and payload", by, m.Scheme, m.Over, want).
		WithHint(Hint("sign with runattest, or with another program the pre-authentication encoding (PAE) that DSSE defines, as " + want))
}

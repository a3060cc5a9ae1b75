package signer

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
)

// readBlock finds the one key in PEM text. Text around the block, the parameters of a curve that openssl writes before a
// key, and certificates beside a private key are passed over.
func readBlock(want string, data []byte) (*pem.Block, error) {
	text := bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // as Windows begins UTF-8 text
	text = bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	var keys, others []*pem.Block
	begun := bytes.Count(text, []byte("-----BEGIN "))
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		begun--
		switch {
		case isPrivate(block.Type) || isPublic(block.Type) || want == wantPublic && !isParameters(block.Type):
			keys = append(keys, block)
		default:
			others = append(others, block)
		}
	}
	switch {
	case len(keys) == 0 && len(others) == 0 || begun != 0:
		return nil, unreadable(want, data)
	case len(keys) > 1 && slices.ContainsFunc(keys, isKey): // a chain of certificates is named below
		found := fmt.Sprintf("more than one PEM block in one file: %s; want one key", types(keys))
		return nil, plainly(data, finding{found, extract(want, keys)}).err(want)
	case len(keys) == 0:
		keys = others
	}
	switch block := keys[0]; {
	case want == wantPublic && isPublic(block.Type), want == wantPrivate && readable(block.Type):
		return block, nil
	default:
		return nil, plainly(data, recognizeBlock(want, block)).err(want)
	}
}

// extract takes the one key of the kind that is wanted out of several blocks.
func extract(want string, blocks []*pem.Block) way {
	private := slices.DeleteFunc(slices.Clone(blocks), func(b *pem.Block) bool { return !isPrivate(b.Type) })
	public := slices.DeleteFunc(slices.Clone(blocks), func(b *pem.Block) bool { return !isPublic(b.Type) })
	block := func(kind string) way {
		return writing("awk '/-----BEGIN " + kind + "-----/,/-----END /' FILE")
	}
	switch {
	case want == wantPrivate && len(private) == 1:
		return block("[A-Z0-9 ]*PRIVATE KEY")
	case want == wantPublic && len(public) == 1:
		return block("(RSA )?PUBLIC KEY")
	case want == wantPublic && len(public) == 0 && len(private) == 1:
		return publicOf
	}
	return way{text: "put each key in a file of its own, and name one of them"}
}

func types(blocks []*pem.Block) string {
	var names []string
	for i, b := range blocks {
		if i == 3 {
			names = append(names, "...")
			break
		}
		names = append(names, strings.ToValidUTF8(b.Type, "?"))
	}
	return strings.Join(names, ", ")
}

func isKey(b *pem.Block) bool         { return isPrivate(b.Type) || isPublic(b.Type) }
func isPrivate(blockType string) bool { return strings.HasSuffix(blockType, "PRIVATE KEY") }
func isPublic(blockType string) bool {
	return blockType == "PUBLIC KEY" || blockType == "RSA PUBLIC KEY"
}
func isParameters(blockType string) bool { return strings.HasSuffix(blockType, " PARAMETERS") }

// readable are the types of private keys that Parse reads.
func readable(blockType string) bool {
	switch blockType {
	case pkcs8Type, sec1Type, pkcs1Type, pbes2Type, sigstoreType, cosignType:
		return true
	}
	return false
}

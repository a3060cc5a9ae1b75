// Package canonical turns JSON text into its canonical form, the JSON Canonicalization
// Scheme of RFC 8785. Two texts have the same form exactly if they hold the same
// value, so the form can be hashed, signed and compared byte by byte. Start with
// [Transform]; [Append] does the same without allocating; [Options] add limits and exact
// numbers.
//
// # What is accepted
//
// One JSON value (RFC 8259) that is also I-JSON (RFC 7493), in UTF-8, with white space on
// either side. Refused, each with a [Code] of its own: a byte order mark; invalid UTF-8;
// the escape of half a surrogate pair; two members of one object with one name, compared
// after unescaping; a number that rounds to infinity; anything after the value; nesting
// beyond a limit. Noncharacters such as U+FFFF are accepted. Unicode is not normalised:
// a letter with an accent and a letter followed by a combining accent are different texts.
//
// # The form
//
//   - No white space between tokens.
//   - Members in the order of their names, compared as sequences of UTF-16 code units.
//     That is the order of the UTF-8 bytes with one exception: characters beyond U+FFFF
//     come before U+E000 to U+FFFF, because their first code unit is D800 to DBFF. [Compare]
//     implements this order.
//   - Strings in UTF-8 with as few escapes as possible: \" and \\, \b \t \n \f \r, and
//     \u00xx in lower case for the other characters below U+0020. A slash, DEL and all
//     characters beyond ASCII stand for themselves.
//   - Numbers as ECMAScript writes the nearest double: the fewest digits that tell it from
//     all other doubles, without an exponent from 1e-6 up to below 1e21, otherwise with
//     one digit before the point and a signed exponent. 1.0 is 1, 1E30 is 1e+30, -0 is 0,
//     1e-400 is 0.
//   - true, false and null as they are; the elements of arrays in their order.
//
// # An example
//
// The text
//
//	{
//	  "model": {"name": "r\u00e9sum\u00e9-7b", "digest": {"sha256": "2b18"}},
//	  "kind": "inference",
//	  "parameters": {"temperature": 7.0e-1, "seed": 42, "stop": ["\u000a"]}
//	}
//
// has the following form, in one line without a newline at its end:
//
//	{"kind":"inference","model":{"digest":{"sha256":"2b18"},"name":"résumé-7b"},"parameters":{"seed":42,"stop":["\n"],"temperature":0.7}}
//
// The SHA-256 of that form is
//
//	e58e677806e872e55cf2ccd4780c0f1755c88b2107927e6f5b92496b0037dc6a
//
// # Exact numbers
//
// RFC 8785 rounds. 9007199254740993 and 9007199254740992 have one form, as have all
// numbers below 1e-324 and zero: a signature over the form of one is a signature over the
// other too.
// With [Options].ExactNumbers a number is refused unless its decimal value equals that of
// its form, read as a decimal. The spelling does not matter (1.0, 4.50, 1e-05 and 1E30
// pass), the value does: 2^64 is a double, but its form is 18446744073709552000, which is
// a different number, so 18446744073709551616 is refused. Under this rule two accepted
// texts with the same form differ only in spelling, white space and member order. Numbers that need more
// digits belong in strings.
//
// # Errors
//
// Every error about a text is an [*Error] that gives the broken rule, the byte offset,
// and the value as a JSON Pointer (RFC 6901). It is the first error in the text, with one
// exception: where names are out of order, a duplicate is found only at the end of its
// object, so an error between the duplicate and that end is reported instead.
//
// # Cost
//
// Time grows with the length of the text, and with n log n of the members of one object;
// neither long numbers nor chosen names make that worse. Nesting uses no goroutine stack.
// Besides the result, a call needs a few words of memory for each member of the objects
// that are open at one time or out of order, and a copy of the text if anything in it has
// to be removed or respelled. Later calls use this memory again. The package imports only
// the standard library, and its results do not depend on locale, platform or version.
package canonical

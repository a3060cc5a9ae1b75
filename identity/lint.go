package identity

import (
	"slices"
	"strconv"
	"strings"

	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/secrets"
	"github.com/runattest/runattest/internal/yamljson"
)

// The reasons for a warning.
const (
	CodeVolatile  Code = "volatile"       // a reference whose content may change
	CodeExecution Code = "execution-fact" // something that only an execution produces
	CodeDefault   Code = "open-default"   // a well-known default is left to the executor
	CodeNFC       Code = "not-nfc"        // text that is not in Unicode normalisation form C
	CodeBidi      Code = "bidi"           // characters that change the direction of text
	CodeInvisible Code = "invisible"      // characters that are not visible
	CodeLookAlike Code = "look-alike"     // a name that mixes scripts, or letters that look like ASCII

	CodeYAMLVersion Code = "yaml-version" // a plain scalar that other readers of YAML take for something else
	CodeSecret      Code = "secret"       // what looks like a password, key or token
)

// Lint lists what makes JSON text invalid as a declaration, and what makes it volatile or ambiguous, in the
// order of the text. An empty list says that there is nothing.
func Lint(data []byte) []Problem { return lint(surveyJSON(data), nil) }

// LintYAML is Lint for a declaration written as YAML.
func LintYAML(data []byte) []Problem {
	doc, found := yamljson.Read(data, "declaration", yamlLimits)
	var ambiguous []Problem
	if doc != nil {
		ambiguous = ambiguities(doc)
	}
	if isJSON(data) {
		return lint(surveyJSON(data), ambiguous)
	}
	return lint(surveyYAML(data, doc, found), ambiguous)
}

// ambiguities are the warnings about scalars that other readers of YAML take for something else.
func ambiguities(doc *yamljson.Document) []Problem {
	var warnings []Problem
	for _, f := range doc.Ambiguous() {
		warnings = append(warnings, Problem{
			Severity: Warning, Code: CodeYAMLVersion, Pointer: f.Pointer, Line: f.Line, Column: f.Column, Message: f.Message, Hint: f.Hint,
		})
	}
	return warnings
}

func lint(s *survey, more []Problem) []Problem {
	if s.root.Kind() == jsontree.Absent { // not a declaration, or not to be read
		return s.problems
	}
	l := &linter{kind: Kind(s.root.Get("kind").Text())}
	l.declaration(s.root)
	all := slices.Clone(s.problems)
	for _, p := range l.problems {
		if !s.isReplaced(p.Pointer) {
			p.Offset, p.Line, p.Column = s.locate(p.Pointer)
			all = append(all, p)
		}
	}
	all = append(all, more...)
	sortByPlace(all)
	return all
}

// linter walks a declaration; one that is invalid has what it has.
type linter struct {
	checker
	kind    Kind
	isBelow bool // a name that is a credential's
}

func (l *linter) warn(code Code, message, hint string) {
	l.add(Problem{Severity: Warning, Code: code, Message: message, Hint: hint})
}

func (l *linter) declaration(root jsontree.Value) {
	for name, v := range root.Members() {
		l.member(name)
		l.strings(v)
		switch string(name) {
		case "model":
			l.model(v)
		case "parameters":
			l.execution(v)
			l.defaults(v)
		case "constraints", "extensions":
			l.execution(v)
		case "context":
			l.resources(v)
		}
		l.back()
	}
}

func (l *linter) model(v jsontree.Value) {
	if !hasAny(v, "digest", "version") && !anyDigest(v.Get("components")) {
		l.warn(CodeVolatile, "the model has neither a digest nor a version", "add model.digest, or model.version as the provider names it")
	}
	l.reference(v)
	if components := v.Get("components"); components.Kind() == jsontree.Array {
		l.member([]byte("components"))
		l.resources(components)
		l.back()
	}
}

func anyDigest(components jsontree.Value) bool {
	for _, c := range components.Elements() {
		if hasAny(c, "digest") {
			return true
		}
	}
	return false
}

func (l *linter) resources(v jsontree.Value) {
	for i, r := range v.Elements() {
		l.element(i)
		if hasAny(r, "uri") && !hasAny(r, "digest", "content", "version") {
			l.warn(CodeVolatile, "only a URI names the content, which may change behind it", "add digest (sha256sum FILE), or version")
		}
		l.reference(r)
		l.back()
	}
}

// movingNames are versions, tags and branches that mean another content tomorrow.
var movingNames = []string{"latest", "stable", "main", "master", "head", "trunk", "dev", "develop", "nightly", "edge", "current", "default"}

// reference warns of a version or URI that names something that moves, unless a digest pins it.
func (l *linter) reference(v jsontree.Value) {
	if hasAny(v, "digest") {
		return
	}
	for _, name := range []string{"version", "uri", "name"} {
		s := v.Get(name).Text()
		moving := slices.Contains(movingNames, strings.ToLower(s))
		if name != "version" {
			moving = endsMoving(s)
		}
		if s != "" && moving {
			l.member([]byte(name))
			shown := strconv.Quote(s)
			if secrets.In(s) != "" {
				shown = "it"
			}
			l.warn(CodeVolatile, shown+" may name another content tomorrow", "add a digest, or name a fixed version")
			l.back()
		}
	}
}

// endsMoving tells `repo:latest`, `repo@main`, `.../tree/main`, `.../resolve/main/file`.
func endsMoving(s string) bool {
	s = strings.ToLower(s)
	for _, name := range movingNames {
		if strings.HasSuffix(s, ":"+name) || strings.HasSuffix(s, "@"+name) || strings.HasSuffix(s, "-"+name) && name == "latest" {
			return true
		}
		for _, folder := range []string{"tree", "blob", "resolve", "raw", "refs/heads"} {
			if strings.HasSuffix(s, "/"+folder+"/"+name) || strings.Contains(s, "/"+folder+"/"+name+"/") {
				return true
			}
		}
	}
	return false
}

// executionFacts are names, without case and separators, of what only an execution can know.
var executionFacts = map[string]bool{
	"output": true, "outputs": true, "completion": true, "usage": true, "log": true, "logs": true,
	"traceid": true, "spanid": true, "requestid": true, "responseid": true, "startedat": true, "endedat": true, "finishedat": true,
	"createdat": true, "timestamp": true, "starttime": true, "endtime": true, "duration": true, "durationms": true,
	"latency": true, "latencyms": true, "elapsed": true, "host": true, "hostname": true, "pid": true, "exitcode": true,
	"finishreason": true, "systemfingerprint": true, "jobid": true, "runid": true,
}

// execution warns of execution facts anywhere in an open object.
func (l *linter) execution(v jsontree.Value) {
	for name, m := range v.Members() {
		l.member(name)
		if executionFacts[plainName(string(name))] {
			l.warn(CodeExecution, "looks like something that only the execution can know, and would give each execution its own identity", "leave it out, or put it in an annotation when signing")
		}
		l.execution(m)
		l.back()
	}
	for i, e := range v.Elements() {
		l.element(i)
		l.execution(e)
		l.back()
	}
}

// plainName is a name without case and separators: max_tokens and maxTokens are one.
func plainName(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == '.' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(s))
}

// samplingDefaults are parameters that every serving stack fills in differently when a
// declaration is silent, each with its spellings.
var samplingDefaults = []struct {
	name    string
	why     string
	spelt   []string
	sampled bool // no matter once sampling is off
}{
	{"temperature", "providers default to 1, 0.7 or the model's own", []string{"temperature", "dosample"}, false},
	{"maxTokens", "vLLM stops at 16 tokens, others at the model's limit", []string{"maxtokens", "maxnewtokens", "maxcompletiontokens", "maxoutputtokens", "maxgentoks", "numpredict", "maxlength", "maxturns", "maxsteps"}, false},
	{"seed", "without one each execution samples differently", []string{"seed", "randomseed", "samplingseed"}, true},
}

func (l *linter) defaults(parameters jsontree.Value) {
	if l.kind != Inference && l.kind != Agent {
		return
	}
	if hasAny(parameters, "numInferenceSteps", "num_inference_steps") {
		return // diffusion: no tokens, no temperature
	}
	found := map[string]jsontree.Value{}
	collectNames(parameters, found)
	temperature, ok := found["temperature"]
	greedy := ok && string(temperature.Raw()) == "0"
	for _, d := range samplingDefaults {
		stated := slices.ContainsFunc(d.spelt, func(s string) bool { _, ok := found[s]; return ok })
		if matters := !d.sampled || !greedy; matters && !stated {
			l.warn(CodeDefault, d.name+" is left to the executor: "+d.why, "state the value that the run will use")
		}
	}
}

// collectNames notes each member's value under its plain name, however deep it stands.
func collectNames(v jsontree.Value, found map[string]jsontree.Value) {
	for name, m := range v.Members() {
		found[plainName(string(name))] = m
		collectNames(m, found)
	}
}

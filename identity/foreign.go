package identity

import (
	"strings"

	"github.com/runattest/runattest/internal/jsontree"
)

// Files of other kinds are named for what they are, in one problem, rather than held against the schema.

const notDeclaration = "not a declaration: "

const foreignHint = `a declaration has "schema": "` + Schema + `", kind, model, prompt, parameters, context and constraints`

// foreign is the only problem of a value that is not a declaration at all.
func foreign(root jsontree.Value) (Problem, bool) {
	p := Problem{Severity: Error, Code: CodeRequired, Pointer: "/schema", Hint: foreignHint}
	if root.Kind() != jsontree.Object {
		p.Code, p.Pointer = CodeType, ""
		p.Message = notDeclaration + "it is of type " + root.Kind().String() + ", want an object"
		switch text := strings.TrimSpace(root.Text()); {
		case root.Kind() == jsontree.Array && isList(root):
			p.Message = notDeclaration + "it is a list of objects, want one object"
			p.Hint = "write the declarations as JSON in a .jsonl file, each on one line, without the brackets and commas of the list"
		case strings.HasPrefix(text, "{"):
			p.Message = notDeclaration + "it is a string that holds an object, want the object"
			p.Hint = "take the object out of the string; in JSON: jq -r . FILE > NEW"
		}
		return p, true
	}
	schema := root.Get("schema")
	if schema.Kind() != jsontree.Absent {
		p.Code = CodeValue
	}
	switch version, ours := strings.CutPrefix(schema.Text(), schemaFamily); {
	case schema.Text() == Schema || isMeant(root) && !ours:
		return p, false
	case ours && isVersion(version):
		p.Message = notDeclaration + "it is one of version " + version + ", want v1"
	default:
		p.Message = notDeclaration + "it looks like " + likeness(root)
	}
	return p, true
}

// isList tells a list of objects that are meant as declarations.
func isList(root jsontree.Value) bool {
	for _, e := range root.Elements() {
		if e.Kind() != jsontree.Object || !isMeant(e) {
			return false
		}
	}
	return root.Len() > 0
}

const schemaFamily = "https://github.com/runattest/runattest/declaration/"

func isVersion(s string) bool {
	return len(s) > 1 && len(s) < 8 && s[0] == 'v' && allBytes(s[1:], func(c byte) bool { return c >= '0' && c <= '9' })
}

// isMeant tells an object that is meant as a declaration, although its schema is missing or misspelt.
func isMeant(root jsontree.Value) bool {
	if strings.Contains(root.Get("schema").Text(), "/declaration") {
		return true
	}
	switch Kind(root.Get("kind").Text()) {
	case Inference, Agent, Training, Evaluation, Batch, Other:
		return true
	}
	known := 0
	if hasAny(root.Get("model"), "name") {
		known++
	}
	for _, name := range declarationMembers.required {
		if name != "schema" && hasAny(root, name) {
			known++
		}
	}
	return known >= 3
}

// likenesses are kinds of files by members that they have: all of one list. The first that fits counts.
var likenesses = []struct {
	what    string
	members []string
}{
	{"a Sigstore bundle", []string{"mediaType", "verificationMaterial"}},
	{"a DSSE envelope", []string{"payload", "payloadType"}},
	{"an in-toto statement", []string{"_type", "predicateType"}},
	{"a Sigstore trusted root", []string{"mediaType", "tlogs"}},
	{"a Sigstore signing configuration", []string{"mediaType", "rekorTlogUrls"}},
	{"cases of a policy", []string{"policy", "cases"}},
	{"a policy", []string{"signers"}},
	{"an axolotl configuration", []string{"base_model", "datasets"}},
	{"a fine-tuning configuration", []string{"base_model"}},
	{"a training configuration", []string{"model_name_or_path"}},
	{"training arguments", []string{"output_dir", "learning_rate"}},
	{"a request to a model API", []string{"model", "messages"}},
	{"a request to a model API", []string{"model", "input"}},
	{"a request to a model API", []string{"contents", "generationConfig"}},
	{"a request to a model API", []string{"contents"}},
	{"a request to a model API", []string{"anthropic_version", "messages"}},
	{"a request to a model API", []string{"messages"}},
	{"a line of an API's batch file", []string{"custom_id", "body"}},
	{"a request to a completion API", []string{"model", "prompt"}},
	{"an answer of a model API", []string{"choices"}},
	{"a model's configuration", []string{"model_type"}},
	{"a model's configuration", []string{"architectures"}},
	{"a generation configuration", []string{"transformers_version"}},
	{"a tokenizer", []string{"tokenizer_class"}},
	{"an adapter's configuration", []string{"peft_type"}},
	{"a JSON Schema", []string{"$schema", "type"}},
	{"an OCI image manifest or index", []string{"schemaVersion", "mediaType"}},
	{"an OCI image manifest or index", []string{"schemaVersion", "manifests"}},
	{"a CycloneDX SBOM", []string{"bomFormat"}},
	{"an SPDX SBOM", []string{"spdxVersion"}},
	{"a Kubernetes object", []string{"apiVersion", "kind"}},
	{"a GitHub workflow", []string{"jobs"}},
	{"a compose file", []string{"services"}},
	{"a notebook", []string{"nbformat", "cells"}},
	{"a conda environment", []string{"channels", "dependencies"}},
	{"a package.json", []string{"name", "dependencies"}},
	{"a package.json", []string{"name", "devDependencies"}},
	{"a package.json", []string{"name", "scripts"}},
	{"a package.json", []string{"name", "version", "main"}},
	{"a JSON Web Key", []string{"kty"}},
}

// schemas are the kinds of files that have a schema of ours, as package input calls them.
var schemas = map[string]string{
	"policy": "a policy", "policy-cases": "cases of a policy", "gateway": "a gateway configuration", "run-set": "a run set",
}

// likeness says what an object looks like, by its members' names alone.
func likeness(root jsontree.Value) string {
	if family, ours := strings.CutPrefix(root.Get("schema").Text(), "https://github.com/runattest/runattest/"); ours {
		if family, _, _ = strings.Cut(family, "/"); schemas[family] != "" {
			return schemas[family]
		}
	}
	for _, l := range likenesses {
		all := true
		for _, name := range l.members {
			all = all && hasAny(root, name)
		}
		if all {
			return l.what + " (" + strings.Join(l.members, ", ") + ")"
		}
	}
	var names []string
	for name := range root.Members() {
		if len(names) == 5 {
			names = append(names, "and more")
			break
		}
		names = append(names, printable(string(name[:min(len(name), 40)])))
	}
	if len(names) == 0 {
		return "an empty object"
	}
	return "another kind of file, with the members " + strings.Join(names, ", ")
}

// IsForeign tells the problem of a text that is of another kind, and not meant as a declaration.
func (p Problem) IsForeign() bool { return strings.HasPrefix(p.Message, notDeclaration) }

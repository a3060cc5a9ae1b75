package rules

import (
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/env"
	"github.com/google/cel-go/common/types"

	"github.com/runattest/runattest/internal/limits"
)

// The variables that rules see.
const (
	varDeclaration = "declaration"
	varRun         = "run"
	varSigner      = "signer"
	varTime        = "time"
	varAnnotations = "annotations"
	varApprovals   = "approvals"
	varAncestors   = "ancestors"
	varOpen        = "open"
	varNow         = "now"
)

// objects are the types that have named members; a member that is not here is an error when
// a policy is loaded. A test holds those of declarations to the declaration's JSON Schema.
var objects = sync.OnceValue(func() map[string]map[string]*types.Type {
	return map[string]map[string]*types.Type{
		"Declaration": {
			"schema": cel.StringType, "kind": cel.StringType, "model": object("Model"), "prompt": object("Prompt"),
			"parameters": openType, "context": cel.ListType(object("Resource")), "constraints": openType,
			"parents": cel.ListType(cel.StringType), "extensions": openType,
		},
		"Model": {
			"name": cel.StringType, "provider": cel.StringType, "version": cel.StringType, "uri": cel.StringType,
			"digest": object("Digest"), "components": cel.ListType(object("Resource")),
		},
		"Prompt": {
			"messages": cel.ListType(openType), "text": cel.StringType, "digest": object("Digest"),
			"size": cel.IntType, "mediaType": cel.StringType,
		},
		"Resource": {
			"role": cel.StringType, "name": cel.StringType, "digest": object("Digest"), "content": cel.DynType,
			"uri": cel.StringType, "size": cel.IntType, "mediaType": cel.StringType, "version": cel.StringType,
		},
		"Digest": {"sha256": cel.StringType, "sha384": cel.StringType, "sha512": cel.StringType},
		"Run":    {"id": cel.StringType, "kind": cel.StringType, "parents": cel.ListType(cel.StringType)},
		"Signer": {"kind": cel.StringType, "name": cel.StringType, "issuer": cel.StringType, "algorithm": cel.StringType},
		"Time": {
			"verified": cel.BoolType, "earliest": cel.TimestampType, "latest": cel.TimestampType,
			"timestamps": cel.ListType(object("Timestamp")),
		},
		"Timestamp": {"kind": cel.StringType, "authority": cel.StringType, "time": cel.TimestampType, "accuracy": cel.DurationType},
		"Ancestor": {
			"id": cel.StringType, "kind": cel.StringType, "parents": cel.ListType(cel.StringType), "signers": cel.ListType(object("Signer")),
			"approved": cel.BoolType, "approvals": cel.ListType(object("Approval")), "declaredBy": cel.TimestampType,
		},
		"Opening": {"pointer": cel.StringType, "hides": cel.ListType(cel.StringType), "unknown": cel.BoolType, "name": cel.StringType},
		"Approval": {
			"approver": cel.StringType, "role": cel.StringType, "decision": cel.StringType, "reason": cel.StringType,
			"conditions": cel.ListType(cel.StringType), "expires": cel.TimestampType, "time": cel.TimestampType,
		},
	}
})

var openType = cel.MapType(cel.StringType, cel.DynType)

func object(name string) *types.Type { return types.NewObjectType(name) }

// provider adds the objects to CEL's own types. Their values are maps: presence is a matter
// of what a declaration says, not of zero values.
type provider struct{ types.Provider }

func (p provider) FindStructType(name string) (*types.Type, bool) {
	if _, ok := objects()[name]; ok {
		return types.NewTypeTypeWithParam(object(name)), true
	}
	return p.Provider.FindStructType(name)
}

func (p provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	if fields, ok := objects()[name]; ok {
		t, ok := fields[field]
		return &types.FieldType{Type: t}, ok
	}
	return p.Provider.FindStructFieldType(name, field)
}

// environment is what every rule is checked against. It is made once, when a policy with
// rules is loaded first.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	own := env.NewLibrarySubset().AddExcludedFunctions(env.NewFunction("matches"))
	options := []cel.EnvOption{
		cel.CustomTypeAdapter(registry),
		cel.CustomTypeProvider(registry),
		cel.StdLib(cel.StdLibSubset(own)),
		cel.OptionalTypes(), // adds to the registry, so that ours goes around it afterwards
		cel.CustomTypeProvider(provider{registry}),
		cel.EagerlyValidateDeclarations(true),
		cel.DefaultUTCTimeZone(true),
		cel.CrossTypeNumericComparisons(true),
		cel.EnableErrorOnBadPresenceTest(true),
		cel.EnableMacroCallTracking(), // so that explain writes an expression as its author did
		cel.ParserExpressionSizeLimit(limits.Expression),
		cel.Variable(varDeclaration, object("Declaration")),
		cel.Variable(varRun, object("Run")),
		cel.Variable(varSigner, object("Signer")),
		cel.Variable(varTime, object("Time")),
		cel.Variable(varAnnotations, cel.MapType(cel.StringType, cel.StringType)),
		cel.Variable(varApprovals, cel.ListType(object("Approval"))),
		cel.Variable(varAncestors, cel.ListType(object("Ancestor"))),
		cel.Variable(varOpen, cel.ListType(object("Opening"))),
		cel.Variable(varNow, cel.TimestampType),
	}
	return cel.NewCustomEnv(append(options, functions()...)...)
})

// programOptions bound what evaluating an expression can cost.
func programOptions(more ...cel.ProgramOption) []cel.ProgramOption {
	return append([]cel.ProgramOption{
		cel.InterruptCheckFrequency(100),
		cel.OptimizeRegex(matchesConstant),
		cel.CustomDecoratorV2(meterAttributes),
	}, more...)
}

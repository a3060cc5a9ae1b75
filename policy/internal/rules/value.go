package rules

import (
	"math"
	"slices"
	"strconv"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	"github.com/runattest/runattest/internal/jsontree"
)

// valueOf is a JSON value as rules see it. A number is an int where it is integral and an
// int64 holds it, a double otherwise: 1, 1.0 and 1e3 are ints, 0.5 and 1e30 doubles.
func valueOf(v jsontree.Value) ref.Val {
	switch v.Kind() {
	case jsontree.Object:
		members := map[string]any{}
		for name, m := range v.Members() {
			members[string(name)] = valueOf(m)
		}
		return newObject(members)
	case jsontree.Array:
		elements, n := []ref.Val{}, uint64(1)
		for _, e := range v.Elements() {
			element := valueOf(e)
			elements, n = append(elements, element), n+weight(element)
		}
		return &array{types.NewRefValList(types.DefaultTypeAdapter, elements), n}
	case jsontree.String:
		return types.String(v.Text())
	case jsontree.Number:
		return numberOf(string(v.Raw()))
	case jsontree.Bool:
		return types.Bool(string(v.Raw()) == "true")
	}
	return types.NullValue
}

func numberOf(literal string) ref.Val {
	if n, err := strconv.ParseInt(literal, 10, 64); err == nil {
		return types.Int(n)
	}
	f, err := strconv.ParseFloat(literal, 64)
	if err != nil {
		return types.Double(math.NaN()) // canonical wrote the literal: unreachable, and equal to nothing
	}
	return types.Double(f)
}

// ordered is a map whose keys come in the order of their bytes, so that a rule says the same each time.
type ordered struct {
	traits.Mapper
	keys   []ref.Val
	weight uint64
	label  string // what people know it by, instead of its members
}

// array is a list that knows its weight.
type array struct {
	traits.Lister
	weight uint64
}

func newArray(elements []ref.Val) *array {
	n := uint64(1)
	for _, e := range elements {
		n += weight(e)
	}
	return &array{types.NewRefValList(types.DefaultTypeAdapter, elements), n}
}

func newObject(members map[string]any) *ordered {
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names)
	o := &ordered{Mapper: types.NewStringInterfaceMap(types.DefaultTypeAdapter, members), weight: 1}
	for _, name := range names {
		key := types.String(name)
		o.keys = append(o.keys, key)
		o.weight += weight(key) + weight(types.DefaultTypeAdapter.NativeToValue(members[name]))
	}
	return o
}

// Iterator gives the keys in order.
func (o *ordered) Iterator() traits.Iterator {
	return types.NewRefValList(types.DefaultTypeAdapter, o.keys).Iterator()
}

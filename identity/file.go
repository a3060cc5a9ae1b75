package identity

import (
	"fmt"

	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/yamljson"
)

// ParseFile reads the one declaration in a file. It is YAML where the name ends in .yaml or .yml, JSON where it ends in
// .json, and otherwise JSON if it begins with a brace. The error names the file, and wraps an *InvalidError where the
// content is at fault.
func ParseFile(path string) (*Declaration, error) {
	data, err := boundedfile.Read(path, limits.Declaration)
	if err != nil {
		return nil, err
	}
	parse := Parse
	if yamljson.IsYAML(path, data) {
		parse = ParseYAML
	}
	d, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

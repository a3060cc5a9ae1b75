package capture

// tables are all that this package has, in the order of their names.
var tables = []*table{&openAIChat1}

func init() {
	for _, t := range tables {
		t.body.prepare()
	}
}

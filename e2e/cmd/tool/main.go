// Command tool installs a program that the end-to-end tests run, in their version, into a folder, and prints its path.
//
//	tool cosign FOLDER
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/runattest/runattest/e2e/internal/tools"
)

func main() {
	if len(os.Args) != 3 || os.Args[1] != tools.Cosign.Name {
		fmt.Fprintln(os.Stderr, "usage: tool cosign FOLDER")
		os.Exit(2)
	}
	path, err := tools.Install(context.Background(), os.Args[2], tools.Cosign)
	if err != nil {
		fmt.Fprintln(os.Stderr, "tool:", err)
		os.Exit(1)
	}
	fmt.Println(path)
}

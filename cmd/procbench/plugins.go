//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// measurePlugins measures what each KMS plugin costs before it does anything: its size, and
// its start as a whole process.
func measurePlugins(files []string) error {
	for _, file := range files {
		file, err := filepath.Abs(file)
		if err != nil {
			return err
		}
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		fmt.Printf("%5.1f MB  ", float64(info.Size())/1e6)
		if _, err := report(".", strings.TrimPrefix(filepath.Base(file), "sigstore-kms-"), "--help", file, "--help"); err != nil {
			return err
		}
	}
	return nil
}

//go:build !linux

package services

import "syscall"

// diesWithParent cannot be had here: a killed test leaves its servers behind.
func diesWithParent() *syscall.SysProcAttr { return nil }

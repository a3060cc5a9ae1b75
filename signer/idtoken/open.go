package idtoken

import (
	"cmp"
	"errors"
	"os"
	"os/exec"
	"runtime"
)

// openBrowser has the system show a page, and does not wait for it. Nothing that the browser
// says goes to standard output, where results go.
func openBrowser(page string) error {
	var cmd *exec.Cmd
	switch runtime.GOOS {
	case "darwin":
		cmd = exec.Command("open", page)
	case "windows":
		cmd = exec.Command("rundll32", "url.dll,FileProtocolHandler", page)
	default:
		// Without any of these xdg-open would start a browser for terminals, in this terminal.
		if cmp.Or(os.Getenv("DISPLAY"), os.Getenv("WAYLAND_DISPLAY"), os.Getenv("BROWSER")) == "" {
			return errors.New("there is no display")
		}
		cmd = exec.Command("xdg-open", page)
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	go cmd.Wait() // what it has to say is on the person's screen
	return nil
}

package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
)

// The names under which this program is a browser: the one that opens it, which programs look for
// on Linux and which has to return at once, and the one that stays.
const (
	openerName  = "xdg-open"
	browserName = "browser"
)

// useBrowser puts a browser on the PATH: this very program.
func (d *desk) useBrowser() {
	d.t.Helper()
	self, err := os.Executable()
	if err != nil {
		d.t.Fatal(err)
	}
	folder := d.t.TempDir()
	if err := os.Symlink(self, filepath.Join(folder, openerName)); err != nil {
		d.t.Fatal(err)
	}
	d.env = append(d.env, "PATH="+folder)
}

// asBrowser opens the page that the command line names, if that is what this program was started for.
func asBrowser() (asked bool, err error) {
	switch filepath.Base(os.Args[0]) {
	case openerName:
		self, err := os.Executable()
		if err != nil {
			return true, err
		}
		cmd := exec.Command(self, os.Args[1:]...)
		cmd.Args[0] = browserName
		return true, cmd.Start()
	case browserName:
		resp, err := http.Get(os.Args[1])
		if err != nil {
			return true, err
		}
		return true, resp.Body.Close()
	}
	return false, nil
}

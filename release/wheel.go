package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// wheelLimit is the largest file that the Python Package Index takes, 100 MB.
const wheelLimit = 100 << 20

// wheelPlatform has the platform tags of a target's wheel. On Linux the program is static, so that one file is for glibc and
// musl; on macOS the floor is that of Go.
func (t target) wheelPlatform() string {
	arch := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[t.arch]
	switch t.os {
	case "linux":
		return "manylinux_2_17_" + arch + ".manylinux2014_" + arch + ".musllinux_1_1_" + arch
	case "darwin":
		return "macosx_12_0_" + map[string]string{"amd64": "x86_64", "arm64": "arm64"}[t.arch]
	default:
		return "win_" + t.arch
	}
}

// wheel is the name of a target's wheel.
func (t target) wheel(r release) string {
	return "runattest-" + r.python() + "-py3-none-" + t.wheelPlatform() + ".whl"
}

// wheel makes the wheel of a program: python/ of the module, with the program as a script.
func (b *building) wheel(ctx context.Context, p *product) ([]byte, error) {
	program := p.programs[0]
	stage, err := os.MkdirTemp(b.shop.dir, "wheel-")
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"pyproject.toml", "hatch_build.py", "README.md", "src"} {
		if err := copyTree(filepath.Join(b.module, "python", name), filepath.Join(stage, name)); err != nil {
			return nil, err
		}
	}
	for name, data := range map[string][]byte{"LICENSE": b.licence, "THIRD_PARTY_LICENSES": p.licences, "sbom.cdx.json": program.sbom} {
		if err := os.WriteFile(filepath.Join(stage, name), data, 0o644); err != nil {
			return nil, err
		}
	}
	r := b.source.release
	cmd := exec.CommandContext(ctx, "python3", "-s", "-m", "hatchling", "build", "-t", "wheel", "-d", filepath.Join(stage, "dist"))
	cmd.Dir = stage
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + b.shop.dir, "PYTHONPATH=" + b.tools.python(), "PYTHONDONTWRITEBYTECODE=1", "PYTHONUTF8=1",
		"SOURCE_DATE_EPOCH=" + strconv.FormatInt(b.source.at.Unix(), 10), "RUNATTEST_VERSION=" + r.python(), "RUNATTEST_RELEASE=" + r.tag,
		"RUNATTEST_PROGRAM=" + program.path, "RUNATTEST_PLATFORM=" + p.wheelPlatform(),
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("wheel for %s: %w\n%s", p.target, err, out)
	}
	found, err := filepath.Glob(filepath.Join(stage, "dist", "*.whl"))
	if err != nil || len(found) != 1 {
		return nil, fmt.Errorf("wheel for %s: hatchling made %q, want one wheel", p.target, found)
	}
	data, err := os.ReadFile(found[0])
	if err != nil {
		return nil, err
	}
	return data, checkWheel(data, r, p.target, program.data)
}

// copyTree copies a file, or a folder without what Python leaves in it. Files of a module cache are read-only; the copies
// can be removed.
func copyTree(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		data, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		return os.WriteFile(to, data, 0o644)
	}
	if err := os.Mkdir(to, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == "__pycache__" {
			continue
		}
		if err := copyTree(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// checkWheel refuses a wheel that is not for this release and target, whose program is not this one, or whose RECORD does not
// list exactly what is in it.
func checkWheel(data []byte, r release, t target, program []byte) error {
	if len(data) > wheelLimit {
		return fmt.Errorf("%s: %d bytes, want at most %d: the index takes none that is larger", t.wheel(r), len(data), wheelLimit)
	}
	files, err := unpackWheel(data)
	if err == nil {
		err = checkWheelFiles(files, r, t, program)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", t.wheel(r), err)
	}
	return nil
}

func checkWheelFiles(files map[string][]byte, r release, t target, program []byte) error {
	name := "runattest-" + r.python()
	script, info := name+".data/scripts/"+t.program(), name+".dist-info/"
	for file := range files {
		if file != script && !strings.HasPrefix(file, "runattest/") && !strings.HasPrefix(file, info) {
			return fmt.Errorf("has a file %q, want only runattest/, %s and %s", file, info, script)
		}
	}
	if err := checkRecord(files, info+"RECORD"); err != nil {
		return err
	}
	if !bytes.Equal(files[script], program) {
		return fmt.Errorf("%s: is not the program of %s", script, command.archive(t, r))
	}
	build := fmt.Sprintf("RELEASE = %q\nVERSION = %q\nNAME = %q\nSHA256 = \"%x\"\n", r.tag, r.python(), t.program(), sha256.Sum256(program))
	if string(files["runattest/_build.py"]) != build {
		return fmt.Errorf("runattest/_build.py: is not about this program and release")
	}
	var tags []string
	for platform := range strings.SplitSeq(t.wheelPlatform(), ".") {
		tags = append(tags, "py3-none-"+platform)
	}
	slices.Sort(tags)
	if got := headers(files[info+"WHEEL"], "Tag"); !slices.Equal(slices.Sorted(slices.Values(got)), tags) {
		return fmt.Errorf("%sWHEEL: has tags %q, want %q", info, got, tags)
	}
	if bytes.Contains(bytes.ToLower(files[info+"METADATA"]), []byte("requires-dist")) {
		return fmt.Errorf("%sMETADATA: has Requires-Dist: the package needs no others", info)
	}
	for header, want := range map[string]string{"Name": "runattest", "Version": r.python()} {
		if got := headers(files[info+"METADATA"], header); len(got) != 1 || got[0] != want {
			return fmt.Errorf("%sMETADATA: %s is %q, want %q", info, header, got, want)
		}
	}
	return nil
}

// headers are the values of a header before the first blank line.
func headers(text []byte, name string) []string {
	var values []string
	for line := range strings.Lines(string(text)) {
		if line == "\n" {
			break
		}
		if value, ok := strings.CutPrefix(line, name+": "); ok {
			values = append(values, strings.TrimSuffix(value, "\n"))
		}
	}
	return values
}

// checkRecord holds the files of a wheel against its RECORD: name, SHA-256 in base64 without padding, size. RECORD lists
// itself without these.
func checkRecord(files map[string][]byte, record string) error {
	rows, err := csv.NewReader(bytes.NewReader(files[record])).ReadAll()
	if err != nil {
		return fmt.Errorf("%s: %w", record, err)
	}
	listed := map[string]bool{}
	for _, row := range rows {
		if len(row) != 3 || listed[row[0]] {
			return fmt.Errorf("%s: line %q: want name, hash and size, once a file", record, row)
		}
		listed[row[0]] = true
		data, there := files[row[0]]
		if !there {
			return fmt.Errorf("%s: lists %q, which is not in the wheel", record, row[0])
		}
		sum := sha256.Sum256(data)
		want := []string{row[0], "sha256=" + base64.RawURLEncoding.EncodeToString(sum[:]), strconv.Itoa(len(data))}
		if row[0] == record {
			want = []string{record, "", ""}
		}
		if !slices.Equal(row, want) {
			return fmt.Errorf("%s: line %q: want %q", record, row, want)
		}
	}
	for name := range files {
		if !listed[name] {
			return fmt.Errorf("%s: does not list %q", record, name)
		}
	}
	return nil
}

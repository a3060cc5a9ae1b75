//go:build linux

// Command gateway-peers measures `runattest gateway` beside other gateways, a plain proxy and a direct call, in one run on one
// machine, and prints the table of docs/gateway.md:
//
//	make bench-gateway-peers    # in the repository's root: installs the peers first
//
// All programs run at once, and all but the one in its turn are stopped (SIGSTOP). Turns are short, many, and in another order each
// round. Other work on the machine is read from /proc/stat: of the turns of each program the half counts in which there was least
// of it. Load generator, gateway and upstream share the cores, so that figures compare with each other and with nothing else.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	var o options
	flag.StringVar(&o.folder, "folder", "", "the `folder` in which the peers are installed")
	flag.StringVar(&o.runattest, "runattest", "", "the `binary` of runattest")
	flag.IntVar(&o.rounds, "rounds", 8, "how many turns each program has")
	flag.DurationVar(&o.turn, "turn", turn, "how long a turn is")
	flag.StringVar(&o.only, "only", "", "measure these programs alone: names with commas between them")
	serve := flag.String("serve", "", "be a server of the measurement: upstream or bare")
	port := flag.Int("port", 0, "the server's `port`")
	to := flag.String("to", "", "the `URL` that the bare proxy forwards to")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	var err error
	switch *serve {
	case "":
		err = run(ctx, o)
	case "upstream":
		err = serveUpstream(*port)
	case "bare":
		err = serveBare(*port, *to)
	default:
		err = fmt.Errorf("-serve %s: want upstream or bare", *serve)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gateway-peers:", err)
		os.Exit(1)
	}
}

// options are what the flags say.
type options struct {
	folder, runattest, only string
	rounds                  int
	turn                    turnTime
}

func run(ctx context.Context, o options) error {
	for _, path := range []*string{&o.folder, &o.runattest} {
		if *path == "" {
			return fmt.Errorf("want -folder and -runattest")
		}
		var err error
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	work, err := os.MkdirTemp("", "gateway-peers-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	targets, failed, stop, err := startAll(ctx, o, work)
	defer stop()
	if err != nil {
		return err
	}
	results, disk, err := measureAll(ctx, o, targets, work)
	if err != nil {
		return err
	}
	printTable(os.Stdout, results, disk, failed)
	return nil
}

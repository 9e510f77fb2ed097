// Command querydb is a little SQL-like database server: the program that
// Freezeframe's documents, tests and dashboards speak of. It serves sessions
// over TCP, runs their queries, holds row locks for their transactions, and
// compacts its tables in the background. With -load it fills itself with an
// exact number of sessions, each in a known position, and holds still.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2

	shutdownGrace = 10 * time.Second
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	cfg, err := parseConfig(args, stderr)
	switch {
	case errors.Is(err, errHelp):
		return exitDone
	case err != nil:
		fmt.Fprintln(stderr, "querydb:", err)
		return exitUsage
	}
	if err := serve(cfg, stdout, log.New(stderr, "querydb: ", 0)); err != nil {
		fmt.Fprintln(stderr, "querydb:", err)
		return exitFailed
	}
	return exitDone
}

// serve runs everything from the first listener to the last goroutine's end.
func serve(cfg *Config, stdout io.Writer, logger *log.Logger) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	srv := newServer(cfg, logger)
	if err := srv.listen(ctx); err != nil {
		return err
	}
	background := startBackground(ctx, cfg, srv)
	load := &Load{cfg: cfg, srv: srv, addr: srv.listener.Addr().String()}
	debug, err := startDebug(cfg, srv, background)
	if err != nil {
		return err
	}
	if cfg.Load {
		if err := load.takePositions(); err != nil {
			return err
		}
	}
	if err := announce(stdout, "ready", readyFields(cfg, srv, debug.Addr())); err != nil {
		return err
	}
	select {
	case <-signals:
	case <-debug.release:
		background.finish()
		ok, failed := load.finish()
		if err := announce(stdout, "released", map[string]any{"ok": ok, "failed": failed}); err != nil {
			return err
		}
	}
	cancel()
	return shutDown(srv, debug, background)
}

func readyFields(cfg *Config, srv *Server, debug net.Addr) map[string]any {
	fields := map[string]any{
		"pid":   os.Getpid(),
		"go":    runtime.Version(),
		"sql":   srv.listener.Addr().String(),
		"debug": debug.String(),
		"load":  cfg.Load,
	}
	if cfg.Load {
		fields["base"] = cfg.Base.Format(time.RFC3339Nano)
		for name, count := range cfg.counts() {
			fields[name] = *count
		}
	}
	return fields
}

// announce prints one line: a word, then a JSON object.
func announce(out io.Writer, word string, fields map[string]any) error {
	text, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s %s\n", word, text)
	return err
}

func shutDown(srv *Server, debug *DebugServer, background *Background) error {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		srv.close()
		background.wait()
		debug.close()
	}()
	select {
	case <-ended:
		return nil
	case <-time.After(shutdownGrace):
		return fmt.Errorf("still running %v after being told to stop", shutdownGrace)
	}
}

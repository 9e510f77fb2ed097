package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"time"
)

// errHelp says that the user asked for the flags and has seen them.
var errHelp = flag.ErrHelp

// Config is the command line, judged.
type Config struct {
	Listen   string
	Debug    string
	SlowLog  time.Duration
	Interval time.Duration

	// Load turns on load mode; the counts say who stands where.
	Load         bool
	Sessions     int
	Blocked      int
	Transactions int
	Idle         int
	Background   int
	Busy         int
	// Base is the moment that the ages of load mode's queries count back from.
	Base time.Time
}

// counts are load mode's numbers by flag name; giving one turns load mode on.
func (c *Config) counts() map[string]*int {
	return map[string]*int{
		"sessions":     &c.Sessions,
		"blocked":      &c.Blocked,
		"transactions": &c.Transactions,
		"idle":         &c.Idle,
		"background":   &c.Background,
		"busy":         &c.Busy,
	}
}

// Holders is how many sessions hold the locks that the blocked ones want.
func (c *Config) Holders() int { return c.Transactions - c.Blocked }

// Readers is how many sessions run a query outside any transaction.
func (c *Config) Readers() int { return c.Sessions - c.Transactions }

func parseConfig(args []string, stderr io.Writer) (*Config, error) {
	cfg := &Config{}
	var base string
	flags := flag.NewFlagSet("querydb", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&cfg.Listen, "listen", "127.0.0.1:5499", "address to serve SQL on (load mode: 127.0.0.1:0)")
	flags.StringVar(&cfg.Debug, "debug", "127.0.0.1:6099", "address to serve /debug on (load mode: 127.0.0.1:0)")
	flags.DurationVar(&cfg.SlowLog, "slow", time.Second, "log queries that took longer")
	flags.DurationVar(&cfg.Interval, "compact-every", 10*time.Second, "pause between two compactions of a table")
	flags.BoolVar(&cfg.Load, "load", false, "load mode: take up exact positions, say \"ready\", hold still")
	flags.IntVar(&cfg.Sessions, "sessions", 23, "load: sessions that run a query")
	flags.IntVar(&cfg.Blocked, "blocked", 7, "load: how many of the sessions wait for a lock of another's transaction")
	flags.IntVar(&cfg.Transactions, "transactions", 13, "load: how many of the sessions are in a transaction, the blocked ones included")
	flags.IntVar(&cfg.Idle, "idle", 5, "load: further sessions that are connected and run nothing")
	flags.IntVar(&cfg.Background, "background", 3, "background compactions")
	flags.IntVar(&cfg.Busy, "busy", 0, "load: background scrubbers that never leave the CPU")
	flags.StringVar(&base, "base", "", "load: RFC 3339 time that query ages count back from (default now)")
	if err := flags.Parse(args); err != nil {
		return nil, usageError(err)
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q; all settings are flags, see -help", flags.Arg(0))
	}
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	return cfg, cfg.settle(given, base)
}

// usageError keeps flag's own text, which flag has printed already with the usage.
func usageError(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return errHelp
	}
	return fmt.Errorf("bad flag: %w", err)
}

// settle fills in what follows from the flags given and refuses what cannot be.
func (c *Config) settle(given map[string]bool, base string) error {
	for name := range c.counts() {
		c.Load = c.Load || (given[name] && name != "background")
	}
	if c.Load && !given["listen"] {
		c.Listen = "127.0.0.1:0"
	}
	if c.Load && !given["debug"] {
		c.Debug = "127.0.0.1:0"
	}
	c.Base = time.Now().Round(0).UTC()
	if base != "" {
		at, err := time.Parse(time.RFC3339Nano, base)
		if err != nil {
			return fmt.Errorf("-base %q is no RFC 3339 time", base)
		}
		c.Base = at.UTC()
	}
	return c.checkCounts()
}

func (c *Config) checkCounts() error {
	for name, count := range c.counts() {
		if *count < 0 {
			return fmt.Errorf("-%s %d is negative", name, *count)
		}
	}
	switch {
	case !c.Load:
		return nil
	case c.Transactions > c.Sessions:
		return fmt.Errorf("-transactions %d exceeds -sessions %d", c.Transactions, c.Sessions)
	case c.Blocked > 0 && c.Holders() < 1:
		return fmt.Errorf("-blocked %d needs -transactions of at least %d: someone must hold the lock",
			c.Blocked, c.Blocked+1)
	case c.Holders() < 0:
		return fmt.Errorf("-blocked %d exceeds -transactions %d", c.Blocked, c.Transactions)
	}
	return nil
}

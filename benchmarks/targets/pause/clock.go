package main

import (
	"runtime"
	"sync/atomic"
	"time"
	_ "unsafe" // go:linkname
)

// nanotime is CLOCK_MONOTONIC, the clock of the agent's own times.
//
//go:linkname nanotime runtime.nanotime
func nanotime() int64

// worthCounting is longer than anything that a thread does to itself between two readings.
const worthCounting = 20_000

type gaps struct{ longest, began, total, ticks atomic.Int64 }

var clock gaps

// run reads the clock on a thread of its own for ever.
func (g *gaps) run() {
	runtime.LockOSThread()
	for last := nanotime(); ; {
		now := nanotime()
		if gap := now - last; gap > worthCounting {
			g.total.Add(gap)
			if gap > g.longest.Load() {
				g.began.Store(last)
				g.longest.Store(gap)
			}
		}
		last = now
		g.ticks.Add(1)
	}
}

// take is the longest gap since the last call, when it began, and the sum of all; of gaps that are over by now.
func (g *gaps) take() (longest, began, total int64) {
	for start := g.ticks.Load(); g.ticks.Load() < start+3; {
		time.Sleep(20 * time.Microsecond)
	}
	longest, began, total = g.longest.Load(), g.began.Load(), g.total.Load()
	g.longest.Store(0)
	g.total.Store(0)
	return
}

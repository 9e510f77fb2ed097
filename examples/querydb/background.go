package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// Segment is one sorted file of a table.
type Segment struct {
	Name   string
	Bytes  int64
	Rows   int32
	Dirty  bool
	MaxKey []byte
}

// CacheStats counts what a compaction reads. A ratio before the first look-up is NaN.
type CacheStats struct {
	Lookups  int64
	Hits     int64
	HitRatio float64
}

// CorruptError says which segment could not be read at the first try.
type CorruptError struct {
	Segment string
	Offset  uint64
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("%s: bad checksum at %d", e.Segment, e.Offset)
}

// MergePolicy decides what a compaction keeps.
type MergePolicy interface{ keep(version int) bool }

// KeepLast keeps the newest versions of a row.
type KeepLast struct{ Versions int }

// keep implements MergePolicy.
func (k KeepLast) keep(version int) bool { return version < k.Versions }

// CompactionJob merges a table's segments into one.
type CompactionJob struct {
	CacheStats
	ID            int
	Table         string
	Level         int8
	Urgent        bool
	Started       time.Time
	Budget        time.Duration
	Progress      float64
	Amplification float32 // bytes written for each byte freed; +Inf while nothing is freed
	Inputs        []Segment
	RowsByRegion  map[string]int
	BytesByLevel  map[int]uint64
	Checksum      uint64
	Watermark     []byte
	Policy        MergePolicy
	LastErr       error
	Written       atomic.Int64
	Pending       chan int // levels to look at next
	OnDone        func(*Segment)
}

// Governor lets background work do so much input and output, counted in
// segments; beyond that it waits until someone opens the gate.
type Governor struct {
	credit atomic.Int64
	open   chan struct{}
}

func newGovernor(credit int64) *Governor {
	g := &Governor{open: make(chan struct{})}
	g.credit.Store(credit)
	return g
}

func (g *Governor) wait(ctx context.Context) error {
	if g.credit.Add(-1) >= 0 {
		return nil
	}
	select {
	case <-g.open:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Compactor merges the segments of one table, again and again.
type Compactor struct {
	index     int
	table     *Table
	every     time.Duration
	base      time.Time
	governor  *Governor
	log       *log.Logger
	goroutine int64

	job     *CompactionJob
	segment *Segment
	merged  int
	share   float64
}

// newJob plans a compaction. All of it follows from the compactor's index.
func (c *Compactor) newJob() *CompactionJob {
	n := c.index
	job := &CompactionJob{
		CacheStats:    CacheStats{HitRatio: math.NaN()},
		ID:            n + 1,
		Table:         c.table.name,
		Level:         int8(-n),
		Urgent:        n%2 == 1,
		Started:       c.base.Add(-time.Duration(n+1) * 90 * time.Second),
		Budget:        time.Duration(n+1) * 1500 * time.Millisecond,
		Amplification: float32(math.Inf(1)),
		RowsByRegion:  map[string]int{},
		BytesByLevel:  map[int]uint64{0: 1 << 20, 10: 3 << 30, 2: math.MaxUint64 - uint64(n)},
		Checksum:      math.MaxUint64 - uint64(n)*7,
		Watermark:     []byte{0xfe, byte(n)}, // no UTF-8
		Policy:        KeepLast{Versions: 3 + n},
		Pending:       make(chan int, 11),
	}
	for _, row := range c.table.all() {
		job.RowsByRegion[fmt.Sprint(row["region"])]++
	}
	for i := 0; i < 5+n%3; i++ {
		job.Inputs = append(job.Inputs, Segment{
			Name:   fmt.Sprintf("%s-%d-%03d.sst", c.table.name, n, i),
			Bytes:  int64(i+1) << 20,
			Rows:   int32(100*n + 13*i + 7),
			Dirty:  i%2 == 0,
			MaxKey: []byte(fmt.Sprintf("key-%d", 211*(i+1))),
		})
	}
	for level := 0; level < 4; level++ {
		job.Pending <- 10*n + level
	}
	if n%2 == 1 {
		job.LastErr = &CorruptError{Segment: job.Inputs[0].Name, Offset: 1<<63 + uint64(n)}
		job.OnDone = func(seg *Segment) { seg.Dirty = false }
	}
	return job
}

func (c *Compactor) run(ctx context.Context) error {
	c.goroutine = goroutineID()
	for {
		if err := c.compact(ctx, c.newJob()); err != nil {
			return err
		}
		select {
		case <-time.After(c.every):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// compact merges a job's segments, as fast as the governor lets it.
//
//go:noinline
func (c *Compactor) compact(ctx context.Context, job *CompactionJob) error {
	merged, total := 0, int64(0)
	for _, input := range job.Inputs {
		total += input.Bytes
	}
	for i := range job.Inputs {
		seg := &job.Inputs[i]
		share := float64(seg.Bytes) / float64(total)
		c.note(job, seg, merged, share)
		if err := c.governor.wait(ctx); err != nil {
			return fmt.Errorf("compaction %d stopped at %s after %d rows, %.0f%% to go: %w",
				job.ID, seg.Name, merged, 100*share, err)
		}
		merged += int(seg.Rows)
		job.Progress += share
		job.Written.Add(seg.Bytes)
		if job.OnDone != nil {
			job.OnDone(seg)
		}
	}
	c.note(nil, nil, merged, 1)
	return nil
}

// note keeps what compact is at, for /debug/truth.
func (c *Compactor) note(job *CompactionJob, seg *Segment, merged int, share float64) {
	c.job, c.segment, c.merged, c.share = job, seg, merged, share
}

// ScrubPass is one reading of a whole table to find decayed rows.
type ScrubPass struct {
	ID     int
	Table  string
	Seed   uint64
	Rounds atomic.Int64
}

// Scrubber checks rows without ever leaving the CPU.
type Scrubber struct {
	pass      *ScrubPass
	rows      []Row
	governor  *Governor
	goroutine int64
}

// scrub hashes its table until the context ends or the gate opens.
//
//go:noinline
func (s *Scrubber) scrub(ctx context.Context, pass *ScrubPass) uint64 {
	sum := pass.Seed
	for {
		select {
		case <-ctx.Done():
			return sum
		case <-s.governor.open:
			return sum
		default:
		}
		sum ^= hashRows(s.rows, pass.Seed)
		pass.Rounds.Add(1)
	}
}

//go:noinline
func hashRows(rows []Row, seed uint64) uint64 {
	hash := fnv.New64a()
	for round := 0; round < 1000; round++ {
		for i := range rows {
			hash.Write([]byte{byte(i), byte(seed), byte(round)})
		}
	}
	return hash.Sum64()
}

// Background is all work that no session asked for.
type Background struct {
	compactors []*Compactor
	scrubbers  []*Scrubber
	ending     sync.WaitGroup
}

// startBackground starts the compactors and scrubbers. In load mode compactor n
// gets credit for 1 + n%3 segments, and so waits in the middle of a job.
func startBackground(ctx context.Context, cfg *Config, srv *Server) *Background {
	b := &Background{}
	for n := 0; n < cfg.Background; n++ {
		credit := int64(1 + n%3)
		if !cfg.Load {
			credit = math.MaxInt64
		}
		c := &Compactor{index: n, table: srv.engine.tables[tableNames[n%len(tableNames)]], every: cfg.Interval,
			base: cfg.Base, governor: newGovernor(credit), log: srv.log}
		b.compactors = append(b.compactors, c)
		b.start(func() {
			if err := c.run(ctx); !errors.Is(err, context.Canceled) {
				c.log.Printf("compactor of %s: %v", c.table.name, err)
			}
		})
	}
	for n := 0; n < cfg.Busy; n++ {
		name := tableNames[n%len(tableNames)]
		s := &Scrubber{pass: &ScrubPass{ID: n + 1, Table: name, Seed: math.MaxUint64 - uint64(n)},
			rows: srv.engine.tables[name].all(), governor: newGovernor(0)}
		b.scrubbers = append(b.scrubbers, s)
		b.start(func() {
			s.goroutine = goroutineID()
			s.scrub(ctx, s.pass)
		})
	}
	return b
}

func (b *Background) start(work func()) {
	b.ending.Add(1)
	go func() {
		defer b.ending.Done()
		work()
	}()
}

// finish opens every gate: compactions end their jobs, scrubbers stop.
func (b *Background) finish() {
	for _, c := range b.compactors {
		close(c.governor.open)
	}
	for _, s := range b.scrubbers {
		close(s.governor.open)
	}
}

func (b *Background) wait() { b.ending.Wait() }

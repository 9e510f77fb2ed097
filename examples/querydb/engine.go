package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sort"
	"strings"
	"sync"
	"time"
)

// Op is what a plan node does.
type Op uint8

const (
	opScan Op = iota + 1
	opFilter
	opProject
	opUpdate
)

// Cond compares a column with the query's argument at index Arg.
type Cond struct {
	Column string
	Op     string
	Arg    int
}

// Plan is one node of a query's plan; Input feeds it.
type Plan struct {
	Op      Op
	Table   string
	Columns []string
	Conds   []Cond
	Set     map[string]int // column to argument index
	Row     int64
	Cost    float64
	Delay   time.Duration
	Input   *Plan
}

// NoTableError and NoRowError name what a statement asked for in vain.
type NoTableError struct{ Table string }

func (e *NoTableError) Error() string { return fmt.Sprintf("no table %q", e.Table) }

type NoRowError struct {
	Table string
	ID    int64
}

func (e *NoRowError) Error() string { return fmt.Sprintf("no row %d in %s", e.ID, e.Table) }

var errNoTxn = errors.New("an update needs a transaction")

// Row is one record.
type Row map[string]any

func (r Row) String() string {
	columns := make([]string, 0, len(r))
	for column, value := range r {
		columns = append(columns, fmt.Sprintf("%s=%v", column, value))
	}
	sort.Strings(columns)
	return strings.Join(columns, " ")
}

// Table keeps rows by id, 1 to n.
type Table struct {
	name string
	mu   sync.RWMutex
	rows map[int64]Row
}

var tableNames = [...]string{"accounts", "orders", "events"}

var regions = [...]string{"Zürich", "Lima", "東京"}

func newTable(name string, rows int) *Table {
	t := &Table{name: name, rows: make(map[int64]Row, rows)}
	for id := int64(1); id <= int64(rows); id++ {
		t.rows[id] = Row{"id": id, "owner": roster[id%int64(len(roster))], "region": regions[id%3],
			"balance": float64(id) * 10.25, "active": id%2 == 0}
	}
	return t
}

// all lists the rows by id.
func (t *Table) all() []Row {
	t.mu.RLock()
	defer t.mu.RUnlock()
	rows := make([]Row, 0, len(t.rows))
	for id := int64(1); id <= int64(len(t.rows)); id++ {
		rows = append(rows, t.rows[id])
	}
	return rows
}

// Engine evaluates plans over the tables.
type Engine struct {
	tables map[string]*Table
	locks  *LockTable
	wake   chan struct{} // closed: nobody sleeps any more
}

func newEngine(rows int) *Engine {
	e := &Engine{tables: map[string]*Table{}, wake: make(chan struct{})}
	for _, name := range tableNames {
		e.tables[name] = newTable(name, rows)
	}
	return e
}

// run evaluates a query's plan. txn may be nil for a query that only reads.
func (e *Engine) run(ctx context.Context, txn *Txn, q *Query) ([]Row, error) {
	rows, err := e.eval(ctx, txn, q, q.Plan)
	if err != nil {
		q.Err = err
		return nil, err
	}
	q.rows = int32(min(len(rows), math.MaxInt32))
	return rows, nil
}

// eval evaluates one plan node, its input first.
func (e *Engine) eval(ctx context.Context, txn *Txn, q *Query, p *Plan) ([]Row, error) {
	switch p.Op {
	case opScan:
		return e.scan(ctx, p)
	case opUpdate:
		return e.update(ctx, txn, q, p)
	}
	rows, err := e.eval(ctx, txn, q, p.Input)
	if err != nil {
		return nil, err
	}
	if p.Op == opFilter {
		return filter(rows, p.Conds, q.Args), nil
	}
	return project(rows, p.Columns), nil
}

func (e *Engine) scan(ctx context.Context, p *Plan) ([]Row, error) {
	t, ok := e.tables[p.Table]
	if !ok {
		return nil, &NoTableError{p.Table}
	}
	if err := e.delay(ctx, p); err != nil {
		return nil, fmt.Errorf("scan of %s: %w", t.name, err)
	}
	return t.all(), nil
}

// delay stands for slow storage. It is small enough to be inlined into scan.
func (e *Engine) delay(ctx context.Context, p *Plan) error {
	if p.Delay <= 0 {
		return nil
	}
	return e.sleep(ctx, p.Delay)
}

func (e *Engine) sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-e.wake:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// update locks its row, then writes it.
func (e *Engine) update(ctx context.Context, txn *Txn, q *Query, p *Plan) ([]Row, error) {
	t, ok := e.tables[p.Table]
	if !ok {
		return nil, &NoTableError{p.Table}
	}
	if txn == nil {
		return nil, errNoTxn
	}
	if err := e.locks.acquire(ctx, newLockKey(t.name, p.Row), txn, q.Start); err != nil {
		return nil, err
	}
	row, ok := t.write(p, q.Args)
	if !ok {
		return nil, &NoRowError{t.name, p.Row}
	}
	txn.writes[t.name]++
	return []Row{row}, nil
}

// write replaces a row by a changed copy, so that readers keep theirs.
func (t *Table) write(p *Plan, args []any) (Row, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	old, ok := t.rows[p.Row]
	if !ok {
		return nil, false
	}
	changed := Row{}
	for column, value := range old {
		changed[column] = value
	}
	for column, arg := range p.Set {
		changed[column] = args[arg]
	}
	t.rows[p.Row] = changed
	return changed, true
}

func filter(rows []Row, conds []Cond, args []any) []Row {
	var kept []Row
	for _, row := range rows {
		matches := true
		for _, c := range conds {
			matches = matches && c.holds(row[c.Column], args[c.Arg])
		}
		if matches {
			kept = append(kept, row)
		}
	}
	return kept
}

func (c Cond) holds(have, want any) bool {
	if c.Op == "=" {
		return fmt.Sprint(have) == fmt.Sprint(want)
	}
	a, b := number(have), number(want)
	switch c.Op {
	case "<":
		return a < b
	case ">":
		return a > b
	case "<=":
		return a <= b
	default:
		return c.Op == ">=" && a >= b
	}
}

func number(value any) float64 {
	switch n := value.(type) {
	case int64:
		return float64(n)
	case float64:
		return n
	default:
		return math.NaN()
	}
}

func project(rows []Row, columns []string) []Row {
	if len(columns) == 1 && columns[0] == "*" {
		return rows
	}
	cut := make([]Row, len(rows))
	for i, row := range rows {
		cut[i] = Row{}
		for _, column := range columns {
			cut[i][column] = row[column]
		}
	}
	return cut
}

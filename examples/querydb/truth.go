package main

import (
	"net/http"
	"sync"
)

// Truth tells what the program itself knows of the values that querydb.yaml
// collects: for each function table its rows, by column. It reads without locks
// what stands still in load mode, and so is served there only (the race
// detector, which knows no standing still, objects).
type Truth struct {
	cfg        *Config
	srv        *Server
	background *Background
	mu         sync.Mutex // one at a time: showing a channel empties and refills it
}

type truthRow map[string]any

func (t *Truth) serve(w http.ResponseWriter, _ *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	writeJSON(w, map[string]any{
		"base_unix_ns": t.cfg.Base.UnixNano(),
		"tables": map[string][]truthRow{
			"queries":      t.queries(),
			"lock_waits":   t.lockWaits(),
			"transactions": t.transactions(),
			"sessions":     t.sessions(),
			"compactions":  t.compactions(),
			"scrubs":       t.scrubs(),
		},
	})
}

func (t *Truth) queries() []truthRow {
	rows := []truthRow{}
	for _, s := range t.srv.snapshot() {
		if q := s.current; q != nil {
			rows = append(rows, truthRow{
				"goroutine_id": s.goroutine, "q": show(q), "user": s.user.Name, "sql": q.SQL,
				"start_unix_ns": q.Start.UnixNano(), // age_s counts from here
			})
		}
	}
	return rows
}

func (t *Truth) lockWaits() []truthRow {
	rows := []truthRow{}
	for _, s := range t.srv.snapshot() {
		if s.txn == nil {
			continue
		}
		if wait, ok := t.srv.locks.waitOf(s.txn); ok {
			rows = append(rows, truthRow{
				"goroutine_id": s.goroutine, "key": show(&wait.Key), "waiter_txn": wait.Waiter.ID,
				"holder_txn": wait.Holder.ID, "lock": wait.Key.String(),
			})
		}
	}
	return rows
}

func (t *Truth) transactions() []truthRow {
	rows := []truthRow{}
	for _, s := range t.srv.snapshot() {
		if txn := s.txn; txn != nil {
			rows = append(rows, truthRow{
				"goroutine_id": s.goroutine, "id": txn.ID, "start": show(&txn.Start), "state": uint8(txn.State),
				"session_id": s.id, "user": s.user.Name, "txn": show(txn), "start_unix_ns": txn.Start.UnixNano(),
			})
		}
	}
	return rows
}

func (t *Truth) sessions() []truthRow {
	rows := []truthRow{}
	for _, s := range t.srv.snapshot() {
		rows = append(rows, truthRow{
			"goroutine_id": s.goroutine, "id": s.id, "remote": s.remote, "account": show(&s.user),
			"connected": show(&s.connected), "statements": s.served.Load(), "last_error": show(&s.lastErr),
			"user": s.user.Name, "role": s.user.Role,
		})
	}
	return rows
}

func (t *Truth) compactions() []truthRow {
	rows := []truthRow{}
	for _, c := range t.background.compactors {
		rows = append(rows, truthRow{
			"goroutine_id": c.goroutine, "job": show(c.job), "segment": c.segment.Name, "merged": c.merged,
			"share": c.share, "table_name": c.job.Table, "progress": c.job.Progress,
		})
	}
	return rows
}

func (t *Truth) scrubs() []truthRow {
	rows := []truthRow{}
	for _, s := range t.background.scrubbers {
		rows = append(rows, truthRow{
			"goroutine_id": s.goroutine, "id": s.pass.ID, "table_name": s.pass.Table, "seed": s.pass.Seed,
		})
	}
	return rows
}

package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"log"
	"sync"
	"time"
)

// LockMode is how a row is locked; querydb only writes exclusively so far.
type LockMode int8

const lockExclusive LockMode = 2

// LockKey names one row.
type LockKey struct {
	Table string
	Row   int64
	Hash  uint64
	Mode  LockMode
}

func newLockKey(table string, row int64) LockKey {
	hash := fnv.New64a()
	fmt.Fprintf(hash, "%s/%d", table, row)
	return LockKey{Table: table, Row: row, Hash: hash.Sum64(), Mode: lockExclusive}
}

func (k LockKey) String() string { return fmt.Sprintf("%s/%d", k.Table, k.Row) }

// LockWait is one transaction waiting for another.
type LockWait struct {
	Key    LockKey
	Waiter *Txn
	Holder *Txn
}

// DeadlockError refuses a wait that could never end.
type DeadlockError struct {
	Key            LockKey
	Waiter, Holder int64
}

func (e *DeadlockError) Error() string {
	return fmt.Sprintf("deadlock: transaction %d waits for %s of transaction %d, which waits for it",
		e.Waiter, e.Key, e.Holder)
}

// LockTable gives row locks to transactions, which keep them until they end
// (two-phase locking). Who waits, waits for the holder's end.
type LockTable struct {
	log     *log.Logger
	mu      sync.Mutex
	holders map[LockKey]*Txn
	waits   map[*Txn]LockWait
}

func newLockTable(logger *log.Logger) *LockTable {
	return &LockTable{log: logger, holders: map[LockKey]*Txn{}, waits: map[*Txn]LockWait{}}
}

// acquire gets the lock for txn, waiting while another transaction has it.
// since is when the statement that wants it began.
func (l *LockTable) acquire(ctx context.Context, key LockKey, txn *Txn, since time.Time) error {
	for {
		holder, err := l.try(key, txn, since)
		if err != nil || holder == nil {
			return err
		}
		if err := l.wait(ctx, &key, txn, holder); err != nil {
			return err
		}
	}
}

// try takes a free lock, or notes the wait and says for whom.
func (l *LockTable) try(key LockKey, txn *Txn, since time.Time) (*Txn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	holder := l.holders[key]
	switch {
	case holder == txn:
		return nil, nil
	case holder == nil:
		l.holders[key] = txn
		txn.locks = append(txn.locks, HeldLock{Key: key, Since: since})
		return nil, nil
	}
	for next := holder; next != nil; next = l.waits[next].Holder {
		if next == txn {
			return nil, &DeadlockError{Key: key, Waiter: txn.ID, Holder: holder.ID}
		}
	}
	l.waits[txn] = LockWait{Key: key, Waiter: txn, Holder: holder}
	return holder, nil
}

// wait blocks until holder has ended, and with it let go of key.
//
//go:noinline
func (l *LockTable) wait(ctx context.Context, key *LockKey, waiter, holder *Txn) error {
	var err error
	select {
	case <-holder.ended:
	case <-ctx.Done():
		err = ctx.Err()
	}
	l.mu.Lock()
	delete(l.waits, waiter)
	l.mu.Unlock()
	if err != nil {
		return fmt.Errorf("transaction %d gave up on %s of transaction %d: %w", waiter.ID, key, holder.ID, err)
	}
	return nil
}

// release frees all that txn holds, wakes those who wait for it, and says how
// many locks there were.
func (l *LockTable) release(txn *Txn) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, held := range txn.locks {
		delete(l.holders, held.Key)
	}
	close(txn.ended)
	return len(txn.locks)
}

// waitOf says what txn waits for, if it does.
func (l *LockTable) waitOf(txn *Txn) (LockWait, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	wait, ok := l.waits[txn]
	return wait, ok
}

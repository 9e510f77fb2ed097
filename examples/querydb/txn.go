package main

import (
	"errors"
	"math"
	"time"
)

var errRollback = errors.New("rolled back")

// TxnState is where a transaction is in its life.
type TxnState uint8

const (
	txnActive TxnState = iota + 1
	txnCommitted
	txnRolledBack
)

func (s TxnState) String() string {
	return [...]string{"UNKNOWN", "ACTIVE", "COMMIT", "ROLLBACK"}[s]
}

// HeldLock is a lock that a transaction has and keeps until its end.
type HeldLock struct {
	Key   LockKey
	Since time.Time
}

// Txn is one transaction. Only its session's goroutine changes it.
type Txn struct {
	ID        int64
	Start     time.Time
	State     TxnState
	Isolation string
	ReadView  uint64 // transactions below it are visible; MaxUint64: all
	Priority  int8
	Owner     *User
	locks     []HeldLock
	writes    map[string]int // rows written, by table
	lastErr   error
	onEnd     func(error)
	ended     chan struct{} // closed when the locks are free
}

func (s *Session) newTxn(at time.Time) *Txn {
	txn := &Txn{
		ID:        s.srv.lastTxn.Add(1),
		Start:     at,
		State:     txnActive,
		Isolation: "read committed",
		ReadView:  math.MaxUint64,
		Priority:  int8(-s.id % 128),
		Owner:     s.user,
		writes:    map[string]int{},
		ended:     make(chan struct{}),
	}
	txn.onEnd = txn.settle
	return txn
}

func (t *Txn) end(failure error) { t.onEnd(failure) }

func (t *Txn) settle(failure error) {
	t.State = txnCommitted
	if failure != nil {
		t.State = txnRolledBack
	}
}

// Ledger is a small program with one function for each way in which Go keeps a variable. It imports little, so that
// its debug info is small enough to be read as text and damaged byte by byte.
package main

import (
	"os"
	"time"
)

// Money is a number with a name.
type Money int64

// Account has a pointer, a map and an embedded struct.
type Account struct {
	base
	Owner   string
	Balance Money
	Tags    map[string]int32
	Parent  *Account
}

type base struct{ ID uint64 }

// Entry is small enough to travel in registers.
type Entry struct {
	Amount Money
	Memo   string
}

// Book has a slice, a channel, an array, a func and a time.
type Book struct {
	entries []Entry
	events  chan Entry
	recent  [3]Money
	audit   func(Entry) error
	opened  time.Time
	settle  time.Duration
}

// Refused is an error.
type Refused struct{ Reason string }

// Error says why.
func (r *Refused) Error() string { return r.Reason }

var (
	limit = Account{Owner: "limit", Balance: 1000}
	held  = make(chan struct{})
	gone  = make(chan int, 8)
)

//go:noinline
func hold(n int) {
	<-held
	gone <- n
}

// post has its parameters in registers and on the stack.
//
//go:noinline
func post(to *Account, amount Money, memo string, rate float64) Money {
	hold(len(memo))
	to.Balance += amount
	return to.Balance + Money(rate)
}

// apply has a receiver, a struct by value and named results.
//
//go:noinline
func (b *Book) apply(entry Entry) (balance Money, err error) {
	for i, each := range b.entries {
		balance += each.Amount
		hold(i)
	}
	if balance += entry.Amount; balance > limit.Balance {
		err = &Refused{"limit"}
	}
	return
}

// largest is generic.
//
//go:noinline
func largest[T int | string](values []T) T {
	best := values[0]
	for _, value := range values {
		hold(len(values))
		if value > best {
			best = value
		}
	}
	return best
}

// latest is compiled once for both kinds of pointers.
//
//go:noinline
func latest[T any](values []T, first T) any {
	hold(len(values))
	return first
}

// fee is inlined.
func fee(amount Money) Money {
	share := amount / 100
	hold(int(share))
	return share + 1
}

// charge inlines fee, shadows a name, and lets a variable escape.
//
//go:noinline
func charge(amount Money) Money {
	total, seen := amount, new(Money)
	if amount > 10 {
		total := "shadow"
		hold(len(total))
	}
	keep(&total)
	total += fee(amount)
	*seen = total
	return *seen
}

var kept *Money

//go:noinline
func keep(m *Money) { kept = m }

// route has what only the runtime can look into.
//
//go:noinline
func route(events chan Entry, accounts map[string]*Account, sink any, err error, ok bool, c complex128) int {
	hold(len(accounts))
	if ok {
		events <- Entry{Memo: err.Error()}
	}
	return len(events) + int(real(c))
}

func run(book *Book, factor Money) {
	total := Money(0)
	each := func(entry Entry) error {
		hold(int(factor))
		total += entry.Amount * factor
		return nil
	}
	book.audit = each
	_ = book.audit(book.entries[0])
	gone <- int(total)
}

func main() {
	root := &Account{base: base{1}, Owner: "root", Tags: map[string]int32{"a": 1}}
	book := &Book{entries: []Entry{{1, "one"}, {2, "two"}}, events: make(chan Entry, 4), opened: time.Now()}
	go post(&Account{Owner: "ann", Parent: root}, 5, "memo", 0.5)
	go book.apply(Entry{7, "seven"})
	go largest([]int{3, 1, 2})
	go largest([]string{"x", "y"})
	go latest([]*Account{root}, root)
	go latest([]*Entry{&book.entries[0], nil}, &book.entries[1])
	go charge(90)
	go route(book.events, map[string]*Account{"root": root}, *root, os.ErrClosed, true, 1i)
	go run(book, 3)
	os.Stdout.WriteString("ready {}\n")
	for n := range gone {
		limit.Balance += Money(n)
	}
}

// named parks goroutines that hold constants, UUIDs, times and shared pointers, and tells of each what it is: by its own
// names, formatting and addresses.
package main

import (
	"encoding/json"
	"fmt"
	levels "named/levels/v2"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

type State int

const (
	StateIdle State = iota
	StateActive
	_
	StateClosed
	StateLast = StateClosed
)

type Sign int8

const (
	Minus  Sign = -1
	Zero   Sign = 0
	Lowest Sign = -128
)

type Wide uint64

const (
	WideOne Wide = 1
	WideTop Wide = 1<<64 - 1
)

type Flag uint32

const (
	FlagRead Flag = 1 << iota
	FlagWrite
	FlagSync
)

const Middle levels.Level = 100

const Both levels.Mode = levels.ModeA | levels.ModeB

// Plain has no constants.
type Plain int16

type Token [16]byte

type Tx struct {
	N      int
	State  State
	parent *Tx
}

type Job struct {
	N       int
	State   State
	Pointer *State
	List    []State
	ByName  map[string]State
	Sign    Sign
	Wide    Wide
	Flag    Flag
	Level   levels.Level
	Mode    levels.Mode
	Colour  Colour
	Plain   Plain
	Count   int
	Name    string
	ID      Token
	Raw     []byte
	Text    string
	Short   [4]byte
	Start   time.Time
	Never   time.Time
	Later   time.Time
	Tx      *Tx
	Tail    **Tx
	Box     any
	Rank    any
	Month   time.Month
	Err     error
	Kept    atomic.Pointer[Tx]
	Done    chan int
}

// Told is what the program says of a job.
type Told struct {
	N, Tx                                                  int
	State, Pointer, First, ByName, Sign, Wide, Flag        string
	Level, Mode, Month, Colour, Plain, ID, Raw, Text, Addr string
	StartNs, LaterNs                                       int64
}

var (
	parked = make(chan struct{})
	never  = make(chan struct{})
)

//go:noinline
func park() {
	parked <- struct{}{}
	<-never
}

//go:noinline
func work(job *Job, state State, level levels.Level, id Token, box any) {
	park()
	fmt.Fprintln(os.Stderr, job, state, levels.Next(level), id, box)
}

//go:noinline
func hold(tx *Tx) {
	park()
	runtime.KeepAlive(tx)
}

//go:noinline
func twiceState(thing State) {
	park()
	fmt.Fprintln(os.Stderr, thing)
}

//go:noinline
func twiceSign(thing Sign) {
	park()
	fmt.Fprintln(os.Stderr, thing)
}

//go:noinline
func generic[T ~int](value T) {
	park()
	fmt.Fprintln(os.Stderr, value)
}

func hex(b []byte) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func address(tx *Tx) string { return fmt.Sprintf("%#x", uintptr(unsafe.Pointer(tx))) }

type told[T any] struct {
	value T
	name  string
}

var (
	states = []told[State]{
		{StateIdle, "StateIdle"}, {StateActive, "StateActive"}, {2, "State(2)"}, {StateLast, "StateClosed"}, {7, "State(7)"},
		{-3, "State(-3)"},
	}
	signs   = []told[Sign]{{Minus, "Minus"}, {Zero, "Zero"}, {Lowest, "Lowest"}, {5, "Sign(5)"}}
	wides   = []told[Wide]{{WideOne, "WideOne"}, {WideTop, "WideTop"}, {WideTop - 1, "Wide(18446744073709551614)"}}
	flags   = []told[Flag]{{0, "Flag(0)"}, {2, "FlagWrite"}, {5, "FlagRead|FlagSync"}, {66, "FlagWrite|0x40"}, {64, "Flag(64)"}}
	ranks   = []told[levels.Level]{{levels.Low, "Low"}, {levels.Top, "High"}, {Middle, "main.Middle"}, {3, "Level(3)"}}
	modes   = []told[levels.Mode]{{1, "ModeA"}, {Both, "main.Both"}, {6, "ModeB|ModeC"}, {8, "Mode(8)"}}
	months  = []told[time.Month]{{time.May, "May"}, {levels.Thirteenth, "levels.Thirteenth"}, {14, "Month(14)"}}
	colours = []told[Colour]{{Red, "Red"}, {Blue, "Blue"}, {9, "Colour(9)"}}
)

func of[T any](n int, all []told[T]) told[T] { return all[n%len(all)] }

func build(n int, txs []told[*Tx]) (*Job, Told) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 123456789+n, time.UTC)
	later := time.Now().Add(time.Hour)
	state, name, tx := of(n, states).value, of(n, states).name, of(n, txs).value
	sign, wide, flag, level, colour := of(n, signs), of(n, wides), of(n, flags), of(n, ranks), of(n, colours)
	mode, month := of(n, modes), of(n, months)
	job := &Job{
		N: n, State: state, Pointer: &state, List: []State{StateClosed, state}, ByName: map[string]State{"a b": state},
		Sign: sign.value, Wide: wide.value, Flag: flag.value, Level: level.value, Mode: mode.value, Colour: colour.value, Plain: Plain(n), Count: n, Name: "job",
		Raw: []byte("sixteen bytes or"), Start: start, Later: later, Tx: tx, Tail: &tx, Box: tx, Rank: level.value, Month: month.value, Err: &os.PathError{Op: "open", Path: "x", Err: syscall.ENOENT},
		Done: make(chan int, 1),
	}
	job.Kept.Store(tx)
	for i := range job.ID {
		job.ID[i] = byte(n*37 + i*11)
	}
	if n%2 == 0 {
		job.Raw = []byte{0xff, 0xfe, 0xfd, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, byte(n)}
	}
	job.Text = fmt.Sprintf("%X-%X-%X-%X-%X", job.ID[:4], job.ID[4:6], job.ID[6:8], job.ID[8:10], job.ID[10:])
	word := Told{
		N: n, Tx: tx.N, State: name, Pointer: name, First: "StateClosed", ByName: name, Sign: sign.name, Wide: wide.name,
		Flag: flag.name, Level: level.name, Mode: mode.name, Month: month.name, Colour: colour.name, Plain: fmt.Sprintf("Plain(%d)", n),
		ID: hex(job.ID[:]), Raw: hex(job.Raw), Text: hex(job.ID[:]), Addr: address(tx), StartNs: start.UnixNano(), LaterNs: later.UnixNano(),
	}
	return job, word
}

func main() {
	txs := []told[*Tx]{}
	for n := 0; n < 5; n++ {
		tx := &Tx{N: n * 100, State: of(n, states).value}
		tx.parent = tx
		txs = append(txs, told[*Tx]{tx, ""})
		go hold(tx)
		<-parked
	}
	jobs := []Told{}
	for n := 0; n < 23; n++ {
		job, word := build(n, txs)
		jobs = append(jobs, word)
		go work(job, job.State, job.Level, job.ID, job.State)
		<-parked
	}
	go generic(StateActive)
	<-parked
	go twiceState(StateActive)
	<-parked
	go twiceSign(Minus)
	<-parked
	ready, _ := json.Marshal(map[string]any{"jobs": jobs})
	fmt.Printf("ready %s\n", ready)
	for {
		time.Sleep(time.Hour)
	}
}

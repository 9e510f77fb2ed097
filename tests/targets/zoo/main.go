// Zoo parks goroutines in functions whose variables hold every kind of value,
// and tells over HTTP what they hold. It stands still until it is killed.
package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

// row is what one frame holds: expressions and their values.
type row struct {
	Function    string         `json:"function"`
	GoroutineID int            `json:"goroutine_id"`
	Values      map[string]any `json:"values"`
}

var (
	mu      sync.Mutex
	rows    []row
	arrived sync.WaitGroup
	forever = make(chan struct{})
)

// missing is the word for a name that means nothing yet where the frame stands.
type missing struct{}

// torn is the word for a value that is being written.
type torn struct{}

// ref copies a value, so that telling of a variable does not move it to the heap.
//
//go:noinline
func ref[T any](value T) *T { return &value }

// tell notes what the caller's variables hold: names and pointers to copies.
//
//go:noinline
func tell(pairs ...any) { tellOf(goroutine(), pairs...) }

// tellOf is for a deep stack: Go unwinds the whole of it to say which goroutine it is.
//
//go:noinline
func tellOf(number int, pairs ...any) {
	var pcs [8]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	frame, more := frames.Next()
	for more && frame.Function == "main.tell" {
		frame, more = frames.Next()
	}
	values := map[string]any{}
	mu.Lock()
	defer mu.Unlock()
	for i := 0; i < len(pairs); i += 2 {
		if _, ok := pairs[i+1].(missing); ok {
			values[pairs[i].(string)] = object{{"$missing", true}}
		} else if _, ok := pairs[i+1].(torn); ok {
			values[pairs[i].(string)] = object{{"$torn", true}}
		} else {
			values[pairs[i].(string)] = show(pairs[i+1])
		}
	}
	rows = append(rows, row{frame.Function, number, values})
}

func goroutine() int {
	var head [64]byte
	number, err := strconv.Atoi(strings.Fields(string(head[:runtime.Stack(head[:], false)]))[1])
	if err != nil {
		panic(err)
	}
	return number
}

// stop parks the goroutine for ever.
//
//go:noinline
func stop() {
	arrived.Done()
	<-forever
}

// keep makes the compiler hold values until here.
//
//go:noinline
func keep(...any) {}

func start(f func()) {
	arrived.Add(1)
	go f()
}

func stacks() string {
	buffer := make([]byte, 16<<20)
	return string(buffer[:runtime.Stack(buffer, true)])
}

// started is what main starts; a file beside this one may put something else in its place.
var started = []func(){
	startScalars,
	startReferences,
	startMaps,
	startChannels,
	startInterfaces,
	startStructs,
	startExpressions,
	startPlaces,
	startLocks,
	startSyncMaps,
	startChains,
	startNumbers,
	startFamiliar,
	startGenerics,
	startWaits,
}

func main() {
	for _, each := range started {
		each()
	}
	arrived.Wait()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	http.HandleFunc("/stack", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, stacks()) })
	http.HandleFunc("/truth", func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		_ = json.NewEncoder(w).Encode(rows)
	})
	time.Sleep(100 * time.Millisecond) // for those that announce themselves just before they block
	fmt.Printf("ready {\"address\": %q}\n", listener.Addr())
	server := &http.Server{}
	server.SetKeepAlivesEnabled(false)
	panic(server.Serve(listener))
}

package main

import (
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

func mutexState(locked bool, waiting int) object {
	return object{{"locked", locked}, {"waiters", waiting}, {"starving", false}}
}

func rwState(locked bool, readers, readersWaiting, writersWaiting int) object {
	return object{{"locked", locked}, {"readers", readers}, {"readers_waiting", readersWaiting}, {"writers_waiting", writersWaiting}}
}

type syncs struct {
	free, held, queued          sync.Mutex
	rwFree, rwRead, rwHeld      sync.RWMutex
	rwPending, rwQueue          sync.RWMutex
	wgZero, wgCount, wgWaited   sync.WaitGroup
	onceNew, onceDone, onceRuns sync.Once
	cond                        *sync.Cond
	condHeld                    sync.Cond
	locker, reader              sync.Locker
	none                        *sync.Mutex
	list                        []*sync.Mutex
	byName                      map[string]*sync.RWMutex
	pool                        sync.Pool
	n                           int
}

//go:noinline
func synced(s *syncs, mu *sync.Mutex, rw *sync.RWMutex, wg *sync.WaitGroup, once *sync.Once, locker sync.Locker, boxed any) {
	tell("s.free", &s.free, "s.held", &s.held, "s.queued", &s.queued, "s.rwFree", &s.rwFree, "s.rwRead", &s.rwRead, "s.rwHeld", &s.rwHeld,
		"s.rwPending", &s.rwPending, "s.rwQueue", &s.rwQueue, "s.wgZero", &s.wgZero, "s.wgCount", &s.wgCount, "s.wgWaited", &s.wgWaited,
		"s.onceNew", &s.onceNew, "s.onceDone", &s.onceDone, "s.onceRuns", &s.onceRuns, "s.cond", ref(s.cond), "s.condHeld", &s.condHeld,
		"s.locker", &s.locker, "s.none", &s.none, "s.list", &s.list, "s.byName", &s.byName, "s.n", &s.n,
		"mu", ref(mu), "rw", ref(rw), "wg", ref(wg), "once", ref(once), "locker", ref(locker), "boxed", ref(boxed))
	stop()
	keep(s, mu, rw, wg, once, locker, boxed)
}

// idle waits until all other goroutines are blocked.
func idle() {
	for {
		time.Sleep(2 * time.Millisecond)
		now := stacks()
		if strings.Count(now, "[running]:")+strings.Count(now, "[runnable]:") == 1 {
			return
		}
	}
}

func several(n int, f func()) {
	for i := 0; i < n; i++ {
		go f()
	}
	idle()
}

func startLocks() {
	s := &syncs{n: 51}
	s.held.Lock()
	s.queued.Lock()
	several(3, s.queued.Lock)
	s.rwRead.RLock()
	s.rwRead.RLock()
	s.rwHeld.Lock()
	several(2, s.rwHeld.RLock)
	several(1, s.rwHeld.Lock)
	s.rwPending.RLock()
	s.rwPending.RLock()
	s.rwPending.RLock()
	several(1, s.rwPending.Lock)
	several(2, s.rwPending.RLock)
	several(1, s.rwPending.Lock)
	s.rwPending.RUnlock()
	s.rwQueue.RLock()
	several(3, s.rwQueue.Lock)
	s.wgCount.Add(7)
	s.wgCount.Done()
	s.wgWaited.Add(2)
	several(4, s.wgWaited.Wait)
	s.onceDone.Do(func() {})
	several(3, func() { s.onceRuns.Do(func() { select {} }) })
	s.cond = sync.NewCond(&s.held)
	s.condHeld.L = &s.rwHeld
	var quiet sync.Mutex
	loose := sync.NewCond(&quiet)
	several(3, func() {
		quiet.Lock()
		loose.Wait()
	})
	loose.Signal()
	idle()
	set := func(at unsafe.Pointer, state object) { states[at] = state }
	mu.Lock()
	set(unsafe.Pointer(&s.held), mutexState(true, 0))
	set(unsafe.Pointer(&s.queued), mutexState(true, 3))
	set(unsafe.Pointer(&s.rwRead), rwState(false, 2, 0, 0))
	set(unsafe.Pointer(&s.rwHeld), rwState(true, 0, 2, 1))
	set(unsafe.Pointer(&s.rwPending), rwState(false, 2, 2, 2))
	set(unsafe.Pointer(&s.rwQueue), rwState(false, 1, 0, 3))
	set(unsafe.Pointer(&s.wgCount), object{{"counter", 6}, {"waiters", 0}})
	set(unsafe.Pointer(&s.wgWaited), object{{"counter", 2}, {"waiters", 4}})
	set(unsafe.Pointer(&s.onceDone), object{{"done", true}, {"running", false}, {"waiters", 0}})
	set(unsafe.Pointer(&s.onceRuns), object{{"done", false}, {"running", true}, {"waiters", 2}})
	set(unsafe.Pointer(loose), object{{"waiters", 2}})
	set(unsafe.Pointer(&quiet), mutexState(true, 0)) // the one that was woken has it
	mu.Unlock()
	s.locker, s.reader = &s.held, s.rwRead.RLocker()
	s.list = []*sync.Mutex{&s.held, nil, &s.free}
	s.byName = map[string]*sync.RWMutex{"held": &s.rwHeld, "read": &s.rwRead}
	start(func() { synced(s, &s.queued, &s.rwPending, &s.wgWaited, &s.onceRuns, &s.held, loose) })
	start(func() { atomicKinds(&atomics2{}, nil, nil) })
	a := &atomics2{}
	a.i32.Store(-1)
	a.u64.Store(1 << 63)
	a.b.Store(true)
	text, number := "behind", 5
	a.s.Store(&text)
	a.f.Store(func() {})
	a.box.Store(&Box[*int]{&number, nil})
	a.any.Store(map[string]int{"k": 1})
	a.list[1].Store(7)
	a.m = map[string]*atomic.Int64{"m": {}}
	a.m["m"].Store(-9)
	start(func() { atomicKinds(a, &a.list[1], a) })
	startQueues()
}

type atomics2 struct {
	i32  atomic.Int32
	u64  atomic.Uint64
	b    atomic.Bool
	s    atomic.Pointer[string]
	f    atomic.Value
	box  atomic.Pointer[Box[*int]]
	any  atomic.Value
	list [3]atomic.Int32
	m    map[string]*atomic.Int64
}

//go:noinline
func atomicKinds(a *atomics2, p *atomic.Int32, boxed any) {
	tell("a", ref(a), "p", ref(p), "boxed", ref(boxed), "a.s", &a.s, "a.box", &a.box, "a.any", &a.any)
	stop()
	keep(a, p, boxed)
}

//go:noinline
func queued(received, sent chan string, both chan *point) {
	tell("received", ref(received), "sent", ref(sent), "both", ref(both))
	stop()
	keep(received, sent, both)
}

// startQueues has goroutines wait at channels, one after the other.
func startQueues() {
	received, sent, both := make(chan string), make(chan string, 2), make(chan *point)
	sent <- "a"
	sent <- "b"
	heldBack[reflect.ValueOf(sent).Pointer()] = []any{ref("a"), ref("b")}
	for i := 0; i < 4; i++ {
		go func() {
			waits(received, false)
			<-received
		}()
		idle()
		go func() {
			waits(sent, true)
			sent <- "later"
		}()
		idle()
	}
	go func() {
		waits(both, true)
		waits(sent, true)
		select {
		case both <- nil:
		case sent <- "either":
		}
	}()
	idle()
	start(func() { queued(received, sent, both) })
}

package main

import (
	"fmt"
	"math/big"
	"net/netip"
	"reflect"
	"time"
)

// Constraints that say more of a type argument than its methods: for each of them Go compiles on its own, also of pointers.

type (
	PointOrNode   interface{ *point | *node }
	Pointed       *point
	PointsAt      map[string]*point
	Points        []*point
	Feed          chan *point
	Judge         func(*point) bool
	Extent        struct{ L, R int }
	twig          struct{ Value int }
	setter[T any] interface {
		*T
		set(int)
	}
)

func (l *twig) set(n int) { l.Value = n }
func (n *node) set(v int) { n.Value = v }

//go:noinline
func united[T PointOrNode](v T, list []T, m map[string]T, c chan T) {
	tell("v", ref(v), "list", ref(list), "m", ref(m), "c", ref(c), "*v", pointedTo(v), "list[0]", ref(list[0]), "len(list)", ref(len(list)), `m["k"]`, ref(m["k"]), "len(m)", ref(len(m)), "cap(c)", ref(cap(c)))
	stop()
	keep(v, list, m, c)
}

//go:noinline
func pointed[T ~*point](v T, at **point, m map[string]T) {
	tell("v", ref(v), "at", ref(at), "m", ref(m), "v.X", ref((*v).X), "*v", ref(*v), `m["k"]`, ref(m["k"]))
	stop()
	keep(v, at, m)
}

// compared has keys that are pointers: comparable says more than methods.
//
//go:noinline
func compared[K comparable, V any](k K, v V, m map[K]V) {
	tell("k", ref(k), "v", ref(v), "m", ref(m), "len(m)", ref(len(m)))
	stop()
	keep(k, v, m)
}

//go:noinline
func withSetter[P setter[T], T any](v P, list []P, t T) {
	var made T
	p := P(&made)
	p.set(9)
	tell("v", ref(v), "list", ref(list), "t", ref(t), "p", ref(p), "*v", ref(*v), "v.Value", ref(valueOf(v)), "list[0].Value", ref(valueOf(list[0])))
	stop()
	keep(v, list, t, p)
}

func valueOf(v any) int {
	switch each := v.(type) {
	case *twig:
		return each.Value
	case *node:
		return each.Value
	}
	panic(fmt.Sprintf("%T", v))
}

// behind is passed pointers to what its callers do not know either.
//
//go:noinline
func behind[P interface{ *T }, T any](p P, v T) {
	tell("p", ref(p), "v", ref(v), "*p", ref(*p))
	stop()
	keep(p, v)
}

// behindLast has the type that another one is made of first.
//
//go:noinline
func behindLast[T any, P interface{ *T }](v T, p P) {
	tell("p", ref(p), "v", ref(v), "*p", ref(*p))
	stop()
	keep(p, v)
}

//go:noinline
func nesting[T any](v T, last bool) {
	if last {
		behindLast(v, &v)
	} else {
		behind(&v, v)
	}
	keep(v)
}

//go:noinline
func sliced[S ~[]E, E any](v S, e E) {
	tell("v", ref(v), "e", ref(e), "v[0]", ref(v[0]), "len(v)", ref(len(v)))
	stop()
	keep(v, e)
}

//go:noinline
func mappedTo[M ~map[K]V, K comparable, V any](m M, k K, v V) {
	tell("m", ref(m), "k", ref(k), "v", ref(v), "len(m)", ref(len(m)))
	stop()
	keep(m, k, v)
}

// fed tells of its channel as what all of that shape are: that is all that the code knows of its type.
//
//go:noinline
func fed[C ~chan E, E any](c C, e E) {
	tell("c", ref((chan E)(c)), "e", ref(e), "len(c)", ref(len(c)), "cap(c)", ref(cap(c)))
	stop()
	keep(c, e)
}

//go:noinline
func judged[F ~func(E) bool, E any](f F, e E) {
	tell("f", ref(f), "e", ref(e))
	stop()
	keep(f, e)
}

//go:noinline
func spanned[S ~struct{ L, R int }](s S, p *S) {
	tell("s", ref(s), "p", ref(p))
	stop()
	keep(s, p)
}

type team[P setter[T], T any] struct {
	Members []P
	Named   map[string]P
	Spare   T
}

//go:noinline
func (t *team[P, T]) joined(p P) {
	tell("t", ref(t), "p", ref(p), "p.Value", ref(valueOf(p)), "t.Members[0].Value", ref(valueOf(t.Members[0])), "t.Spare", ref(t.Spare))
	stop()
	keep(t, p)
}

//go:noinline
func (t team[P, T]) copied(p P) {
	tell("t", ref(t), "p", ref(p))
	stop()
	keep(t, p)
}

// carried has what only its callers know the names of.
//
//go:noinline
func carried[T any](v T, c chan T, r <-chan []T, q chan (<-chan T), list []T, m map[string]T) {
	tell("v", ref(v), "c", ref(c), "r", ref(r), "q", ref(q), "list", ref(list), "m", ref(m))
	stop()
	keep(v, c, r, q, list, m)
}

func startCarried[T any](v T) {
	c, r := make(chan T, 2), make(chan []T, 1)
	c <- v
	r <- []T{v}
	mu.Lock()
	twoWay[reflect.ValueOf(r).Pointer()] = reflect.ValueOf(r)
	mu.Unlock()
	start(func() { carried(v, c, r, make(chan (<-chan T)), []T{v}, map[string]T{"k": v}) })
}

func startGenerics() {
	startCarried(time.Minute)
	startCarried(time.Unix(47, 48))
	startCarried(netip.MustParseAddr("10.1.2.3"))
	startCarried(netip.MustParseAddrPort("[fe80::1%eth0]:80"))
	startCarried(netip.MustParsePrefix("10.0.0.0/8"))
	startCarried(*big.NewInt(1 << 40))
	startCarried(*big.NewRat(-3, 4))
	startCarried(*big.NewFloat(2.5))
	startCarried(color(3))
	startCarried(square{49})
	startCarried(error(code(5)))
	startCarried(func() int { return 50 })
	start(func() {
		united(&point{1, 2}, []*point{{3, 4}, nil}, map[string]*point{"k": {5, 6}}, make(chan *point, 3))
	})
	start(func() {
		united(&node{Value: 1}, []*node{{Value: 2}}, map[string]*node{"k": {Value: 3}}, make(chan *node))
	})
	at := &point{7, 8}
	start(func() { pointed(at, &at, map[string]*point{"k": at}) })
	start(func() { pointed(Pointed(at), &at, map[string]Pointed{"k": at}) })
	start(func() { compared(at, &node{Value: 4}, map[*point]*node{}) })
	start(func() { compared(&node{Value: 5}, at, map[*node]*point{}) })
	start(func() { compared("key", at, map[string]*point{"key": at, "nil": nil}) })
	start(func() { withSetter(&twig{10}, []*twig{{11}, nil}, twig{12}) })
	start(func() { withSetter(&node{Value: 13}, []*node{{Value: 14}}, node{Value: 15}) })
	start(func() { nesting(&twig{16}, false) })
	start(func() { nesting(&twig{16}, true) })
	start(func() { nesting(&point{17, 18}, false) })
	start(func() { nesting(&point{17, 18}, true) })
	start(func() { nesting(twig{19}, false) })
	start(func() { nesting(twig{19}, true) })
	start(func() { nesting(Extent{20, 21}, false) })
	start(func() { nesting(Extent{20, 21}, true) })
	start(func() { nesting("text", false) })
	start(func() { nesting("text", true) })
	start(func() { sliced(Points{at, nil}, at) })
	start(func() { sliced([]*node{{Value: 22}}, &node{Value: 23}) })
	start(func() { sliced(IDs{24, 25}, 26) })
	start(func() { mappedTo(PointsAt{"k": at}, "k", at) })
	start(func() { mappedTo(map[ID]*twig{27: {28}}, 29, &twig{30}) })
	start(func() { fed(make(Feed, 2), at) })
	start(func() { fed(make(chan *twig, 1), &twig{31}) })
	start(func() { judged(Judge(func(p *point) bool { return p == nil }), at) })
	start(func() { judged(func(l *twig) bool { return l == nil }, &twig{32}) })
	start(func() { spanned(Extent{33, 34}, &Extent{35, 36}) })
	start(func() {
		(&team[*twig, twig]{[]*twig{{37}, nil}, map[string]*twig{"l": {38}}, twig{39}}).joined(&twig{40})
	})
	start(func() { (&team[*node, node]{[]*node{{Value: 41}}, nil, node{Value: 42}}).joined(&node{Value: 43}) })
	start(func() { team[*twig, twig]{[]*twig{{44}}, nil, twig{45}}.copied(&twig{46}) })
	startIterators()
}

// pointedTo is for what no operator is for: Go lets nobody look behind one of several pointers.
func pointedTo[T PointOrNode](v T) any {
	if p, ok := any(v).(*point); ok {
		return ref(*p)
	}
	return ref(*any(v).(*node))
}

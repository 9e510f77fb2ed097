package main

import (
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"
)

type (
	uuid    [16]byte
	B       byte
	ID      uint64
	IDs     []ID
	Handler func(ID) error
	Events  chan ID
	Index   map[ID]IDs
	Grid    [2][3]ID
	Alias   = ID
	Ref     *point
	Any     any
	Deep    [][][]ID
	Set     map[[2]ID]struct{}
	Keyed   map[keyed]Any
	Duty    time.Duration
	When    time.Time
)

// hosts are addresses of every kind.
type hosts struct {
	one    netip.Addr
	all    []netip.Addr
	ports  []netip.AddrPort
	nets   []netip.Prefix
	behind *netip.AddrPort
	byName map[netip.Addr]string
	any    any
}

//go:noinline
func addressed(h *hosts, a netip.Addr, p netip.AddrPort, n netip.Prefix) {
	tell("h", ref(h), "h.one", &h.one, "h.behind", ref(h.behind), "h.any", &h.any, "a", ref(a), "p", ref(p), "n", ref(n))
	stop()
	keep(h, a, p, n)
}

func startAddresses() {
	h := &hosts{byName: map[netip.Addr]string{}}
	for _, text := range []string{"0.0.0.0", "10.1.2.3", "255.255.255.255", "::", "::1", "2001:db8::1", "fe80::1%eth0", "::ffff:1.2.3.4", "::ffff:1.2.3.4%lo",
		"1:0:0:2::3", "1::2:0:0:3", "0:1::", "1:2:3:4:5:6:7:8", "1:0:3:4:5:6:7:8", "::1.2.3.4"} {
		addr := netip.MustParseAddr(text)
		h.all = append(h.all, addr)
		h.byName[addr] = text
		h.ports = append(h.ports, netip.AddrPortFrom(addr, uint16(len(text)*257)))
		h.nets = append(h.nets, netip.PrefixFrom(addr, 8), netip.PrefixFrom(addr, addr.BitLen()))
	}
	h.all, h.ports, h.nets = append(h.all, netip.Addr{}), append(h.ports, netip.AddrPort{}), append(h.nets, netip.Prefix{})
	h.one, h.behind, h.any = h.all[1], &h.ports[6], &h.all[2]
	start(func() { addressed(h, h.all[6], h.ports[4], h.nets[1]) })
	start(func() { addressed(&hosts{any: h.nets[0]}, h.all[1], h.ports[1], netip.Prefix{}) })
}

type keyed struct {
	Name string
	Any  any
	At   [2]float32
}

//go:noinline
func familiar(u uuid, ip net.IP, addr netip.Addr, port netip.AddrPort, head http.Header, message json.RawMessage, link *url.URL, query url.Values, bs []B, b B) {
	tell("u", ref(u), "ip", ref(ip), "addr", ref(addr), "port", ref(port), "head", ref(head), "message", ref(message), "link", ref(link), "query", ref(query), "bs", ref(bs), "b", ref(b))
	stop()
	keep(u, ip, addr, port, head, message, link, query, bs, b)
}

//go:noinline
func named(id ID, ids IDs, handler Handler, events Events, index Index, grid Grid, alias Alias, r Ref, a Any, deep Deep, set Set, k Keyed, duty Duty, when When) {
	tell("id", ref(id), "ids", ref(ids), "handler", ref(handler), "events", ref(events), "index", ref(index), "grid", ref(grid), "alias", ref(alias), "r", ref(r), "a", ref(a),
		"deep", ref(deep), "set", ref(set), "k", ref(k), "duty", ref(duty), "when", ref(when))
	stop()
	keep(id, ids, handler, events, index, grid, alias, r, a, deep, set, k, duty, when)
}

//go:noinline
func inBoxes(v any) {
	tell("v", ref(v))
	stop()
	keep(v)
}

type Pair[A, B any] struct {
	First  A
	Second B
}

func (p *Pair[A, B]) Swap() Pair[B, A] { return Pair[B, A]{p.Second, p.First} }

type tree[K comparable, V any] struct {
	Key         K
	Value       V
	Left, Right *tree[K, V]
}

//go:noinline
func generics(p Pair[int, string], pp *Pair[*point, []string], t *tree[string, *Pair[ID, error]], nested Pair[Pair[int8, bool], *tree[ID, any]], f func() Pair[string, int], m map[Pair[int, string]]*Pair[any, any]) {
	tell("p", ref(p), "pp", ref(pp), "t", ref(t), "nested", ref(nested), "f", ref(f), "m", ref(m))
	stop()
	keep(p, pp, t, nested, f, m)
}

// shared has copies for pointers of one kind and of several.
//
//go:noinline
func shared[T any](v T, list []T, m map[string]T) {
	tell("v", ref(v), "list", ref(list), "m", ref(m))
	stop()
	keep(v, list, m)
}

//go:noinline
func ownedBy[K comparable, V any](key K, t *tree[K, V]) {
	tell("key", ref(key), "t", ref(t))
	stop()
	keep(key, t)
}

// peeked is inlined into one caller, with a pointer of another kind than its own copy has.
func peeked[T any](v T) {
	tell("v", ref(v))
	stop()
	keep(v)
}

//go:noinline
func peeks(f func(*point), n *node) {
	if f != nil {
		f(&point{1, 2})
	}
	peeked(n)
}

func startFamiliar() {
	startAddresses()
	start(func() { shared(&point{1, 1}, []*point{{2, 2}}, map[string]*point{"k": {3, 3}}) })
	start(func() { shared(&node{Value: 1}, []*node{{Value: 2}}, nil) })
	start(func() { shared([]*node{{Value: 2}}, nil, nil) })
	start(func() { ownedBy("key", &tree[string, *node]{"k", &node{Value: 1}, nil, nil}) })
	start(func() { peeks(peeked[*point], nil) })
	start(func() { peeks(nil, &node{Value: 7}) })
	link, err := url.Parse("https://user:pass@example.com:8080/a%20path?q=1&q=2#frag")
	if err != nil {
		panic(err)
	}
	start(func() {
		familiar(uuid{0xde, 0xad, 0xbe, 0xef, 15: 1}, net.ParseIP("2001:db8::1"), netip.MustParseAddr("10.0.0.1"), netip.MustParseAddrPort("10.1.2.3:443"), http.Header{"Accept": {"a", "b"}, "X": nil},
			json.RawMessage(`{"k": [1, null]}`), link, link.Query(), []B("typed bytes"), 'x')
	})
	events := make(Events, 2)
	events <- 5
	start(func() {
		named(7, IDs{1, 1 << 63}, func(ID) error { return nil }, events, Index{1: {2, 3}, 1 << 63: nil}, Grid{{1, 2, 3}, {4}}, 9, &point{1, 2}, ID(5), Deep{{{1}, nil}, nil}, Set{{1, 2}: {}},
			Keyed{{"a", 1, [2]float32{0.5, 1.25}}: "x", {"b", ID(2), [2]float32{-0.5, 0.75}}: nil}, Duty(time.Second), When(time.Unix(1, 2)))
	})
	for _, v := range []any{uuid{1}, net.IPv4(1, 2, 3, 4), netip.MustParseAddr("::1"), http.Header{"A": {"b"}}, json.RawMessage("1"), link, B('y'), []B{0xff, 0xfe}, ID(3), IDs{4}, Handler(nil), events,
		Index{1: nil}, Grid{}, Ref(&point{3, 4}), Deep(nil), Set{}, Duty(1), When(time.Unix(3, 4)), &struct{ At When }{}, regexp.MustCompile("a+").String(), Pair[int, string]{1, "x"}, &Pair[*point, []byte]{&point{5, 6}, []byte("z")},
		Pair[*Pair[int, int], any]{nil, Pair[bool, bool]{true, false}}, (*Pair[int, int])(nil), [][2]Pair[int8, string]{{{1, "a"}, {2, "b"}}}, map[Pair[int, int]]Pair[string, error]{{1, 2}: {"v", code(1)}},
		&tree[string, int]{"root", 1, &tree[string, int]{Key: "left"}, nil}, strings.NewReader("read"), struct{ uuid }{uuid{2}}, struct{ *point }{&point{7, 8}}, struct{ A, B any }{1, nil},
		[3]any{1, "a", nil}, new(any), [0]any{}, []struct{}{{}, {}}, map[string]struct{}{}, [1]struct{}{}, complex64(2i), func() {}, doubled[int], (*point).add, (&point{}).sum, time.Now().UTC} {
		v := v
		start(func() { inBoxes(v) })
	}
	p := Pair[int, string]{1, "swap"}
	start(func() {
		generics(p, &Pair[*point, []string]{&point{1, 2}, []string{"s"}}, &tree[string, *Pair[ID, error]]{"k", &Pair[ID, error]{1, code(2)}, nil, &tree[string, *Pair[ID, error]]{Key: "r"}},
			Pair[Pair[int8, bool], *tree[ID, any]]{Pair[int8, bool]{-1, true}, &tree[ID, any]{1, "any", nil, nil}}, p.Swap, map[Pair[int, string]]*Pair[any, any]{{1, "k"}: {1, nil}, {2, "k"}: nil})
	})
}

package main

import (
	"hash/fnv"
	"net/netip"
	"time"
)

// Client is the program at the other end.
type Client struct {
	Host    string
	Port    uint16
	Version [3]int32
}

// Query is one statement on its way through the server.
type Query struct {
	ID          int64
	SQL         string
	Start       time.Time
	Timeout     time.Duration // 0: none
	Args        []any         // the literals of SQL, in order
	Fingerprint uint64        // FNV-1a of SQL
	Client      Client
	Hints       map[string]int // from /*+ batch=100 shard=3 */
	Plan        *Plan
	ReadOnly    bool
	Attempt     uint8
	Err         error
	rows        int32
	result      []Row
}

// newQuery gives a parsed statement its identity: the n-th statement of
// session s has the id s*1000+n.
func (s *Session) newQuery(st *Statement) *Query {
	hash := fnv.New64a()
	hash.Write([]byte(st.SQL))
	q := &Query{
		ID:          s.id*1000 + s.served.Load() + 1,
		SQL:         st.SQL,
		Start:       st.At,
		Timeout:     st.Timeout,
		Args:        st.Args,
		Fingerprint: hash.Sum64(),
		Client:      Client{Version: [3]int32{3, int32(s.id), -1}},
		Hints:       st.Hints,
		Plan:        st.Plan,
		ReadOnly:    st.Verb == "SELECT",
		Attempt:     1,
	}
	if remote, err := netip.ParseAddrPort(s.remote); err == nil {
		q.Client.Host, q.Client.Port = remote.Addr().String(), remote.Port()
	}
	return q
}

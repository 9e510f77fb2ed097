package main

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

const (
	// step is the age between one session's query and the next one's.
	step = 1700 * time.Millisecond

	positionDeadline = 60 * time.Second
	positionPoll     = 5 * time.Millisecond
)

// Load drives the server over real connections into an exact position and, told
// so, out of it again. Session i (from 0) has the id i+1 and is, in this order,
// a reader, a holder of locks, a blocked one, or idle.
type Load struct {
	cfg     *Config
	srv     *Server
	addr    string
	clients []*client
}

// client is the far end of one session.
type client struct {
	conn  net.Conn
	in    *bufio.Reader
	inTxn bool
	asked bool // a statement is under way
}

// age is how long session i's query has been running at the base time.
func age(i int) time.Duration { return time.Duration(i+1) * step }

// txnAge is older than any query, so that every lock was taken before the
// queries that wait for it began.
func (l *Load) txnAge(i int) time.Duration { return age(i) + age(l.cfg.Sessions) }

func (l *Load) at(age time.Duration) string {
	return "AT " + l.cfg.Base.Add(-age).Format(time.RFC3339Nano) + " "
}

// holderOf says whose row the b-th blocked session wants: every third one wants
// its neighbour's, which is blocked itself; the others a holder's.
func (l *Load) holderOf(b int) int {
	if b%3 == 2 {
		return l.cfg.Readers() + l.cfg.Holders() + b - 1
	}
	return l.cfg.Readers() + b%l.cfg.Holders()
}

// takePositions connects everyone, starts their queries and returns once the
// process's own traceback shows each of them blocked where it should be.
func (l *Load) takePositions() error {
	for i := 0; i < l.cfg.Sessions+l.cfg.Idle; i++ {
		if err := l.place(i); err != nil {
			return fmt.Errorf("session %d cannot take its position: %w", i+1, err)
		}
	}
	return l.awaitPositions()
}

func (l *Load) place(i int) error {
	c, err := dial(l.addr, roster[i%len(roster)])
	if err != nil {
		return err
	}
	l.clients = append(l.clients, c)
	switch {
	case i >= l.cfg.Sessions:
		return nil
	case i < l.cfg.Readers():
		return c.ask(l.at(age(i)) + readerQuery(i))
	default:
		return l.placeInTxn(c, i)
	}
}

func (l *Load) placeInTxn(c *client, i int) error {
	began := l.at(l.txnAge(i))
	statements := []string{began + "BEGIN", began + fmt.Sprintf("UPDATE accounts SET balance = %d.25 WHERE id = %d", i, i+1)}
	blocked := i - l.cfg.Readers() - l.cfg.Holders()
	last := holderQuery(i)
	if blocked >= 0 {
		wanted := l.holderOf(blocked) + 1
		last = fmt.Sprintf("UPDATE accounts SET balance = -%d, owner = 'session %d' WHERE id = %d", i, i+1, wanted)
	} else {
		statements = append(statements, began+fmt.Sprintf("UPDATE orders SET active = false WHERE id = %d", i+1))
	}
	c.inTxn = true
	for _, statement := range statements {
		if _, err := c.run(statement); err != nil {
			return err
		}
	}
	if i%2 == 1 { // a failure on the way, which the transaction remembers
		if answer, err := c.send(began + fmt.Sprintf("UPDATE events SET active = true WHERE id = %d", 1_000_000+i)); err != nil {
			return fmt.Errorf("%s: %w", answer, err)
		}
	}
	return c.ask(l.at(age(i)) + last)
}

func readerQuery(i int) string {
	sql := fmt.Sprintf("SELECT id, owner /*+ batch=%d shard=%d */ FROM events WHERE balance > %d.5 AND region = 'Zürich' AND active = %t SLEEP 87600h",
		100+i, i%5, i, i%2 == 0)
	if i%2 == 1 {
		sql += fmt.Sprintf(" TIMEOUT %dh", 9000+i)
	}
	return sql
}

func holderQuery(i int) string {
	return fmt.Sprintf("SELECT * FROM orders WHERE owner = NULL AND id >= %d SLEEP 87600h", 100-i)
}

func (l *Load) awaitPositions() error {
	deadline := time.Now().Add(positionDeadline)
	for {
		off := l.misplaced()
		if off == "" {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not in position after %v: %s", positionDeadline, off)
		}
		time.Sleep(positionPoll)
	}
}

// misplaced compares the traceback of all goroutines with the counts asked for
// and describes the first difference, or is empty.
func (l *Load) misplaced() string {
	cfg := l.cfg
	stacks := parseStacks(allStacks())
	expected := []struct {
		function string
		state    string
		count    int
	}{
		{"main.(*Session).execute", "select", cfg.Sessions},
		{"main.(*Engine).sleep", "select", cfg.Sessions - cfg.Blocked},
		{"main.(*LockTable).wait", "select", cfg.Blocked},
		{"main.(*Session).runTxn", "select", cfg.Transactions},
		{"main.(*Session).serve", "select, IO wait", cfg.Sessions + cfg.Idle},
		{"main.(*Session).readLine", "IO wait", cfg.Idle},
		{"main.(*Governor).wait", "select", cfg.Background},
		{"main.(*Compactor).compact", "select", cfg.Background},
		{"main.(*Scrubber).scrub", "running, runnable", cfg.Busy},
		{"main.(*Server).acceptLoop", "IO wait", 1},
		{"main.(*DebugServer).run", "IO wait", 1},
	}
	wanted := map[string]string{}
	for _, e := range expected {
		wanted[e.function] = e.state
	}
	blocked, moving := blockedIn(stacks, wanted)
	for _, e := range expected {
		if blocked[e.function] != e.count || moving[e.function] > 0 {
			return fmt.Sprintf("%s: %d in position (%s), %d moving, of %d",
				e.function, blocked[e.function], e.state, moving[e.function], e.count)
		}
	}
	return ""
}

// finish wakes all sleepers and sees every session through to its end. It says
// how many sessions ended well.
func (l *Load) finish() (ok, failed int) {
	close(l.srv.engine.wake)
	var wg sync.WaitGroup
	outcomes := make(chan error, len(l.clients))
	for _, c := range l.clients {
		wg.Add(1)
		go func(c *client) {
			defer wg.Done()
			outcomes <- c.finish()
		}(c)
	}
	wg.Wait()
	close(outcomes)
	for err := range outcomes {
		if err != nil {
			l.srv.log.Printf("load: %v", err)
			failed++
		} else {
			ok++
		}
	}
	return ok, failed
}

func dial(addr, user string) (*client, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	c := &client{conn: conn, in: bufio.NewReader(conn)}
	_, err = c.run("LOGIN " + user)
	return c, err
}

// ask sends a statement and leaves its answer for later.
func (c *client) ask(statement string) error {
	c.asked = true
	_, err := fmt.Fprintln(c.conn, statement)
	return err
}

// send sends a statement and reads its closing line.
func (c *client) send(statement string) (string, error) {
	if _, err := fmt.Fprintln(c.conn, statement); err != nil {
		return "", err
	}
	return c.answer()
}

// run is send for a statement that must succeed.
func (c *client) run(statement string) (string, error) {
	answer, err := c.send(statement)
	if err == nil && !strings.HasPrefix(answer, "OK") {
		err = fmt.Errorf("%s: %s", statement, answer)
	}
	return answer, err
}

func (c *client) answer() (string, error) {
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return "", err
		}
		if !strings.HasPrefix(line, "ROW ") {
			return strings.TrimSpace(line), nil
		}
	}
}

func (c *client) finish() error {
	defer c.conn.Close()
	if c.asked {
		answer, err := c.answer()
		if err != nil {
			return err
		}
		if !strings.HasPrefix(answer, "OK") {
			return fmt.Errorf("the query ended with %s", answer)
		}
	}
	if c.inTxn {
		if _, err := c.run("COMMIT"); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(c.conn, "QUIT")
	return err
}

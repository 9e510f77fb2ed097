package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const maxLine = 1 << 20

var errQuit = errors.New("client quit")

// Session is one client's connection, served by one goroutine.
type Session struct {
	id        int64
	remote    string
	user      *User
	connected time.Time
	served    atomic.Int64 // statements answered
	lastErr   error

	srv       *Server
	conn      net.Conn
	in        *bufio.Scanner
	out       *bufio.Writer
	goroutine int64

	mu      sync.Mutex // guards what SHOW SESSIONS reads
	current *Query
	txn     *Txn
}

func newSession(srv *Server, id int64, conn net.Conn) *Session {
	in := bufio.NewScanner(conn)
	in.Buffer(make([]byte, 0, 1024), maxLine)
	return &Session{
		id:        id,
		remote:    conn.RemoteAddr().String(),
		connected: time.Now(),
		srv:       srv,
		conn:      conn,
		in:        in,
		out:       bufio.NewWriterSize(conn, 1024),
	}
}

// serve answers one client, line by line, until it quits or the line drops.
//
//go:noinline
func (s *Session) serve(ctx context.Context) error {
	s.goroutine = goroutineID()
	if err := s.login(); err != nil {
		return fmt.Errorf("login from %s: %w", s.remote, err)
	}
	pprof.SetGoroutineLabels(pprof.WithLabels(ctx, pprof.Labels("user", s.user.Name)))
	for {
		line, err := s.readLine()
		if err == nil {
			err = s.dispatch(ctx, line)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, errQuit) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s@%s after %d statements: %w", s.user.Name, s.remote, s.served.Load(), err)
		}
	}
}

// login expects "LOGIN name" as the first line.
func (s *Session) login() error {
	line, err := s.readLine()
	if err != nil {
		return err
	}
	name, ok := strings.CutPrefix(line, "LOGIN ")
	if !ok || strings.TrimSpace(name) == "" {
		return s.answer(nil, fmt.Errorf("expected LOGIN name, got %q", line))
	}
	user := s.srv.account(strings.TrimSpace(name))
	s.mu.Lock()
	s.user = user
	s.mu.Unlock()
	return s.say("OK session %d", s.id)
}

func (s *Session) readLine() (string, error) {
	if s.in.Scan() {
		return s.in.Text(), nil
	}
	if err := s.in.Err(); err != nil {
		return "", err
	}
	return "", io.EOF
}

// dispatch runs one statement from outside any transaction and answers it. An
// error means that the session is over; a statement's own goes to the client.
func (s *Session) dispatch(ctx context.Context, line string) error {
	st, err := parse(line, s.srv.cfg.Load)
	if err != nil {
		return s.answer(nil, err)
	}
	switch st.Verb {
	case "QUIT":
		return errQuit
	case "SHOW":
		return s.answer(s.srv.showSessions(), nil)
	case "BEGIN":
		txn := s.newTxn(st.At)
		if err := s.runTxn(ctx, txn, s.interactive); err != nil && !errors.Is(err, errRollback) {
			return err
		}
		return s.say("OK %s", txn.State)
	case "COMMIT", "ROLLBACK":
		return s.answer(nil, fmt.Errorf("%s outside a transaction", st.Verb))
	case "UPDATE":
		q := s.newQuery(st)
		err := s.runTxn(ctx, s.newTxn(st.At), func(ctx context.Context) error { return s.execute(ctx, q) })
		return s.answer(q.result, err)
	default:
		q := s.newQuery(st)
		err := s.execute(ctx, q)
		return s.answer(q.result, err)
	}
}

// runTxn runs body inside a transaction, then commits it, or rolls it back when
// body failed. Locks are held until the end.
//
//go:noinline
func (s *Session) runTxn(ctx context.Context, txn *Txn, body func(context.Context) error) error {
	s.setTxn(txn)
	err := body(ctx)
	txn.end(err)
	released := s.srv.locks.release(txn)
	s.setTxn(nil)
	if open := time.Since(txn.Start); open > s.srv.cfg.SlowLog && ctx.Err() == nil && !s.srv.cfg.Load {
		s.srv.log.Printf("slow transaction %d of %s: %v, %s, %d locks", txn.ID, s.user.Name, open, txn.State, released)
	}
	return err
}

// interactive serves the statements between BEGIN and COMMIT or ROLLBACK. A
// statement that fails does not end the transaction.
func (s *Session) interactive(ctx context.Context) error {
	if err := s.say("OK transaction %d", s.txn.ID); err != nil {
		return err
	}
	for {
		line, err := s.readLine()
		if err != nil {
			return err
		}
		st, err := parse(line, s.srv.cfg.Load)
		switch {
		case err != nil:
			err = s.answer(nil, err)
		case st.Verb == "COMMIT":
			return nil
		case st.Verb == "ROLLBACK":
			return errRollback
		case st.Verb == "SELECT" || st.Verb == "UPDATE":
			q := s.newQuery(st)
			failure := s.execute(ctx, q)
			if failure != nil {
				s.txn.lastErr = failure
			}
			err = s.answer(q.result, failure)
		default:
			err = s.answer(nil, fmt.Errorf("%s inside transaction %d", st.Verb, s.txn.ID))
		}
		if err != nil {
			return err
		}
	}
}

// execute runs one query to its end and leaves its result in it. Queries that
// took long are logged.
//
//go:noinline
func (s *Session) execute(ctx context.Context, q *Query) error {
	s.setCurrent(q)
	if q.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, q.Timeout)
		defer cancel()
	}
	rows, err := s.srv.engine.run(ctx, s.txn, q)
	q.result = rows
	s.setCurrent(nil)
	if took := time.Since(q.Start); took > s.srv.cfg.SlowLog && !s.srv.cfg.Load {
		s.srv.log.Printf("slow query %d of %s: %v: %s (%v)", q.ID, s.user.Name, took, q.SQL, err)
	}
	return err
}

func (s *Session) setCurrent(q *Query) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = q
}

func (s *Session) setTxn(txn *Txn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.txn = txn
}

// answer sends a statement's rows and its one closing line, OK or ERR.
func (s *Session) answer(rows []Row, failure error) error {
	s.served.Add(1)
	s.lastErr = failure
	if failure != nil {
		return s.say("ERR %s", failure)
	}
	for _, row := range rows {
		fmt.Fprintf(s.out, "ROW %s\n", row)
	}
	return s.say("OK %d rows", len(rows))
}

func (s *Session) say(format string, args ...any) error {
	fmt.Fprintf(s.out, format+"\n", args...)
	return s.out.Flush()
}

// showSessions is what SHOW SESSIONS answers: who is here and runs what.
func (srv *Server) showSessions() []Row {
	var rows []Row
	for _, s := range srv.snapshot() {
		s.mu.Lock()
		row := Row{"id": s.id, "remote": s.remote}
		if s.user != nil {
			row["user"] = s.user.Name
		}
		if s.txn != nil {
			row["txn"] = s.txn.ID
		}
		if s.current != nil {
			row["sql"], row["age"] = s.current.SQL, time.Since(s.current.Start).String()
		}
		s.mu.Unlock()
		rows = append(rows, row)
	}
	return rows
}

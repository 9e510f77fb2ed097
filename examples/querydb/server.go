package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

// Server owns the listener, the sessions and what they share.
type Server struct {
	cfg      *Config
	log      *log.Logger
	engine   *Engine
	locks    *LockTable
	listener net.Listener
	lastTxn  atomic.Int64

	mu          sync.Mutex
	sessions    map[int64]*Session
	lastSession int64
	users       map[string]*User
	ending      sync.WaitGroup
}

func newServer(cfg *Config, logger *log.Logger) *Server {
	srv := &Server{
		cfg:      cfg,
		log:      logger,
		engine:   newEngine(max(211, cfg.Sessions)),
		locks:    newLockTable(logger),
		sessions: map[int64]*Session{},
		users:    map[string]*User{},
	}
	srv.engine.locks = srv.locks
	srv.lastTxn.Store(7000)
	for n, name := range roster {
		srv.users[name] = newUser(name, n)
	}
	return srv
}

// listen opens the port and serves it until the context ends.
func (srv *Server) listen(ctx context.Context) error {
	listener, err := net.Listen("tcp", srv.cfg.Listen)
	if err != nil {
		return fmt.Errorf("cannot serve SQL on -listen %s: %w", srv.cfg.Listen, err)
	}
	srv.listener = listener
	srv.ending.Add(1)
	go srv.acceptLoop(ctx)
	return nil
}

func (srv *Server) acceptLoop(ctx context.Context) {
	defer srv.ending.Done()
	for {
		conn, err := srv.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			srv.log.Printf("accept: %v", err)
			time.Sleep(50 * time.Millisecond) // out of file descriptors: let some sessions end
			continue
		}
		s := srv.open(conn)
		srv.ending.Add(1)
		go func() {
			defer srv.ending.Done()
			defer srv.forget(s)
			if err := s.serve(ctx); err != nil && ctx.Err() == nil {
				srv.log.Printf("session %d: %v", s.id, err)
			}
		}()
	}
}

func (srv *Server) open(conn net.Conn) *Session {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	srv.lastSession++
	s := newSession(srv, srv.lastSession, conn)
	srv.sessions[s.id] = s
	return s
}

func (srv *Server) forget(s *Session) {
	s.conn.Close()
	srv.mu.Lock()
	defer srv.mu.Unlock()
	delete(srv.sessions, s.id)
}

// account finds a user, or makes one: querydb trusts whoever reaches it.
func (srv *Server) account(name string) *User {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	user, ok := srv.users[name]
	if !ok {
		user = newUser(name, len(srv.users))
		srv.users[name] = user
	}
	return user
}

// snapshot lists the open sessions by id.
func (srv *Server) snapshot() []*Session {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	all := make([]*Session, 0, len(srv.sessions))
	for _, s := range srv.sessions {
		all = append(all, s)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].id < all[j].id })
	return all
}

// close hangs up on everyone and waits until the last session has ended.
func (srv *Server) close() {
	srv.listener.Close()
	for _, s := range srv.snapshot() {
		s.conn.Close()
	}
	srv.ending.Wait()
}

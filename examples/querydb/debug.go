package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"sync"
)

// DebugServer answers, beside net/http/pprof:
//
//	GET  /debug/stack           traceback of every goroutine; ?others=1 leaves out those that serve /debug
//	GET  /debug/truth           load mode: what a capture of querydb.yaml must find
//	POST /release               load mode: let everybody go on, then exit 0
type DebugServer struct {
	listener net.Listener
	http     *http.Server
	release  chan struct{}
	ended    chan struct{}
}

func startDebug(cfg *Config, srv *Server, background *Background) (*DebugServer, error) {
	listener, err := net.Listen("tcp", cfg.Debug)
	if err != nil {
		return nil, fmt.Errorf("cannot serve debugging on -debug %s: %w", cfg.Debug, err)
	}
	d := &DebugServer{listener: listener, release: make(chan struct{}), ended: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("/debug/stack", serveStack)
	if cfg.Load {
		truth := &Truth{cfg: cfg, srv: srv, background: background}
		mux.HandleFunc("/debug/truth", truth.serve)
		mux.HandleFunc("/release", d.serveRelease())
	}
	d.http = &http.Server{Handler: mux}
	d.http.SetKeepAlivesEnabled(false) // no goroutine stays behind after an answer
	go d.run()
	return d, nil
}

// Addr is where it listens.
func (d *DebugServer) Addr() net.Addr { return d.listener.Addr() }

//go:noinline
func (d *DebugServer) run() {
	defer close(d.ended)
	_ = d.http.Serve(d.listener) // always ends with ErrServerClosed
}

func (d *DebugServer) close() {
	d.http.Close()
	<-d.ended
}

func serveStack(w http.ResponseWriter, r *http.Request) {
	text := allStacks()
	if r.URL.Query().Get("others") == "1" {
		text = withoutDebug(text)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, text)
}

func (d *DebugServer) serveRelease() http.HandlerFunc {
	var once sync.Once
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			http.Error(w, "POST to release", http.StatusMethodNotAllowed)
			return
		}
		_, _ = io.WriteString(w, "released\n")
		once.Do(func() { close(d.release) })
	}
}

func writeJSON(w http.ResponseWriter, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(text, '\n'))
}

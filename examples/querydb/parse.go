package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Statement is one parsed line.
//
//	BEGIN | COMMIT | ROLLBACK | SHOW SESSIONS | QUIT
//	SELECT columns FROM table [WHERE column op literal [AND ...]] [SLEEP duration] [TIMEOUT duration]
//	UPDATE table SET column = literal [, ...] WHERE id = number [TIMEOUT duration]
//
// A comment /*+ name=number ... */ carries hints. In load mode a line may begin
// with "AT time": the statement counts as begun then, as in a replay.
type Statement struct {
	Verb    string
	SQL     string
	At      time.Time
	Plan    *Plan
	Args    []any
	Hints   map[string]int
	Timeout time.Duration
}

var (
	hintComment = regexp.MustCompile(`/\*\+(.*?)\*/`)
	token       = regexp.MustCompile(`'[^']*'|[<>]=?|[=,*()]|[^\s'<>=,*()]+`)
)

func parse(line string, replay bool) (*Statement, error) {
	st := &Statement{SQL: strings.TrimSpace(line), At: time.Now()}
	if rest, ok := strings.CutPrefix(st.SQL, "AT "); ok && replay {
		when, sql, _ := strings.Cut(rest, " ")
		at, err := time.Parse(time.RFC3339Nano, when)
		if err != nil {
			return nil, fmt.Errorf("AT %q is no RFC 3339 time", when)
		}
		st.At, st.SQL = at, sql
	}
	text := hintComment.ReplaceAllStringFunc(st.SQL, st.takeHints)
	p := &parser{tokens: token.FindAllString(text, -1), st: st}
	st.Verb = strings.ToUpper(p.next())
	switch st.Verb {
	case "BEGIN", "COMMIT", "ROLLBACK", "QUIT":
	case "SHOW":
		p.expect("SESSIONS")
	case "SELECT":
		p.parseSelect()
	case "UPDATE":
		p.parseUpdate()
	default:
		return nil, fmt.Errorf("unknown statement %q", st.Verb)
	}
	if p.err == nil && len(p.tokens) > 0 {
		p.fail("nothing more", p.tokens[0])
	}
	return st, p.err
}

func (st *Statement) takeHints(comment string) string {
	for _, pair := range strings.Fields(strings.Trim(comment, "/*+ ")) {
		name, value, _ := strings.Cut(pair, "=")
		if n, err := strconv.Atoi(value); err == nil {
			if st.Hints == nil {
				st.Hints = map[string]int{}
			}
			st.Hints[name] = n
		}
	}
	return ""
}

// parser keeps the first error and answers "" from then on.
type parser struct {
	tokens []string
	st     *Statement
	err    error
}

func (p *parser) next() string {
	if p.err != nil || len(p.tokens) == 0 {
		return ""
	}
	first := p.tokens[0]
	p.tokens = p.tokens[1:]
	return first
}

func (p *parser) accept(word string) bool {
	if p.err != nil || len(p.tokens) == 0 || !strings.EqualFold(p.tokens[0], word) {
		return false
	}
	p.next()
	return true
}

func (p *parser) expect(word string) {
	if got := p.next(); !strings.EqualFold(got, word) {
		p.fail(word, got)
	}
}

func (p *parser) fail(want, got string) {
	if p.err == nil {
		p.err = fmt.Errorf("expected %s, got %q", want, got)
	}
}

func (p *parser) parseSelect() {
	project := &Plan{Op: opProject}
	for {
		project.Columns = append(project.Columns, p.next())
		if !p.accept(",") {
			break
		}
	}
	p.expect("FROM")
	scan := &Plan{Op: opScan, Table: p.next(), Cost: 211}
	project.Input, project.Cost = scan, scan.Cost*1.5
	if p.accept("WHERE") {
		filter := &Plan{Op: opFilter, Conds: p.conditions(), Input: scan, Cost: scan.Cost * 1.25}
		project.Input = filter
	}
	if p.accept("SLEEP") {
		scan.Delay = p.duration()
	}
	p.timeout()
	p.st.Plan = project
}

func (p *parser) parseUpdate() {
	update := &Plan{Op: opUpdate, Table: p.next(), Cost: 1, Set: map[string]int{}}
	p.expect("SET")
	for {
		column := p.next()
		p.expect("=")
		update.Set[column] = p.literal()
		if !p.accept(",") {
			break
		}
	}
	p.expect("WHERE")
	p.expect("id")
	p.expect("=")
	value := p.argument(p.literal())
	id, ok := value.(int64)
	if !ok {
		p.fail("a row's number", fmt.Sprint(value))
	}
	update.Row = id
	p.timeout()
	p.st.Plan = update
}

func (p *parser) conditions() []Cond {
	var conds []Cond
	for {
		conds = append(conds, Cond{Column: p.next(), Op: p.next(), Arg: p.literal()})
		if !p.accept("AND") {
			return conds
		}
	}
}

func (p *parser) timeout() {
	if p.accept("TIMEOUT") {
		p.st.Timeout = p.duration()
	}
}

func (p *parser) duration() time.Duration {
	text := p.next()
	d, err := time.ParseDuration(text)
	if err != nil {
		p.fail("a duration such as 5s", text)
	}
	return d
}

func (p *parser) argument(index int) any {
	if index >= len(p.st.Args) {
		return nil
	}
	return p.st.Args[index]
}

// literal moves one literal into the statement's arguments and says where.
func (p *parser) literal() int {
	p.st.Args = append(p.st.Args, p.value(p.next()))
	return len(p.st.Args) - 1
}

func (p *parser) value(text string) any {
	switch {
	case strings.HasPrefix(text, "'"):
		return strings.Trim(text, "'")
	case strings.EqualFold(text, "NULL"):
		return nil
	case strings.EqualFold(text, "true"), strings.EqualFold(text, "false"):
		return strings.EqualFold(text, "true")
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		p.fail("a literal", text)
	}
	return x
}

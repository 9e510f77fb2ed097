package main

import (
	"crypto/sha256"
	"fmt"
	"time"
)

// roster names the people that load mode logs in, session i as roster[i % len].
var roster = [...]string{
	"ada", "Zoë", "grace", "Łukasz", "李雷", "barbara", "edsger", "Đorđe", "margaret", "ken", "Ωmega",
}

var roles = [...]string{"analyst", "app", "admin"}

// Audit says who made a thing and when.
type Audit struct {
	CreatedBy string
	CreatedAt time.Time
}

// Quota bounds what one user may use.
type Quota struct {
	MaxSessions int16
	MaxRows     uint32
	Burst       float64
}

// User is an account; all sessions of one user share it.
type User struct {
	Audit
	Name         string
	Role         string
	Admin        bool
	Groups       []string
	Quota        *Quota
	PasswordHash []byte
	Motto        []byte
}

// newUser makes the n-th account. Everything in it follows from name and n.
func newUser(name string, n int) *User {
	hash := sha256.Sum256([]byte("salt:" + name))
	user := &User{
		Audit: Audit{
			CreatedBy: "root",
			CreatedAt: time.Date(2021, 3, 1+n, 9, 30, 0, 250_000_000, time.FixedZone("CET", 3600)),
		},
		Name:         name,
		Role:         roles[n%len(roles)],
		Admin:        roles[n%len(roles)] == "admin",
		Groups:       []string{"staff", fmt.Sprintf("team-%d", n%4)},
		PasswordHash: append([]byte{0xff}, hash[:7]...), // 0xff: never valid UTF-8
		Motto:        []byte("grüße von " + name),
	}
	if !user.Admin { // administrators have none
		user.Quota = &Quota{MaxSessions: int16(8 + n), MaxRows: 4_000_000_000 + uint32(n), Burst: 1.5 * float64(n)}
	}
	return user
}

package webhook

import "time"

// A Trace is how a try went on the wire, as far as it got. Times are zero for
// what did not happen: a connection that was used before is not made again.
type Trace struct {
	Peer   string // the address and port that was called; empty if none was reached
	Reused bool   // the connection was there already
	// TLS is the version, such as "TLS 1.3"; empty without TLS.
	TLS string
	// Certificate is until when the receiver's certificate is valid; zero
	// without TLS.
	Certificate time.Time

	DNS       time.Duration // looking up the name
	Connect   time.Duration // of TCP
	Handshake time.Duration // of TLS
	Wait      time.Duration // from the request's end to the answer's first byte
	Read      time.Duration // of headers and body

	Limit time.Duration // how long the try might have lasted; zero: MaxTimeout
}

// A Cause is why a try got no answer, in short. The closed list of what faces
// show in place of a status.
type Cause string

// The causes. The empty one is that of an answer, or of no try at all.
const (
	CauseTimeout Cause = "timeout" // no connection or no answer in time
	CauseRefused Cause = "refused" // nobody listens at the port
	CauseDNS     Cause = "dns"     // the name leads nowhere
	CauseTLS     Cause = "tls"     // no trust in the other side's certificate, or no common version
	CauseBlocked Cause = "blocked" // the address is private, and not called
	CauseBroken  Cause = "broken"  // the connection broke, or what came was no HTTP
)

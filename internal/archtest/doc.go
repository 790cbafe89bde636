// Package archtest holds tests of the tree itself: who may import whom, how
// long files and functions may be, that packages say what they are for, that
// provider folders are complete, and that no module comes in unnoticed. The
// tests parse files only; they build nothing and reach no network.
//
// A new package needs a line in the table of layers_test.go. A new module needs
// a reason in docs/dependencies.md and
//
//	go test ./internal/archtest -update
package archtest

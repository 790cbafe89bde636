//go:build !race && linux

package main

// raced says that the race detector is off.
const raced = false

// Command tongbo is a payment hub for Korean payment gateways: one binary
// that takes their deposit notices and tells the merchant by signed webhook.
package main

import (
	"os"

	"github.com/tongbo/tongbo/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], cli.System()))
}

// Command vserver is the central server of a federated-learning network.
package main

import (
	"os"

	"vserver/service/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:]))
}

// Package service wires a running server: it opens the database, takes the address,
// serves the handlers and measures them, and ends in an orderly way. It may import
// every room that a running server is made of; the command line and upkeep import it.
package service

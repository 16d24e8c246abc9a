// Package terminal speaks with the person at a terminal: messages with a tag and
// colours, and questions, with menus or line by line. It imports nothing of the house.
package terminal

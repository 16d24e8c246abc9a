package core

// runCounter names the counter of run ids; it never goes back, because nodes name
// shared folders after the run (contract 20 §7.3).
const runCounter = "run"

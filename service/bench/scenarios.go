package bench

const (
	mib = 1 << 20
	mb  = 1_000_000
)

// Scenarios are all there are, in the order in which they are done.
func Scenarios() []Scenario {
	return append(append(payloadScenarios(), crowdScenarios()...), speedScenarios()...)
}

func payloadScenarios() []Scenario {
	return []Scenario{
		{
			Name: "upload", About: "a node sends a result of {size}, a user reads it back",
			Full: Sizes{Size: 1 << 30, Nodes: 1}, Fast: Sizes{Size: 8 * mib, Nodes: 1}, run: upload,
			measures: []measure{
				{"patch", "PATCH of a result of {size}: memory over idle", "MiB", atMost(64, "")},
				{"get", "GET of it: memory over idle", "MiB", atMost(64, "")},
			},
		},
		{
			Name: "uploads", About: "{clients} results of {size} arrive at once, small tasks are posted beside them",
			Full: Sizes{Size: 100 * mib, Nodes: 1, Clients: 8}, Fast: Sizes{Size: 2 * mib, Nodes: 1, Clients: 4}, run: uploads,
			measures: []measure{
				{"memory", "{clients} PATCHes of {size} at once: memory over idle", "MiB", atMost(128, "")},
				{"p99", "POST /task beside them: p99, times that of idle", "x", atMost(2, "x")},
				{"failed", "POST /task beside them that failed", "", atMost(0, "")},
			},
		},
		{
			Name: "throughput", About: "one result of {size} after the other is sent and read",
			Full: Sizes{Size: 32 * mib, Nodes: 1, Tasks: 5}, Fast: Sizes{Size: 2 * mib, Nodes: 1, Tasks: 2}, run: throughput,
			measures: []measure{
				{"patch", "PATCH of {size}", "MiB/s", ratioAtLeast(1.5)},
				{"get", "GET of {size}", "MiB/s", ratioAtLeast(1.5)},
			},
		},
		{
			Name: "readers", About: "{readers} clients ask for a result of {size} and take nothing of it",
			Full: Sizes{Size: 100 * mb, Nodes: 1, Readers: 15}, Fast: Sizes{Size: 8 * mb, Nodes: 1, Readers: 5}, run: readers,
			measures: []measure{
				{"each", "{readers} readers that take nothing of {size}: memory each", "MiB", atMost(1, "")},
				{"back", "memory back after they have gone", "s", atMost(10, "")},
				{"p99", "GET /node of others: p99, times that of idle", "x", atMost(2, "x")},
			},
		},
		{
			Name: "refused", About: "a user without any right sends a body of {size}",
			Full: Sizes{Size: 400 * mb, Nodes: 1}, Fast: Sizes{Size: 8 * mb, Nodes: 1}, run: refused,
			measures: []measure{
				{"sent", "body of {size} without a right: sent before the 401", "KiB", atMost(64, "")},
				{"memory", "memory over idle", "MiB", aim{}},
			},
		},
	}
}

func crowdScenarios() []Scenario {
	return []Scenario{
		{
			Name: "joins", About: "one account opens {sockets} live connections at once, another one reads",
			Full: Sizes{Sockets: 2_000, Nodes: 1}, Fast: Sizes{Sockets: 100, Nodes: 1}, run: joins,
			measures: []measure{
				{"p99", "{sockets} joins: GET /node of others: p99, times that of idle", "x", atMost(2, "x")},
				{"worst", "the slowest of these GETs", "ms", aim{}},
				{"took", "all joined", "s", atMost(5, "")},
			},
		},
		{
			Name: "sockets", About: "{sockets} live connections are open, and nobody says anything",
			Full: Sizes{Sockets: 10_000, Nodes: 10}, Fast: Sizes{Sockets: 100, Nodes: 5}, run: idleSockets,
			measures: []measure{
				{"memory", "{sockets} idle live connections: memory of the server in all", "MB", atMost(250, "")},
				{"each", "memory over idle, for each", "KiB", aim{}},
			},
		},
		{
			Name: "logins", About: "{threads} strangers try to log in all the time, somebody logs in with the right password",
			Full: Sizes{Threads: 100, Nodes: 1, Tasks: 5}, Fast: Sizes{Threads: 20, Nodes: 1, Tasks: 2}, run: logIns,
			measures: []measure{
				{"hash", "right log-in on an idle server (a hash time)", "ms", aim{}},
				{"one", "beside {threads} strangers at one address", "hashes", atMost(3, "")},
				{"many", "beside {threads} strangers at as many addresses", "hashes", atMost(3, "")},
			},
		},
		{
			Name: "writers", About: "{writers} bodies that do not end, at a server with 64 file descriptors", own: true, descriptors: 64,
			Full: Sizes{Writers: 800, Nodes: 1, Tasks: 10}, Fast: Sizes{Writers: 100, Nodes: 1, Tasks: 2}, run: writers,
			measures: []measure{
				{"served", "{writers} slow bodies, 64 descriptors: requests served", "%", atLeast(100, "")},
				{"slowest", "the slowest of these requests", "ms", aim{}},
			},
		},
	}
}

func speedScenarios() []Scenario {
	return []Scenario{
		{
			Name: "node", About: "{clients} clients read a node by its id, {tasks} times in all",
			Full: Sizes{Clients: 8, Tasks: 30_000, Nodes: 3}, Fast: Sizes{Clients: 4, Tasks: 200, Nodes: 3}, run: readNode,
			measures: []measure{{"rate", "GET /node/<id>, {clients} clients", "/s", ratioAtLeast(0.95)}, cost("rate")},
		},
		{
			Name: "tasks", About: "{clients} clients post {tasks} tasks for {nodes} organizations each",
			Full: Sizes{Clients: 64, Tasks: 12_000, Nodes: 3}, Fast: Sizes{Clients: 8, Tasks: 100, Nodes: 3}, run: postTasks,
			measures: []measure{{"rate", "POST /task, {clients} clients", "/s", ratioAtLeast(0.95)}, cost("rate")},
		},
		{
			Name: "task", About: "one client posts {tasks} tasks for {nodes} organizations each",
			Full: Sizes{Clients: 1, Tasks: 1_000, Nodes: 3}, Fast: Sizes{Clients: 1, Tasks: 50, Nodes: 3}, run: postTasks,
			measures: []measure{{"rate", "POST /task, 1 client", "/s", ratioAtLeast(1.3)}, cost("rate")},
		},
		{
			Name: "lists", About: "{clients} clients read pages, and objects with the links of {tasks} tasks for {nodes} organizations each",
			Full: Sizes{Clients: 8, Tasks: 1_000, Nodes: 3}, Fast: Sizes{Clients: 4, Tasks: 50, Nodes: 3}, run: readLists,
			measures: []measure{
				{"tasks", "GET a page of 10 tasks, {clients} clients", "/s", ratioAtLeast(2)}, cost("tasks"), slowest("tasks", 20),
				{"open", "GET a page of 10 open results", "/s", ratioAtLeast(2)}, cost("open"),
				{"organization", "GET an organization with {tasks} results", "/s", ratioAtLeast(3)}, cost("organization"),
				{"unchanged", "the same with If-None-Match", "/s", ratioAtLeast(15)}, cost("unchanged"),
			},
		},
		{
			Name: "catch-up", About: "a node reads {tasks} open results, which {clients} clients have posted",
			Full: Sizes{Clients: 64, Tasks: 100_000, Nodes: 1}, Fast: Sizes{Clients: 8, Tasks: 600, Nodes: 1}, run: catchUp,
			measures: []measure{{"took", "GET {tasks} open results with their tasks", "s", atMost(1, "")}},
		},
		{
			Name: "return", About: "a server starts again, and {nodes} nodes log in, connect and read what they have to do at once", own: true,
			Full: Sizes{Nodes: 1_000}, Fast: Sizes{Nodes: 20}, run: comeBack,
			measures: []measure{{"took", "{nodes} nodes back at once", "s", atMost(3, "")}},
		},
		{
			Name: "jobs", About: "{nodes} simulated nodes carry out {tasks} tasks, with results of {size}",
			Full: Sizes{Nodes: 10, Tasks: 50, Size: 100 << 10}, Fast: Sizes{Nodes: 3, Tasks: 4, Size: 1 << 10}, run: jobs,
			measures: []measure{{"rate", "results of {size} by {nodes} nodes", "/s", aim{}}},
		},
		{
			Name: "idle", About: "a server that nobody asks anything",
			Full: Sizes{Nodes: 1}, Fast: Sizes{Nodes: 1}, run: idleMemory,
			measures: []measure{{"memory", "idle memory", "MiB", ratioAtMost(1.05)}},
		},
		{
			Name: "start", About: "a server is started {tasks} times on its database", own: true,
			Full: Sizes{Nodes: 1, Tasks: 5}, Fast: Sizes{Nodes: 1, Tasks: 1}, run: startTime,
			measures: []measure{{"took", "start to first answer", "ms", ratioAtMost(1.05)}},
		},
		{
			Name: "load", About: "1 to {clients} clients read a node or post tasks",
			Full: Sizes{Clients: 128, Nodes: 3}, Fast: Sizes{Clients: 8, Nodes: 3}, run: latencyOverLoad,
			measures: []measure{
				{"get", "GET /node/<id>, {clients} clients: p99", "ms", aim{}},
				{"post", "POST /task, {clients} clients: p99", "ms", aim{}},
			},
		},
	}
}

// cost is what rateOf finds beside a rate.
func cost(key string) measure {
	return measure{key + "-cost", "processor time of the server for each", "µs", aim{}}
}

// slowest is the 99th percentile, which rateOf finds too, with the milliseconds that it may take.
func slowest(key string, most float64) measure {
	return measure{key + "-p99", "99 of 100 of them within", "ms", atMost(most, "ms")}
}

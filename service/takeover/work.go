package takeover

import (
	"context"
	"fmt"
	"io"
	"time"

	"vserver/queries"
)

func (c *conversion) convertTasks(ctx context.Context) error {
	err := c.old.Each(ctx, "task", []string{"id", "collaboration_id"}, func(v []any) error {
		collaboration, _ := v[1].(int64)
		if !c.collaborations[collaboration] {
			collaboration = 0
		}
		c.tasks.add(v[0].(int64), collaboration)
		return nil
	})
	if err != nil {
		return err
	}
	columns := []string{"id", "name", "description", "image", "collaboration_id", "run_id", "parent_id", "database", "initiator_id", "init_user_id", "created_at"}
	return c.rows(ctx, "task", columns, func(v []any) bool {
		id := v[0].(int64)
		run := c.number(v[5], "task.run_id", id)
		if n, ok := run.(int64); ok {
			c.run = max(c.run, n)
		}
		c.put("task", id, c.text(v[1], "task.name", id), c.text(v[2], "task.description", id), c.text(v[3], "task.image", id),
			c.reference(v[4], in(c.collaborations), "task.collaboration_id", id), run, c.reference(v[6], c.tasks.has, "task.parent_id", id),
			c.text(v[7], "task.database", id), c.reference(v[8], in(c.organizations), "task.initiator_id", id),
			c.reference(v[9], in(c.users), "task.init_user_id", id), c.moment(v[10], time.UTC, "task.created_at", id))
		return true
	})
}

// killed is the status of results that somebody stopped, whose end the old server wrote in its own time.
const killed = "killed by user"

func (c *conversion) convertResults(ctx context.Context) error {
	columns := []string{"id", "task_id", "organization_id", "assigned_at", "started_at", "finished_at", "status", "port"}
	// The texts of Postgres never leave it.
	texts := c.to != nil && c.old.Engine == queries.SQLite
	return c.old.EachResult(ctx, columns, texts, func(v []any, parts [3]queries.OldText) error {
		id := v[0].(int64)
		c.convertResult(id, v)
		c.results.add(id, 0)
		if parts[0].Octets {
			c.notes.add(kind{"inputs that were sent as a JSON object and stand there as bytes", "the text that they are"}, named(id, nil))
		}
		for i, part := range parts {
			if part.Length > queries.ShortText {
				c.notes.add(kind{"texts of results that are longer than 256 KiB", "they stand in pieces, unchanged"}, fmt.Sprintf("%s of %d", queries.OldParts[i], id))
			}
		}
		if texts {
			if err := c.addTexts(id, parts); err != nil {
				return err
			}
		}
		c.count("result", true)
		return c.failed
	})
}

func (c *conversion) convertResult(id int64, v []any) {
	status := c.text(v[6], "result.status", id)
	if status == nil {
		c.notes.add(kind{"results without a status, from before release 3.6 or imported", "they stay so, and their tasks are shown as then"}, named(id, nil))
	}
	ended := time.UTC
	if status == killed {
		ended = c.zone
	}
	task := c.reference(v[1], c.tasks.has, "result.task_id", id)
	var collaboration any
	if n, ok := task.(int64); ok {
		if of, _ := c.tasks.get(n); of != 0 {
			collaboration = of
		}
	}
	c.put("result", id, task, c.reference(v[2], in(c.organizations), "result.organization_id", id), collaboration,
		c.moment(v[3], time.UTC, "result.assigned_at", id), c.moment(v[4], time.UTC, "result.started_at", id),
		c.moment(v[5], ended, "result.finished_at", id), status)
	if port, ok := c.number(v[7], "result.port", id).(int64); ok {
		c.oldPorts = append(c.oldPorts, [2]int64{id, port})
	}
}

// addTexts adds those of a result: the short ones to its row, the others in pieces.
func (c *conversion) addTexts(id int64, parts [3]queries.OldText) error {
	row := []any{id}
	for i, part := range parts {
		switch {
		case part.Absent:
			row = append(row, nil)
		case part.Length <= queries.ShortText:
			row = append(row, part.Bytes)
		default:
			row = append(row, nil)
			if err := c.carryLong(id, queries.OldParts[i]); err != nil {
				return err
			}
		}
	}
	c.put("payload", row...)
	return c.failed
}

func (c *conversion) carryLong(id int64, part string) error {
	text, err := c.old.OpenText(id, part)
	if err != nil {
		return fmt.Errorf("reading the %s of result %d: %w", part, id, err)
	}
	defer func() { _ = text.Close() }()
	_, err = c.to.AddLong(id, part, io.Reader(text))
	return err
}

func (c *conversion) convertPorts(ctx context.Context) error {
	known := map[[2]int64]bool{}
	err := c.rows(ctx, "algorithmport", []string{"id", "port", "result_id", "label"}, func(v []any) bool {
		id := v[0].(int64)
		port := c.number(v[1], "algorithmport.port", id)
		result := c.reference(v[2], c.results.has, "algorithmport.result_id", id)
		if r, ok := result.(int64); ok {
			if p, ok := port.(int64); ok {
				known[[2]int64{r, p}] = true
			}
		}
		c.put("algorithmport", id, port, result, c.text(v[3], "algorithmport.label", id))
		return true
	})
	next := c.highest["algorithmport"]
	for _, p := range c.oldPorts {
		if known[p] {
			continue
		}
		next++
		c.ports++
		c.notes.add(kind{"ports of release 3.0, which stand in results", "rows of algorithmport without a label"}, named(p[0], nil))
		c.put("algorithmport", next, p[1], p[0], nil)
	}
	return err
}

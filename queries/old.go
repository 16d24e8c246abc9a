package queries

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Old is the database of a 3.x server, open to be read and nothing else: its bytes stay as they are
// (/docs/takeover#how). While it is open nobody else can change it.
type Old struct {
	Engine     Engine
	Generation string
	Bytes      int64  // about how large it is
	Mode       uint32 // of its file on SQLite
	// Schema is where its tables are on Postgres.
	Schema  string
	names   map[string]string   // of the tables, as they are written there, by their names in lower letters
	columns map[string][]string // by the same
	from    oldReader
}

// oldReader is a connection to an Old.
type oldReader interface {
	// scan calls each with the values of a query's rows: nil, int64, float64, bool, string, []byte or a
	// time.Time without zone.
	scan(ctx context.Context, query string, each func(values []any) error) error
	end() error
}

// OldTables are the tables that 3.x servers make, in the order in which a takeover reads them.
var OldTables = []string{
	"organization", "collaboration", "Member", "authenticatable", "user", "node", "nodeconfig", "rule", "role",
	"Permission", "UserPermission", "role_rule_association", "task", "result", "algorithmport",
}

// OpenOld opens the database of a 3.x server. With hold the others are kept from changing it until it
// is closed; the error is ErrInUse when somebody is just doing that.
func OpenOld(ctx context.Context, src Source, hold bool) (*Old, error) {
	id, err := Identify(ctx, src)
	if err != nil {
		return nil, busy(err)
	}
	if id.Kind != KindReference {
		return nil, fmt.Errorf("%s is not the database of a 3.x server", placeOf(src))
	}
	o := &Old{Engine: src.Engine, Generation: id.Generation, names: map[string]string{}, columns: map[string][]string{}}
	if src.Engine == Postgres {
		err = o.openPostgres(ctx, src.DSN, hold)
	} else {
		err = o.openSQLite(ctx, src)
	}
	if err != nil {
		return nil, err
	}
	return o, nil
}

// Close ends the reading.
func (o *Old) Close() error { return o.from.end() }

// Has reports whether there is a table with a column; an empty one asks for the table.
func (o *Old) Has(table, column string) bool {
	table = strings.ToLower(table)
	return o.names[table] != "" && (column == "" || slices.Contains(o.columns[table], column))
}

// Count returns how many rows a table has; 0 when it is not there.
func (o *Old) Count(ctx context.Context, table string) (n int64, err error) {
	if !o.Has(table, "") {
		return 0, nil
	}
	err = o.read(ctx, "SELECT COUNT(*) FROM "+o.named(table), func(values []any) error {
		n, _ = values[0].(int64)
		return nil
	})
	return n, err
}

// named writes the name of a table.
func (o *Old) named(table string) string { return quotedName(o.names[strings.ToLower(table)]) }

// Each calls a function with the rows of a table, in the order of their first column. A column that the table
// does not have is nil; a table that is not there has no rows.
func (o *Old) Each(ctx context.Context, table string, columns []string, each func(values []any) error) error {
	if !o.Has(table, "") {
		return nil
	}
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = "NULL"
		if o.Has(table, c) {
			list[i] = quotedName(c)
		}
		if o.Engine == Postgres && (c == "operation" || c == "scope") {
			list[i] += "::text"
		}
	}
	return o.read(ctx, "SELECT "+strings.Join(list, ", ")+" FROM "+o.named(table)+" ORDER BY 1, 2", each)
}

func (o *Old) read(ctx context.Context, query string, each func(values []any) error) error {
	if err := o.from.scan(ctx, query, each); err != nil {
		return fmt.Errorf("reading the old database: %w", err)
	}
	return nil
}

// OldText is an input, a result or a log: where it is short and its texts were asked for, its bytes, else only how
// long it is.
type OldText struct {
	Absent bool
	Length int64
	Bytes  []byte
	Octets bool // it stands there as bytes, which a JSON object as input was
}

// OldParts are the columns of the texts.
var OldParts = [3]string{"input", "result", "log"}

// EachResult is Each for results with their texts.
func (o *Old) EachResult(ctx context.Context, columns []string, texts bool, each func(values []any, parts [3]OldText) error) error {
	list := make([]string, 0, len(columns)+3*len(OldParts))
	for _, c := range columns {
		if !o.Has("result", c) {
			c = "NULL"
		}
		list = append(list, c)
	}
	for _, part := range OldParts {
		list = append(list, o.lengthOf(part), o.isOctets(part))
		if texts {
			list = append(list, fmt.Sprintf("CASE WHEN octet_length(%[1]s) <= %[2]d THEN CAST(%[1]s AS BLOB) END", part, ShortText))
		}
	}
	step := (len(list) - len(columns)) / len(OldParts)
	query := "SELECT " + strings.Join(list, ", ") + " FROM " + o.named("result") + " ORDER BY id"
	return o.read(ctx, query, func(values []any) error {
		var parts [3]OldText
		for i := range parts {
			at := values[len(columns)+i*step:]
			length, there := at[0].(int64)
			octets, _ := at[1].(int64)
			parts[i] = OldText{Absent: !there, Length: length, Octets: octets == 1}
			if there && texts && length <= ShortText {
				parts[i].Bytes = bytesOf(at[2])
			}
		}
		return each(values[:len(columns)], parts)
	})
}

// bytesOf are the bytes of a value; none are no nil.
func bytesOf(value any) []byte {
	if b, ok := value.([]byte); ok && b != nil {
		return b
	}
	return []byte{}
}

func (o *Old) lengthOf(part string) string {
	if !o.Has("result", part) {
		return "NULL"
	}
	if o.Engine == Postgres {
		return "CAST(octet_length(" + oldBytes(part) + ") AS BIGINT)"
	}
	return "octet_length(" + part + ")"
}

func (o *Old) isOctets(part string) string {
	switch {
	case !o.Has("result", part):
		return "NULL"
	case o.Engine == Postgres:
		return "CAST(CAST(" + part + " ~ '" + oldOctets + "' AS INTEGER) AS BIGINT)"
	}
	return "typeof(" + part + ") = 'blob'"
}

// HighestIDs returns the highest id that each table with a sequence ever gave out, as far as is known.
func (o *Old) HighestIDs(ctx context.Context) (map[string]int64, error) {
	highest := map[string]int64{}
	for _, table := range []string{"organization", "collaboration", "authenticatable", "nodeconfig", "role", "rule", "task", "result", "algorithmport"} {
		if !o.Has(table, "") {
			continue
		}
		query := "SELECT MAX(id) FROM " + o.named(table)
		if o.Engine == Postgres {
			query = "SELECT CAST(GREATEST((" + query + "), (SELECT p.last_value FROM pg_sequences p WHERE p.schemaname = current_schema() AND p.sequencename = '" + table + "_id_seq')) AS BIGINT)"
		}
		err := o.read(ctx, query, func(values []any) error {
			highest[table], _ = values[0].(int64)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return highest, nil
}

// errNoText says that a text went while it was read.
var errNoText = errors.New("a text is not there any more")

// TakenOver is the name of the counter that has the moment of a takeover, in seconds.
const TakenOver = "taken_over"

package log

import "strings"

// pythonDate is what Python writes when no format of the date is configured.
const pythonDate = "%Y-%m-%d %H:%M:%S,%L"

// notInC keeps directives as they are written that the library knows and the C library,
// which formats the log of the reference server, does not.
var notInC = strings.NewReplacer("%%", "%%",
	"%f", "%%f", "%L", "%%L", "%N", "%%N", "%Q", "%%Q", "%v", "%%v", "%+", "%%+")

// dateFormat is the strftime format of the library for a configured `datefmt`.
func dateFormat(datefmt string) string {
	if datefmt == "" {
		return pythonDate
	}
	return notInC.Replace(datefmt)
}

package daemon

import (
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc/mgr"

	"vserver/service/config"
)

// registered finds the services of a scope that Windows knows: the names of their
// instances, with the words that start them. Everybody may list and read services,
// administrator or not.
func registered(scope config.Scope) map[string][]string {
	h, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT|windows.SC_MANAGER_ENUMERATE_SERVICE)
	if err != nil {
		return nil
	}
	m := &mgr.Mgr{Handle: h}
	defer func() { _ = m.Disconnect() }()
	names, err := m.ListServices()
	if err != nil {
		return nil
	}
	before, after := around("windows", scope)
	lines := map[string][]string{}
	for _, name := range names {
		instance, ok := strings.CutPrefix(name, before)
		instance, ends := strings.CutSuffix(instance, after)
		if ok && ends {
			lines[instance] = registeredWords(m, name)
		}
	}
	return lines
}

// registeredWords reads the command line of a service.
func registeredWords(m *mgr.Mgr, name string) []string {
	wide, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return nil
	}
	h, err := windows.OpenService(m.Handle, wide, windows.SERVICE_QUERY_CONFIG)
	if err != nil {
		return nil
	}
	defer func() { _ = windows.CloseServiceHandle(h) }()
	const most = 8 << 10 // bytes that Windows says it needs at most
	buffer := make([]byte, most)
	c := (*windows.QUERY_SERVICE_CONFIG)(unsafe.Pointer(&buffer[0])) //nolint:gosec // Windows fills it in this form
	var needed uint32
	if windows.QueryServiceConfig(h, c, most, &needed) != nil {
		return nil
	}
	words, err := windows.DecomposeCommandLine(windows.UTF16PtrToString(c.BinaryPathName))
	if err != nil {
		return nil
	}
	return words
}
